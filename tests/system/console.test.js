// The operator's seat: what the console says, held against what the machine does.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine, sleep } = require('./machine.js')

let machine
test.before(async () => { machine = await Machine.create({ nodes: 2 }) })
test.after(async () => { await machine.destroy() })

// A group of this computer that is not root's: its name and number.
const anyGroup = () => fs.readFileSync('/etc/group', 'utf8').split('\n').map((line) => [line.split(':')[0], Number(line.split(':')[2])])
	.find(([name, id]) => id > 0 && id < 60000 && name.length <= 32)

test('status: all is well, in words and as JSON with stable keys', async () => {
	const { json: { cid } } = await machine.put(1, Buffer.alloc(5000, 7))
	assert.ok(cid)
	const text = machine.warren('status').out
	assert.match(text.split('\n')[0], /^test: all well · 2 nodes · 9 processes, 0 restarts/)
	const status = machine.status()
	assert.deepStrictEqual(status.nodes.map((node) => node.node), [1, 2])
	for (const node of status.nodes) {
		assert.match(node.wallet, /^0x[0-9a-fA-F]{40}$/)
		assert.strictEqual(node.tier, 'bronze')
		assert.strictEqual(node.port, machine.ports[node.node])
		assert.strictEqual(node.quota, 16 * 1048576)
		assert.strictEqual(node.state, 'ready')
	}
	assert.ok(status.nodes[0].used > 5000 && status.nodes[1].used === 0)
	for (const process_ of status.processes)
		for (const key of ['actor', 'node', 'pid', 'uid', 'state', 'restarts', 'pss']) assert.ok(key in process_, key)
})

test('every program says its name and the one version', () => {
	const tree = path.join(__dirname, '..', '..')
	const version = /^project\(warren VERSION ([0-9.]+) /m.exec(fs.readFileSync(path.join(tree, 'CMakeLists.txt'), 'utf8'))[1]
	assert.match(fs.readFileSync(path.join(tree, 'CHANGELOG.md'), 'utf8'), new RegExp(`^## ${version}\\b`, 'm'))
	const programs = fs.readdirSync(path.join(machine.root, 'bin'))
	assert.ok(programs.length >= 8)
	for (const program of programs) {
		const said = spawnSync(path.join(machine.root, 'bin', program), ['--version'], { encoding: 'utf8', timeout: 20000 })
		assert.strictEqual(said.status, 0, program)
		assert.ok(said.stdout.startsWith(`${program} ${version}`), `${program}: ${said.stdout}${said.stderr}`)
	}
})

test('call: an answer, the help, the nearest name', () => {
	const address = machine.warren('call', 'wallet@1', 'wallet_address').out
	assert.match(address, /0x[0-9a-fA-F]{40}/)
	const binding = JSON.parse(machine.warren('call', 'wallet@1', 'wallet_binding', '--json').out)
	assert.match(binding.statement, /12D3KooW/)
	for (const [args, says] of [[['call', 'wallet@9', 'wallet_address'], /wallet@9|no such|gone/], [['call', 'wallet@1', 'wallet_adress'], /wallet_address/],
		[['call', 'store@1', 'store_head', 'cid=nonsense'], /CID/], [['stats'], /status/]]) {
		const wrong = machine.warrenFails(...args)
		assert.notStrictEqual(wrong.code, 0, args.join(' '))
		assert.match(wrong.out + wrong.err, says)
	}
})

test('tap shows who asks whom, and a call as it passes', async () => {
	const tap = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'tap', '--for', '3'])
	let seen = ''
	tap.stdout.on('data', (part) => { seen += part })
	await sleep(700)
	machine.warren('call', 'store@2', 'store_stat')
	await machine.put(2, Buffer.from('seen by the tap'))
	await new Promise((resolve) => tap.on('exit', resolve))
	assert.match(seen, /store@2\s+store_stat/)
	assert.match(seen, /store_put_done.*size=15/)
})

test('logs: one process, several merged, only warnings, as JSON; map and calls come from the rows', () => {
	assert.match(machine.warren('logs', 'store@1').out, /store\.opened/)
	const merged = machine.warren('logs', 'store@1', 'wallet@1').out.trim().split('\n').map((line) => line.split(' ')[0])
	assert.deepStrictEqual(merged, [...merged].sort())
	for (const line of machine.warren('logs', 'store@1', '--json').out.trim().split('\n')) assert.strictEqual(JSON.parse(line).actor, 'store')
	assert.match(machine.warren('map').out, /gateway@N.*store@N/)
	assert.match(machine.warren('calls', 'store').out, /store_delete/)
})

test('a tap that is refused shows in the tap of an operator, with who asked', { skip: process.getuid() !== 0 && 'needs root' }, async () => {
	const [group, gid] = anyGroup()
	const watched = await Machine.create({ nodes: 1, conf: `readers = "${group}";` })
	const tap = spawn(path.join(watched.root, 'bin', 'warren'), ['--root', watched.root, 'tap'])
	let seen = ''
	tap.stdout.on('data', (part) => { seen += part })
	try {
		await watched.until('the tap is open', () => { watched.warren('call', 'store@1', 'store_stat'); return /store_stat/.test(seen) })
		const refused = spawnSync('setpriv', ['--reuid', '65534', '--regid', '65534', '--groups', String(gid),
			path.join(watched.root, 'bin', 'warren'), '--root', watched.root, 'tap'], { encoding: 'utf8', timeout: 20000 })
		assert.match(refused.stderr, /denied: a tap sees what is asked/)
		await watched.until('it is seen', () => /reader\(uid 65534\) +tap +denied: .*← alert/.test(seen), 5000).catch((error) => assert.fail(`${error.message}\n${seen}`))
	} finally {
		tap.kill('SIGINT')
		await watched.destroy()
	}
})

test('operators may read the logs, and others may not; also of a node that came later', { skip: process.getuid() !== 0 && 'needs root' }, async () => {
	const [group, gid] = anyGroup()
	const shared = await Machine.create({ nodes: 1, conf: `operators = "${group}";` })
	const logs = (groups, who) => spawnSync('setpriv', ['--reuid', '65534', '--regid', '65534', ...groups, path.join(shared.root, 'bin', 'warren'),
		'--root', shared.root, 'logs', who], { encoding: 'utf8', timeout: 20000 })
	const member = ['--groups', String(gid)], other = ['--clear-groups']
	try {
		assert.match(logs(member, 'store@1').stdout, /store\.opened/)
		assert.match(logs(member, 'warrend').stdout, /warrend\.start/)
		assert.notStrictEqual(logs(other, 'store@1').status, 0)
		assert.strictEqual(logs(other, 'store@1').stdout, '')
		shared.add(16)
		shared.warren('reload')
		await shared.until('node 2 is there', () => shared.process('store@2').state === 'ready')
		await shared.until('and its log can be read', () => /store\.opened/.test(logs(member, 'store@2').stdout))
		const conf = path.join(shared.root, 'etc', 'warren.conf')
		fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(/^operators.*$/m, ''))
		shared.warren('reload')
		await shared.until('operators are none any more', () => logs(member, 'store@1').status !== 0)
		shared.kill('scribe')
		await shared.ready()
		assert.match(shared.warren('logs', 'store@1').out, /store\.opened/)
	} finally { await shared.destroy() }
})

test('doctor is content with this machine, and names what ails a sick one', async () => {
	const well = machine.warrenFails('doctor')
	assert.match(well.out, /9 of 9 processes are ready/)
	const sick = await Machine.create({ nodes: 1, conf: 'without = "landlock, seccomp";' })
	try {
		assert.match(sick.warrenFails('doctor').out, /landlock[^]*seccomp|seccomp[^]*landlock/)
		const { json: { cid } } = await sick.put(1, Buffer.from('it works all the same'))
		assert.strictEqual((await sick.get(1, cid)).body.toString(), 'it works all the same')
	} finally { await sick.destroy() }
})

test('stop, start, restart and drain do what they say; a machine that does not run is said to', async () => {
	const before = machine.process('gateway@2').pid
	machine.warren('restart', 'gateway@2')
	await machine.ready()
	assert.notStrictEqual(machine.process('gateway@2').pid, before)
	machine.warren('stop', '2')
	await machine.until('node 2 has stopped', () => ['store', 'wallet', 'gateway'].every((actor) => machine.process(`${actor}@2`).state === 'stopped'))
	assert.strictEqual((await machine.put(1, Buffer.from('node 1 goes on'))).status, 201)
	machine.warren('start', '2')
	await machine.ready()
	machine.warrend('stop')
	const down = machine.warrenFails('status')
	assert.strictEqual(down.code, 3)
	assert.match(down.out + down.err, /no machine runs/)
	machine.start()
	await machine.ready()
})

test('a level is raised for one process and comes back', async () => {
	machine.warren('level', 'wallet@1', 'debug', '--for', '1m')
	await machine.until('it is logged', () => /log\.level level=debug/.test(machine.log('wallet@1')), 2000)
	machine.warren('level', 'wallet@1', 'info')
})

test('limits lists every bound with its highest mark', () => {
	const text = machine.warren('limits').out
	for (const bound of ['asks open', 'calls kept', 'transfers', 'connections']) assert.ok(text.includes(bound), bound)
	assert.ok(fs.existsSync(path.join(machine.root, 'logs', 'machine', 'warrend.log')))
})
