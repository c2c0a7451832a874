// Alerts: each is raised by a real cause, and is over when the cause is. (The clock that is set, and the flood: tests/unit/steward.)
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { Machine, BUILD } = require('./machine.js')

const QUIET = 'alert_quiet_s = 3;'
const root = process.getuid() === 0
const all = (machine) => JSON.parse(machine.warren('alerts', '--json').out)
const find = (machine, code, subject) => all(machine).alerts.find((alert) => alert.code === code && alert.subject === subject)
const raised = (machine, code, subject, ms = 20000) =>
	machine.until(`${code} of ${subject} is raised`, () => { const alert = find(machine, code, subject); return alert && alert.active && alert }, ms)
const over = (machine, code, subject, ms = 20000) =>
	machine.until(`${code} of ${subject} is over`, () => { const alert = find(machine, code, subject); return alert && !alert.active && alert }, ms)

function mount(...args) {
	const done = spawnSync('mount', args, { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stderr)
}
const umount = (folder) => spawnSync('umount', ['-l', folder])

test('a node that is parked, a process that dies again and again: said, seen by whom, over', async () => {
	const machine = await Machine.create({ nodes: 2, conf: QUIET })
	try {
		await machine.ready()
		assert.ok(all(machine).alerts.every((alert) => alert.code === 'wall-missing'), 'which walls there are is this system\'s matter')
		for (let i = 0; i < 5; i++) {
			await machine.until('store@2 runs', () => machine.process('store@2').state === 'ready', 15000)
			const killed = machine.kill('store@2')
			await machine.until('it is another one', () => machine.process('store@2').pid !== killed)
		}
		const parked = await raised(machine, 'node-parked', 'node 2')
		assert.strictEqual(parked.severity, 'bad')
		const dying = await raised(machine, 'process-restarts', 'store@2')
		assert.match(dying.detail, /signal 9/)
		const text = machine.warren('alerts').out
		assert.match(text, /^[23] alerts stand/)
		assert.match(text, /node-parked {2}node 2: .*parked[^]*warren start/)
		assert.match(machine.warrenFails('status').out.split('\n')[0], /· 2 alerts/)
		assert.strictEqual(machine.warrenFails('alerts', 'ack', '999').code, 1)
		machine.warren('alerts', 'ack', String(parked.id))
		const seen = find(machine, 'node-parked', 'node 2')
		assert.strictEqual(seen.acknowledgedBy, process.getuid())
		assert.ok(seen.active && seen.acknowledged)
		assert.match(machine.warrenFails('status').out.split('\n')[0], /· 1 alert /)
		// Whoever keeps them may die: what stands still stands, and who has seen it is not forgotten.
		machine.kill('steward')
		await machine.until('the steward is back', () => find(machine, 'node-parked', 'node 2'))
		const again = find(machine, 'node-parked', 'node 2')
		assert.strictEqual(again.id, parked.id)
		assert.strictEqual(again.first, parked.first)
		assert.strictEqual(again.acknowledgedBy, process.getuid())
		machine.warren('start', '2')
		await over(machine, 'node-parked', 'node 2')
		await machine.until('it is in the log', () => /change=raised.*code=node-parked[^]*change=acknowledged[^]*change=cleared.*code=node-parked/.test(machine.log('steward')))
		if (process.env.WARREN_LONG) await over(machine, 'process-restarts', 'store@2', 90000) // a calm minute; rules.c is tested for it alone
	} finally { await machine.destroy() }
})

test('what cannot start: a store without its mark, a wallet without its key', async () => {
	const machine = await Machine.create({ nodes: 1, conf: QUIET })
	try {
		await machine.ready()
		for (const [who, folder, code] of [['store@1', 'storage', 'process-misconfigured'], ['wallet@1', 'keys', 'wallet-key']]) {
			const place = path.join(machine.root, 'node1', folder)
			const away = fs.readdirSync(place).map((name) => [path.join(place, name), path.join(machine.root, 'machine', `away-${name}`)])
			for (const [from, to] of away) fs.renameSync(from, to)
			machine.kill(who)
			await raised(machine, code, who)
			for (const [from, to] of away) fs.renameSync(to, from)
			machine.warren('reload')
			await over(machine, code, who)
		}
		await machine.ready()
	} finally { await machine.destroy() }
})

test('a store: corrupt until the blob is deleted, full until there is room', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 16, conf: QUIET })
	try {
		await machine.ready()
		const small = crypto.randomBytes(70000)
		const { json: { cid } } = await machine.put(1, small)
		const blobs = []
		for (let i = 0; i < 2; i++) blobs.push((await machine.put(1, crypto.randomBytes(8000000))).json.cid)
		assert.ok(blobs.every(Boolean))
		assert.match((await raised(machine, 'store-full', 'store@1')).detail, /16 MiB/)
		machine.warren('call', 'store@1', 'store_delete', `cid=${blobs[0]}`)
		await over(machine, 'store-full', 'store@1')
		const arena = path.join(machine.root, 'node1', 'storage', 'arena')
		machine.warren('stop', 'store@1')
		const file = fs.openSync(arena, 'r+')
		const bytes = Buffer.alloc(300000)
		fs.readSync(file, bytes, 0, bytes.length, 0)
		for (let at = 8192; at < bytes.length; at += 1000) bytes[at] ^= 1 // in the first blobs, past the arena's own head
		fs.writeSync(file, bytes, 8192, bytes.length - 8192, 8192)
		fs.closeSync(file)
		machine.warren('start', 'store@1')
		await machine.ready()
		await machine.until('a reader finds it', async () => (await machine.get(1, cid)).status === 500)
		await raised(machine, 'store-corrupt', 'store@1')
		for (const one of [cid, blobs[1]]) machine.warrenFails('call', 'store@1', 'store_delete', `cid=${one}`)
		await over(machine, 'store-corrupt', 'store@1')
	} finally { await machine.destroy() }
})

test('a wall that is lost, and one that is missing', async () => {
	const machine = await Machine.create({ nodes: 1, conf: QUIET })
	const conf = path.join(machine.root, 'etc', 'warren.conf')
	const before = fs.readFileSync(conf, 'utf8')
	try {
		await machine.ready()
		await machine.until('the steward has looked', () => fs.statSync(path.join(machine.root, 'machine', 'steward', 'alerts')).size > 0)
		machine.warrend('stop')
		fs.writeFileSync(conf, before + 'without = "pids";\n')
		machine.start()
		assert.match((await raised(machine, 'wall-lost', 'machine')).detail, /pids/)
		assert.strictEqual((await raised(machine, 'wall-missing', 'machine')).severity, 'info')
		machine.warrend('stop')
		fs.writeFileSync(conf, before)
		machine.start()
		await over(machine, 'wall-lost', 'machine')
	} finally { await machine.destroy() }
})

test('a process that asks what it may not: bad, and by name', async () => {
	const machine = await Machine.create({ nodes: 1, conf: QUIET })
	try {
		await machine.ready()
		// A person who may not is told so, and is no alert.
		const person = machine.warrenFails('call', 'steward', 'steward_news', 'delivered=0')
		assert.strictEqual(person.code, 4)
		const program = path.join(machine.root, 'bin', 'warren-gateway')
		fs.rmSync(program) // a burglar in the gateway's place: its uid, its jail, its seat on the bus
		fs.copyFileSync(path.join(BUILD, 'warren-prober'), program)
		fs.chmodSync(program, root ? 0o711 : 0o755)
		fs.symlinkSync('9', path.join(machine.root, 'run', 'selftest')) // the sign on which it waits; it names nobody to attack
		machine.kill('gateway@1')
		const alert = await raised(machine, 'ask-denied', 'gateway@1', 60000)
		assert.strictEqual(alert.severity, 'bad')
		assert.match(alert.detail, /asked for [a-z_ ]+;/)
		assert.ok(!all(machine).alerts.some((one) => one.code === 'ask-denied' && one.subject !== 'gateway@1'))
		fs.rmSync(program)
		fs.copyFileSync(path.join(BUILD, 'warren-gateway'), program)
		fs.chmodSync(program, root ? 0o711 : 0o755)
		machine.warren('restart', 'gateway@1')
		await over(machine, 'ask-denied', 'gateway@1')
	} finally { await machine.destroy() }
})

test('a wallet is asked for what its policy refuses: one alert however often, over when it is quiet', async () => {
	const machine = await Machine.create({ nodes: 2, conf: QUIET })
	const probe = () => machine.warrenFails('call', 'wallet@1', 'wallet_sign_peer_proof', 'timestamp=1')
	try {
		await machine.ready()
		assert.strictEqual(probe().code, 1)
		const alert = await raised(machine, 'wallet-refused', 'wallet@1')
		assert.strictEqual(alert.severity, 'warn')
		assert.match(alert.next, /warren why/)
		assert.match(machine.warren('why', 'wallet@1').out, new RegExp(`wallet_sign_peer_proof for operator, uid ${process.getuid()}`))
		// A storm: more than one a second, for some seconds.
		const before = all(machine).raised
		const began = Date.now()
		while (Date.now() < began + 4000) probe()
		const now = all(machine)
		assert.strictEqual(now.alerts.filter((one) => one.code === 'wallet-refused').length, 1, 'one row')
		assert.ok(now.raised <= before + 1, 'one piece of news')
		const { count } = now.alerts.find((one) => one.code === 'wallet-refused')
		assert.ok(count <= (Date.now() - began) / 1000 + 3, `counted once a second at most: ${count}`)
		assert.ok(!find(machine, 'wallet-refused', 'wallet@2'))
		await over(machine, 'wallet-refused', 'wallet@1')
		// What a wallet answers without a refusal is none.
		machine.warren('call', 'wallet@1', 'wallet_address')
		assert.strictEqual(find(machine, 'wallet-refused', 'wallet@1').active, false)
	} finally { await machine.destroy() }
})

test('logs that find no room on their disk', { skip: !root && 'needs root: it mounts' }, async () => {
	const machine = await Machine.create({ nodes: 1, conf: QUIET, start: false })
	const small = path.join(machine.root, 'logs')
	const owner = fs.statSync(small)
	const cut = path.join(machine.root, 'machine', 'steward')
	try {
		mount('-t', 'tmpfs', '-o', `size=2m,mode=700,uid=${owner.uid},gid=${owner.gid}`, 'warren-test', small)
		machine.start()
		await machine.ready()
		const filler = path.join(small, 'filler')
		const fd = fs.openSync(filler, 'w')
		assert.throws(() => { for (;;) fs.writeSync(fd, Buffer.alloc(65536)) }, /ENOSPC/)
		assert.throws(() => { for (;;) fs.writeSync(fd, Buffer.alloc(1)) }, /ENOSPC/)
		fs.closeSync(fd)
		machine.warren('level', 'wallet@1', 'debug', '--for', '1m')
		await machine.until('there are lines without room', () => {
			machine.warren('level', 'wallet@1', 'debug', '--for', '1m')
			return find(machine, 'logs-dropped', 'scribe')
		}, 30000)
		await raised(machine, 'disk-refuses', 'scribe')
		fs.rmSync(filler)
		await machine.until('scribe writes again', () => {
			machine.warren('level', 'wallet@1', 'debug', '--for', '1m')
			const alert = find(machine, 'disk-refuses', 'scribe')
			return alert && !alert.active
		}, 30000)
		await over(machine, 'logs-dropped', 'scribe')
		assert.ok(fs.existsSync(cut))
	} finally { umount(small); await machine.destroy() }
})

test('a disk that is nearly full; a store whose disk is read-only', { skip: !root && 'needs root: it mounts' }, async () => {
	const before = process.env.TMPDIR
	const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-disk-'))
	const whole = `${disk}.image`, image = path.join(disk, 'image')
	let machine, storage
	fs.closeSync(fs.openSync(whole, 'w'))
	fs.truncateSync(whole, 3 * 2 ** 30) // has holes where nothing was written
	assert.strictEqual(spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', whole]).status, 0)
	mount('-o', 'loop', whole, disk)
	try {
		fs.chmodSync(disk, 0o755)
		process.env.TMPDIR = disk
		machine = await Machine.create({ nodes: 1, conf: QUIET })
		await machine.ready()
		const fs_ = fs.statfsSync(disk)
		const filler = path.join(disk, 'filler')
		const size = (fs_.bavail - Math.floor(fs_.blocks / 50)) * fs_.bsize
		assert.strictEqual(spawnSync('fallocate', ['-l', String(size), filler]).status, 0)
		assert.match((await raised(machine, 'disk-nearly-full', 'machine')).detail, /MiB are free/)
		fs.rmSync(filler)
		await over(machine, 'disk-nearly-full', 'machine')

		// The store's folder moves to a disk of its own, which then becomes read-only.
		storage = path.join(machine.root, 'node1', 'storage')
		const owner = fs.statSync(storage)
		machine.warren('stop', '1')
		assert.strictEqual(spawnSync('fallocate', ['-l', '150m', image]).status, 0)
		assert.strictEqual(spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', image]).status, 0)
		const other = path.join(machine.root, 'other')
		fs.mkdirSync(other)
		mount('-o', 'loop', image, other)
		assert.strictEqual(spawnSync('cp', ['-a', '--sparse=never', `${storage}/.`, other]).status, 0)
		spawnSync('umount', [other])
		mount('-o', 'loop', image, storage)
		fs.chownSync(storage, owner.uid, owner.gid)
		fs.chmodSync(storage, 0o700)
		machine.warren('start', '1')
		await machine.ready(30000)
		machine.warren('stop', '1')
		mount('-o', 'remount,ro', storage)
		machine.warren('start', '1')
		await raised(machine, 'store-read-only', 'store@1', 30000)
		machine.warren('stop', '1')
		mount('-o', 'remount,rw', storage)
		machine.warren('start', '1')
		await over(machine, 'store-read-only', 'store@1', 60000)
	} finally {
		process.env.TMPDIR = before || '/tmp'
		if (machine) machine.run('warrend', ['stop'], { fails: true })
		if (storage) umount(storage)
		if (machine) await machine.destroy()
		umount(disk)
		fs.rmdirSync(disk)
		fs.rmSync(whole)
	}
})

// A process that is killed and does not die: frozen by the kernel's own means, where this machine has them.
const freezer = '/sys/fs/cgroup/freezer'
test('a process that the kernel does not let go', { skip: !(root && fs.existsSync(path.join(freezer, 'cgroup.procs'))) && 'needs the freezer of cgroup v1' }, async () => {
	const machine = await Machine.create({ nodes: 1, conf: QUIET })
	const group = path.join(freezer, `warren-test-${process.pid}`)
	try {
		await machine.ready()
		fs.mkdirSync(group)
		fs.writeFileSync(path.join(group, 'cgroup.procs'), String(machine.process('gateway@1').pid))
		fs.writeFileSync(path.join(group, 'freezer.state'), 'FROZEN')
		await raised(machine, 'process-stuck', 'gateway@1', 40000)
		fs.writeFileSync(path.join(group, 'freezer.state'), 'THAWED')
		await over(machine, 'process-stuck', 'gateway@1')
		await machine.ready()
	} finally {
		if (fs.existsSync(group)) fs.writeFileSync(path.join(group, 'freezer.state'), 'THAWED')
		await machine.destroy()
		if (fs.existsSync(group)) fs.rmdirSync(group)
	}
})
