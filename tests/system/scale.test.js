// Many nodes on one machine: all healthy, all told of, and one that dies is nobody else's trouble. Ten of them; a hundred with
// WARREN_LONG=1. How fast and how dear is the bench's (tests/bench/nodes.js): here no time is asserted.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

const NODES = process.env.WARREN_LONG ? 100 : 10
const PATIENCE_MS = 120000
const PORTS = 15001 + (process.pid % 55) * 100 // below those that machine.js gives out: it has fifty for a test
const ROOM = 'ram_rule = "off";\nmax_nodes = 512;'

const alive = (pid) => { try { process.kill(pid, 0); return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z' } catch { return false } }
const range = (count) => Array.from({ length: count }, (_, i) => i + 1)

async function health(machine, node) {
	const answer = await machine.request(node, 'GET', '/health')
	return answer.status === 200 && JSON.parse(answer.body.toString()).status === 'healthy'
}

async function healthy(machine, nodes) {
	for (const node of nodes) await machine.until(`node ${node} is healthy`, () => health(machine, node), PATIENCE_MS)
}

// Every node once, each with a process of each kind, each with a pid and a uid of its own; the counts agree with the rows.
function check_status(machine, count) {
	const status = machine.status()
	assert.deepStrictEqual(status.nodes.map((n) => n.node).sort((a, b) => a - b), range(count))
	assert.strictEqual(new Set(status.nodes.map((n) => n.port)).size, count, 'a port of its own')
	for (const node of range(count))
		assert.deepStrictEqual(status.processes.filter((p) => p.node === node).map((p) => p.actor).sort(), ['gateway', 'store', 'wallet'])
	const { processes } = status
	assert.strictEqual(new Set(processes.map((p) => p.pid)).size, processes.length, 'a pid of its own')
	if (process.getuid() === 0) assert.strictEqual(new Set(processes.map((p) => p.uid)).size, processes.length, 'a uid of its own')
	for (const p of processes) {
		assert.strictEqual(p.state, 'ready', p.who)
		assert.ok(alive(p.pid), p.who)
	}
	return status
}

test(`${NODES} nodes are healthy, and status is whole`, async () => {
	const machine = await Machine.create({ nodes: 0, conf: ROOM, start: false })
	let pids = []
	try {
		for (const node of range(NODES)) machine.add(16, PORTS + node)
		machine.start()
		await machine.ready(PATIENCE_MS)
		await healthy(machine, range(NODES))
		const before = check_status(machine, NODES)
		assert.strictEqual(JSON.parse(machine.warren('list', '--json').out).nodes.length, NODES)
		assert.strictEqual(JSON.parse(machine.warren('verify', '--json').out).nodes.filter((n) => n.valid).length, NODES)

		// One node dies whole. The others answer all the while, and are who they were.
		const victim = Math.ceil(NODES / 2), others = range(NODES).filter((node) => node !== victim)
		const killed = new Set(before.processes.filter((p) => p.node === victim).map((p) => p.pid))
		for (const pid of killed) process.kill(pid, 'SIGKILL')
		await machine.until(`node ${victim} is back`, async () => {
			for (const node of others) assert.ok(await health(machine, node).catch(() => false) || assert.fail(`node ${node} is not healthy`))
			const now = machine.status().processes.filter((p) => p.node === victim)
			return now.every((p) => p.state === 'ready' && !killed.has(p.pid))
		}, PATIENCE_MS)
		await healthy(machine, [victim])
		const after = check_status(machine, NODES)
		for (const was of before.processes.filter((p) => p.node !== victim))
			assert.strictEqual(after.processes.find((p) => p.who === was.who).pid, was.pid, was.who)

		// A broker that is born again is told of everybody, and everybody says hello to it.
		const broker = machine.kill('broker')
		await machine.until('the broker is back, and knows all', () => {
			const status = machine.status(), now = machine.process('broker', status)
			return now.pid !== broker && now.state === 'ready' && status.broker.peers === status.processes.length - 1
		}, PATIENCE_MS)
		await healthy(machine, range(NODES))
		pids = [machine.supervisor, ...machine.status().processes.map((p) => p.pid)]
	} finally {
		const stopped = await machine.destroy()
		assert.strictEqual(stopped.code, 0, stopped.err)
	}
	assert.deepStrictEqual(pids.filter(alive), [], 'nobody is left')
	assert.ok(pids.length > 3 * NODES)
})

test('too few open files for so many nodes: refused before anything starts, with how many it takes', async () => {
	const machine = await Machine.create({ nodes: 3, start: false })
	try {
		const start = (files) => spawnSync('bash', ['-c', 'ulimit -n "$1"; exec "$2" --root "$3" start', 'bash', String(files),
			path.join(machine.root, 'bin', 'warrend'), machine.root], { encoding: 'utf8', timeout: 60000 })
		const refused = start(150)
		assert.notStrictEqual(refused.status, 0)
		const needs = refused.stderr.match(/3 nodes need (\d+) open files, and 150 are allowed; raise LimitNOFILE \(systemd\) or ulimit -n/)
		assert.ok(needs, refused.stderr)
		assert.ok(!fs.existsSync(path.join(machine.root, 'run', 'bus.sock')), 'nothing is left of it')
		assert.strictEqual(start(Number(needs[1])).status, 0, 'as many as it says are enough')
		await machine.ready(PATIENCE_MS)
	} finally { await machine.destroy() }
})

// Node has no datagram sockets of this kind; perl is on every Debian.
const LISTENER = 'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($ARGV[0])) or die $!; $| = 1; print "listening\\n"; ' +
	'while (defined recv(S, $_, 4096, 0)) { print "$_\\n--\\n" }'

test('the service manager is given more time as long as processes come up, and no longer', async () => {
	const machine = await Machine.create({ nodes: 2, start: false })
	const socket = path.join(machine.root, 'notify'), children = []
	try {
		const listener = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
		children.push(listener)
		let text = ''
		listener.stdout.on('data', (part) => { text += part })
		await machine.until('somebody listens', () => text.includes('listening'), PATIENCE_MS)
		children.push(spawn(path.join(machine.root, 'bin', 'warrend'), ['--root', machine.root, 'run'], { stdio: 'ignore',
			env: { ...process.env, NOTIFY_SOCKET: socket } }))
		await machine.until('it is ready', () => text.includes('READY=1'), PATIENCE_MS)
		await machine.ready(PATIENCE_MS)
		const told = text.split('--\n').map((one) => one.replace('listening\n', '')), ready = told.findIndex((one) => one.includes('READY=1'))
		assert.ok(ready > 0, text)
		for (const one of told.slice(0, ready)) assert.match(one, /^EXTEND_TIMEOUT_USEC=60000000\nSTATUS=\d+ of 9 processes ready\n$/)
		assert.ok(!told.slice(ready).join('').includes('EXTEND'), text)
	} finally {
		await machine.destroy()
		for (const child of children) child.kill('SIGTERM')
	}
})

test('what ends the number of nodes is said', async () => {
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		fs.appendFileSync(path.join(machine.root, 'etc', 'warren.conf'), 'max_nodes = 600;\n')
		const refused = machine.run('warrend', ['start'], { fails: true })
		assert.strictEqual(refused.code, 1)
		assert.match(refused.err, /warren\.conf:\d+: max_nodes is 600; it must be 0 to 512, as a machine's block of uids has no more places/)
		const conf = path.join(machine.root, 'etc', 'warren.conf')
		fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace('max_nodes = 600;', ROOM))
		fs.mkdirSync(path.join(machine.root, 'node512'))
		const full = machine.run('warrend', ['add', '--tier', 'bronze', '--storage', '16'], { fails: true })
		assert.strictEqual(full.code, 1)
		assert.match(full.err, /node numbers end at 512, as a machine's block of uids does, and none is given twice/)
	} finally { await machine.destroy() }
})
