// `warren why` names what was done to a machine: one fault after the other, each from the outside, and the record must say which
// it was, about whom. A fault that is not named, or named as something else, is red.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine, sleep } = require('./machine.js')

const root = process.getuid() === 0
const WAIT = 30000 // a busy machine may be slow; what is waited for comes within a second or four
let machine

const why = (...about) => JSON.parse(machine.warren('why', ...about, '--json').out)
const conf = (node) => path.join(machine.root, 'etc', `node${node}.conf`)
const storage = (node, name) => path.join(machine.root, `node${node}`, 'storage', name)
const storageOf = (other, name) => path.join(other.root, 'node1', 'storage', name)
const keys = (node) => path.join(machine.root, `node${node}`, 'keys', 'wallet.keys')

// Waits until `why ABOUT` names it; `over` too, as what was mended at once is over at once.
async function named(about, name, check = () => true) {
	let last
	try {
		return await machine.until(`why ${about} names ${name}`, () => {
			last = machine.warrenFails('why', about, '--json')
			return JSON.parse(last.out).reasons.find((r) => r.name === name && check(r))
		}, WAIT)
	} catch (error) { throw new Error(`${error.message}; it says ${last && last.out + last.err}`) }
}

async function allReady() { await machine.ready(WAIT) }

// Runs `act`, then `mend`, with a process stopped: for what is changed on its disk.
async function whileStopped(who, act) {
	machine.warren('stop', who)
	await machine.until(`${who} has stopped`, () => machine.process(who).state === 'stopped', WAIT)
	await act()
	machine.warren('call', 'steward', 'steward_start', `target=${who}`)
}

async function onDisk(who, node, change, mend, ...names) {
	await whileStopped(who, change)
	for (const name of names) {
		const reason = await named(who, name)
		assert.strictEqual(reason.subject, who)
		assert.ok(reason.inputs && reason.rule)
	}
	await machine.until('it waits for a change', () => machine.process(who).state === 'misconfigured', WAIT)
	await named(who, 'process-misconfigured', (r) => !r.over)
	await mend()
	machine.warren('reload')
	await allReady()
	for (const name of names) assert.ok(why(who).reasons.filter((r) => r.name === name).every((r) => r.over), `${name} is over`)
}

const moved = (file) => [() => fs.renameSync(file, file + '.away'), () => fs.renameSync(file + '.away', file)]

// Overwrites a file in place (its owner and mode stay) and gives back how it was.
function spoiled(file, change) {
	let before
	return [() => { before = fs.readFileSync(file); fs.writeFileSync(file, change(Buffer.from(before))) }, () => fs.writeFileSync(file, before)]
}
const flipped = (at) => (bytes) => { bytes[at] ^= 1; return bytes }

test.before(async () => {
	machine = await Machine.create({ nodes: 2, conf: 'park_deaths = 4;\nwithout = "pids";' })
	await allReady()
})
test.after(async () => { await machine.destroy() })

const faults = {
	'nothing yet: a calm machine has nothing against it but the wall it does without': async () => {
		const calm = await machine.until('the records came', () => { const w = why(); return w.reasons.length ? w : null }, WAIT)
		assert.deepStrictEqual(calm.reasons.filter((r) => !r.over).map((r) => [r.name, r.thing]).filter(([, thing]) => thing === 'pids'),
			[['wall-missing', 'pids']])
	},
	'a process is killed': async () => {
		machine.kill('gateway@2')
		const reason = await named('gateway@2', 'process-died')
		assert.match(reason.inputs, /signal 9/)
		await allReady()
		await named('gateway@2', 'process-died', (r) => r.over)
	},
	'it is killed again and again': async () => {
		machine.kill('gateway@2')
		const reason = await named('gateway@2', 'process-backs-off')
		assert.match(reason.inputs, /signal 9.* 2 in a row/)
		await allReady()
	},
	'the broker is killed': async () => { machine.kill('broker'); await named('broker', 'process-died'); await allReady() },
	'the steward is killed': async () => { machine.kill('steward'); await named('steward', 'process-died'); await allReady() },
	'scribe is killed': async () => { machine.kill('scribe'); await named('scribe', 'process-died'); await allReady() },
	'a process ends by SIGABRT': async () => {
		machine.kill('wallet@2', 'SIGABRT')
		await named('wallet@2', 'process-died', (r) => /ABRT/.test(r.inputs))
		await allReady()
		machine.warren('start', '2') // what was is forgotten: the next test counts from nothing
	},
	'a process falls silent': async () => {
		machine.kill('gateway@1', 'SIGSTOP')
		await named('gateway@1', 'process-silent')
		await allReady()
	},
	'an ask is not answered in time': async () => {
		machine.kill('store@1', 'SIGSTOP')
		assert.strictEqual(machine.warrenFails('call', 'store@1', 'store_stat').code, 5)
		const reason = await named('store@1', 'ask-late')
		assert.strictEqual(reason.thing, 'store_stat')
		assert.strictEqual(reason.by, 'broker')
		await allReady()
	},
	'somebody asks what no row lets them ask': async () => {
		assert.strictEqual(machine.warrenFails('call', 'store@1', 'store_open').code, 4)
		const reason = await named('ask-denied', 'ask-denied')
		assert.match(reason.inputs, new RegExp(`store@1 store_open: denied; uid ${process.getuid()}`))
	},
	'somebody asks a process that is not there': async () => {
		machine.warren('stop', 'wallet@2')
		assert.strictEqual(machine.warrenFails('call', 'wallet@2', 'wallet_address').code, 5)
		await named('wallet@2', 'ask-gone', (r) => r.thing === 'wallet_address')
	},
	'an operator stopped it': async () => {
		const reason = await named('wallet@2', 'operator-stopped', (r) => !r.over)
		assert.match(reason.inputs, new RegExp(`uid ${process.getuid()}`))
		machine.warren('start', 'wallet@2')
		await allReady()
		assert.ok(why('wallet@2').reasons.every((r) => r.name !== 'operator-stopped' || r.over))
	},
	'an operator restarted it': async () => { machine.warren('restart', 'wallet@2'); await named('wallet@2', 'operator-restarted') },
	'an operator drained the node': async () => {
		machine.warren('drain', '2')
		await named('2', 'operator-drained', (r) => !r.over)
		machine.warren('start', '2')
		await allReady()
	},
	'a refused verb is recorded with who asked': async () => {
		assert.strictEqual(machine.warrenFails('stop', 'broker').code, 1)
		const reason = await named('broker', 'verb-refused')
		assert.strictEqual(reason.thing, `uid ${process.getuid()}`)
		assert.match(reason.inputs, /stop was refused/)
		await machine.until('it is in the log', () => new RegExp(`control\\.asked verb=stop.*uid=${process.getuid()} answer=refused`).test(machine.log('warrend')), WAIT)
	},
	'the configuration has a mistake': async () => {
		const before = fs.readFileSync(conf(1))
		fs.appendFileSync(conf(1), 'quota_nb = 3;\n')
		assert.notStrictEqual(machine.warrenFails('reload').code, 0)
		const reason = await named('config-mistake', 'config-mistake', (r) => !r.over)
		assert.match(reason.inputs, /node1\.conf:\d+.*quota_nb/)
		fs.writeFileSync(conf(1), before)
		machine.warren('reload')
		await named('config-mistake', 'config-mistake', (r) => r.over)
	},
	'a changed setting waits for a restart': async () => {
		fs.appendFileSync(conf(1), 'max_blob_mb = 2;\n')
		machine.warren('reload')
		await named('1', 'change-waits', (r) => !r.over)
		machine.warren('restart', '1')
		await allReady()
		await named('1', 'change-waits', (r) => r.over)
	},
	'a blob is too large': async () => {
		assert.strictEqual((await machine.put(1, Buffer.alloc(3 << 20))).status, 413)
		await named('gateway@1', 'blob-too-large')
	},
	'the quota is used up': async () => {
		let status
		for (let i = 0; i < 20 && status !== 507; i++) status = (await machine.put(1, Buffer.alloc(2 << 20, i))).status
		assert.strictEqual(status, 507)
		await named('store@1', 'store-full', (r) => !r.over)
	},
	'a stored bit flips': async () => {
		const body = Buffer.from('a blob of its own, so that it can be found '.repeat(400))
		const before = fs.readFileSync(storage(2, 'arena'))
		const { json: { cid } } = await machine.put(2, body)
		const arena = fs.openSync(storage(2, 'arena'), 'r+')
		const found = fs.readFileSync(storage(2, 'arena'))
		const at = found.findIndex((byte, i) => byte !== before[i]) + 2000 // behind the header, in the first chunk
		fs.writeSync(arena, Buffer.from([found[at] ^ 1]), 0, 1, at)
		fs.closeSync(arena)
		await machine.get(2, cid).catch(() => null) // cut, or refused: it is not served
		const reason = await named('store@2', 'store-corrupt')
		assert.strictEqual(reason.thing, cid)
		assert.ok(why(cid).reasons.some((r) => r.name === 'store-corrupt'))
		assert.match(machine.warren('why', cid).out, /failed its check[^]*store@2/)
	},
	'a blob of another shard comes': async () => {
		fs.appendFileSync(conf(2), 'shard_count = 65536;\nshards = "0-0";\n')
		machine.warren('reload')
		machine.warren('restart', '2')
		await allReady()
		await machine.until('it is refused', async () => (await machine.put(2, Buffer.from('not of shard 0'))).status === 421, WAIT) // the first may meet an old connection
		await named('store@2', 'store-wrong-shard')
	},
	'the store is away: its gateway says so': async () => {
		machine.warren('stop', 'store@1')
		await named('gateway@1', 'store-gone', (r) => !r.over)
		assert.strictEqual((await machine.get(1, 'bafkreiabaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibae')).status, 503)
		await named('gateway@1', 'http-busy')
		machine.warren('start', 'store@1')
		await allReady()
		await named('gateway@1', 'store-gone', (r) => r.over)
	},
	'the marker of a store is away': () => onDisk('store@1', 1, ...moved(storage(1, 'marker')), 'store-no-marker'),
	'the arena of a store is away': () => onDisk('store@1', 1, ...moved(storage(1, 'arena')), 'store-no-arena'),
	'the marker of a store is torn': () => onDisk('store@1', 1, ...spoiled(storage(1, 'marker'), flipped(9)), 'store-damaged'),
	'the store of another node lies in its place': () =>
		onDisk('store@1', 1, ...spoiled(storage(1, 'marker'), () => fs.readFileSync(storage(2, 'marker'))), 'store-other-node'),
	'the index is lost': async () => {
		await whileStopped('store@1', () => { for (const name of ['index.db', 'index.db-wal', 'index.db-shm']) fs.rmSync(storage(1, name), { force: true }) })
		await machine.until('it is ready again', () => machine.process('store@1').state === 'ready', WAIT)
		await named('store@1', 'store-rebuilt')
	},
	'the keys of a wallet are away': () => onDisk('wallet@1', 1, ...moved(keys(1)), 'key-absent'),
	'a bit of the keys flips': () => onDisk('wallet@1', 1, ...spoiled(keys(1), flipped(40)), 'key-damaged'),
	'the keys of another node lie in their place': () =>
		onDisk('wallet@1', 1, ...spoiled(keys(1), () => fs.readFileSync(keys(2))), 'key-other-node'),
	'others may read the keys': () =>
		onDisk('wallet@1', 1, () => fs.chmodSync(keys(1), 0o644), () => fs.chmodSync(keys(1), 0o600), 'key-unsafe'),
	'its port is taken': async () => {
		machine.warren('stop', 'gateway@1')
		await machine.until('it has stopped', () => machine.process('gateway@1').state === 'stopped', WAIT)
		const squatter = net.createServer()
		await machine.until('the port is free', () => new Promise((resolve) => {
			squatter.once('error', () => resolve(false)).listen(machine.ports[1], '127.0.0.1', () => resolve(true))
		}), WAIT)
		machine.warren('call', 'steward', 'steward_start', 'target=gateway@1')
		const reason = await named('gateway@1', 'port-taken')
		assert.match(reason.inputs, new RegExp(`port ${machine.ports[1]} .*in use`))
		await named('gateway@1', 'process-backs-off')
		await new Promise((resolve) => squatter.close(resolve))
		machine.warren('restart', 'gateway@1')
		await allReady()
	},
	'its program could be changed by others': async () => {
		const program = path.join(machine.root, 'bin', 'warren-wallet')
		const mode = fs.statSync(program).mode & 0o777
		fs.chmodSync(program, 0o777)
		machine.kill('wallet@1')
		await named('wallet@1', 'birth-refused')
		fs.chmodSync(program, mode)
		machine.warren('reload')
		await allReady()
	},
	'a process that is asked to end does not': async () => {
		machine.kill('wallet@1', 'SIGSTOP')
		machine.warrenFails('stop', 'wallet@1')
		await named('wallet@1', 'process-ungraceful')
		machine.warren('start', 'wallet@1')
		await allReady()
	},
	'a node dies too often': async () => {
		machine.warren('start', '2')
		await allReady()
		for (let i = 0; i < 4; i++) {
			await machine.until('the wallet runs', () => machine.process('wallet@2').pid && machine.process('wallet@2').state === 'ready', WAIT)
			machine.kill('wallet@2')
			await machine.until('its end was seen', () => machine.process('wallet@2').restarts > i || machine.process('wallet@2').state === 'parked', WAIT)
		}
		const reason = await named('2', 'node-parked', (r) => !r.over)
		assert.match(reason.inputs, /4 deaths within 60 s/)
		assert.ok(reason.you_can.some((can) => /warren start 2/.test(can)))
		assert.match(machine.warren('why', 'node', '2').out, /^node 2 has \d of 3 processes ready, it is parked\.\n[^]*because node 2: 4 deaths[^]*rule +node-parked[^]*you can: .*warren start 2/)
		machine.warren('start', '2')
		await allReady()
		await named('2', 'node-parked', (r) => r.over)
	},
	'the unlock secret is another one': async () => {
		machine.warrend('stop')
		const [spoil, mend] = spoiled(path.join(machine.root, 'machine', 'unlock'), (bytes) => { bytes[3] = bytes[3] === 0x30 ? 0x31 : 0x30; return bytes }) // still a digit, were it text
		spoil()
		await machine.until('it runs, but not all of it', () => /not all up|is run already/.test(machine.run('warrend', ['start'], { fails: true }).err), WAIT)
		await named('wallet@1', 'key-locked', (r) => !r.over)
		await named('store@1', 'store-other-secret', (r) => !r.over)
		machine.warrend('stop')
		mend()
		machine.start()
		await allReady()
	},
}

// What the wallet's policy refuses: each limit, with its rule and when waiting would help.
const PAYEE = '0x' + '35'.repeat(20)
const POLICY = `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "0.001"; rules = ({
  name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2"; spacing = 3600;
}, {
  name = "call"; to = "${PAYEE}"; methods = ["0x1248ab2b:1"]; count_per_day = 1; only = ({ word = 1; is = "0x${'77'.repeat(32)}"; });
}); });
statements = ["peer-proof"];
`
let nonce = 1
function sign(more) {
	const fields = { once: crypto.randomBytes(32).toString('hex'), type: 0, chain_id: 1, nonce: nonce++, gas: 21000, max_fee: 1000000000,
		to: PAYEE, value: '1000000000000000000', data: '', purpose: 'test', ...more }
	return machine.warrenFails('call', 'wallet@2', 'wallet_sign_tx', ...Object.entries(fields).map(([name, value]) => `${name}=${value}`))
}
const soon = (reason, seconds) => Math.abs(reason.next_ms - Date.now() - seconds * 1000) < 60000
const refusals = {
	'there is no policy': async () => {
		assert.strictEqual(sign({}).code, 1)
		const reason = await named('wallet@2', 'policy-absent', (r) => !r.over)
		assert.match(reason.inputs, new RegExp(`wallet_sign_tx for operator, uid ${process.getuid()}: there is no policy`))
		assert.ok(reason.you_can.some((can) => /etc\/policy.conf/.test(can)))
		fs.writeFileSync(path.join(machine.root, 'etc', 'policy.conf'), POLICY, { mode: 0o644 })
		machine.warren('reload')
		await machine.until('it has the policy', () => JSON.parse(machine.warren('call', 'wallet@2', 'wallet_policy', '--json').out).present, WAIT)
		await allReady()
	},
	'a rule wants time between two signatures': async () => {
		assert.strictEqual(sign({}).code, 0)
		assert.strictEqual(sign({ value: 1 }).code, 1)
		const reason = await named('wallet@2', 'policy-spacing', (r) => !r.over)
		assert.strictEqual(reason.thing, 'pay')
		assert.match(reason.inputs, /rule pay: \d+ s after the last one; 3600 s must lie between/)
		assert.ok(soon(reason, 3600), `${reason.next_ms - Date.now()}`)
		assert.match(machine.warren('why', 'wallet@2').out, /policy-spacing[^]*next +allowed again in (1 h|59 m)/)
	},
	'a budget is used up': async () => {
		const call = (more) => sign({ value: 0, data: '0x1248ab2b' + '77'.repeat(32), ...more })
		assert.strictEqual(call({}).code, 0)
		assert.strictEqual(call({}).code, 1)
		const count = await named('wallet@2', 'policy-budget', (r) => r.thing === 'call')
		assert.match(count.inputs, /rule call: it would be number 2 in 24 hours; 1 may be/)
		assert.ok(soon(count, 86400))
		call({ gas: 21000000 })
		const never = await named('wallet@2', 'policy-budget', (r) => r.thing === 'call' && r.count === 2)
		assert.strictEqual(never.next_ms, null, 'waiting does not help: it is more than a day may have')
	},
	'no rule allows it': async () => {
		assert.strictEqual(sign({ to: '0x' + '36'.repeat(20) }).code, 1)
		const other = await named('wallet@2', 'policy-no-rule', (r) => r.thing === null)
		assert.match(other.inputs, /no rule of the policy allows anything with 0x3636/)
		assert.strictEqual(sign({ value: 0, data: '0x1248ab2b' + '78'.repeat(32) }).code, 1)
		assert.match((await named('wallet@2', 'policy-no-rule', (r) => r.thing === 'call')).inputs, /rule call: argument 1 is not the one it allows/)
	},
	'what was asked is no transaction': async () => {
		assert.strictEqual(sign({ once: '00'.repeat(32) }).code, 1)
		assert.match((await named('wallet@2', 'policy-malformed')).inputs, /once must be a random key/)
	},
	'a statement that the policy does not name': async () => {
		const now = Math.floor(Date.now() / 1000)
		assert.strictEqual(machine.warrenFails('call', 'wallet@2', 'wallet_sign_hub_challenge', 'hub=hub.example.org', `challenge=${'11'.repeat(32)}`, `expires=${now + 20}`).code, 1)
		assert.match((await named('wallet@2', 'policy-statement', (r) => !r.over)).inputs, /allows no hub-challenge/)
		machine.warren('call', 'wallet@2', 'wallet_sign_peer_proof', `timestamp=${now}`)
		await named('wallet@2', 'policy-statement', (r) => r.over)
	},
	'others may read the books of a wallet': () => {
		const books = path.join(path.dirname(keys(2)), 'wallet.spent')
		return onDisk('wallet@2', 2, () => fs.chmodSync(books, 0o644), () => fs.chmodSync(books, 0o600), 'books-refused')
	},
}

const others = {
	'the wallet does not say who the node is': async () => {
		machine.warren('stop', 'wallet@2')
		machine.warrenFails('restart', 'store@2')
		machine.warrenFails('restart', 'gateway@2')
		const gateway = await named('gateway@2', 'node-unknown', (r) => !r.over)
		assert.match(gateway.inputs, /store@2 has not heard from its wallet who the node is/)
		const store = await named('store@2', 'wallet-silent', (r) => !r.over)
		assert.match(store.inputs, /wallet@2 has not told who the node is: gone/)
		assert.strictEqual(machine.process('gateway@2').state, 'starting')
		assert.match(machine.warrenFails('status').out, /gateway@2 is starting[^]*warren why gateway@2/)
		machine.warren('start', 'wallet@2')
		await allReady()
		await named('gateway@2', 'node-unknown', (r) => r.over)
		await named('store@2', 'wallet-silent', (r) => r.over)
	},
	'a drain is cut when its time is up': async () => {
		const upload = net.connect(machine.ports[2], '127.0.0.1')
		upload.on('error', () => {})
		upload.write(`POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(70000)}`)
		await machine.until('it is under way', () => JSON.parse(machine.warren('call', 'gateway@2', 'actor_duties', '--json').out).duties.length, WAIT)
		assert.strictEqual(machine.warrenFails('drain', '2', '--within', '1s').code, 1)
		const reason = await named('2', 'drain-cut', (r) => !r.over)
		assert.strictEqual(reason.subject, 'node 2')
		assert.match(reason.inputs, /^(gateway|store)@2.* not done when the 1000 ms of its drain were up/)
		upload.destroy()
		machine.warren('start', '2')
		await allReady()
		await named('2', 'drain-cut', (r) => r.over)
	},
	'it is another machine': async () => {
		const id = path.join(machine.root, 'machine', 'id'), kept = fs.readFileSync(id)
		fs.writeFileSync(id, '0x' + '5a'.repeat(32) + '\n')
		machine.warren('reload')
		const reason = await named('machine-changed', 'machine-changed', (r) => !r.over)
		assert.match(reason.inputs, /made on machine 0x5a5a.* this one is 0x/)
		assert.ok(reason.you_can.some((can) => /warren reregister/.test(can)))
		fs.writeFileSync(id, kept)
		machine.warren('reload')
		await named('machine-changed', 'machine-changed', (r) => r.over)
	},
}

for (const [name, inject] of Object.entries({ ...faults, ...refusals, ...others })) test(name, inject)

// Another machine is the one that is asked about meanwhile.
async function on(other, act) {
	const before = machine
	machine = other
	try { await act() } finally { machine = before; await other.destroy() }
}

test('a node waits for the passphrase', async () => {
	const locked = await Machine.create({ nodes: 1, start: false })
	await on(locked, async () => {
		locked.run('warrend', ['passphrase'], { input: 'a long passphrase\n' })
		fs.appendFileSync(path.join(locked.root, 'etc', 'warren.conf'), 'unlock = "ask";\n')
		locked.start()
		for (const who of ['wallet@1', 'store@1']) {
			const reason = await named(who, 'node-locked', (r) => !r.over)
			assert.deepStrictEqual(reason.you_can, ['warren unlock'])
		}
		assert.match(locked.warren('why', 'node', '1').out, /because wallet@1: its keys are sealed[^]*you can: warren unlock/)
		locked.run('warrend', ['unlock'], { input: 'a long passphrase\n' })
		await allReady()
		await named('wallet@1', 'node-locked', (r) => r.over)
	})
})

test('alerts do not get out: the webhook errs, refuses, has no name; the command fails', { skip: !root && 'a program that only root can change' }, async () => {
	const status = { answer: 500 }, tool = fs.mkdtempSync('/var/lib/warren-test-')
	const server = http.createServer((request, response) => { request.resume(); response.writeHead(status.answer).end() })
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
	fs.chmodSync(tool, 0o755)
	const program = path.join(tool, 'tell')
	const write = (code) => { fs.writeFileSync(program + '.new', `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 }); fs.renameSync(program + '.new', program) }
	write(3)
	// `pids` is a wall less: there is an alert from the beginning.
	const loud = await Machine.create({ nodes: 1, conf: `without = "pids";\nalert_quiet_s = 2;\nalert_webhook = "http://127.0.0.1:${server.address().port}/";\nalert_command = "${program}";` })
	try {
		await on(loud, async () => {
			const failed = await named('herald', 'webhook-failed', (r) => !r.over && r.next_ms)
			assert.match(failed.inputs, /^news \d+: it answered 500; \d+ failures in a row/)
			assert.ok(failed.next_ms > failed.last_ms && failed.next_ms - failed.last_ms <= 60000)
			status.answer = 404
			const gone = await named('herald', 'webhook-gave-up')
			assert.match(gone.inputs, /was answered 404 3 times in a row/)
			const command = await named('alert-command-failed', 'alert-command-failed', (r) => !r.over)
			assert.strictEqual(command.inputs, `${program}: it ended with code 3`)
			status.answer = 200
			write(0)
			fs.renameSync(storageOf(loud, 'marker'), storageOf(loud, 'marker.away'))
			loud.kill('store@1')
			await named('alert-command-failed', 'alert-command-failed', (r) => r.over)
			await named('herald', 'webhook-failed', (r) => r.over)
			await named('herald', 'webhook-gave-up', (r) => r.over)
			fs.writeFileSync(path.join(loud.root, 'etc', 'warren.conf'), fs.readFileSync(path.join(loud.root, 'etc', 'warren.conf'), 'utf8').replace(/127\.0\.0\.1:\d+\//, 'no-such-machine.invalid/'))
			loud.warren('reload')
			loud.kill('herald')
			assert.match((await named('herald', 'webhook-name', (r) => !r.over)).inputs, /no-such-machine\.invalid: /)
			await named('herald', 'process-backs-off')
		})
	} finally { server.closeAllConnections(); server.close(); fs.rmSync(tool, { recursive: true }) }
})

test('logs meet a full disk', { skip: !root && 'mounting is for root' }, async () => {
	const small = await Machine.create({ nodes: 1, start: false })
	const folder = path.join(small.root, 'logs')
	const { uid, gid, mode } = fs.statSync(folder)
	const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=64k,uid=${uid},gid=${gid},mode=${(mode & 0o777).toString(8)}`, 'tmpfs', folder])
	try {
		assert.strictEqual(mount.status, 0, String(mount.stderr))
		fs.writeFileSync(path.join(folder, 'ballast'), Buffer.alloc(60 * 1024))
		small.start()
		small.warren('level', 'gateway@1', 'debug')
		const before = machine
		machine = small
		try {
			for (let i = 0; i < 400; i++) small.warren('call', 'steward', 'steward_start', 'target=store@1')
			const reason = await named('scribe', 'logs-refused', (r) => !r.over)
			assert.match(reason.inputs, /No space left/)
		} finally { machine = before }
	} finally {
		small.run('warrend', ['stop'], { fails: true })
		spawnSync('umount', [folder])
		await small.destroy()
	}
})
