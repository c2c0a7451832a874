// How long a node is without one of its processes: from a kill -9 until the next is ready, and from a SIGSTOP until the supervisor has seen
// that it is silent and killed it. By the supervisor's own log, so that asking does not count. Under load, and with neighbours that must
// not notice, the same is a test: tests/chaos.
'use strict'
const { Machine } = require('../system/machine.js')

const KINDS = ['broker', 'steward', 'wallet@1', 'store@1', 'gateway@1']
const KILLS = 40, HANGS = 5
const at = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]

// The times at which this word was logged of this process.
function times(machine, who, word) {
	return machine.log('warrend').split('\n').filter((line) => line.includes(`${word} `) && line.includes(`process=${who} `))
		.map((line) => Date.parse(line.split(' ', 1)[0]))
}

async function replaced(machine, who, signal) {
	const before = machine.process(who).pid, began = Date.now()
	process.kill(before, signal)
	await machine.until(`${who} is another one`, () => {
		const now = machine.process(who)
		return now.state === 'ready' && now.pid && now.pid !== before
	}, 60000)
	return began
}

async function bench_recover() {
	const machine = await Machine.create({ nodes: 2, conf: 'park_deaths = 0;' })
	const result = { unit: 'milliseconds', cases: {}, ratios: {}, goals: { ready_after_kill_p99: '<= 500', hang_seen_longest: '<= 3000' } }
	try {
		await machine.ready()
		let all = [], hangs = []
		for (const who of KINDS) {
			const ended = times(machine, who, 'process.ended').length, ready = times(machine, who, 'process.ready').length
			for (let i = 0; i < KILLS; i++) await replaced(machine, who, 'SIGKILL')
			await machine.until('it is logged', () => times(machine, who, 'process.ready').length >= ready + KILLS)
			const back = times(machine, who, 'process.ready').slice(ready), dead = times(machine, who, 'process.ended').slice(ended)
			const took = back.map((time, i) => time - dead[i])
			all = all.concat(took)
			const seen = []
			for (let i = 0; i < HANGS; i++) {
				const began = await replaced(machine, who, 'SIGSTOP')
				await machine.until('it is logged', () => times(machine, who, 'process.killed').length > i)
				seen.push(times(machine, who, 'process.killed')[i] - began)
			}
			hangs = hangs.concat(seen)
			result.cases[who] = { ready_p50: at(took, 0.5), ready_p99: at(took, 0.99), hang_seen_median: at(seen, 0.5), hang_seen_longest: Math.max(...seen) }
		}
		result.ratios = { ready_after_kill_p99: at(all, 0.99), hang_seen_longest: Math.max(...hangs) }
	} finally { await machine.destroy() }
	return result
}

module.exports = { bench_recover }
