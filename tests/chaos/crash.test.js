// A process that dies at each start: it waits ever longer between its births, five deaths in a minute park its node, a process of the whole
// machine goes on at its slowest; the supervisor spends next to nothing on it, neighbours do not notice, and once the program is whole
// again so is the machine. RELIABILITY C1 row 9.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD, sleep } = require('../system/machine.js')
const { Load } = require('./load.js')

const long = Boolean(process.env.WARREN_LONG)
const TICK_MS = 10
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor

// Another program in its place, as an upgrade would do it; those that run do not notice.
function replace(machine, kind, program) {
	const at = path.join(machine.root, 'bin', `warren-${kind}`), beside = `${at}.new`
	fs.copyFileSync(program, beside)
	fs.chmodSync(beside, process.getuid() !== 0 ? 0o111 : 0o711)
	fs.renameSync(beside, at)
}

// Processor time of the supervisor and of all its children that have ended, ms.
function spent(machine) {
	const fields = fs.readFileSync(`/proc/${machine.supervisor}/stat`, 'utf8').split(') ')[1].split(' ')
	return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0)
}

// When it was born and when it ended, by the supervisor's log: ms between an end and the next birth.
function pauses(machine, who) {
	const found = []
	let ended
	for (const line of machine.log('warrend').split('\n').filter((line) => line.includes(` process=${who} `))) {
		const at = Date.parse(line.split(' ', 1)[0])
		if (/process\.(ended|died)/.test(line)) ended = at
		if (line.includes('process.begun') && ended) { found.push(at - ended); ended = 0 }
	}
	return found
}

for (const kind of long ? ['store', 'wallet', 'gateway'] : ['store'])
	test(`${kind}@1 dies at each start`, { timeout: 400000 }, async () => {
		const machine = await Machine.create({ nodes: 2, storage: 256 })
		const neighbour = new Load(machine, 2, { writers: 1, size: () => 2000 }).start()
		try {
			await neighbour.begun()
			const before = machine.status().processes, cost = spent(machine), began = Date.now()
			replace(machine, kind, path.join(BUILD, 'tests', 'chaos-dies'))
			machine.kill(`${kind}@1`)
			await machine.until('node 1 is parked', () => machine.process(`${kind}@1`).state === 'parked', 60000)
			await machine.until('scribe has written it down', () => pauses(machine, `${kind}@1`).length >= 4, 20000)
			const parked = machine.process(`${kind}@1`), between = pauses(machine, `${kind}@1`), then = neighbour.acknowledged.size
			await machine.until('the neighbour goes on', () => neighbour.acknowledged.size > then + 100, 20000)
			await sleep(long ? 60000 - (Date.now() - began) : 500)
			assert.strictEqual(machine.process(`${kind}@1`).restarts, parked.restarts, 'and it is left alone')
			const took = spent(machine) - cost
			console.log(`# ${kind}@1: parked after ${parked.restarts} restarts, between births ${between.join(', ')} ms; ${took} ms of processor in ${Date.now() - began} ms`)
			assert.ok(parked.restarts <= 5, `${parked.restarts} restarts`)
			assert.strictEqual(between.length, 4, 'five deaths')
			for (let i = 2; i < between.length; i++) assert.ok(between[i] >= between[i - 1], `it waits longer and longer: ${between}`)
			assert.ok(between[3] >= 400, `${between}`)
			assert.ok(took <= 60000 * 0.02, `${took} ms of processor time, a minute's 2 % is 1200`)
			assert.match(machine.warrenFails('status').out, /node 1 is parked/)
			for (const was of before) if (was.node !== 1) assert.strictEqual(machine.process(name(was)).pid, was.pid, `${name(was)} when ${kind}@1 crashed`)
			replace(machine, kind, path.join(BUILD, `warren-${kind}`))
			machine.warren('start', '1')
			await machine.ready()
			const blob = await machine.put(1, Buffer.from('as before'))
			assert.strictEqual(blob.status, 201, blob.body)
			await neighbour.stop()
			assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
			assert.deepStrictEqual(await neighbour.verify(), { lost: [], wrong: [] })
		} finally {
			neighbour.stopped = true
			await machine.destroy()
		}
	})

// One for the whole machine is never parked: without it nobody could be told.
for (const kind of long ? ['broker', 'scribe', 'steward', 'meter'] : [])
	test(`${kind} dies at each start`, { timeout: 240000 }, async () => {
		const machine = await Machine.create({ nodes: 2, storage: 128, conf: `metrics_port = ${20001 + (process.pid % 900)};` })
		const loads = [1, 2].map((node) => new Load(machine, node, { writers: 1, size: () => 2000 }).start())
		try {
			for (const load of loads) await load.begun()
			const before = machine.status().processes, cost = spent(machine), began = Date.now()
			replace(machine, kind, path.join(BUILD, 'tests', 'chaos-dies'))
			const births = () => fs.readFileSync(path.join(machine.root, 'logs', 'machine', 'warrend.log'), 'utf8').split('\n').filter((line) => line.includes(`process.begun process=${kind} `)).length
			const first = kind === 'scribe' ? 0 : births()
			machine.kill(kind)
			await sleep(60000)
			const took = spent(machine) - cost, lasted = Date.now() - began
			if (kind !== 'scribe') assert.ok(births() - first >= 3, 'it was tried again')
			replace(machine, kind, path.join(BUILD, `warren-${kind}`))
			await machine.until(`${kind} is back`, () => machine.process(kind).state === 'ready', 30000)
			await machine.ready(30000)
			const between = pauses(machine, kind)
			console.log(`# ${kind}: between births ${between.join(', ')} ms; ${took} ms of processor in ${lasted} ms`)
			if (kind !== 'scribe') { // its own pipes' lines carry the time when it read them
				assert.ok(Math.max(...between) <= 10000 * 1.5, `never more than ten seconds: ${between}`)
				assert.ok(between.length >= 4 && between[3] >= 300, `it waits longer and longer: ${between}`)
			}
			assert.ok(took <= 60000 * 0.02, `${took} ms of processor time`)
			for (const was of before) if (was.actor !== kind) assert.strictEqual(machine.process(name(was)).pid, was.pid, `${name(was)} when ${kind} crashed`)
			for (const load of loads) {
				await load.stop()
				assert.strictEqual(load.failed, 0, `HTTP noticed: ${load.failures}`)
				assert.deepStrictEqual(await load.verify(), { lost: [], wrong: [] })
			}
		} finally {
			for (const load of loads) load.stopped = true
			await machine.destroy()
		}
	})
