// `warren bundle`: everything that helps, no secret, within its bound, whoever hangs; and all of it or nothing.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

const root = process.getuid() === 0
const MOST = 10 << 20

function anyGroup() {
	const [name, , gid] = fs.readFileSync('/etc/group', 'utf8').split('\n').map((line) => line.split(':')).find(([, , id]) => Number(id) > 1)
	return [name, Number(gid)]
}

const scratch = () => fs.mkdtempSync(path.join(os.tmpdir(), 'warren-bundle-'))

function unpack(archive) {
	const into = scratch()
	const done = spawnSync('tar', ['-xzf', archive, '-C', into], { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stderr)
	const files = new Map()
	const walk = (folder) => {
		for (const name of fs.readdirSync(path.join(into, folder))) {
			const below = path.join(folder, name)
			if (fs.statSync(path.join(into, below)).isDirectory()) walk(below)
			else files.set(below.replace(/^warren-bundle\//, ''), fs.readFileSync(path.join(into, below)))
		}
	}
	walk('')
	fs.rmSync(into, { recursive: true })
	return files
}

// As it is, as hex in both cases, as base64 in each of its three alignments, backwards.
function disguises(secret) {
	const bytes = Buffer.from(secret)
	const found = [bytes, Buffer.from(bytes).reverse(), Buffer.from(bytes.toString('hex')), Buffer.from(bytes.toString('hex').toUpperCase()),
		Buffer.from([...bytes.toString('hex')].reverse().join(''))]
	for (let skip = 0; skip < 3; skip++) {
		const text = Buffer.concat([Buffer.alloc(skip), bytes]).toString('base64').slice(4, -4)
		found.push(Buffer.from(text), Buffer.from(text.replace(/\+/g, '-').replace(/\//g, '_')))
	}
	return found
}

function holds(files, secret) {
	for (const [name, bytes] of files)
		for (const form of disguises(secret)) if (bytes.includes(form)) return name
	return null
}

test('no secret of the machine is in it, in no disguise; and what helps is', { timeout: 120000 }, async () => {
	const key = crypto.randomBytes(32), token = `tok-${crypto.randomBytes(12).toString('hex')}`
	const comment = `was ${crypto.randomBytes(12).toString('hex')}`, command = `/opt/${crypto.randomBytes(8).toString('hex')}/notify`
	const logged = crypto.randomBytes(16).toString('hex')
	const machine = await Machine.create({ nodes: 1, start: false, conf: `alert_webhook = "https://127.0.0.1:9/hook/${token}?key=${token}"; // ${comment}\n` +
		`/* ${comment} */ alert_command = "${command}";` })
	const folder = scratch()
	try {
		const file = path.join(machine.root, 'key.hex')
		fs.writeFileSync(file, key.toString('hex') + '\n', { mode: 0o600 })
		machine.warrend('add', '--tier', 'bronze', '--storage', '16', '--port', String(machine.ports[1] + 1000), '--import', file)
		fs.unlinkSync(file)
		machine.start()
		await machine.ready()
		fs.appendFileSync(path.join(machine.root, 'logs', 'node1', 'store.log'),
			`2026-01-01T00:00:00.000Z warn store@1[1] rpc.failed url=https://me:${logged}@rpc.example.org:8545/v3/${logged}?k=${logged} next=${command}\n`)
		const archive = path.join(folder, 'b.tar.gz')
		const told = JSON.parse(machine.warren('bundle', archive, '--json').out)
		assert.deepStrictEqual([told.ok, told.file, told.bytes], [true, archive, fs.statSync(archive).size])
		assert.deepStrictEqual(told.silent, [])
		assert.strictEqual(fs.statSync(archive).mode & 0o777, 0o600)
		assert.deepStrictEqual(fs.readdirSync(folder), ['b.tar.gz'])
		const files = unpack(archive)
		const unlock = fs.readFileSync(path.join(machine.root, 'machine', 'unlock'))
		const sealed = ['node1', 'node2'].map((node) => fs.readFileSync(path.join(machine.root, node, 'keys', 'wallet.keys')))
		const secrets = { key, token, comment, command, logged, unlock, salt: sealed[0].subarray(12, 44), sealed: sealed[0].subarray(44, 108), imported: sealed[1].subarray(44, 108) }
		for (const [what, secret] of Object.entries(secrets)) assert.strictEqual(holds(files, secret), null, `${what} is in it`)
		// The search is able to find: what is meant to be there is found, in each disguise.
		assert.ok(holds(files, 'rpc.example.org:8545'))
		for (const form of disguises(key)) assert.ok(holds(new Map([['x', Buffer.concat([Buffer.from('abc'), form, Buffer.from('def')])]]), key))
		const status = JSON.parse(files.get('status.json'))
		assert.strictEqual(status.nodes.length, 2)
		assert.match(files.get('etc/warren.conf').toString(), /^name = "test";$/m)
		assert.match(files.get('etc/warren.conf').toString(), /alert_webhook = "\(removed\)";/)
		assert.match(files.get('host.txt').toString(), /kernel: Linux[^]*control groups: [^]*MemTotal/)
		assert.match(files.get('versions.txt').toString(), /warren \d+\.\d+\.\d+, protocol rows [0-9a-f]{16}[^]*warren-store: \d+ bytes/)
		assert.match(files.get('doctor.txt').toString(), /processes are ready/)
		assert.match(files.get('metrics.txt').toString(), /^# TYPE /m)
		assert.match(files.get('map.txt').toString(), /store@N/)
		assert.match(files.get('logs/node2/wallet.log').toString(), /life\.start/)
		for (const name of ['why-node1.txt', 'why-node2.txt', 'alerts.json', 'limits.json', 'why.json', 'top.txt']) assert.ok(files.get(name).length, name)
		for (const part of told.parts) {
			if (part.state === 'missing') continue
			assert.strictEqual(files.get(part.name).length, part.bytes, part.name)
			assert.match(files.get('CONTENTS.txt').toString(), new RegExp(part.name))
		}
		if (root) assert.strictEqual(told.parts.find((part) => part.name === 'info.txt').state, 'whole')
	} finally {
		await machine.destroy()
		fs.rmSync(folder, { recursive: true })
	}
})

test('large logs are cut to a fair share, the newest stays, and it says so', { timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 1 })
	const folder = scratch()
	try {
		await machine.ready()
		const logs = path.join(machine.root, 'logs', 'node1')
		const line = () => `2026-01-01T00:00:00.000Z info store@1[1] filler ${crypto.randomBytes(450).toString('base64')}\n`
		const grow = (name, mib, last) => {
			const fd = fs.openSync(path.join(logs, name), 'a')
			for (let wrote = 0; wrote < mib << 20;) wrote += fs.writeSync(fd, Array.from({ length: 1000 }, line).join(''))
			fs.writeSync(fd, last)
			fs.closeSync(fd)
		}
		grow('store.log.1', 30, 'the older one ends\n')
		grow('gateway.log', 30, 'the newest line\n')
		const archive = path.join(folder, 'b.tar.gz')
		const told = JSON.parse(machine.warren('bundle', archive, '--json').out)
		const files = unpack(archive)
		assert.ok(told.bytes <= MOST && told.bytes > MOST / 3, `${told.bytes} bytes`)
		assert.ok([...files.values()].reduce((sum, bytes) => sum + bytes.length, 0) <= MOST)
		const part = (name) => told.parts.find((one) => one.name === name)
		for (const name of ['logs/node1/store.log', 'logs/node1/gateway.log']) {
			assert.strictEqual(part(name).state, 'cut')
			assert.ok(part(name).of > 30 << 20 && part(name).bytes > 3 << 20)
			assert.match(files.get('CONTENTS.txt').toString(), new RegExp(`${name}.*cut: the older \\d+ bytes were left out`))
		}
		assert.ok(files.get('logs/node1/gateway.log').toString().endsWith('the newest line\n'))
		const store = files.get('logs/node1/store.log').toString()
		assert.match(store, /the older one ends\n[^]*store\.opened/)
		assert.match(store, /^20\d\d-/) // from the begin of a line on
		assert.strictEqual(part('logs/node1/wallet.log').state, 'whole') // a small one is not cut for large ones
	} finally {
		await machine.destroy()
		fs.rmSync(folder, { recursive: true })
	}
})

test('whoever hangs, it ends, and names who did not answer; broken off, it leaves nothing', { timeout: 240000 }, async () => {
	const machine = await Machine.create({ nodes: 2 })
	const folder = scratch()
	const stopped = []
	try {
		await machine.ready()
		let told
		for (let i = 0; i < 5; i++) { // the supervisor mends it within 3 s: on a slow host before it was asked
			machine.kill('store@2', 'SIGSTOP')
			told = JSON.parse(machine.warren('bundle', path.join(folder, `${i}.tar.gz`), '--json').out)
			await machine.ready(30000)
			if (told.silent.length) break
		}
		assert.deepStrictEqual(told.silent.map((one) => one.who), ['store@2'])
		assert.strictEqual(told.parts.find((part) => part.name === 'metrics.txt').state, 'whole')
		// Now all of it: the broker and whoever would mend it.
		const pids = ['broker', 'steward'].map((who) => machine.process(who).pid)
		for (const pid of [machine.supervisor, ...pids]) {
			stopped.push(pid)
			process.kill(pid, 'SIGSTOP')
		}
		const dead = path.join(folder, 'dead.tar.gz')
		const done = machine.warren('bundle', dead)
		assert.match(done.out, /status\.json.*missing: /)
		const files = unpack(dead)
		assert.match(files.get('logs/node1/store.log').toString(), /store\.opened/)
		assert.match(files.get('CONTENTS.txt').toString(), /why\.json.*missing: not asked, as nobody answered/)
		assert.match(files.get('doctor.txt').toString(), /free on the disk/)
		const before = fs.readdirSync(folder)
		const broken = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'bundle', path.join(folder, 'broken.tar.gz')])
		let said = ''
		broken.stderr.on('data', (text) => { said += text })
		const ended = new Promise((resolve) => broken.on('close', resolve))
		await machine.until('it has begun', () => fs.readdirSync(folder).some((name) => name.endsWith('.part')))
		broken.kill('SIGINT')
		assert.strictEqual(await ended, 1)
		assert.match(said, /broken off: nothing was written/)
		assert.deepStrictEqual(fs.readdirSync(folder), before)
	} finally {
		for (const pid of stopped) process.kill(pid, 'SIGCONT')
		await machine.destroy()
		fs.rmSync(folder, { recursive: true })
	}
})

test('never over a file, never half; no machine is no obstacle; who may see less gets less', { timeout: 120000 }, async () => {
	const [group, gid] = anyGroup()
	const machine = await Machine.create({ nodes: 1, conf: root ? `readers = "${group}";` : '' })
	const folder = scratch()
	const file = path.join(folder, 'mine')
	try {
		await machine.ready()
		fs.writeFileSync(file, 'mine')
		fs.symlinkSync('nowhere', path.join(folder, 'link'))
		for (const [name, sentence] of [[file, /is there already/], [path.join(folder, 'link'), /is there already/], [folder, /name a file in it/],
			[path.join(folder, 'no', 'such'), /cannot be written: No such file/]]) {
			const done = machine.warrenFails('bundle', name)
			assert.strictEqual(done.code, 1)
			assert.match(done.err, sentence)
		}
		assert.deepStrictEqual(fs.readdirSync(folder).sort(), ['link', 'mine'])
		assert.strictEqual(fs.readFileSync(file, 'utf8'), 'mine')
		if (root) {
			const small = path.join(folder, 'small')
			fs.mkdirSync(small)
			assert.strictEqual(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', small]).status, 0)
			try {
				const done = machine.warrenFails('bundle', path.join(small, 'b.tar.gz'))
				assert.strictEqual(done.code, 1)
				assert.match(done.err, /b\.tar\.gz could not be written: No space left on device; nothing was left there/)
				assert.deepStrictEqual(fs.readdirSync(small), [])
			} finally { spawnSync('umount', ['-l', small]) }
			fs.chmodSync(folder, 0o777)
			const less = spawnSync('setpriv', ['--reuid', '65534', '--regid', '65534', '--groups', String(gid), path.join(machine.root, 'bin', 'warren'),
				'--root', machine.root, 'bundle', path.join(folder, 'less.tar.gz')], { encoding: 'utf8', timeout: 60000 })
			assert.strictEqual(less.status, 0, less.stderr)
			assert.match(less.stdout, /logs.*missing: you may not read them: they are for operators/)
			assert.match(less.stdout, /info\.txt.*missing: .*only root/)
			const files = unpack(path.join(folder, 'less.tar.gz'))
			assert.strictEqual(JSON.parse(files.get('status.json')).nodes.length, 1)
			assert.ok(![...files.keys()].some((name) => name.startsWith('logs/')))
		}
		machine.warrend('stop')
		const none = machine.warren('bundle', path.join(folder, 'none.tar.gz'))
		assert.match(none.out, /status\.json.*missing: .*warren up/)
		assert.match(unpack(path.join(folder, 'none.tar.gz')).get('logs/machine/warrend.log').toString(), /warrend\.start/)
	} finally {
		await machine.destroy()
		fs.rmSync(folder, { recursive: true })
	}
})
