// kill -9 under load: eight writers on four nodes, and every kind of process that proto/actors.def names (a console in the middle of a
// call besides), then warrend itself, die at random moments. Nothing that was acknowledged is lost, nothing deleted comes back, nothing
// half is visible, the other nodes have not one failed request, and it is back within half a second on a machine that has nothing else to do.
// Fifteen kills of each kind, sixty of store@1, five of warrend; ten times as many with WARREN_LONG=1.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { Machine, sleep } = require('../system/machine.js')
const { Load, ask, percentile } = require('./load.js')

const LONG = process.env.WARREN_LONG ? 10 : 1
const NODES = 4, WRITERS = 2 // of each node
const QUIET = os.loadavg()[0] < os.cpus().length // nothing else to do, when we begin
const RESTART_MS = 500, ORPHANS_MS = QUIET ? 2000 : 20000
const STORAGE_MB = 128 * LONG // more than the fastest disk takes in the time of a test: a full node would refuse, rightly
const PAYEE = '0x' + '35'.repeat(20)
const metricsPort = 20001 + (process.pid % 900)

// Every kind that lives on a machine; those of a node are killed on node 1. Those of a chain are in system/rpc and system/chain.
const KINDS = [...fs.readFileSync(path.join(__dirname, '..', '..', 'proto', 'actors.def'), 'utf8').replace(/^.*"chain_profile"/mg, '')
	.matchAll(/^ACTOR\([A-Z0-9]+, ([a-z0-9]+), \d+, (PER_MACHINE|PER_NODE)/mg)].map(([, name, scope]) => scope === 'PER_NODE' ? `${name}@1` : name)
const kills = (who) => (who === 'store@1' ? 60 : 15) * LONG

let machine, server, chronicle, delivered = 0
test.before(async () => {
	server = http.createServer((request, response) => { // who is told of alerts, so that there is a herald
		request.resume().on('end', () => { delivered++; response.writeHead(200).end() })
	})
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
	// Parking a node that dies often is right, and in the way here.
	machine = await Machine.create({ nodes: NODES, storage: STORAGE_MB, start: false, conf: `park_deaths = 0; alert_quiet_s = 2;
		alert_webhook = "http://127.0.0.1:${server.address().port}/"; metrics_port = ${metricsPort};` })
	fs.writeFileSync(path.join(machine.root, 'etc', 'policy.conf'), `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "1000"; rules = ({
		name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2.5"; }); });\n`, { mode: 0o644 })
	machine.start()
	await machine.ready()
	chronicle = new Chronicle(machine)
})
test.after(async () => {
	if (machine) {
		await machine.destroy()
		for (const pid of running([])) process.kill(Number(pid), 'SIGKILL') // orphans, when there were any
	}
	if (server) { server.closeAllConnections?.(); server.close() }
})

const status = async () => JSON.parse((await ask(machine, 'status', '--json')).out)
const who = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor

// The supervisor's log, as it grows: who is ready, and how long each took from its death on. That costs the machine nothing, where a
// console that asks costs as much as a birth.
class Chronicle {
	constructor(machine) {
		this.file = fs.openSync(path.join(machine.root, 'logs', 'machine', 'warrend.log'))
		this.text = ''
		this.ready = new Map() // name → pid
		this.died = new Map() // name → when
		this.took = new Map() // name → [ms]
	}

	read() {
		const part = Buffer.alloc(1 << 16)
		for (let got; (got = fs.readSync(this.file, part, 0, part.length, null));) this.text += part.toString('utf8', 0, got)
		const lines = this.text.split('\n')
		this.text = lines.pop()
		for (const line of lines) {
			const [, stamp, event, name, pid, ms] = line.match(/^(\S+) .*process\.(ended|ready) process=(\S+) pid=(\d+)(?: ms=(\d+))?/) || []
			if (event === 'ended') this.died.set(name, Date.parse(stamp))
			if (event !== 'ready') continue
			this.ready.set(name, Number(pid))
			// Nobody stamps lines while scribe is dead: of its own births we know how long they took, and not since when it was dead.
			const took = name === 'scribe' ? Number(ms) : Date.parse(stamp) - this.died.get(name)
			if (this.died.has(name)) this.took.set(name, [...this.took.get(name) || [], took])
			this.died.delete(name)
		}
	}

	async until(what, check, ms = 30000) {
		for (const end = Date.now() + ms; ; await sleep(3)) {
			this.read()
			if (check()) return
			if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
		}
	}
}

// Kills it and waits until another runs in its place.
async function kill(name) {
	chronicle.read()
	const pid = chronicle.ready.get(name)
	process.kill(pid, 'SIGKILL')
	await chronicle.until(`${name} is back`, () => chronicle.ready.get(name) !== pid)
}

// Work on all nodes while `body` runs; then every acknowledgement is held against the machine.
async function underLoad(body, { deletes = 150 } = {}) {
	const loads = Array.from({ length: NODES }, (_, i) => new Load(machine, i + 1, {
		writers: WRITERS, rest: 15, size: () => 500 + Math.floor(Math.random() * 8000), deletes: i === 0 ? deletes : 0,
	}).start())
	try {
		for (const load of loads) await load.begun()
		await body(loads)
		await Promise.all(loads.map((load) => load.stop()))
		await machine.ready(30000)
		for (const load of loads) {
			const { lost, wrong } = await load.verify()
			assert.deepStrictEqual(lost, [], `node ${load.node}`)
			assert.deepStrictEqual(wrong, [], `node ${load.node}`)
		}
		return { loads, acknowledged: loads.reduce((sum, load) => sum + load.acknowledged.size + load.deleted.length, 0) }
	} finally {
		await Promise.all(loads.map((load) => load.stop()))
	}
}

// What else is told to have happened, and must have, when this kind is killed: begins, and resolves to what ends it.
const besides = {
	// Whatever was signed was charged: a kill renews no budget.
	'wallet@1': async () => {
		let told = 0, asked = 0, over = false
		const sign = async () => {
			while (!over) {
				const fields = { once: crypto.randomBytes(32).toString('hex'), type: 0, chain_id: 1, nonce: asked++, gas: 21000, max_fee: 1000000000, to: PAYEE, value: 1, data: '', purpose: 'test' }
				told += (await ask(machine, 'call', 'wallet@1', 'wallet_sign_tx', ...Object.entries(fields).map(([name, value]) => `${name}=${value}`))).code === 0
			}
		}
		const signing = sign()
		return async () => {
			over = true
			await signing
			const rule = JSON.parse(machine.warren('call', 'wallet@1', 'wallet_policy', '--json').out).rules.find((one) => one.rule === 'pay')
			assert.ok(told > 0 && rule.signed_today >= told && rule.signed_today <= asked, `${rule.signed_today} charged, ${told} told of ${asked}`)
			return `${told} signed and charged`
		}
	},
	// An alert that is raised now still arrives.
	herald: async () => async () => {
		const before = delivered, marker = path.join(machine.root, 'node1', 'storage', 'marker')
		fs.renameSync(marker, `${marker}.away`)
		machine.kill('store@1')
		await machine.until('the alert is delivered', () => delivered > before, 30000)
		fs.renameSync(`${marker}.away`, marker)
		machine.warren('reload')
		await machine.ready()
		return 'alerts go on'
	},
	meter: async () => async () => {
		const text = await new Promise((resolve, reject) => http.get({ port: metricsPort, path: '/metrics' }, (response) => {
			let all = ''
			response.on('data', (part) => { all += part }).on('end', () => resolve(all))
		}).on('error', reject))
		assert.match(text, /^# TYPE /m)
		return 'metrics go on'
	},
}

for (const name of KINDS)
	test(`${name} is killed ${kills(name)} times under load`, { timeout: 300000 * LONG }, async () => {
		chronicle.took.delete(name)
		const over = await (besides[name] || (async () => async () => ''))()
		const { loads, acknowledged } = await underLoad(async (all) => {
			const [mine] = all
			for (let i = 0, had; i < kills(name); i++) {
				had = mine.done
				await chronicle.until('its own node stores', () => mine.done > had + WRITERS)
				await sleep(Math.random() * 50)
				await kill(name)
			}
		})
		const took = chronicle.took.get(name)
		const said = await over()
		console.log(`# ${name}: ${acknowledged} acknowledged, ${loads[0].deleted.length} of them deleted, ${loads[0].failed} refused on node 1, ` +
			`back after p50 ${percentile(took, 0.5)} ms, p99 ${percentile(took, 0.99)} ms${said && `; ${said}`}`)
		assert.ok(acknowledged > kills(name), 'there was a load')
		for (const load of loads)
			if (load.node !== 1 || !['store@1', 'gateway@1'].includes(name)) assert.strictEqual(load.failed, 0, `node ${load.node} noticed: ${load.failures}`)
		assert.ok(took.length >= kills(name), `${took.length} restarts were timed`)
		// Told always, and held against the promise where this machine has nothing else to do.
		if (QUIET) assert.ok(percentile(took, 0.99) <= RESTART_MS, `p99 ${percentile(took, 0.99)} ms`)
	})

const CALLS = [['call', 'store@1', 'store_list', 'most=500'], ['tap'], ['status'], ['alerts'], ['limits'], ['metrics'], ['top'], ['scan', '1', '--wait'],
	['call', 'store@2', 'store_stat'], ['prove', '1', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy']]

test(`a console is killed ${15 * LONG} times in the middle of a call, under load`, { timeout: 300000 * LONG }, async () => {
	const pids = (all) => all.processes.map((one) => `${who(one)} ${one.pid}`)
	const before = pids(await status())
	let killed = 0
	const { loads, acknowledged } = await underLoad(async () => {
		for (let i = 0; killed < 15 * LONG; i++) {
			const child = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, ...CALLS[i % CALLS.length]], { stdio: 'ignore' })
			const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal)))
			await sleep(Math.random() * 50)
			child.kill('SIGKILL')
			killed += await ended === 'SIGKILL'
		}
	})
	console.log(`# console: ${killed} killed, ${acknowledged} acknowledged`)
	for (const load of loads) assert.strictEqual(load.failed, 0, `node ${load.node} noticed: ${load.failures}`)
	assert.deepStrictEqual(pids(await status()), before, 'nobody else died of it')
	assert.match(machine.warren('call', 'store@1', 'store_stat').out, /blobs/)
})

// Whoever runs a program of this machine. As a plain user one cannot look into processes without a dump: then their pids must do.
function running(known) {
	const bin = path.join(machine.root, 'bin') + '/'
	const alive = (pid) => {
		try {
			if (fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] === 'Z') return false
			return known.includes(Number(pid)) || fs.readlinkSync(`/proc/${pid}/exe`).startsWith(bin)
		} catch { return false }
	}
	return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && alive(name))
}

// The control groups that a process is in because of this supervisor, where there are any.
const groupsOf = (pid, supervisor) => fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
	.map((line) => line.split(':')).filter(([, , group]) => group.includes(`warren-${supervisor}/`))
	.flatMap(([, controllers, group]) => [path.join('/sys/fs/cgroup', controllers, group), path.join('/sys/fs/cgroup', group)]).filter((folder) => fs.existsSync(folder))

const folderOf = (name) => fs.readdirSync(path.join(machine.root, name)).sort()

test(`warrend is killed ${5 * LONG} times under load: no orphan, a clean start, nothing lost`, { timeout: 300000 * LONG }, async () => {
	const run = folderOf('run'), gone = [], back = [], dead = [], groups = []
	const { acknowledged } = await underLoad(async (loads) => {
		for (let i = 0; i < 5 * LONG; i++) {
			await sleep(Math.random() * 50)
			const pids = [machine.supervisor, ...(await status()).processes.map((one) => one.pid)]
			if (i % 2) process.kill(pids[1 + i % (pids.length - 1)], 'SIGSTOP') // one that hangs cannot see that it is alone
			dead.push(...pids)
			groups.push(...groupsOf(pids[1], machine.supervisor))
			const began = Date.now()
			process.kill(machine.supervisor, 'SIGKILL')
			await machine.until('all are gone', () => running(pids).length === 0, ORPHANS_MS)
			gone.push(Date.now() - began)
			machine.start()
			await machine.ready(20000)
			back.push(Date.now() - began)
			assert.deepStrictEqual(folderOf('run'), run, 'nothing stale is left')
			const sockets = run.filter((name) => name.endsWith('.sock'))
			assert.ok(sockets.length >= 3, 'the sockets of the bus are among them')
			for (const name of sockets) assert.ok(fs.statSync(path.join(machine.root, 'run', name)).ctimeMs >= began - 20, `${name} is a new one`)
			const had = loads.map((load) => load.acknowledged.size)
			await machine.until('every node stores again', () => loads.every((load, node) => load.acknowledged.size > had[node] || load.full))
		}
	})
	// Groups of the dead are removed by the next start, or by an end, once whoever inherits orphans here has reaped them.
	await machine.until('the dead are buried', () => !dead.some((pid) => fs.existsSync(`/proc/${pid}`)), 60000)
	machine.warrend('stop')
	assert.deepStrictEqual(groups.filter((folder) => fs.existsSync(folder)), [], 'no control group is left')
	machine.start()
	await machine.ready(30000)
	console.log(`# warrend: ${acknowledged} acknowledged, all gone after p50 ${percentile(gone, 0.5)} ms, at most ${Math.max(...gone)} ms; ` +
		`all ready after p50 ${percentile(back, 0.5)} ms, at most ${Math.max(...back)} ms`)
})

test('after all of that every node lists whole blobs and no others', { timeout: 120000 * LONG }, async () => {
	for (let node = 1; node <= NODES; node++) {
		assert.deepStrictEqual(await new Load(machine, node).halves(), [], `node ${node}`)
		assert.ok(!machine.log(`store@${node}`).includes('rebuil'), 'no index was lost')
	}
})
