// Where the time goes while a goal is measured: a flame graph for each, made from perf's samples, and what every process took.
//
//   scripts/bench profile bus|put4k|put256k|get256k|nodes…
//
// perf reads stacks by the tables for unwinding (dwarf) and not by frame pointers: Debian's libzmq, OpenSSL, SQLite and libc keep none, so a
// stack would end at the first of them; and release stays the program that is installed. It samples the clock of the processor, as virtual
// machines seldom have hardware counters, and what waits does not show. Only our processes and the clients are looked at. Needs root.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Machine, BUILD, sleep } = require('../system/machine.js')
const { flame } = require('./flame.js')

const HERTZ = 499, SECONDS = 10, NODES = 50
const PICTURES = path.join(__dirname, 'plots')
const tool = (name) => path.join(BUILD, 'tests', name)

// Each: what its picture is called, MiB or number of nodes, and the command that loads the machine for longer than it is looked at.
const LOADS = {
	bus: { title: 'round trips on the bus: broker and steward', load: (machine) => [tool('bench-bus'), path.join(machine.root, 'run'), '5', '20000'] },
	put4k: { title: 'put 4 KiB, 16 clients', storage: 1024, load: ({ ports }) => [tool('bench-clients'), 'warren', 'put', ports[1], 16, 4096, 160000] },
	put256k: { title: 'put 256 KiB, 8 clients', storage: 2560, load: ({ ports }) => [tool('bench-clients'), 'warren', 'put', ports[1], 8, 262144, 9600] },
	get256k: { title: 'get 256 KiB, 4 clients', load: ({ ports }) => [tool('bench-clients'), 'warren', 'get', ports[1], 4, 262144, 80000] },
	nodes: { title: `${NODES} nodes, from \`warrend start\` until all are ready`, nodes: NODES },
}
const GOALS = Object.keys(LOADS)

// -- samples ----------------------------------------------------------------------------------------------------------

function check_perf() {
	const tried = spawnSync('perf', ['record', '-e', 'cpu-clock', '-o', '/dev/null', '--', 'true'], { encoding: 'utf8' })
	if (tried.status !== 0) throw new Error(`perf cannot record here (${(tried.error || tried.stderr || '').toString().trim().split('\n').pop()}); it needs root`)
}

// Samples into a file from now on; stop() when it is enough. perf first reads what all processes map, which takes seconds on a busy
// machine, so it is told to begin, and says that it has.
async function record(file, ...whom) {
	const words = ['record', '-q', '-e', 'cpu-clock', '-F', String(HERTZ), '--call-graph', 'dwarf,8192', '-m', '64M', '-D', '-1', '--control', 'fd:3,4', '-o', file, ...whom]
	const child = spawn('perf', words, { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'] })
	const ended = new Promise((resolve) => child.on('exit', resolve))
	child.stdio[3].on('error', () => {})
	child.stdio[3].write('enable\n')
	const began = await Promise.race([new Promise((resolve) => child.stdio[4].once('data', () => resolve(true))), ended.then(() => false)])
	if (!began) throw new Error('perf ended before it began')
	return { stop: async () => { child.kill('SIGINT'); await ended } }
}

function kind_of(dso) {
	if (/kernel|\[guest|\.ko$|vdso/.test(dso)) return 'kernel'
	return /\/(warren|warrend|bench-)[^/]*$/.test(dso) ? 'ours' : 'library'
}

// "name-of-a-thread 123/124" and then a frame a line, innermost first, "  address symbol (file)"; an empty line ends it. Only of these
// processes; whatever number of nodes they are of, those of a kind are one.
async function stacks(file, names) {
	const child = spawn('perf', ['script', '--no-inline', '-i', file, '-F', 'comm,pid,tid,ip,sym,dso'], { stdio: ['ignore', 'pipe', 'ignore'] })
	const found = new Map()
	let head, frames = []
	const end = () => {
		const [, thread, pid, tid] = head || []
		if (names.has(Number(pid)) && frames.length) {
			const kind = names.get(Number(pid)).replace(/@.*/, ''), before = [{ name: kind, kind: 'process' }]
			if (pid !== tid) before.push({ name: `thread ${thread.replace(/[0-9]+$/, '')}`, kind: 'process' })
			const whole = [...before, ...frames.reverse()], key = whole.map((frame) => frame.name).join(';')
			if (!found.has(key)) found.set(key, { frames: whole, count: 0 })
			found.get(key).count++
		}
		head = null
		frames = []
	}
	for await (const line of require('node:readline').createInterface({ input: child.stdout })) {
		const frame = /^\s+[0-9a-f]+ (.*) \((.*)\)$/.exec(line)
		if (frame) {
			const name = frame[1].replace(/\+0x[0-9a-f]+$/, ''), where = path.basename(frame[2].replace(/ \(deleted\)$/, ''))
			const one = { name: name === '[unknown]' ? where : name, kind: kind_of(frame[2].replace(/ \(deleted\)$/, '')) }
			if (!frames.length || frames[frames.length - 1].name !== one.name) frames.push(one) // a library without names is one frame
		} else if (line.trim()) {
			end()
			head = /^\s*(.*?)\s+(\d+)\/(\d+)\s*$/.exec(line)
		} else { end() }
	}
	end()
	return [...found.values()]
}

// -- counters ---------------------------------------------------------------------------------------------------------

// Of every thread of these: ns on a processor, ns waiting for one, turns; how often it gave the processor up, and how often it was taken.
function counters(names, called = (_pid, name) => name) {
	const all = new Map()
	for (const [pid, name] of names) {
		const sum = { run: 0, wait: 0, gave: 0, lost: 0 }
		for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
			const [run, wait] = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ').map(Number)
			const status = fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
			const count = (word) => Number(new RegExp(`^${word}:\\s+(\\d+)`, 'm').exec(status)[1])
			sum.run += run
			sum.wait += wait
			sum.gave += count('voluntary_ctxt_switches')
			sum.lost += count('nonvoluntary_ctxt_switches')
		}
		all.set(called(pid, name), sum)
	}
	return all
}

function grew(before, after, seconds) {
	const out = {}
	for (const [name, now] of after) {
		const then = before.get(name)
		if (!then || now.run - then.run < 1e6) continue
		out[name] = { busy_percent: (now.run - then.run) / seconds / 1e7, waiting_percent: (now.wait - then.wait) / seconds / 1e7,
			sleeps_a_second: (now.gave - then.gave) / seconds, taken_a_second: (now.lost - then.lost) / seconds }
	}
	return out
}

// Of processes that are no more: as long as they live perf looks for their programs in what they see of the disk, and a jail hides them.
function read(machine, file, names) {
	machine.warrend('stop')
	return stacks(file, names)
}

// -- a goal -----------------------------------------------------------------------------------------------------------

function names_of(machine) {
	const pid = Number(fs.readFileSync(path.join(machine.root, 'run', 'warrend.pid'), 'utf8'))
	return new Map([[pid, 'warrend'], ...machine.status().processes.map((p) => [p.pid, p.node ? `${p.actor}@${p.node}` : p.actor])])
}

async function loaded(goal, file) {
	const { load, storage = 64 } = LOADS[goal], machine = await Machine.create({ nodes: 1, storage })
	try {
		await machine.ready()
		const names = names_of(machine)
		const [program, ...words] = load(machine).map(String)
		const client = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] })
		let over = false
		client.on('exit', () => { over = true })
		names.set(client.pid, 'clients')
		await sleep(500)
		const perf = await record(file, '-p', [...names.keys()].join(','))
		const before = counters(names), began = Date.now()
		while (!over && Date.now() < began + SECONDS * 1000) await sleep(50)
		const seconds = (Date.now() - began) / 1000
		const rows = over ? {} : grew(before, counters(names), seconds)
		await perf.stop()
		if (!over) client.kill('SIGKILL')
		return { rows, found: await read(machine, file, names) }
	} finally { await machine.destroy() }
}

// What one process of each kind took on a processor from its fork until now.
function a_process(machine, names) {
	const kinds = {}
	for (const [name, { run }] of counters(names, (pid, kind) => `${kind} ${pid}`)) (kinds[name.replace(/[@ ].*/, '')] ||= []).push(run / 1e6)
	return Object.fromEntries(Object.entries(kinds).map(([kind, ms]) => [kind, { processes: ms.length, milliseconds_each: ms.reduce((a, b) => a + b) / ms.length }]))
}

async function started(goal, file) {
	const machine = await Machine.create({ nodes: LOADS[goal].nodes, start: false, conf: 'ram_rule = "off";' })
	try {
		// All that runs here, and then what is ours: a process that drops its rights drops perf's eye with them.
		const perf = await record(file, '-a')
		const began = Date.now()
		machine.start()
		const seconds = (Date.now() - began) / 1000
		await perf.stop()
		const names = names_of(machine), rows = { ready: { seconds } }
		for (const [kind, one] of Object.entries(a_process(machine, names))) rows[kind] = one
		return { rows, found: await read(machine, file, names) }
	} finally { await machine.destroy() }
}

// The share of all samples in which a frame of this name stands somewhere, the largest first.
function heaviest(found, most) {
	const total = found.reduce((sum, { count }) => sum + count, 0), own = new Map()
	for (const { frames, count } of found) {
		const leaf = frames[frames.length - 1].name
		own.set(leaf, (own.get(leaf) || 0) + count)
	}
	return Object.fromEntries([...own].sort((a, b) => b[1] - a[1]).slice(0, most).map(([name, count]) => [name, count / total * 100]))
}

// Of all samples, by process, and there by kind.
function shares(found) {
	const total = found.reduce((sum, { count }) => sum + count, 0), out = {}
	for (const { frames, count } of found) {
		const row = out[frames[0].name] ||= { ours: 0, library: 0, kernel: 0 }
		row[frames[frames.length - 1].kind] += count / total * 100
	}
	return out
}

async function bench_profile(goals) {
	if (!goals.length) throw new Error(`profile wants to know of what: ${GOALS.join(', ')}`)
	check_perf()
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-profile-')), result = { unit: 'percent; pictures in tests/bench/plots', goals: {} }
	try {
		for (const goal of goals) {
			const file = path.join(scratch, 'samples'), { title, nodes } = LOADS[goal]
			const { rows, found } = nodes ? await started(goal, file) : await loaded(goal, file)
			const samples = found.reduce((sum, { count }) => sum + count, 0)
			const note = `${samples} samples of the processor's clock, ${HERTZ} a second for each processor`
			fs.mkdirSync(PICTURES, { recursive: true })
			fs.writeFileSync(path.join(PICTURES, `flame-${goal}.svg`), flame({ title: `Where the time goes: ${title}`, note, stacks: found }))
			Object.assign(result, { [`${goal}: processes`]: rows, [`${goal}: samples by process and kind`]: shares(found), [`${goal}: own time`]: heaviest(found, 25) })
			fs.rmSync(file, { force: true })
		}
	} finally { fs.rmSync(scratch, { recursive: true, force: true }) }
	return result
}

module.exports = { bench_profile, GOALS }
