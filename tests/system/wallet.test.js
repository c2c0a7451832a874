// The wallet on a real machine: keys from elsewhere and to elsewhere, what it signs and what it refuses, and who knows the key.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, sleep } = require('./machine.js')

// The key and the bytes of EIP-155's example.
const KEY = '46'.repeat(32), ADDRESS = '0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F'
const RAW = '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83'
const PAYEE = '0x' + '35'.repeat(20)
const POLICY = `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "1"; rules = ({
  name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2.5";
}); });
statements = ["peer-proof", "hub-challenge"];
hubs = ["hub.example.org"];
`
let nextPort = 61000 + process.pid % 4000

const write = (machine, name, text, mode = 0o600) => {
	const file = path.join(machine.root, name)
	fs.writeFileSync(file, text)
	fs.chmodSync(file, mode)
	return file
}
const add = (machine, args, input) => machine.run('warrend',
	['add', '--tier', 'bronze', '--storage', '16', '--port', String(nextPort++), ...args], { fails: true, input })
const call = (machine, name, ...fields) => {
	const done = machine.run('warren', ['call', 'wallet@1', name, ...fields, '--json'], { fails: true })
	return { ...JSON.parse(done.out || 'null'), code: done.code }
}
const pay = (nonce, more = {}) => Object.entries({
	once: crypto.randomBytes(32).toString('hex'), type: 0, chain_id: 1, nonce, gas: 21000, max_fee: 20000000000,
	to: PAYEE, value: '1000000000000000000', data: '', purpose: 'test', ...more,
}).map(([name, value]) => `${name}=${value}`)

// A machine whose node 1 has KEY.
async function withKey({ policy = POLICY, start = true } = {}) {
	const machine = await Machine.create({ nodes: 0, start: false })
	const file = write(machine, 'key', KEY + '\n')
	const added = add(machine, ['--import', file])
	assert.strictEqual(added.code, 0, added.err)
	assert.match(added.out, new RegExp(`address ${ADDRESS}`))
	fs.unlinkSync(file)
	if (policy) write(machine, 'etc/policy.conf', policy, 0o644)
	if (start) machine.start()
	return machine
}

test('a key comes from a file, a pipe or a keystore; what must not be is refused, and nothing is half-made', async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		const refused = (args, input, words) => {
			const before = fs.readdirSync(path.join(machine.root, 'etc'))
			const done = add(machine, args, input)
			assert.strictEqual(done.code, 1, done.out)
			assert.match(done.err, words)
			assert.deepStrictEqual(fs.readdirSync(path.join(machine.root, 'etc')), before)
			assert.ok(!fs.readdirSync(machine.root).some((name) => name.startsWith('node')), 'no folder is left')
		}
		for (const mode of [0o640, 0o604, 0o660, 0o666]) {
			const file = write(machine, 'weak', KEY, mode)
			refused(['--import', file], undefined, /can be read or written by others \(mode 6\d\d\); whoever did knows the key/)
		}
		refused(['--import', path.join(machine.root, 'none')], undefined, /No such file/)
		refused(['--import', '/dev/null'], undefined, /is not a file/)
		refused(['--import', write(machine, 'bad', KEY.slice(1))], undefined, /neither a V3 keystore nor a key of 64 hex digits/)
		refused(['--import', write(machine, 'bad', '00'.repeat(32))], undefined, /no key of the curve/)
		refused(['--import', write(machine, 'bad', 'ff'.repeat(32))], undefined, /no key of the curve/)
		refused(['--import', write(machine, 'bad', '4'.repeat(20000))], undefined, /longer than a keystore/)
		refused(['--import', '-'], KEY + '4\n', /64 hex digits/)
		refused(['--import', '-'], '\n', /nothing was typed/)
		const absurd = (n, r, p) => JSON.stringify({ version: 3, crypto: { cipher: 'aes-128-ctr', cipherparams: { iv: '00'.repeat(16) },
			ciphertext: '00'.repeat(32), kdf: 'scrypt', kdfparams: { dklen: 32, n, r, p, salt: '00' }, mac: '00'.repeat(32) } })
		refused(['--import', write(machine, 'bad', absurd(2 ** 40, 8, 1))], 'x\n', /n is 1099511627776; more than 262144 is refused/)
		refused(['--import', write(machine, 'bad', absurd(1024, 8, 1e9))], 'x\n', /p is 1000000000/)

		const piped = add(machine, ['--import', '-'], KEY + '\n')
		assert.strictEqual(piped.code, 0, piped.err)
		assert.match(piped.out, new RegExp(`address ${ADDRESS}`))

		// Out as a keystore, and into another machine; the passphrase is asked for there and here.
		const out = path.join(machine.root, 'out.json')
		const short = machine.run('warrend', ['export', '1', out], { fails: true, input: 'short\n' })
		assert.strictEqual(short.code, 1)
		assert.ok(!fs.existsSync(out), 'nothing half-made')
		assert.strictEqual(machine.run('warrend', ['export', '7', out], { fails: true, input: 'correct horse\n' }).code, 1)
		machine.run('warrend', ['export', '1', out], { input: 'correct horse\n' })
		assert.strictEqual(fs.statSync(out).mode & 0o777, 0o600)
		const keystore = JSON.parse(fs.readFileSync(out, 'utf8'))
		assert.deepStrictEqual([keystore.version, keystore.crypto.kdfparams.n, keystore.crypto.kdfparams.r, keystore.crypto.kdfparams.p], [3, 262144, 8, 1])
		assert.strictEqual(keystore.address, ADDRESS.slice(2).toLowerCase())
		assert.strictEqual(machine.run('warrend', ['export', '1', out], { fails: true, input: 'correct horse\n' }).code, 1, 'never over a file')
		const other = await Machine.create({ nodes: 0, start: false })
		try {
			const wrong = add(other, ['--import', out], 'correct horsE\n')
			const changed = add(other, ['--import', write(other, 'changed', JSON.stringify({ ...keystore, crypto: { ...keystore.crypto, mac: '00'.repeat(32) } }))], 'correct horse\n')
			const sentence = (done) => done.err.split('\n').find((line) => /does not open/.test(line))
			assert.ok(sentence(wrong), wrong.err)
			assert.strictEqual(sentence(wrong), sentence(changed), 'no hint which part is wrong')
			const imported = add(other, ['--import', out], 'correct horse\n')
			assert.strictEqual(imported.code, 0, imported.err)
			assert.match(imported.out, new RegExp(`address ${ADDRESS}`))
		} finally { await other.destroy() }
	} finally { await machine.destroy() }
})

test('it signs what the policy allows, once for a key, and says why not', async () => {
	const machine = await withKey()
	try {
		const first = pay(9, { once: 'aa'.repeat(32) })
		assert.strictEqual(call(machine, 'wallet_sign_tx', ...first).raw, RAW, 'the bytes of EIP-155')
		assert.strictEqual(call(machine, 'wallet_sign_tx', ...first).raw, RAW, 'asked again')
		assert.match(call(machine, 'wallet_sign_tx', ...pay(10, { once: 'aa'.repeat(32) })).why, /used for another transaction/)
		const spent = () => call(machine, 'wallet_policy').rules.find((rule) => rule.rule === 'pay')
		assert.deepStrictEqual([spent().value_today, spent().fee_today, spent().signed_today], ['1', '0.00042', 1], 'charged once')

		// A dearer one of the same nonce is charged as the difference; a kill renews nothing.
		assert.ok(call(machine, 'wallet_sign_tx', ...pay(9, { max_fee: 40000000000 })).raw)
		assert.deepStrictEqual([spent().value_today, spent().fee_today, spent().signed_today], ['1', '0.00084', 1])
		assert.ok(call(machine, 'wallet_sign_tx', ...pay(10)).raw)
		for (let i = 0; i < 2; i++) {
			const killed = machine.kill('wallet@1')
			await machine.until('wallet@1 is back', () => { const now = machine.process('wallet@1'); return now.state === 'ready' && now.pid !== killed })
			assert.match(call(machine, 'wallet_sign_tx', ...pay(11)).why, /rule pay: value would be 3 in 24 hours; 2.5 may be/)
			assert.strictEqual(call(machine, 'wallet_sign_tx', ...first).raw, RAW, 'and what was signed is remembered')
			assert.strictEqual(spent().value_today, '2')
		}
		for (const [fields, words] of [
			[{ chain_id: 2 }, /no chain 2/], [{ chain_id: 0 }, /EIP-155/], [{ to: '0x' + '36'.repeat(20) }, /no rule of the policy/],
			[{ data: '0xa9059cbb' }, /method a9059cbb/], [{ type: 1 }, /type/], [{ gas: 20999 }, /21000/], [{ once: '00'.repeat(32) }, /random key/],
			[{ max_fee: '1' + '0'.repeat(60) }, /fees would be/], [{ value: '1' + '0'.repeat(70) }, /value would be/],
		]) {
			const refused = call(machine, 'wallet_sign_tx', ...pay(11, { value: 1, ...fields }))
			assert.strictEqual(refused.error, 'refused', JSON.stringify(fields))
			assert.match(refused.why, words)
		}
		const now = Math.floor(Date.now() / 1000)
		assert.match(call(machine, 'wallet_sign_peer_proof', `timestamp=${now}`).statement, new RegExp(`^mumblechat:peer:[0-9a-f]{40}:${now}$`))
		assert.match(call(machine, 'wallet_sign_peer_proof', `timestamp=${now - 1000}`).why, /for now/)
		const hub = (name) => call(machine, 'wallet_sign_hub_challenge', `hub=${name}`, `challenge=${'ab'.repeat(32)}`, `expires=${now + 20}`)
		assert.match(hub('hub.example.org').statement, /^Warren hub challenge\nversion 1\nhub hub\.example\.org\nwallet 0x9d8A/)
		assert.match(hub('evil.example.org').why, /names no hub/)
		assert.match(hub('HUB').why, /names no hub/)
		assert.match(call(machine, 'wallet_sign_relay_proof', `message_hash=${'ab'.repeat(32)}`, `node_id=${'ab'.repeat(32)}`, `timestamp=${now}`, 'relay_nonce=0').why, /allows no relay-proof/)
		assert.match(machine.log('wallet@1'), /wallet\.refused call=wallet_sign_tx asker=operator/)
	} finally { await machine.destroy() }
})

test('the policy is root\'s: read again on reload, every mistake shown with its line, and none without one', async () => {
	const machine = await withKey({ policy: null })
	try {
		assert.match(call(machine, 'wallet_sign_tx', ...pay(1)).why, /there is no policy/)
		assert.match(call(machine, 'wallet_sign_peer_proof', `timestamp=${Math.floor(Date.now() / 1000)}`).why, /allows no peer-proof/)
		const before = machine.process('wallet@1').pid, store = machine.process('store@1').pid
		write(machine, 'etc/policy.conf', POLICY, 0o644)
		machine.warren('reload')
		await machine.until('the wallet has it', () => call(machine, 'wallet_policy').present)
		assert.notStrictEqual(machine.process('wallet@1').pid, before)
		assert.strictEqual(machine.process('store@1').pid, store, 'nobody else starts anew')
		assert.ok(call(machine, 'wallet_sign_tx', ...pay(1)).raw)

		write(machine, 'etc/policy.conf', POLICY.replace('value_per_day = "2.5"', 'value_per_day = "much"').replace('hub.example.org', 'HUB'), 0o644)
		const checked = machine.run('warrend', ['check'], { fails: true })
		assert.strictEqual(checked.code, 78)
		assert.match(checked.out + checked.err, /policy\.conf:2: value_per_day[^]*policy\.conf:5: hubs/)
		assert.notStrictEqual(machine.warrenFails('reload').code, 0)
		assert.ok(call(machine, 'wallet_sign_tx', ...pay(2)).raw, 'the old one stays')
		write(machine, 'etc/policy.conf', POLICY, 0o666)
		assert.match(machine.run('warrend', ['check'], { fails: true }).err, /policy\.conf: can be written by others/)
		write(machine, 'etc/policy.conf', POLICY, 0o644)
		write(machine, 'etc/policy1.conf', '', 0o644)
		machine.warren('reload')
		await machine.until('node 1 has its own', () => call(machine, 'wallet_policy').rules.length === 0)
		assert.match(call(machine, 'wallet_sign_tx', ...pay(3)).why, /no chain 1/)
	} finally { await machine.destroy() }
})

test('unlock = "ask": the nodes are locked until the passphrase was given', async () => {
	const machine = await withKey({ start: false })
	const secret = path.join(machine.root, 'machine', 'unlock')
	try {
		const was = fs.readFileSync(secret)
		assert.match(machine.run('warrend', ['passphrase'], { fails: true, input: 'too short\n' }).err, /at least 12/)
		machine.run('warrend', ['passphrase'], { input: 'a long passphrase\n' })
		assert.ok(!fs.existsSync(secret), 'the open secret is gone')
		assert.ok(!fs.readFileSync(secret + '.sealed').includes(was))
		assert.match(machine.run('warrend', ['start'], { fails: true }).err, /unlock = "ask"/)
		fs.appendFileSync(path.join(machine.root, 'etc', 'warren.conf'), 'unlock = "ask";\n')
		assert.match(machine.run('warrend', ['start']).out, /locked; unlock them with/)
		assert.deepStrictEqual(['wallet@1', 'store@1'].map((who) => machine.process(who).state), ['locked', 'locked'])
		assert.match(machine.warrenFails('status').out, /wallet@1 is locked/)
		const wrong = machine.run('warrend', ['unlock'], { fails: true, input: 'a wrong passphrase\n' })
		assert.strictEqual(wrong.code, 1)
		assert.match(wrong.err, /not the passphrase/)
		assert.strictEqual(machine.process('wallet@1').state, 'locked')
		machine.run('warrend', ['unlock'], { input: 'a long passphrase\n' })
		await machine.ready()
		assert.strictEqual(call(machine, 'wallet_address').text, ADDRESS, 'the same keys open')
		assert.ok(!fs.existsSync(path.join(machine.root, 'run', 'unlock.sock')), 'the door is closed')
		assert.match(machine.run('warrend', ['unlock'], { fails: true, input: 'a long passphrase\n' }).err, /not running, or not locked/)
		const second = add(machine, [], 'a long passphrase\n')
		assert.strictEqual(second.code, 0, second.err)
		machine.warrend('stop')

		// Another secret than the nodes were sealed under is not taken, by whatever way it comes.
		machine.run('warrend', ['passphrase'], { input: 'a long passphrase\nanother long passphrase\n' })
		machine.run('warrend', ['start'])
		assert.strictEqual(machine.run('warrend', ['unlock'], { fails: true, input: 'a long passphrase\n' }).code, 1)
		machine.run('warrend', ['unlock'], { input: 'another long passphrase\n' })
		await machine.ready()
	} finally { await machine.destroy() }
})

// -- the disk before the signature ---------------------------------------------------------------

const tool = (name, ...args) => spawnSync(name, args, { encoding: 'utf8', timeout: 60000 })

// Puts the node's keys on a file system of their own, which can be frozen. False: this system mounts no loop devices.
function ownFileSystem(machine, folder) {
	const image = path.join(machine.root, 'keys.ext4'), there = path.join(machine.root, 'there')
	fs.writeFileSync(image, '')
	fs.truncateSync(image, 32 << 20)
	fs.mkdirSync(there)
	if (tool('mkfs.ext4', '-q', '-F', image).status !== 0 || tool('mount', '-o', 'loop', image, there).status !== 0) return false
	fs.rmdirSync(path.join(there, 'lost+found'))
	const copied = tool('cp', '-a', `${folder}/.`, there)
	tool('umount', there)
	return copied.status === 0 && tool('mount', '-o', 'loop', image, folder).status === 0
}

test('no signature leaves before its charge is on the disk, and nobody waits for a disk that does not answer', { skip: process.getuid() !== 0 && 'needs root: to freeze a file system' }, async (t) => {
	const machine = await withKey({ start: false })
	const folder = path.join(machine.root, 'node1', 'keys')
	try {
		if (!ownFileSystem(machine, folder)) return t.skip('no loop device can be mounted here')
		machine.start()
		assert.strictEqual(call(machine, 'wallet_sign_tx', ...pay(9, { once: 'aa'.repeat(32) })).raw, RAW, 'a control: it signs')
		assert.strictEqual(tool('fsfreeze', '-f', folder).status, 0)
		const pid = machine.process('wallet@1').pid, asked = pay(10, { once: 'bb'.repeat(32) })
		const waits = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'call', 'wallet@1', 'wallet_sign_tx', ...asked, '--json'])
		let said = ''
		waits.stdout.on('data', (data) => { said += data })
		const ended = new Promise((resolve) => waits.on('exit', resolve))
		await machine.until('it is under way', () => /signatures under way +1\b/.test(machine.warren('limits', 'wallet@1').out))
		assert.strictEqual(call(machine, 'wallet_address').text, ADDRESS, 'others are answered meanwhile')
		await ended
		assert.strictEqual(JSON.parse(said).error, 'late', 'and no signature came')
		assert.strictEqual(tool('fsfreeze', '-u', folder).status, 0)
		let again // late is no fault of ours on a slow disk: ask again, with the same key
		await machine.until('asked again, it is there', () => { again = call(machine, 'wallet_sign_tx', ...asked); if (!again.raw) console.log(`# ${again.why}`); return again.raw }, 60000)
		assert.strictEqual(machine.process('wallet@1').pid, pid, 'the wallet lived through it')
		assert.strictEqual(call(machine, 'wallet_policy').rules.find((rule) => rule.rule === 'pay').signed_today, 2, 'and was charged once')

		// A flood of them meanwhile: so many wait, the others are told at once, and nobody else notices.
		const bound = () => JSON.parse(machine.warren('limits', 'wallet@1', '--json').out).processes[0].limits.find((limit) => limit.name === 'signatures under way')
		assert.strictEqual(tool('fsfreeze', '-f', folder).status, 0)
		const flood = Array.from({ length: 80 }, (_, i) => new Promise((resolve) => {
			const one = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'call', 'wallet@1', 'wallet_sign_tx', ...pay(100 + i, { value: 1 }), '--json'])
			let text = ''
			one.stdout.on('data', (data) => { text += data })
			one.on('close', () => resolve(JSON.parse(text).error))
		}))
		const full = await machine.until('the queue is full', () => { const now = bound(); return now.drops >= 80 - 64 && now }, 60000)
		assert.deepStrictEqual([full.limit, full.depth, full.high], [64, 64, 64])
		assert.strictEqual(call(machine, 'wallet_address').text, ADDRESS)
		assert.ok(JSON.parse(machine.warren('call', 'store@1', 'store_stat', '--json').out).writable, 'and others are not touched')
		const ends = await Promise.all(flood)
		assert.strictEqual(ends.filter((error) => error === 'busy').length, 80 - 64)
		assert.strictEqual(ends.filter((error) => error === 'late').length, 64)
		assert.strictEqual(tool('fsfreeze', '-u', folder).status, 0)
		await machine.until('all of it is on the disk', () => bound().depth === 0, 60000)
	} finally {
		tool('fsfreeze', '-u', folder)
		machine.run('warrend', ['stop'], { fails: true })
		tool('umount', folder)
		await machine.destroy()
	}
})

// -- who knows the key ---------------------------------------------------------------------------

// Raw, backwards (as libsecp256k1 holds numbers), and as hex in either case.
const needles = (key) => [key, Buffer.from(key).reverse(), Buffer.from(key.toString('hex')), Buffer.from(key.toString('hex').toUpperCase())]

const WINDOW = 1 << 20, OVERLAP = 128
function searchFile(fd, from, to, all) {
	const window = Buffer.alloc(WINDOW)
	for (let at = from; at < to; at += WINDOW - OVERLAP) {
		let got
		try { got = fs.readSync(fd, window, 0, Math.min(WINDOW, to - at), at) } catch { return false }
		if (all.some((needle) => window.subarray(0, got).includes(needle))) return true
		if (got === 0) return false
	}
	return false
}

// All memory of a process that root can read; how much that was.
function searchMemory(pid, all) {
	const fd = fs.openSync(`/proc/${pid}/mem`, 'r')
	let bytes = 0, found = false
	for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
		const match = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line)
		if (!match || /\[v(var|syscall)/.test(line)) continue
		const [from, to] = [Number('0x' + match[1]), Number('0x' + match[2])]
		if (!Number.isSafeInteger(to)) continue
		bytes += to - from
		found = searchFile(fd, from, to, all) || found
	}
	fs.closeSync(fd)
	return { bytes, found }
}

function* filesBelow(folder) {
	for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
		const name = path.join(folder, entry.name)
		if (entry.isDirectory()) yield* filesBelow(name)
		else if (entry.isFile()) yield name
	}
}
const inFiles = (root, all) => [...filesBelow(root)].filter((name) => {
	const fd = fs.openSync(name, 'r')
	try { return searchFile(fd, 0, fs.fstatSync(fd).size, all) } finally { fs.closeSync(fd) }
})

// Where memory may have gone: every swap device and file that is on, or why there is nothing to search.
function swaps() {
	const rows = fs.readFileSync('/proc/swaps', 'utf8').trim().split('\n').slice(1).map((line) => line.split(/\s+/))
	return rows.map(([name, , kib]) => ({ name: name.replace(/\\040/g, ' '), bytes: Number(kib) * 1024 }))
}
function searchSwap(swap, all) {
	const fd = fs.openSync(swap.name, 'r')
	try { return searchFile(fd, 0, swap.bytes, all) } finally { fs.closeSync(fd) }
}

// Arguments and environments of every process there is, whoever's; the pids of those that hold it. One that ends meanwhile holds nothing.
function toldProcesses(all) {
	const told = []
	let looked = 0, closed = 0 // closed: not even root may, as in some containers
	for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		for (const what of ['cmdline', 'environ']) {
			let text
			try { text = fs.readFileSync(`/proc/${pid}/${what}`) } catch (error) {
				if (!['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) throw error
				closed += error.code === 'EACCES' || error.code === 'EPERM'
				continue
			}
			looked++
			if (all.some((needle) => text.includes(needle))) told.push(`${pid} ${what}`)
		}
	}
	return { told, looked, closed }
}

test('the key is in no file, log, argument, environment, tap, swap or other process', { skip: process.getuid() !== 0 && 'needs root: to read the memory of others' }, async (t) => {
	const key = crypto.randomBytes(32), all = needles(key)
	const machine = await Machine.create({ nodes: 1, start: false })
	let tap, planted
	try {
		const file = write(machine, 'key', key.toString('hex'))
		assert.strictEqual(add(machine, ['--import', file]).code, 0)
		assert.deepStrictEqual(inFiles(machine.root, all), [file], 'the search finds it where it is')
		fs.unlinkSync(file)
		write(machine, 'etc/policy.conf', POLICY, 0o644)
		machine.start()
		let heard = ''
		tap = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'tap'])
		tap.stdout.on('data', (data) => { heard += data })
		const two = (name, ...fields) => JSON.parse(machine.run('warren', ['call', 'wallet@2', name, ...fields, '--json'], { fails: true }).out)
		let nonce = 1
		await machine.until('the tap hears it sign', async () => {
			assert.ok(two('wallet_sign_tx', ...pay(nonce++, { value: 1 })).raw)
			await sleep(50)
			return heard.includes('wallet_sign_tx')
		})
		assert.ok(two('wallet_sign_tx', ...pay(nonce, { to: '0x' + '11'.repeat(20) })).error)
		assert.ok(two('wallet_binding').statement)
		const json = machine.run('warrend', ['export', '2', '-'], { input: 'correct horse\n' }).out
		assert.ok(!all.some((needle) => Buffer.from(json + heard).includes(needle)), 'exported and tapped without it')

		// A process that has it, the control: found, raw and as hex.
		planted = spawn(process.execPath, ['-e', 'const key = require("fs").readFileSync(0); console.log("here"); setInterval(() => key.length, 1000)'])
		planted.stdin.end(key)
		await new Promise((resolve) => planted.stdout.once('data', resolve))
		assert.ok(searchMemory(planted.pid, [key]).found, 'the search finds it where it is planted')

		// And one that was told it: the same of the whole host.
		const told = spawn('sleep', ['1000'], { env: { KEY: key.toString('hex') } })
		try {
			await machine.until('it is told', () => toldProcesses(all).told.length === 1)
			assert.deepStrictEqual(toldProcesses(all).told, [`${told.pid} environ`], 'and nobody else')
		} finally { told.kill() }
		const argued = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', key.toString('hex').toUpperCase()])
		try { await machine.until('it is told', () => toldProcesses(all).told.join() === `${argued.pid} cmdline`) } finally { argued.kill() }
		await machine.until('both have ended', () => !fs.existsSync(`/proc/${told.pid}`) && !fs.existsSync(`/proc/${argued.pid}`))
		const host = toldProcesses(all)
		assert.deepStrictEqual(host.told, [])
		assert.ok(host.looked > 2 * machine.status().processes.length, `${host.looked} texts were looked at`)
		t.diagnostic(`arguments and environments of the host: ${host.looked} were searched, ${host.closed} are closed even to root`)

		// Swap, if there is any: one is made to look like it, and found, so that the search of real ones means something.
		const likeSwap = write(machine, 'swap', Buffer.concat([Buffer.alloc(3 * WINDOW + 100), key, Buffer.alloc(WINDOW)]))
		assert.ok(searchSwap({ name: likeSwap, bytes: fs.statSync(likeSwap).size }, all), 'the search finds it where it is')
		fs.unlinkSync(likeSwap)
		if (!swaps().length) t.diagnostic('swap was not searched: this machine has none (/proc/swaps)')
		for (const swap of swaps()) {
			assert.ok(!searchSwap(swap, all), `${swap.name} holds the key`)
			t.diagnostic(`swap ${swap.name} was searched: ${Math.round(swap.bytes / 1048576)} MiB`)
		}

		const processes = machine.status().processes
		for (const one of [...processes, { actor: 'warrend', node: 0, pid: machine.supervisor }]) {
			const name = `${one.actor}@${one.node}`
			const { bytes, found } = searchMemory(one.pid, all)
			assert.ok(bytes > 500000, `${name}: there is memory to be searched`)
			// The wallet's own is in memory that even root cannot read; where the kernel has none, only it may be found.
			const hidden = !(one.missing & 1 << 8)
			if (name !== 'wallet@2' || hidden) assert.ok(!found, `${name} knows the key`)
			for (const what of ['cmdline', 'environ'])
				assert.ok(!all.some((needle) => fs.readFileSync(`/proc/${one.pid}/${what}`).includes(needle)), `${name} ${what}`)
			assert.match(fs.readFileSync(`/proc/${one.pid}/limits`, 'utf8'), /Max core file size +0 +0 /, `${name} leaves no core`)
		}
		assert.deepStrictEqual(inFiles(machine.root, all), [], 'in no file, sealed, logged or left over')
	} finally {
		if (tap) tap.kill()
		if (planted) planted.kill()
		await machine.destroy()
	}
})
