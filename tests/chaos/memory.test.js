// Want of memory in real jails: a control group of 32 MiB for a whole node; a group, or an address space (RLIMIT_AS), too small for one
// process under uploads; the Nth malloc() of each kind of process. Only that process dies, it is born anew, nothing that was acknowledged
// is lost, and the neighbour has no failed request.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')
const { Load } = require('./load.js')
const { Page, library } = require('../nth/nth.js')

const LONG = Boolean(process.env.WARREN_LONG)
const CHANCE = LONG ? process.pid : 12 // which calls are sampled: the same ones each time, all or others with --long
const MIB = 1 << 20, NODE_LIMIT = 32 * MIB, ROOM = MIB, UPLOADS = 200
const skip = process.getuid() === 0 ? false : 'needs root: it changes the limits of other users\' processes'

// The control group that limits a process's memory: version 1 or 2.
function groupOf(pid) {
	for (const line of fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')) {
		const [, controllers, group] = line.split(':')
		const folder = controllers === '' ? ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((top) => top + group).find((at) => fs.existsSync(at + '/memory.max'))
			: controllers.split(',').includes('memory') ? `/sys/fs/cgroup/memory${group}` : undefined
		if (folder && fs.existsSync(folder)) return folder
	}
}
const file = (group, v1, v2) => path.join(group, fs.existsSync(path.join(group, v1)) ? v1 : v2)
const limit = (group, bytes) => fs.writeFileSync(file(group, 'memory.limit_in_bytes', 'memory.max'), String(Math.ceil(bytes / 4096) * 4096))
const anonymous = (group) => Number(/^(?:rss|anon) (\d+)/m.exec(fs.readFileSync(path.join(group, 'memory.stat'), 'utf8'))[1])
const usage = (group) => Number(fs.readFileSync(file(group, 'memory.usage_in_bytes', 'memory.current'), 'utf8'))

// Uploads that stop half-way. Less than a chunk (64 KiB) waits in the gateway; what is more, a chunk of it, in the store.
const HELD = { 'gateway@1': 60000, 'store@1': 80000 }
function stall(machine, who) {
	const sockets = Array.from({ length: UPLOADS }, () => {
		const socket = net.connect(machine.ports[1], '127.0.0.1')
		socket.on('error', () => {})
		socket.write(`POST /store HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 200000\r\n\r\n`)
		socket.write(Buffer.alloc(HELD[who], 7))
		return socket
	})
	return () => sockets.forEach((socket) => socket.destroy())
}

const pids = (machine) => Object.fromEntries(machine.status().processes.map((p) => [p.node ? `${p.actor}@${p.node}` : p.actor, p.pid]))

async function onTwoNodes(body, programs = []) {
	const machine = await Machine.create({ nodes: 2, storage: 64, start: false, conf: 'park_deaths = 0;' })
	for (const kind of programs) fs.copyFileSync(path.join(BUILD, 'tests', `nth-${kind}`), path.join(machine.root, 'bin', `warren-${kind}`))
	machine.start()
	await machine.ready()
	const load = new Load(machine, 1, { writers: 4, size: () => 500 + Math.floor(Math.random() * 8000) })
	const neighbour = new Load(machine, 2, { writers: 2, size: () => 1000 })
	try {
		await body(machine, load, neighbour)
		await machine.until('there was a load', () => load.acknowledged.size > 20 && neighbour.acknowledged.size > 10, 60000)
		await load.stop()
		await neighbour.stop()
		await machine.ready()
		const { lost, wrong } = await load.verify()
		console.log(`# ${load.acknowledged.size} acknowledged, ${load.failed} refused or cut; the neighbour ${neighbour.acknowledged.size}, ${neighbour.failed}`)
		assert.deepStrictEqual([lost, wrong], [[], []])
		assert.deepStrictEqual(await load.halves(), [])
		assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
	} finally {
		load.stopped = neighbour.stopped = true
		await machine.destroy()
	}
}

// It is dead, and another in its place; nobody else is.
async function reborn(machine, who, before, what) {
	await machine.until(`${who} is born anew: ${what}`, () => { const now = machine.process(who); return now.pid && now.pid !== before[who] && now.state === 'ready' }, 30000)
	const after = pids(machine)
	for (const [other, pid] of Object.entries(before)) if (other !== who) assert.strictEqual(after[other], pid, `${other} went on: ${what}`)
}

test('32 MiB for a whole node under load: who finds no room is ended and born anew, and nobody else', { skip, timeout: 120000 }, () => onTwoNodes(async (machine, load, neighbour) => {
	const group = path.dirname(groupOf(machine.process('store@1').pid))
	assert.match(path.basename(group), /^node1$/)
	limit(group, NODE_LIMIT)
	await load.start().begun()
	await neighbour.start().begun()
	const before = pids(machine), release = stall(machine, 'store@1')
	const most = LONG ? 3000 : 300
	await machine.until('it has stored', () => load.acknowledged.size > most, 60000)
	release()
	const ends = machine.log('warrend').split('\n').filter((line) => / process\.ended process=\w+@1 /.test(line))
	console.log(`# node1 uses ${(usage(group) / MIB).toFixed(1)} of 32 MiB, ${ends.length} of its processes were ended`)
	assert.ok(usage(group) <= NODE_LIMIT)
	for (const line of ends) assert.match(line, /signal=9|KILL|killed/, 'by the kernel alone')
	await machine.ready()
	const after = pids(machine)
	for (const [who, pid] of Object.entries(before)) if (!who.endsWith('@1')) assert.strictEqual(after[who], pid, `${who} went on`)
}))

for (const who of ['store@1', 'gateway@1'])
	test(`${who} in a control group that is too small for uploads`, { skip, timeout: 120000 }, () => onTwoNodes(async (machine, load, neighbour) => {
		await load.start().begun()
		await neighbour.start().begun()
		const group = groupOf(machine.process(who).pid), before = pids(machine)
		limit(group, anonymous(group) + ROOM)
		const release = stall(machine, who)
		await reborn(machine, who, before, 'its group was too small')
		release()
		assert.match(machine.log('warrend'), new RegExp(`process.ended process=${who} .*(signal=9|KILL|killed)`), 'the kernel ended it')
	}))

test('store@1 with too small an address space (RLIMIT_AS) for uploads', { skip, timeout: 120000 }, () => onTwoNodes(async (machine, load, neighbour) => {
	await load.start().begun()
	await neighbour.start().begun()
	const before = pids(machine), pid = before['store@1']
	const [size, uid, gid] = ['VmSize', 'Uid', 'Gid'].map((name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]))
	// As the process's own user: root may be without CAP_SYS_RESOURCE, as in a container.
	const done = spawnSync('setpriv', ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', 'prlimit', '--pid', String(pid), `--as=${size * 1024 + ROOM}`], { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stderr)
	const release = stall(machine, 'store@1')
	await reborn(machine, 'store@1', before, 'its address space was too small')
	release()
	assert.match(machine.log('store@1'), /memory\.exhausted/, 'it said why')
}))

// Every process of the machine, linked with nth.c: the same sources, the same jail.
const KINDS = ['broker', 'scribe', 'steward', 'store', 'wallet', 'gateway']
const TIMES = LONG ? 60 : 4
test(`the Nth malloc() of each kind of process, ${TIMES} times`, { skip, timeout: 1200000 }, () => onTwoNodes(async (machine, load, neighbour) => {
	await load.start().begun()
	await neighbour.start().begun()
	const homes = { store: 'node1/storage', wallet: 'node1/keys', steward: 'machine/steward', scribe: 'logs', broker: 'machine/empty', gateway: 'machine/empty' }
	for (const kind of KINDS) {
		const who = ['store', 'wallet', 'gateway'].includes(kind) ? `${kind}@1` : kind
		const folder = path.join(machine.root, homes[kind]), page = new Page(path.join(folder, 'nth'))
		fs.chmodSync(page.file, 0o666)
		let died = 0, lived = 0
		const birth = async () => {
			const pid = machine.kill(who)
			await machine.until(`${who} has the page`, () => { const now = machine.process(who); return now.pid && now.pid !== pid && now.state === 'ready' }, 30000)
			await machine.ready()
		}
		await birth() // with the page there
		for (let i = 0; i < TIMES; i++) {
			await machine.ready()
			const before = pids(machine), at = 1 + ((CHANCE + i * 37) % 150)
			page.plan({ family: 'memory', error: 'ENOMEM', at, pid: before[who] })
			// Whatever makes it work: the load, a question to it, a line of a log, an alert.
			const poke = () => { machine.warrenFails('call', who, 'actor_limits'); machine.warrenFails('alerts'); return page.seen().fired }
			await machine.until(`${who} calls malloc() ${at} times`, poke, 60000)
			await machine.until(`${who} is ready`, () => machine.process(who).state === 'ready', 30000)
			if (machine.process(who).pid === before[who]) lived++
			else {
				died++
				await reborn(machine, who, before, `malloc ${at}`)
			}
			page.off()
		}
		fs.unlinkSync(page.file)
		console.log(`# ${who}: ${TIMES} times, it died ${died} times and lived ${lived} times`)
	}
}, KINDS))

// Deaths that are no abort, no exit that asks for another try, and none of ours.
function strangeDeaths(machine) {
	return machine.log('warrend').split('\n').filter((line) => / process\.ended /.test(line) && / signal=/.test(line) && !/ signal=(6|9|15|ABRT|KILL|TERM)\b/.test(line))
}

const WORLD = [['open', 'EMFILE'], ['read', 'EIO'], ['write', 'ENOSPC'], ['sync', 'EIO'], ['change', 'EIO'], ['fd', 'EMFILE'], ['look', 'EIO'], ['room', 'ENOSPC']]
test('the Nth call of the world of each kind of process fails', { skip, timeout: 1200000 }, () => onTwoNodes(async (machine, load, neighbour) => {
	await load.start().begun()
	await neighbour.start().begun()
	const homes = { store: 'node1/storage', wallet: 'node1/keys', steward: 'machine/steward', scribe: 'logs' }
	let all = 0
	for (const [kind, home] of Object.entries(homes)) {
		const who = ['store', 'wallet'].includes(kind) ? `${kind}@1` : kind, page = new Page(path.join(machine.root, home, 'nth'))
		fs.chmodSync(page.file, 0o666)
		const first = machine.kill(who)
		await machine.until(`${who} has the page`, () => { const now = machine.process(who); return now.pid && now.pid !== first && now.state === 'ready' }, 30000)
		let fired = 0, tries = 0
		for (const [index, [family, error]] of WORLD.entries())
			for (let i = 0; i < (LONG ? 30 : (index + CHANCE) % 3 ? 0 : 1); i++) { // three of the eight, else
				await machine.ready(30000)
				// At a birth, as it is then that most is opened and read: a page without a pid is every life's.
				page.plan({ family, error, at: 1 + (CHANCE + 7 * i + index) % (i % 2 ? 20 : 3) })
				const pid = machine.kill(who)
				await machine.until(`${who} is ready after ${family}`, () => { const now = machine.process(who); return now.pid && now.pid !== pid && now.state === 'ready' }, 60000)
				machine.warrenFails('call', who, 'actor_limits')
				machine.warrenFails('alerts')
				fired += page.seen().fired ? 1 : 0
				tries++
				page.off()
			}
		fs.unlinkSync(page.file)
		console.log(`# ${who}: ${tries} tries, in ${fired} a call failed`)
		all += fired
	}
	assert.deepStrictEqual(strangeDeaths(machine), [])
	assert.ok(all > 1, `${all}`)
}, KINDS))

test('births that fail: no descriptor, no process, no file for the supervisor', { skip, timeout: 1200000 }, async () => {
	const machine = await Machine.create({ nodes: 2, storage: 16, start: false, conf: 'park_deaths = 0;' })
	const page = new Page(path.join(machine.root, 'page')), neighbour = new Load(machine, 2, { writers: 1, size: () => 1000 })
	try {
		const done = spawnSync(path.join(machine.root, 'bin', 'warrend'), ['--root', machine.root, 'start'], { env: { ...process.env, LD_PRELOAD: library(BUILD), NTH_FILE: page.file }, stdio: 'ignore' })
		assert.strictEqual(done.status, 0)
		await machine.ready()
		const supervisor = fs.readFileSync(path.join(machine.root, 'run', 'warrend.pid'), 'utf8').trim()
		await neighbour.start().begun()
		let fired = 0, tries = 0
		for (const [index, [family, error]] of [...WORLD, ['process', 'EAGAIN'], ['map', 'ENOMEM']].entries())
			for (let i = 0; i < (LONG ? 40 : 3); i++) {
				const who = ['store@1', 'wallet@1', 'gateway@1'][(i + index) % 3]
				page.plan({ family, error, at: 1 + (CHANCE + 13 * i + index) % (i % 3 === 0 ? 3 : 30), onwards: i % 4 === 3 ? 1 : 0 })
				machine.kill(who)
				machine.warrenFails('reload')
				fired += page.seen().fired ? 1 : 0
				tries++
				page.off()
				await machine.until(`${who} is born after ${family}`, () => machine.process(who).state === 'ready', 60000)
			}
		await neighbour.stop()
		console.log(`# ${tries} births, in ${fired} a call of the supervisor or of a child before its exec failed; the neighbour ${neighbour.acknowledged.size}, ${neighbour.failed}`)
		assert.strictEqual(fs.readFileSync(path.join(machine.root, 'run', 'warrend.pid'), 'utf8').trim(), supervisor, 'the supervisor is the same')
		assert.strictEqual(neighbour.failed, 0, `${neighbour.failures}`)
		assert.ok(fired > 5, `${fired}`)
	} finally {
		neighbour.stopped = true
		await machine.destroy()
	}
})
