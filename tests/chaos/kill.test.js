// kill -9 under load: nothing that was acknowledged is lost, nothing half is visible, neighbours do not notice, and it is back
// within half a second. Twenty kills of each kind of process, two hundred of store@1; ten times as many with WARREN_LONG=1.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { Machine, sleep } = require('../system/machine.js')
const { Load, percentile } = require('./load.js')

const times = process.env.WARREN_LONG ? 10 : 1
const RESTART_MS = 500
const STORAGE_MB = 512 * times // more than the fastest disk takes in the time of a test: a full node would refuse, rightly

// Kills it and waits until another runs in its place. (Parking a node that dies often is right, and in the way here: it is
// switched off in the configuration of these machines.)
async function kill(machine, who) {
	const before = (await machine.until(`${who} runs`, () => { const now = machine.process(who); return now.pid && now })).pid
	const began = Date.now()
	process.kill(before, 'SIGKILL')
	await machine.until(`${who} is back`, () => {
		const now = machine.process(who)
		return now.state === 'ready' && now.pid && now.pid !== before
	}, 15000)
	return Date.now() - began
}

// From each death to readiness, by the supervisor's own log, so that our asking does not count. While scribe itself is dead
// nobody stamps lines: for scribe, what we saw must do.
function restartTimes(machine, who, seen) {
	if (who === 'scribe') return seen
	const times = []
	let died
	for (const line of machine.log('warrend').split('\n')) {
		const [stamp] = line.split(' ', 1)
		if (line.includes(` process=${who} `) && line.includes('process.ended ')) died = Date.parse(stamp)
		if (line.includes(` process=${who} `) && line.includes('process.ready ') && died) { times.push(Date.parse(stamp) - died); died = 0 }
	}
	return times
}

test(`store@1 is killed ${200 * times} times under load`, { timeout: 600000 }, async () => {
	const machine = await Machine.create({ nodes: 2, storage: STORAGE_MB, conf: 'park_deaths = 0;' })
	const load = new Load(machine, 1, { writers: 8, size: () => 500 + Math.floor(Math.random() * 8000) }).start()
	const neighbour = new Load(machine, 2, { writers: 1, size: () => 1000 }).start()
	try {
		await load.begun()
		await neighbour.begun()
		const seen = []
		for (let i = 0; i < 200 * times; i++) {
			await sleep(Math.random() * 50)
			seen.push(await kill(machine, 'store@1'))
		}
		await load.stop()
		await neighbour.stop()
		await machine.ready()
		const { lost, wrong } = await load.verify()
		const took = restartTimes(machine, 'store@1', seen)
		console.log(`# store@1: ${load.acknowledged.size} acknowledged, ${load.failed} refused, back after p50 ${percentile(took, 0.5)} ms, p99 ${percentile(took, 0.99)} ms`)
		assert.ok(load.acknowledged.size > 200, 'there was a load')
		assert.deepStrictEqual(lost, [])
		assert.deepStrictEqual(wrong, [])
		assert.deepStrictEqual(await load.halves(), [])
		assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
		assert.ok(took.length >= 200 * times, `${took.length} restarts were timed`)
		assert.ok(percentile(took, 0.99) <= RESTART_MS, `p99 ${percentile(took, 0.99)} ms`)
	} finally {
		load.stopped = neighbour.stopped = true
		await machine.destroy()
	}
})

for (const who of ['broker', 'scribe', 'steward', 'wallet@1', 'gateway@1'])
	test(`${who} is killed ${20 * times} times under load`, { timeout: 300000 }, async () => {
		const machine = await Machine.create({ nodes: 2, storage: STORAGE_MB, conf: 'park_deaths = 0;' })
		const load = new Load(machine, 1, { writers: 4, size: () => 500 + Math.floor(Math.random() * 8000) }).start()
		const neighbour = new Load(machine, 2, { writers: 1, size: () => 1000 }).start()
		try {
			await load.begun()
			await neighbour.begun()
			const seen = []
			for (let i = 0; i < 20 * times; i++) {
				await sleep(Math.random() * 50)
				seen.push(await kill(machine, who))
			}
			await load.stop()
			await neighbour.stop()
			await machine.ready()
			const { lost, wrong } = await load.verify()
			const took = restartTimes(machine, who, seen)
			console.log(`# ${who}: ${load.acknowledged.size} acknowledged, ${load.failed} refused, back after p99 ${percentile(took, 0.99)} ms`)
			assert.ok(load.acknowledged.size > 20, 'there was a load')
			assert.deepStrictEqual(lost, [])
			assert.deepStrictEqual(wrong, [])
			assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
			if (who !== 'gateway@1') assert.strictEqual(load.failed, 0, `its own node noticed: ${load.failures}`)
			assert.ok(percentile(took, 0.99) <= RESTART_MS, `p99 ${percentile(took, 0.99)} ms`)
		} finally {
		load.stopped = neighbour.stopped = true
		await machine.destroy()
	}
	})
