// A process of each kind hangs, under load: stopped by SIGSTOP, or turning in an endless loop inside its jail. It is replaced, nobody else
// is, the neighbour node does not notice, and its own node only when the hung one is its store or its gateway. Nothing acknowledged is
// lost. Who asks it all the while gets each answer to its own ask, once, and no later than its time. RELIABILITY C1 row 8.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD, sleep } = require('../system/machine.js')
const { Load, percentile } = require('./load.js')

const long = Boolean(process.env.WARREN_LONG), times = long ? 20 : 1
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor
const state = (pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
const port = 20001 + (process.pid % 900)

// Two ways to hang. The second needs to look into another's memory.
const ways = {
	stops: (pid) => process.kill(pid, 'SIGSTOP'),
	spins: (pid) => {
		const done = spawnSync(path.join(BUILD, 'tests', 'chaos-spin'), [String(pid)], { encoding: 'utf8' })
		assert.strictEqual(done.status, 0, done.stderr)
	},
}
// Ticks of its first thread: one that turns without end uses all that it gets.
const ticks = (pid) => { const fields = fs.readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return Number(fields[11]) }
const hangs = { stops: (pid) => state(pid)[0] === 'T', spins: (pid, before) => ticks(pid) >= before + 20 }

// Asks one process without end; what came of it when it is told to stop.
class Patient {
	constructor(machine, who) {
		const [kind, node] = who.split('@')
		this.child = spawn(path.join(BUILD, 'tests', 'chaos-patient'), [path.join(machine.root, 'run', 'operate.sock'), kind, node || '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
		this.text = ''
		this.child.stdout.on('data', (part) => { this.text += part })
		this.ended = new Promise((resolve) => this.child.on('exit', resolve))
	}

	async end() {
		this.child.stdin.end()
		assert.strictEqual(await this.ended, 0, this.text)
		return Object.fromEntries(this.text.trim().split('\n').at(-1).split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
	}
}

const kinds = ['broker', 'scribe', 'steward', 'wallet@1', 'store@1', 'gateway@1', ...long ? ['herald', 'meter'] : []]
for (const who of kinds) for (const way of long ? ['stops', 'spins'] : ['store@1', 'broker'].includes(who) ? ['spins'] : ['stops'])
	test(`${who} ${way}${times > 1 ? ` ${times} times` : ''} under load and is replaced`, {
		timeout: 60000 * times, skip: way === 'spins' && process.getuid() !== 0 && 'needs root: it moves another process to another instruction',
	}, async () => {
		const machine = await Machine.create({ nodes: 2, storage: 256 * times, conf: `park_deaths = 0;\nmetrics_port = ${port};\nalert_webhook = "http://127.0.0.1:1/";` })
		const own = new Load(machine, 1, { writers: 2, size: () => 2000 }).start()
		const neighbour = new Load(machine, 2, { writers: 1, size: () => 1000 }).start()
		const patient = who === 'broker' ? null : new Patient(machine, who) // of a broker that hangs nobody is told anything
		const took = []
		try {
			await own.begun()
			await neighbour.begun()
			if (patient) await machine.until('it is answered', () => patient.text.startsWith('begun'))
			for (let i = 0; i < times; i++) {
				const before = machine.status().processes
				const { pid } = machine.process(who), then = neighbour.acknowledged.size, used = ticks(pid)
				const began = Date.now()
				ways[way](pid)
				await machine.until('it hangs', () => hangs[way](pid, used))
				await machine.until('the neighbour goes on storing', () => neighbour.acknowledged.size > then + 5, 20000)
				await machine.until(`${who} is gone`, () => !fs.existsSync(`/proc/${pid}`), 20000)
				took.push(Date.now() - began)
				await machine.until(`${who} is replaced`, () => {
					const now = machine.process(who)
					return now.state === 'ready' && now.pid && now.pid !== pid
				}, 20000)
				await machine.ready()
				for (const was of before)
					if (was.pid !== pid) assert.strictEqual(machine.process(name(was)).pid, was.pid, `${name(was)} when ${who} hung`)
			}
			const since = own.acknowledged.size
			await machine.until('its node stores again', () => own.acknowledged.size > since)
			await own.stop()
			await neighbour.stop()
			const tally = patient && await patient.end()
			console.log(`# ${who} ${way}: killed after p50 ${percentile(took, 0.5)} ms, at most ${Math.max(...took)} ms${tally ? `; asks: ${Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')}` : ''}`)
			assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
			if (who !== 'gateway@1' && who !== 'store@1') assert.strictEqual(own.failed, 0, `its own node noticed: ${own.failures}`)
			for (const load of [own, neighbour]) assert.deepStrictEqual(await load.verify(), { lost: [], wrong: [] })
			assert.match(machine.log('warrend'), new RegExp(`process.killed .*process=${who} .*silent`))
			if (tally) honest(tally)
		} finally {
			own.stopped = neighbour.stopped = true
			if (patient) patient.child.kill()
			await machine.destroy()
		}
	})

function honest(tally) {
	assert.ok(tally.right > 10, 'it was answered before and after')
	assert.ok(tally.unanswered > 0, 'and meanwhile not')
	for (const never of ['wrong', 'twice', 'long']) assert.strictEqual(tally[never], 0, `${never}: ${JSON.stringify(tally)}`)
}

// It hangs, but not long enough to be killed: whatever it still says to those whose time is over, nobody takes for something else.
test(`wallet@1 is stopped for less than three seconds${long ? ', 20 times' : ''}, and goes on`, { timeout: 60000 * times }, async () => {
	const machine = await Machine.create({ nodes: 1 })
	const patient = new Patient(machine, 'wallet@1')
	try {
		await machine.ready()
		await machine.until('it is answered', () => patient.text.startsWith('begun'))
		const { pid } = machine.process('wallet@1')
		for (let i = 0; i < times; i++) {
			process.kill(pid, 'SIGSTOP')
			await sleep(1600 + Math.random() * 200) // more than an ask has, less than makes it silent
			process.kill(pid, 'SIGCONT')
			await machine.until('it answers', () => machine.warrenFails('call', 'wallet@1', 'actor_ping').code === 0)
		}
		const tally = await patient.end()
		console.log(`# stopped and gone on: ${Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')}`)
		honest(tally)
	} finally {
		patient.child.kill()
		await machine.destroy()
	}
})
