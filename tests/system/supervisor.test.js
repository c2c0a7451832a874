// Birth, death and order: what the supervisor promises, tried on the real one.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { Machine, sleep, WITHOUT } = require('./machine.js')

const alive = (pid) => { try { process.kill(pid, 0); return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z' } catch { return false } }

test('each process is called what it is', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		for (const { actor, node, pid } of machine.status().processes) {
			const comm = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
			assert.strictEqual(comm, node ? `${actor}@${node}` : actor)
		}
	} finally { await machine.destroy() }
})

test('any process may be killed: it comes back, nobody else is touched', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		const blob = crypto.randomBytes(50000)
		const { json: { cid } } = await machine.put(2, blob)
		for (const who of ['broker', 'scribe', 'steward', 'wallet@1', 'store@1', 'gateway@1']) {
			const before = machine.status().processes, lies = []
			const killed = machine.kill(who)
			await machine.until(`${who} is back`, () => {
				const { processes } = machine.status()
				lies.push(...processes.filter(({ state, pid }) => state === 'ready' && !pid).map(({ actor }) => actor))
				const now = machine.process(who, { processes })
				return now.state === 'ready' && now.pid !== killed
			})
			await machine.ready()
			assert.deepStrictEqual(lies, [], 'ready, and not there')
			for (const was of before) {
				const now = machine.process(was.node ? `${was.actor}@${was.node}` : was.actor)
				if (was.pid !== killed) assert.strictEqual(now.pid, was.pid, `${was.actor}@${was.node} after ${who}`)
			}
			assert.ok((await machine.get(2, cid)).body.equals(blob), `node 2 after ${who}`)
		}
	} finally { await machine.destroy() }
})

test('a process that hangs is killed and started again', { skip: WITHOUT.length > 0 && 'no wall has a part in it' }, async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		for (const who of ['store@1', 'gateway@1', 'wallet@1', 'steward', 'broker']) {
			const stopped = machine.kill(who, 'SIGSTOP')
			await machine.until(`${who} is replaced`, () => {
				const now = machine.process(who)
				return now.state === 'ready' && now.pid && now.pid !== stopped
			}, 15000)
			await machine.ready()
		}
	} finally { await machine.destroy() }
})

test('five deaths in a minute park that node, and no other', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		for (let i = 0; i < 5; i++) {
			await machine.until('store@1 runs', () => machine.process('store@1').state === 'ready', 15000)
			machine.kill('store@1')
			await sleep(50)
		}
		await machine.until('node 1 is parked', () => machine.process('store@1').state === 'parked')
		assert.strictEqual((await machine.put(2, crypto.randomBytes(100))).status, 201)
		assert.match(machine.warrenFails('status').out, /parked/)
		machine.warren('start', '1')
		await machine.ready()
		assert.strictEqual((await machine.put(1, crypto.randomBytes(100))).status, 201)
	} finally { await machine.destroy() }
})

test('the supervisor may be killed: no orphan is left, the next start is clean, the blobs are there', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		const blob = crypto.randomBytes(300000)
		const { json: { cid } } = await machine.put(1, blob)
		const pids = machine.status().processes.map((p) => p.pid)
		process.kill(machine.supervisor, 'SIGKILL')
		await machine.until('all are gone', () => !pids.some(alive), 2000)
		machine.start()
		await machine.ready()
		assert.ok((await machine.get(1, cid)).body.equals(blob))
	} finally { await machine.destroy() }
})

test('stop ends everything within ten seconds and leaves no socket; a second start has the same wallets', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		const wallets = machine.status().nodes.map((node) => node.wallet)
		assert.strictEqual(new Set(wallets).size, 2)
		const pids = machine.status().processes.map((p) => p.pid)
		const began = Date.now()
		machine.warrend('stop')
		assert.ok(Date.now() - began < 10000)
		assert.ok(!pids.some(alive))
		assert.deepStrictEqual(fs.readdirSync(path.join(machine.root, 'run')).filter((name) => name.endsWith('.sock')), [])
		machine.start()
		await machine.ready()
		assert.deepStrictEqual(machine.status().nodes.map((node) => node.wallet), wallets)
	} finally { await machine.destroy() }
})

test('a second supervisor on the same root is refused, by pid', async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		const second = machine.run('warrend', ['run'], { fails: true })
		assert.notStrictEqual(second.code, 0)
		assert.match(second.out + second.err, new RegExp(`\\b${machine.supervisor}\\b`))
	} finally { await machine.destroy() }
})

test('a taken port is named, with whoever has it', async () => {
	const server = net.createServer().listen(0, '127.0.0.1')
	await new Promise((resolve) => server.on('listening', resolve))
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		const port = server.address().port
		const refused = machine.run('warrend', ['add', '--tier', 'bronze', '--storage', '16', '--port', String(port)], { fails: true })
		assert.notStrictEqual(refused.code, 0)
		assert.match(refused.out + refused.err, new RegExp(`${port}[^]*(node|${process.pid})`))
		assert.ok(!fs.existsSync(path.join(machine.root, 'etc', 'node2.conf')), 'nothing half-made')
		assert.ok(!fs.existsSync(path.join(machine.root, 'node2')), 'nothing half-made')
	} finally { server.close(); await machine.destroy() }
})

test('three mistakes in a configuration are all shown, with file and line', async () => {
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		const file = path.join(machine.root, 'etc', 'node1.conf')
		const good = fs.readFileSync(file, 'utf8')
		const first = good.split('\n').length
		fs.writeFileSync(file, good + 'max_blob_mb = 5000;\ncolour = "red";\nshards = "9-3";\n')
		const checked = machine.run('warrend', ['check'], { fails: true })
		assert.strictEqual(checked.code, 78)
		for (const [offset, word] of [[0, 'max_blob_mb'], [1, 'colour'], [2, 'shards']])
			assert.match(checked.out + checked.err, new RegExp(`node1\\.conf:${first + offset}: [^\\n]*${word}`))
		fs.writeFileSync(file, good)
		assert.strictEqual(machine.run('warrend', ['check'], { fails: true }).code, 0)
	} finally { await machine.destroy() }
})

test('a folder that is not the store of this node is not taken for an empty one', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		const { json: { cid } } = await machine.put(1, Buffer.from('still here'))
		machine.warrend('stop')
		const folder = path.join(machine.root, 'node1', 'storage')
		const owner = fs.statSync(folder)
		fs.renameSync(folder, folder + '.away')
		fs.mkdirSync(folder, { mode: 0o700 })
		fs.chownSync(folder, owner.uid, owner.gid)
		machine.run('warrend', ['start'], { fails: true })
		await machine.until('store@1 waits for a change', () => machine.process('store@1').state === 'misconfigured')
		assert.deepStrictEqual(fs.readdirSync(folder), [], 'nothing was made anew')
		assert.strictEqual((await machine.put(2, Buffer.from('node 2 works'))).status, 201)
		fs.rmdirSync(folder)
		fs.renameSync(folder + '.away', folder)
		machine.warren('reload')
		await machine.ready()
		assert.strictEqual((await machine.get(1, cid)).body.toString(), 'still here')
	} finally { await machine.destroy() }
})

test('a program that others could have changed is not run', async (t) => {
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		fs.chmodSync(path.join(machine.root, 'bin', 'warren-wallet'), 0o777)
		const refused = machine.run('warrend', ['start'], { fails: true })
		assert.notStrictEqual(refused.code, 0)
		assert.match(refused.out + refused.err, /warren-wallet/)
	} finally { await machine.destroy() }
})

test('programs that their process cannot read start undumpable; one that can be read is named, with what to do', { skip: WITHOUT.includes('dumpable') && 'without that wall' }, async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		for (const { who, missing } of machine.status().processes) assert.ok(!missing.includes('dumpable'), `${who} lacks ${missing}`)
		fs.chmodSync(path.join(machine.root, 'bin', 'warren-store'), 0o755)
		machine.warren('restart', 'store@1')
		await machine.ready()
		assert.ok(machine.process('store@1').missing.includes('dumpable'))
		assert.match(machine.warrenFails('doctor').out, /dumpable[^]*chmod 0711 ROOT\/bin\/warren-\* \(0111 without root\)/)
	} finally { await machine.destroy() }
})

test('every process runs as its own uid, without capabilities, in a jail of its own', { skip: process.getuid() !== 0 && 'needs root: uids are a wall of root' }, async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		const uids = new Set()
		const host = fs.readlinkSync('/proc/self/ns/net')
		for (const process_ of machine.status().processes) {
			const status = fs.readFileSync(`/proc/${process_.pid}/status`, 'utf8')
			const name = `${process_.actor}@${process_.node}`
			const ids = status.match(/^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)/m).slice(1).map(Number)
			assert.ok(ids.every((id) => id === process_.uid && id !== 0), name)
			uids.add(process_.uid)
			for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.match(status, new RegExp(`^${set}:\\t0+$`, 'm'), `${name} ${set}`)
			assert.match(status, /^NoNewPrivs:\t1$/m, name)
			assert.match(status, WITHOUT.includes('seccomp') ? /^Seccomp:\t0$/m : /^Seccomp:\t2$/m, name)
			assert.strictEqual(fs.readlinkSync(`/proc/${process_.pid}/ns/net`) === host, WITHOUT.includes('network'), name)
			assert.strictEqual(fs.readFileSync(`/proc/${process_.pid}/environ`, 'utf8').includes(machine.root), WITHOUT.includes('mounts'), name) // then its folders are told by their paths
			const limits = fs.readFileSync(`/proc/${process_.pid}/limits`, 'utf8')
			assert.match(limits, /^Max core file size +0 +0 /m, `${name}: a core would hold what it knows`)
			if (process_.actor === 'wallet') assert.match(limits, /^Max open files +64 +64 /m, name)
			const session = Number(fs.readFileSync(`/proc/${process_.pid}/stat`, 'utf8').split(') ')[1].split(' ')[3])
			assert.strictEqual(session, process_.pid, `${name} leads its own session`)
		}
		assert.strictEqual(uids.size, machine.status().processes.length)
		const doctor = machine.warrenFails('doctor').out
		for (const wall of WITHOUT) assert.ok(doctor.includes(wall), `doctor names ${wall}: ${doctor}`)
	} finally { await machine.destroy() }
})
