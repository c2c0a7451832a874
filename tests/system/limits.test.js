// Every bound that `warren limits` lists is filled from outside, and its highest mark and what it turned away must be seen to move. A
// bound that appears in the machine and not in this table is red: it has no flood yet, or no reason why it cannot have one.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { Machine, BUILD } = require('./machine.js')

const WAIT = 30000
let machine, webhook, taken = 0
const answer = { status: 500 }
const metricsPort = 60000 - process.pid % 5000
test.before(async () => {
	webhook = http.createServer((request, response) => { taken += answer.status === 200; request.resume(); response.writeHead(answer.status).end() })
	await new Promise((resolve) => webhook.listen(0, '127.0.0.1', resolve))
	machine = await Machine.create({ nodes: 2, storage: 64,
		conf: `park_deaths = 0;\nalert_quiet_s = 1;\nalert_webhook = "http://127.0.0.1:${webhook.address().port}/";\nmetrics_port = ${metricsPort};` })
	await machine.ready(WAIT)
})
test.after(async () => { await machine.destroy(); webhook.closeAllConnections(); webhook.close() })

// Whenever it is looked at: nothing holds more than it may.
function limits() {
	const all = JSON.parse(machine.warren('limits', '--json').out).processes
	for (const row of all)
		for (const bound of row.limits)
			if (bound.limit) assert.ok(bound.depth <= bound.limit && (bound.high ?? 0) <= bound.limit, `${row.who} "${bound.name}": ${JSON.stringify(bound)}`)
	return all
}
function bound(who, name, all = limits()) {
	const row = all.find((p) => p.who === who)
	return row && row.limits && row.limits.find((limit) => limit.name === name)
}
async function until(who, name, what, check) {
	let last
	try {
		await machine.until(`${who} "${name}": ${what}`, () => { last = bound(who, name); return last && check(last) }, WAIT)
	} catch (error) { throw new Error(`${error.message}; it is ${JSON.stringify(last)}`) }
	await neighbour(who)
	return last
}
// While one is flooded, the node beside it stores and gives back.
async function neighbour(who) {
	const node = /@2$/.test(who) ? 1 : 2, blob = crypto.randomBytes(500)
	const put = await machine.put(node, blob)
	assert.strictEqual(put.status, 201, `node ${node} while ${who} is flooded: ${put.body}`)
	assert.ok((await machine.get(node, put.json.cid)).body.equals(blob))
}

const socket = (name) => path.join(machine.root, 'run', name)

// Holds a flood open while `check` runs. `before` is done once the flood is ready to begin.
async function flooded(args, check) {
	const child = spawn(path.join(BUILD, 'tests', 'tool-flood'), args, { stdio: ['pipe', 'pipe', 'inherit'] })
	const ended = new Promise((resolve) => child.on('exit', resolve))
	try {
		await new Promise((resolve, reject) => {
			child.stdout.once('data', resolve)
			child.once('exit', (code) => reject(new Error(`tool-flood ${args.join(' ')} ended ${code}`)))
		})
		return await check()
	} finally { child.stdin.end(); await ended }
}

// With a process stopped by a signal; the supervisor kills it after three seconds, which is longer than a flood takes, or else it is
// stopped again.
async function hung(who, act) {
	await machine.ready(WAIT)
	const pid = who === 'warrend' ? machine.supervisor : machine.process(who).pid
	process.kill(pid, 'SIGSTOP')
	try { return await act() } finally {
		try { process.kill(pid, 'SIGCONT') } catch (error) { /* the supervisor was sooner */ }
	}
}

// Raw connections to a node's port, each with what it says.
async function visitors(node, count, says, port = machine.ports[node]) {
	const sockets = []
	for (let i = 0; i < count; i++) {
		sockets.push(await new Promise((resolve) => {
			const one = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => { if (says) one.write(says(i)); resolve(one) })
			one.on('error', () => resolve(one))
			one.resume()
		}))
	}
	return sockets
}
const leave = (sockets) => sockets.forEach((one) => one.destroy())

const filled = {}
const flood = (names, act) => test(names.join(', '), async () => { await machine.ready(WAIT); await act(); for (const name of names) filled[name] = true })

flood(['broker asks of one person', 'broker asks open', 'broker people'], async () => {
	const before = bound('broker', 'asks open')
	await hung('wallet@1', () => flooded([socket('operate.sock'), 'asks', '20', '40', 'wallet', '1', 'actor_ping'], async () => {
		await until('broker', 'asks of one person', 'turned away', (b) => b.drops >= 15 * 8) // a busy machine may not have sent for all of them when the wallet is killed for its silence
		await until('broker', 'asks open', 'high', (b) => b.limit === 16384 && b.high > before.high && b.high >= 20 * 32)
		await until('broker', 'people', 'high', (b) => b.high >= 20)
	}))
})

flood(['broker people'], () => flooded([socket('operate.sock'), 'taps', '300', '0'], () => until('broker', 'people', 'put out', (b) => b.limit === 256 && b.high >= 250 && b.drops >= 40)))

flood(['broker subscriptions and taps'], () =>
	flooded([socket('operate.sock'), 'taps', '2', '40'], () => until('broker', 'subscriptions and taps', 'each has its share', (b) => b.high >= 64 && b.drops >= 16)))

flood(['broker connections of people'], () =>
	flooded([socket('operate.sock'), 'knocks', '2200'], () => until('broker', 'connections of people', 'shut', (b) => b.drops >= 1)))

flood(['calls kept', 'asks open'], () => hung('store@1', () => flooded([socket('operate.sock'), 'asks', '12', '30', 'gateway', '1', 'gateway_probe'], async () => {
	await until('gateway@1', 'calls kept', 'full', (b) => b.limit === 256 && b.high === 256 && b.drops > 0)
	await until('gateway@1', 'asks open', 'high', (b) => b.high >= 200)
})))

flood(['asks to the supervisor'], () => hung('warrend', () => flooded([socket('operate.sock'), 'asks', '2', '30', 'steward', '0', 'steward_status'], async () => {
	process.kill(machine.supervisor, 'SIGCONT') // it answers us too, through the same steward
	await until('steward', 'asks to the supervisor', 'full', (b) => b.limit === 16 && b.high === 16 && b.drops > 0)
})))

flood(['warrend stops waited for'], async () => {
	const ends = [1, 2].map((node) => machine.kill(`wallet@${node}`, 'SIGSTOP') && spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'stop', `wallet@${node}`], { stdio: 'ignore' }))
	await until('warrend', 'stops waited for', 'high', (b) => b.limit === 32 && b.high >= 2)
	await Promise.all(ends.map((end) => end.exitCode !== null || new Promise((resolve) => end.on('exit', resolve))))
	for (const node of [1, 2]) machine.warren('start', String(node))
})

flood(['blob transfers', 'transfers', 'puts open', 'requests waiting', 'bytes on their way', 'connections'], async () => {
	const sockets = await visitors(1, 1400, () => `POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(70000)}`)
	try {
		await until('gateway@1', 'blob transfers', 'high', (b) => b.high >= 192)
		await until('gateway@1', 'requests waiting', 'turned away', (b) => b.high >= 300 && b.drops > 0)
		await until('gateway@1', 'bytes on their way', 'high', (b) => b.high >= 65536)
		await until('store@1', 'transfers', 'high', (b) => b.limit === 256 && b.high >= 100)
		await until('store@1', 'puts open', 'high', (b) => b.limit === 512 && b.high >= 100)
		await until('store@1', 'connections', 'high', (b) => b.limit === 4 && b.high >= 1)
	} finally { leave(sockets) }
})

flood(['gateway http connections'], async () => {
	const sockets = await visitors(2, 4200)
	try { await until('gateway@2', 'http connections', 'turned away', (b) => b.limit === 3968 && b.high > 1984 && b.drops > 0) /* from half on, idle ones make room */ } finally { leave(sockets) }
})

flood(['meter http connections'], async () => {
	const sockets = await visitors(0, 100, null, metricsPort)
	try { await until('meter', 'http connections', 'full', (b) => b.limit === 32 && b.high === 32) /* the others wait in the listener's queue */ } finally { leave(sockets) }
})

flood(['refused bodies'], async () => {
	const sockets = await visitors(2, 200, () => 'POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nx')
	try { await until('gateway@2', 'refused bodies', 'full', (b) => b.limit === 64 && b.high === 64 && b.drops > 0) } finally { leave(sockets) }
})

flood(['waiting for the committer', 'gets open', 'bytes used'], async () => {
	const before = bound('store@2', 'bytes used').depth
	const puts = await Promise.all(Array.from({ length: 60 }, (_, i) => machine.put(2, Buffer.alloc(60000, i + 1))))
	assert.ok(puts.every((put) => put.status === 201))
	await until('store@2', 'waiting for the committer', 'high', (b) => b.limit === 512 && b.high >= 2)
	await until('store@2', 'bytes used', 'depth', (b) => b.depth >= before + 60 * 60000 && b.limit === 64 << 20)
	await Promise.all(puts.map((put) => machine.get(2, put.json.cid)))
	await until('store@2', 'gets open', 'high', (b) => b.limit === 512 && b.high >= 1)
})

flood(['asks about proofs', 'proofs under way'], async () => {
	const blob = await machine.put(1, Buffer.alloc(8 << 20, 7))
	const body = JSON.stringify({ cid: blob.json.cid, challenge: '5a'.repeat(32) })
	const sockets = await visitors(1, 300, () => `POST /proofs/generate HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
	try {
		await until('gateway@1', 'asks about proofs', 'turned away', (b) => b.limit === 32 && b.high === 32 && b.drops > 0)
		await until('store@1', 'proofs under way', 'turned away', (b) => b.limit === 16 && b.high === 16 && b.drops > 0)
	} finally { leave(sockets) }
})

flood(['clients counted'], async () => {
	// This machine counts nobody here (tests come from it): one client is there when its node counts all.
	const conf = path.join(machine.root, 'etc', 'node2.conf')
	fs.appendFileSync(conf, 'rate_limits = "all";\n')
	machine.warren('reload')
	machine.warren('restart', 'gateway@2')
	await machine.ready(WAIT)
	const sockets = await visitors(2, 100, () => 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
	try { await until('gateway@2', 'clients counted', 'one', (b) => b.limit === 4096 && b.high === 1) } finally { leave(sockets) }
})

flood(['reasons kept'], async () => {
	machine.warrenFails('call', 'store@1', 'store_open')
	machine.warrenFails('stop', 'broker')
	await until('broker', 'reasons kept', 'high', (b) => b.limit === 64 && b.high >= 1)
	await until('warrend', 'reasons kept', 'high', (b) => b.limit === 256 && b.high >= 1)
})

// Nobody takes alerts until there are more than herald holds: two wallets refuse, are quiet, and refuse again.
flood(['alerts to send'], async () => {
	await machine.until('enough is undelivered', () => {
		for (const node of [1, 2]) machine.warrenFails('call', `wallet@${node}`, 'wallet_sign_peer_proof', 'timestamp=1')
		const standing = JSON.parse(machine.warren('alerts', '--json').out).alerts.filter((alert) => alert.active && !alert.acknowledged)
		for (const alert of standing) machine.warren('alerts', 'ack', String(alert.id)) // somebody has seen it: news as well
		return bound('steward', 'alert news undelivered').depth > 17
	}, 120000)
	machine.kill('herald') // it fetches more only when it has sent all: a new one fetches all that there is room for
	await until('herald', 'alerts to send', 'full', (b) => b.limit === 16 && b.high === 16)
	answer.status = 200
	await machine.until('all are taken', () => taken > 17 && bound('steward', 'alert news undelivered').depth <= 2, 90000)
})

// What cannot be filled from outside: what it is bounded by. Its mark must be there all the same.
const bounded = {
	'connections of processes': 'tests/chaos/flood.test.js', 'processes': 'the configuration says how many there are', 'nodes declared': 'likewise', 'births under way': 'more wait for their turn',
	'log pipes': 'one for each process', 'log files open': 'one for each process; more are closed and opened again',
	'descriptors watched': 'its own code', timers: 'its own code', 'strange system calls': 'no queue: a count', 'stray rows': 'no queue: a count',
	'log files in trouble': 'no queue: a count; tests/unit/scribe', 'log lines cut': 'no queue: a count; tests/unit/scribe',
	alerts: 'more causes than a machine of a test has: tests/actor/steward.c fills it', 'alert news undelivered': 'likewise', 'alert news muted': 'likewise',
	'signatures under way': 'a disk that answers at once: tests/system/wallet.test.js fills it on one that does not',
	'blobs being collected': 'its own code: tests/unit/store/fate.c fills it',
	'pages of run lists': 'the fragmentation of an arena; tests/unit/store/fragments.c',
}

test('no bound is without a flood or a reason', () => {
	const owners = {} // of each name: the kinds of processes that have a bound of it
	for (const row of limits())
		for (const { name } of row.limits) (owners[name] ||= new Set()).add(row.who.replace(/@.*/, ''))
	const everybody = ['asks open', 'calls kept', 'descriptors watched', 'timers', 'reasons kept', 'strange system calls'] // the runtime's own: one code for all
	for (const name of everybody) assert.ok(owners[name].size > 4, `${name} is everybody's`)
	const known = (kind, name) => filled[`${kind} ${name}`] || bounded[name] || (filled[name] && (owners[name].size === 1 || everybody.includes(name)))
	const bare = Object.entries(owners).flatMap(([name, kinds]) => [...kinds].filter((kind) => !known(kind, name)).map((kind) => `${kind} ${name}`))
	assert.deepStrictEqual(bare, [])
	const gone = [...Object.keys(filled).map((name) => name.replace(/^(broker|warrend|gateway|meter) /, '')), ...Object.keys(bounded)].filter((name) => !owners[name])
	assert.deepStrictEqual(gone, [], 'and what is flooded or excused is there')
	for (const name of ['processes', 'nodes declared', 'log pipes', 'log files open', 'descriptors watched', 'timers'])
		assert.ok(limits().some((row) => row.limits.some((limit) => limit.name === name && limit.high > 0)), `${name} has a mark`)
})
