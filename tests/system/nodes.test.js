// What an operator does with nodes: look, add, verify, remove; on made-up machines, at a terminal, and killed at every step.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { Machine, BUILD } = require('./machine.js')

// All steps with WARREN_LONG; else every second one, the even or the odd ones by turns.
const STRIDE = process.env.WARREN_LONG ? 1 : 2
const FIRST = process.env.WARREN_LONG ? 1 : 1 + (process.pid % 2)
const WORLD = path.resolve(BUILD, 'tests', 'libworld.so')
const OTHER = `0x${'5a'.repeat(32)}\n`

// warrend in a made-up world (tests/system/world.c).
function made_up(machine, world, ...args) {
	const env = { ...process.env, LD_PRELOAD: WORLD }
	for (const [name, value] of Object.entries(world)) env[`WARREN_WORLD_${name}`] = String(value)
	const done = spawnSync(path.join(machine.root, 'bin', 'warrend'), ['--root', machine.root, ...args], { encoding: 'utf8', env, timeout: 60000 })
	return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr }
}

// warren at a terminal of its own, answered line by line; `script` makes the terminal.
function at_terminal(machine, answers, ...args) {
	const command = [path.join(machine.root, 'bin', 'warren'), '--root', machine.root, ...args].map((word) => `'${word}'`).join(' ')
	const done = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', input: answers, timeout: 60000 })
	return { code: done.status, out: done.stdout.replaceAll('\r', '') }
}

const try_warrend = (machine, ...args) => machine.run('warrend', args, { fails: true })
const json = (machine, ...args) => JSON.parse(machine.warren(...args, '--json').out)
const conf = (machine, node) => path.join(machine.root, 'etc', `node${node}.conf`)
const freePort = () => 20100 + (process.pid * 7 + Math.floor(Math.random() * 700)) % 880

// Nothing of a node but what belongs to others.
function no_trace(machine, node, what = '') {
	for (const place of [`etc/node${node}.conf`, `node${node}`, `logs/node${node}`, 'machine/adding', 'machine/removing'])
		assert.ok(!fs.existsSync(path.join(machine.root, place)), `${place} ${what}`)
}

function whole(machine, node, what = '') {
	const found = json(machine, 'verify', String(node)).nodes[0]
	assert.ok(found.valid && found.actual === found.claimed, `${JSON.stringify(found)} ${what}`)
	assert.ok(fs.existsSync(path.join(machine.root, `node${node}/keys/wallet.keys`)), `keys ${what}`)
	assert.ok(fs.existsSync(path.join(machine.root, `node${node}/storage/marker`)), `marker ${what}`)
}

test('info: both rules, the one that binds, memory, a tier that fits; on machines that are made up', async () => {
	const machine = await Machine.create({ nodes: 0, start: false, conf: 'tier_profile = "multinode";' })
	try {
		assert.strictEqual(json(machine, 'info').machine_id_state, 'new')
		const real = json(machine, 'info'), disk = fs.statfsSync(machine.root)
		assert.ok(Math.abs(real.disk.total - disk.blocks * disk.bsize) < 1 << 20)
		assert.match(real.machine_id, /^0x[0-9a-f]{64}$/)
		assert.strictEqual(real.machine_id_state, 'same')
		const seed = { TOTAL: 100, FREE: 80, MEMORY: 16 }
		const info = JSON.parse(made_up(machine, seed, 'info', '--json').out)
		assert.strictEqual(info.disk.available, 64 * 2 ** 30)
		assert.strictEqual(info.disk.rule_keep_10_percent, 70 * 2 ** 30)
		assert.strictEqual(info.disk.binds, '80-percent-of-free')
		assert.strictEqual(info.recommended, 'platinum')
		const text = made_up(machine, seed, 'info').out
		assert.match(text, /available +64\.0 GiB[^]*80 % of free": 64\.0 GiB {2}<- binds[^]*keep 10 %[^\n]*70\.0 GiB/)
		assert.match(text, /memory 16\.0 GiB carries 10/)

		const ram = made_up(machine, { ...seed, MEMORY: 2 }, 'info', '--json')
		assert.strictEqual(JSON.parse(ram.out).nodes.most, 2)
		for (const node of [1, 2]) fs.writeFileSync(conf(machine, node), 'quota_mb = 8;\n')
		const third = made_up(machine, { ...seed, MEMORY: 2 }, 'add', '--tier', 'bronze', '--storage', '8', '--json')
		assert.strictEqual(third.code, 1)
		assert.strictEqual(JSON.parse(third.out).rule, 'ram')
		assert.match(JSON.parse(third.out).why, /rule "ram"[^]*<- binds/)
		no_trace(machine, 3)

		for (const node of [1, 2]) fs.writeFileSync(conf(machine, node), 'tier = "platinum";\n')
		const platinum = made_up(machine, { TOTAL: 200, FREE: 180, MEMORY: 16 }, 'add', '--tier', 'platinum')
		assert.strictEqual(platinum.code, 1)
		assert.match(platinum.err, /^refused: 51200 MiB do not fit on [^]*promised to 2 nodes: 103\.2 GiB\n {2}rule "80 % of free": [^\n]*<- binds\n {2}rule "keep 10 %/)
		assert.match(platinum.err, /gold \(10240 MiB\) fits: warren add --tier gold/)
		no_trace(machine, 3)
		const tiers = json(machine, 'tiers')
		assert.deepStrictEqual(tiers, { v4: { bronze: 1024, silver: 2048, gold: 4096, platinum: 8192 }, multinode: { bronze: 1024, silver: 4096, gold: 10240, platinum: 51200 } })
	} finally { await machine.destroy() }
})

test('add at a terminal: defaults, answers that make no sense, giving up', async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		const port = freePort()
		const done = at_terminal(machine, `tin\n1\nmany\n16\n${port}\n\n`, 'add')
		assert.strictEqual(done.code, 0, done.out)
		assert.match(done.out, /there is no tier "tin"[^]*tier \[\w+\][^]*"many" is no number[^]*storage, MiB \[1024\][^]*HTTP port \[5001\][^]*make node 1: bronze, 16 MiB/)
		whole(machine, 1)
		assert.strictEqual(json(machine, 'list').nodes[0].port, port)
		for (const answers of ['', '2\n', '2\n16\n', `2\n16\n${port + 1}\nno\n`]) {
			const left = at_terminal(machine, `${answers}\x04`, 'add')
			assert.strictEqual(left.code, 1, left.out)
			assert.match(left.out, /refused: nothing was made/)
			no_trace(machine, 2, answers)
		}
		assert.strictEqual(machine.run('warren', ['add'], { fails: true, input: '' }).code, 2, 'no terminal, no tier')
	} finally { await machine.destroy() }
})

test('bad input: an unknown tier, a taken port, a wallet that another node has', async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	const server = net.createServer().listen(0, '127.0.0.1')
	await new Promise((resolve) => server.on('listening', resolve))
	try {
		const wrong = try_warrend(machine, 'add', '--tier', 'tin', '--json')
		assert.deepStrictEqual([wrong.code, JSON.parse(wrong.out).ok], [1, false])
		assert.match(JSON.parse(wrong.out).why, /bronze, silver, gold or platinum/)
		const taken = try_warrend(machine, 'add', '--tier', 'bronze', '--storage', '8', '--port', String(server.address().port))
		assert.match(taken.err, /^refused: port \d+ on 127\.0\.0\.1 is in use by /)
		no_trace(machine, 1)
		fs.copyFileSync(path.join(BUILD, 'tests', 'tool-twin'), path.join(machine.root, 'bin', 'warren-wallet'))
		const first = JSON.parse(machine.warrend('add', '--tier', 'bronze', '--storage', '8', '--port', String(freePort()), '--json').out)
		assert.deepStrictEqual([first.ok, first.node, first.wallet, first.quota_mb], [true, 1, '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', 8])
		const second = try_warrend(machine, 'add', '--tier', 'bronze', '--storage', '8', '--port', String(freePort() + 1), '--json')
		assert.strictEqual(second.code, 1)
		assert.strictEqual(JSON.parse(second.out).rule, 'one-wallet-one-node')
		assert.match(JSON.parse(second.out).why, /0x5aAe\w+ is node 1's already/)
		no_trace(machine, 2)
		fs.copyFileSync(conf(machine, 1), conf(machine, 2))
		fs.appendFileSync(conf(machine, 2), '\n')
		assert.match(try_warrend(machine, 'check').err, /node2\.conf:\d+: wallet 0x5aAe\w+ of node 2 is node 1's already/)
	} finally { server.close(); await machine.destroy() }
})

test('verify: what is claimed is there, or it is said, with the exit code and on the bus', async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		await machine.ready()
		assert.deepStrictEqual(json(machine, 'verify').nodes.map((node) => [node.claimed, node.actual, node.valid]), [[16, 16, true], [16, 16, true]])
		const on_bus = (call, ...fields) => JSON.parse(machine.warren('call', 'steward', call, ...fields, '--json').out)
		assert.deepStrictEqual(on_bus('steward_verify', 'node=0').nodes.map((node) => node.valid), [true, true])
		const info = on_bus('steward_info'), disk = fs.statfsSync(machine.root)
		assert.ok(Math.abs(info.total - disk.blocks * disk.bsize) < 1 << 20)
		assert.strictEqual(info.nodes, 2)
		assert.strictEqual(info.id_changed, false)
		assert.strictEqual(on_bus('steward_room', 'storage_mb=16').may, true)
		const no_room = on_bus('steward_room', 'storage_mb=4194304')
		assert.strictEqual(no_room.may, false)
		assert.match(no_room.reason, /do not fit/)
		const arena = path.join(machine.root, 'node1', 'storage', 'arena')
		fs.truncateSync(arena, fs.statSync(arena).size - (1 << 20))
		const short = machine.warrenFails('verify')
		assert.strictEqual(short.code, 1)
		assert.match(short.out, /1 +16 MiB +15 MiB +[^\n]*1 MiB too little: it was cut\n +2 +16 MiB +16 MiB +valid/)
		assert.deepStrictEqual(on_bus('steward_verify', 'node=1').nodes, [{ node: 1, claimed_mb: 16, actual_mb: 15, valid: false }])
		assert.strictEqual(machine.warrenFails('verify', '2').code, 0)
		const other = path.join(machine.root, 'node2', 'storage', 'arena')
		assert.strictEqual(spawnSync('fallocate', ['--punch-hole', '--offset', String(4 << 20), '--length', String(2 << 20), other]).status, 0)
		assert.match(machine.warrenFails('verify', '2').out, /2 +16 MiB +14 MiB +[^\n]*2 MiB too little: it has holes/)
		assert.strictEqual(machine.warrenFails('verify', '7').code, 1)
	} finally { await machine.destroy() }
})

test('remove: asks, refuses what runs, keeps the keys; destroying them needs the address', async () => {
	const machine = await Machine.create({ nodes: 3, storage: 8 })
	try {
		await machine.ready()
		const runs = try_warrend(machine, 'remove', '--node', '2', '--yes', '--json')
		assert.strictEqual(JSON.parse(runs.out).rule, 'runs')
		assert.match(JSON.parse(runs.out).why, /warren drain 2/)
		machine.warren('drain', '2')
		assert.match(machine.run('warren', ['remove', '2'], { fails: true, input: '' }).err, /must be confirmed/)
		assert.match(at_terminal(machine, '3\n', 'remove', '2').out, /type its number[^]*nothing was removed/)
		whole(machine, 2)
		const others = () => machine.status().processes.filter((p) => p.node !== 2).map((p) => p.pid)
		const before = others()
		const removed = at_terminal(machine, '2\n', 'remove', '2')
		assert.strictEqual(removed.code, 0, removed.out)
		no_trace(machine, 2)
		const [folder] = fs.readdirSync(path.join(machine.root, 'archive'))
		assert.match(folder, /^node2-\d{8}T\d{6}Z$/)
		assert.deepStrictEqual(fs.readdirSync(path.join(machine.root, 'archive', folder)).sort(), ['keys', 'node2.conf'])
		assert.ok(fs.existsSync(path.join(machine.root, 'archive', folder, 'keys', 'wallet.keys')))
		assert.strictEqual(fs.statSync(path.join(machine.root, 'archive')).mode & 0o777, 0o700)
		await machine.until('it is no longer declared', () => machine.status().nodes.length === 2)
		assert.deepStrictEqual(others(), before, 'nobody else noticed')

		const wallet = json(machine, 'list').nodes.find((node) => node.node === 3).wallet
		const wrong = try_warrend(machine, 'remove', '--node', '3', '--yes', '--stop', '--destroy-keys', OTHER.slice(0, 42), '--json')
		assert.strictEqual(JSON.parse(wrong.out).rule, 'destroy-keys')
		assert.strictEqual(machine.process('store@3').state, 'ready')
		const gone = JSON.parse(machine.warrend('remove', '--node', '3', '--yes', '--stop', '--destroy-keys', wallet, '--json').out)
		assert.deepStrictEqual(gone, { ok: true, node: 3, wallet, archive: null })
		no_trace(machine, 3)
		assert.strictEqual(fs.readdirSync(path.join(machine.root, 'archive')).length, 1)
		await machine.until('only node 1 is left', () => machine.status().nodes.length === 1)
		machine.add(8)
		await machine.until('a new node takes the number', () => machine.process('gateway@2')?.state === 'ready')
	} finally { await machine.destroy() }
})

test('add, killed before each of its steps, leaves a whole node or none', { timeout: 300000 }, async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		const port = String(freePort()), add = ['add', '--tier', 'bronze', '--storage', '8', '--port', port]
		const remove = () => machine.warrend('remove', '--node', '1', '--yes', '--destroy-keys', json(machine, 'list').nodes[0].wallet)
		let none = 0, there = 0
		for (let step = FIRST, ended = false; !ended; step += STRIDE) { // until none is left to be killed at
			const killed = made_up(machine, { HALT: step }, ...add)
			ended = killed.signal === null
			assert.ok(killed.signal === 'SIGKILL' || killed.code === 0, `step ${step}: ${killed.err}`)
			if (fs.existsSync(conf(machine, 1))) {
				there++
				whole(machine, 1, `after step ${step}`)
			} else {
				none++
				assert.deepStrictEqual(json(machine, 'list').nodes, [], `step ${step}`)
				machine.warrend(...add) // finishes what was left, and makes the same node
				whole(machine, 1, `after step ${step}, again`)
			}
			remove()
			no_trace(machine, 1, `after step ${step}`)
		}
		assert.ok(none > 20 / STRIDE && there > 0, `${none} steps before the node is there, ${there} after`)
	} finally { await machine.destroy() }
})

test('remove, killed before each of its steps, leaves a whole node or none, and never loses keys', { timeout: 300000 }, async () => {
	const machine = await Machine.create({ nodes: 2, storage: 8 })
	try {
		await machine.ready()
		const remove = ['remove', '--node', '2', '--yes', '--stop']
		const keys = () => fs.existsSync(path.join(machine.root, 'archive')) ? fs.readdirSync(path.join(machine.root, 'archive')).filter((name) => fs.existsSync(path.join(machine.root, 'archive', name, 'keys', 'wallet.keys'))).length : 0
		let stayed = 0, gone = 0
		for (let step = FIRST, ended = false; !ended; step += STRIDE) { // until none is left to be killed at
			fs.rmSync(path.join(machine.root, 'archive'), { recursive: true, force: true })
			if (step > FIRST) machine.add(8)
			const killed = made_up(machine, { HALT: step }, ...remove)
			ended = killed.signal === null
			assert.ok(killed.signal === 'SIGKILL' || killed.code === 0, `step ${step}: ${killed.err}`)
			if (fs.existsSync(conf(machine, 2))) {
				stayed++
				whole(machine, 2, `after step ${step}`)
				machine.warrend(...remove)
			} else if (!ended) {
				gone++
				const again = try_warrend(machine, ...remove) // finishes it, and there is none
				assert.strictEqual(again.code, 1)
				assert.match(again.err, /there is no node 2/)
			}
			no_trace(machine, 2, `after step ${step}`)
			assert.strictEqual(keys(), 1, `the keys after step ${step}`)
		}
		assert.ok(stayed > 4 / STRIDE && gone > 10 / STRIDE, `${stayed} steps before it is gone, ${gone} after`)
		await machine.until('node 1 alone is left, and well', () => machine.status().processes.filter((p) => p.node).length === 3 && machine.process('store@1').state === 'ready')
	} finally { await machine.destroy() }
})

test('a disk that vanishes during add: a sentence, and nothing half-made', { timeout: 300000 }, async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		const add = ['add', '--tier', 'bronze', '--storage', '8', '--port', String(freePort())]
		const count = path.join(machine.root, 'steps')
		assert.strictEqual(made_up(machine, { COUNT: count }, ...add).code, 0)
		const steps = Number(fs.readFileSync(count, 'utf8'))
		for (let step = FIRST; step <= steps; step += STRIDE) {
			const made = json(machine, 'list').nodes.length
			if (made) machine.warrend('remove', '--node', '1', '--yes', '--destroy-keys', json(machine, 'list').nodes[0].wallet)
			const failed = made_up(machine, { BREAK: step }, ...add)
			assert.strictEqual(failed.signal, null)
			const there = fs.existsSync(conf(machine, 1))
			assert.strictEqual(failed.code, there ? 0 : 1, `step ${step}: ${failed.err}`)
			if (there) whole(machine, 1, `step ${step}`)
			else assert.match(failed.err, /(refused|not added): [^]*(Input\/output error|cannot|ended)/, `step ${step}`)
		}
		try_warrend(machine, 'remove', '--node', '1', '--yes', '--destroy-keys', json(machine, 'list').nodes[0]?.wallet ?? '')
		machine.warrend(...add)
		whole(machine, 1)
	} finally { await machine.destroy() }
})

test('another machine id: an alert, nodes go on, nothing is added until reregister', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 8 })
	try {
		await machine.ready()
		const kept = fs.readFileSync(path.join(machine.root, 'machine', 'id'), 'utf8')
		fs.writeFileSync(path.join(machine.root, 'machine', 'id'), OTHER)
		machine.warren('reload')
		await machine.until('it is logged', () => / error warrend\S* machine\.changed kept=0x5a5a\w+ now=0x\w+/.test(machine.log('warrend')))
		assert.match(machine.warren('status').out, /bad +this is not the machine that its nodes were made on/)
		assert.strictEqual(machine.status().machine.id_changed, true)
		const blob = await machine.put(1, Buffer.from('what was promised is kept'))
		assert.strictEqual(blob.status, 201)
		const refused = try_warrend(machine, 'add', '--tier', 'bronze', '--storage', '8', '--json')
		assert.deepStrictEqual([refused.code, JSON.parse(refused.out).rule], [1, 'machine-id'])
		assert.match(JSON.parse(refused.out).why, /warrend reregister/)
		no_trace(machine, 2)
		assert.strictEqual(machine.warrenFails('info').code, 1)
		assert.match(try_warrend(machine, 'reregister').err, /must be confirmed/)
		assert.strictEqual(json(machine, 'reregister', '--yes').changed, true)
		assert.strictEqual(fs.readFileSync(path.join(machine.root, 'machine', 'id'), 'utf8'), kept)
		await machine.until('all is well again', () => machine.status().machine.id_changed === false)
		machine.add(8)
	} finally { await machine.destroy() }
})
