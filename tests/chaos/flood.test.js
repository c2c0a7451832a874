// A flood of connections on each socket of the bus: silent ones, half handshakes, noise, impossible frames, askers. Nobody dies of
// it, the other sockets still answer, HTTP goes on without one error, and afterwards everything answers. RELIABILITY C1 row 11.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { execFile, spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')
const { Load } = require('./load.js')

const CONNECTIONS = 19000 // more than the broker has descriptors: one that took them all would abort
const ROUNDS = process.env.WARREN_LONG ? 20 : 1
const flood = path.join(BUILD, 'tests', 'chaos-flood')

// The flood holds as many descriptors as it has connections, and the broker must be allowed its own 16,384.
const most = Number(/^Max open files +\S+ +(\S+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1].replace('unlimited', 'Infinity'))
const skip = process.getuid() !== 0 && most < CONNECTIONS + 64 && `needs ${CONNECTIONS + 64} descriptors, and may have ${most}`

function start(socket) {
	const child = spawn(flood, [socket, String(CONNECTIONS), String(ROUNDS)], { stdio: ['ignore', 'pipe', 'inherit'] })
	const run = { child, over: false, text: '' }
	child.stdout.on('data', (part) => { run.text += part })
	run.ended = new Promise((resolve) => child.on('exit', (code, signal) => { run.over = true; resolve(code ?? signal) }))
	return run
}

// A console of its own process, while the load goes on in this one.
const ask = (machine, ...args) => new Promise((resolve) => {
	execFile(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, ...args], { timeout: 60000 },
		(error, out, err) => resolve({ code: error ? error.code : 0, said: out + err }))
})

const who = (process_) => `${process_.actor}@${process_.node} pid ${process_.pid}`

for (const name of ['bus.sock', 'operate.sock', 'read.sock'])
	test(`${CONNECTIONS} connections, ${ROUNDS} times, on ${name}`, { skip, timeout: 240000 }, async () => {
		const machine = await Machine.create({ nodes: 2, storage: 256 })
		const load = new Load(machine, 1, { writers: 2, size: () => 2000 })
		let run
		try {
			const before = machine.status().processes.map(who)
			await load.start().begun()
			run = start(path.join(machine.root, 'run', name))
			// A console takes the widest door that it may: with `read.sock` or `bus.sock` flooded that one is free. With
			// `operate.sock` flooded it is let in between two floods, or told that it was not.
			let asked = 0, answered = 0
			do {
				asked++
				const { code, said } = await ask(machine, 'call', 'store@2', 'store_stat')
				answered += code === 0
				if (name === 'read.sock') assert.strictEqual(code, 0, `a console at another door: ${said}`)
			} while (!run.over)
			assert.strictEqual(await run.ended, 0)
			console.log(`# ${name}: ${run.text.trim()}, consoles ${answered} of ${asked}, ${load.acknowledged.size} blobs stored`)
			const { connected } = Object.fromEntries(run.text.trim().split(' ').map((pair) => pair.split('=')))
			assert.ok(Number(connected) > CONNECTIONS * ROUNDS * 0.5, 'there was a flood: many times the bound of a door') // the rest found it shut
			await machine.until('a console is answered', () => machine.warrenFails('call', 'wallet@2', 'wallet_address').code === 0)
			await machine.ready()
			assert.deepStrictEqual(machine.status().processes.map(who), before, 'nobody died')
			await load.stop()
			assert.strictEqual(load.failed, 0, `HTTP noticed: ${load.failures}`)
			assert.ok(load.acknowledged.size > 10, 'there was a load')
			const { lost, wrong } = await load.verify()
			assert.deepStrictEqual([...lost, ...wrong], [])
			for (const process_ of machine.status().processes) assert.strictEqual(process_.restarts, 0, who(process_))
		} finally {
			load.stopped = true
			if (run && !run.over) run.child.kill('SIGKILL')
			await machine.destroy()
		}
	})
