// Floods of requests, many times what one client or one person may have: over HTTP from one address and from a thousand, and over each
// socket of the bus. Who asks within their share is served, ninety-five times of a hundred at least; nobody dies, nobody's memory leaves its
// limit; and consoles that listen and then stop reading cost the broker no more than its bound. RELIABILITY C1 rows 10 and 11.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { execFile, spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')
const { Good, say } = require('./good.js')

const long = Boolean(process.env.WARREN_LONG), SECONDS = long ? 60 : 1.5
const LIMIT_MB = { broker: 256, scribe: 64, steward: 64, store: 256, wallet: 64, gateway: 256 } // proto/actors.def
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor
let machine, good, before
test.before(async () => {
	machine = await Machine.create({ nodes: 2, storage: 64, conf: 'rate_limits = "all";' })
	await machine.ready()
	good = await new Good(machine, 1, { clients: 8, pauseMs: 250 }).begin() // 240 a minute each, of 300
	await machine.until('good clients read', () => good.well > 20)
	before = machine.status().processes.map((p) => [name(p), p.pid])
})
test.after(async () => { await good.end(); await machine.destroy() })

const mib = (pid) => Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const counts = (line) => Object.fromEntries(line.split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
function whole() {
	const now = machine.status().processes
	assert.deepStrictEqual(now.map((p) => [name(p), p.pid]), before, 'nobody died')
	const highest = {}
	for (const p of now) {
		highest[name(p)] = mib(p.pid)
		assert.ok(highest[name(p)] <= LIMIT_MB[p.actor], `${name(p)}: ${highest[name(p)]} MiB of ${LIMIT_MB[p.actor]}`)
	}
	return Object.entries(highest).map(([who, most]) => `${who} ${most.toFixed(1)}`).join(', ')
}

function run(program, ...args) {
	const child = spawn(path.join(BUILD, 'tests', program), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
	let text = ''
	child.stdout.on('data', (part) => { text += part })
	return new Promise((resolve, reject) => child.on('exit', (code) => code === 0 ? resolve(counts(text.trim().split('\n').at(-1))) : reject(new Error(`${program}: ${code}`))))
}

const resident = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function calm() {
	good.forget()
	await machine.until('good clients read', () => good.well > (long ? 200 : 16))
	return good.tally()
}

for (const addresses of [1, 1000])
	test(`HTTP, ${SECONDS} s from ${addresses} address${addresses > 1 ? 'es' : ''}`, { timeout: 300000 }, async () => {
		const idle = await calm(), target = `/retrieve/${good.cid}`, { pid } = machine.process('gateway@1'), held = resident(pid)
		const all = await Promise.all([run('chaos-visitors', machine.ports[1], addresses > 1 ? 1000 : 50, addresses, SECONDS, 'ask', target), run('chaos-visitors', machine.ports[1], 50, addresses, SECONDS, 'ask', '/health')])
		const during = good.tally(), highest = whole()
		console.log(`# from ${addresses}: ${all.map((tally) => Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')).join('; ')}; good ones before: ${say(idle)}; during: ${say(during)}; p99 ${(during.p99 / idle.p99).toFixed(1)} times; MiB at most: ${highest}`)
		assert.ok(during.share >= 0.95, say(during))
		if (long) await machine.until(`what it took is given back: ${held} MiB, ${resident(pid)}`, () => resident(pid) <= held + 2, 150000)
		const sum = (what) => all[0][what] + all[1][what]
		if (addresses === 1) assert.ok(all[0]['200'] <= 300 * (1 + Math.ceil(SECONDS / 60)), 'it got its share, 300 in a minute')
		if (addresses === 1 && long) assert.ok(sum('asked') >= 10 * (300 + 1000) * SECONDS / 60 && sum('429') > 0, 'and asked for ten times as much')
		assert.ok(sum('asked') > (long ? 500 : 100), 'as fast as the machine goes')
	})

// A console of its own process.
const ask = (...args) => new Promise((resolve) => execFile(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, ...args], { timeout: 60000 }, (error, out, err) => resolve({ code: error ? error.code : 0, said: out + err })))

for (const [door, people] of [['operate.sock', 40], ...long ? [['read.sock', 40]] : [], ['bus.sock', 40]])
	test(`${door}, ${SECONDS} s from ${people} connections`, { timeout: 300000, skip: process.getuid() !== 0 && door === 'bus.sock' && 'needs root: the bus lets in processes alone' }, async () => {
		const idle = await calm(), storm = run('chaos-storm', path.join(machine.root, 'run', door), people, SECONDS, 'store', 1)
		let over = false, asked = 0, answered = 0
		storm.finally(() => { over = true }).catch(() => {})
		const failures = []
		while (!over) {
			const { code, said } = await ask('call', 'store@2', 'store_stat')
			asked++
			answered += code === 0
			if (code && failures.length < 3) failures.push(said)
		}
		const tally = await storm, during = good.tally(), highest = whole()
		console.log(`# ${door}: ${Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')}; consoles ${answered} of ${asked}; good ones before: ${say(idle)}; during: ${say(during)}; p99 ${(during.p99 / idle.p99).toFixed(1)} times; MiB at most: ${highest}`)
		assert.ok(tally.sent > people * 320, 'ten times what they may have open')
		if (door !== 'bus.sock') assert.ok(tally.busy > 0, 'and were told so')
		else assert.strictEqual(tally.answered, 0, 'strangers are answered nothing')
		assert.ok(during.share >= 0.95, say(during))
		assert.ok(answered >= asked * 0.95, `${answered} of ${asked} consoles: ${failures}`)
	})

// The bodies that pass here are small; tests/actor/broker_bounds.c fills the same queues with large ones.
test('consoles that tap everything and stop reading, and a process that does', { timeout: 120000 }, async () => {
	const { pid } = machine.process('broker'), idle = await calm(), at = mib(pid), taps = []
	try {
		for (let i = 0; i < 24; i++) taps.push(spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'tap', '--for', '200s'], { stdio: ['ignore', 'pipe', 'ignore'] }))
		for (const tap of taps) tap.stdout.resume()
		await machine.until('all of them tap', () => {
			const row = JSON.parse(machine.warren('limits', 'broker', '--json').out).processes.find((p) => p.who === 'broker')
			return row.limits.find((limit) => limit.name === 'subscriptions and taps').depth >= 24
		}, 60000)
		for (const tap of taps) tap.kill('SIGSTOP')
		await run('chaos-storm', path.join(machine.root, 'run', 'operate.sock'), 10, SECONDS, 'store', 1)
		const { code, said } = await ask('call', 'store@2', 'store_stat')
		assert.strictEqual(code, 0, said)
		const during = good.tally()
		console.log(`# the broker had ${at.toFixed(1)} MiB at most, and then ${mib(pid).toFixed(1)}; good ones before: ${say(idle)}; during: ${say(during)}`)
		assert.ok(mib(pid) - at <= 1.1 * 32, 'what waits at one door is bounded: 128 bodies of 256 KiB')
		assert.ok(during.share >= 0.95, say(during))
		whole()
	} finally { for (const tap of taps) tap.kill('SIGKILL') }
})
