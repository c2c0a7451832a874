// Many nodes on one machine: what they cost to add, to start, to hold and to stop, with 10, 50, 200 and 500 of them. Absolute
// figures, as there is no peer; on a busy machine those of time are upper bounds, those of memory and of processor time hold
// (start_cpu_ms: of all processes together, from their fork to their being ready).
//
// Each size is a fresh machine on a scratch root, made as small as nodes get, stopped and removed at the end, also after Ctrl-C.
// Room on the disk: about 55 MiB a node, 27 GiB for 500; checked before anything is made.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { Machine, sleep } = require('../system/machine.js')

const QUOTA_MIB = 16
const DISK_MIB = 55 // of a node with this quota: arena, index reserve (quota/64 + 32 MiB), logs
const AT_ONCE = 32 // requests for /health
const ms_since = (began) => Number(process.hrtime.bigint() - began) / 1e6
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

const free = (port) => new Promise((resolve) => {
	const server = net.createServer()
	server.on('error', () => resolve(false))
	server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
})

// Below the ports of the tests' machines (machine.js).
async function ports(count) {
	const found = []
	for (let port = 12001 + (process.pid % 16) * 500; found.length < count; port++)
		if (await free(port)) found.push(port)
	return found
}

// -- looking ----------------------------------------------------------------------------------------------------------

function health(port) {
	return new Promise((resolve) => {
		const request = http.get({ host: '127.0.0.1', port, path: '/health', agent: false, timeout: 10000 }, (response) => {
			let text = ''
			response.on('data', (part) => { text += part })
			response.on('error', () => resolve(false))
			response.on('end', () => {
				try { resolve(response.statusCode === 200 && JSON.parse(text).status === 'healthy') } catch { resolve(false) }
			})
		})
		request.on('timeout', () => request.destroy())
		request.on('error', () => resolve(false))
	})
}

// Those of these ports that are not healthy.
async function unhealthy(list) {
	const bad = [], rest = [...list]
	const one = async () => { for (let port; (port = rest.shift());) if (!await health(port)) bad.push(port) }
	await Promise.all(Array.from({ length: AT_ONCE }, one))
	return bad
}

async function all_healthy(list, within_ms) {
	const began = process.hrtime.bigint()
	for (let left = list; left.length;) {
		left = await unhealthy(left)
		if (left.length && ms_since(began) > within_ms) throw new Error(`${left.length} nodes are not healthy after ${within_ms} ms`)
		if (left.length) await sleep(20)
	}
	return ms_since(began)
}

const pids_of = (machine, status) => [machine.supervisor, ...status.processes.map((p) => p.pid).filter(Boolean)]

// Nanoseconds on a processor of every thread of these, by pid.
function busy_ns(pids) {
	const busy = new Map()
	for (const pid of pids) {
		let sum = 0
		for (const thread of fs.readdirSync(`/proc/${pid}/task`))
			sum += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
		busy.set(pid, sum)
	}
	return busy
}

function pss_kib(pid) {
	return Number(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1])
}

// What the kernel holds for all of it. Others on this machine are in it too: believe it for hundreds of nodes.
function kernel_kib() {
	const text = fs.readFileSync('/proc/meminfo', 'utf8')
	return Object.fromEntries([['slab', 'Slab'], ['stacks', 'KernelStack'], ['page_tables', 'PageTables'], ['per_cpu', 'Percpu']]
		.map(([name, word]) => [name, Number((text.match(new RegExp(`^${word}:\\s+(\\d+)`, 'm')) || [0, 0])[1])]))
}

// -- one size ---------------------------------------------------------------------------------------------------------

function check_room(count) {
	const disk = fs.statfsSync(os.tmpdir()), free_mib = disk.bavail * disk.bsize / 2 ** 20
	const needs = count * DISK_MIB / 0.8 + disk.blocks * disk.bsize / 2 ** 20 / 10
	if (free_mib < needs) throw new Error(`${count} nodes need ${Math.round(needs)} MiB free in ${os.tmpdir()}, and ${Math.round(free_mib)} are`)
}

async function add_all(machine, list) {
	const took = []
	for (const port of list) {
		const began = process.hrtime.bigint()
		machine.add(QUOTA_MIB, port)
		took.push(ms_since(began))
		await sleep(0) // so that a signal is heard
	}
	return { median: median(took), last: took[took.length - 1], all: took.reduce((a, b) => a + b) }
}

// `warrend start` returns when all are ready; it gives up waiting after half a minute, they go on.
async function start_all(machine, list) {
	const began = process.hrtime.bigint()
	try { machine.start() } catch (error) {
		const file = path.join(machine.root, 'run', 'warrend.pid')
		if (!fs.existsSync(file)) throw error
		machine.supervisor = Number(fs.readFileSync(file, 'utf8'))
	}
	const ready = ms_since(began)
	await all_healthy(list, 300000)
	const healthy = ms_since(began)
	await machine.ready(300000)
	const cpu_ms = [...busy_ns(pids_of(machine, machine.status())).values()].reduce((a, b) => a + b) / 1e6
	return { ready, healthy, cpu_ms }
}

async function idle_cpu(machine, seconds) {
	await sleep(3000)
	const status = machine.status(), pids = pids_of(machine, status), kinds = { warrend: 0 }
	const before = busy_ns(pids), began = process.hrtime.bigint()
	await sleep(seconds * 1000)
	const after = busy_ns(pids), percent = 100 / (ms_since(began) * 1e6)
	const of = new Map(status.processes.map((p) => [p.pid, p.actor]))
	let all = 0
	for (const pid of pids) {
		const share = (after.get(pid) - before.get(pid)) * percent, kind = of.get(pid) || 'warrend'
		kinds[kind] = (kinds[kind] || 0) + share
		all += share
	}
	return { all, kinds }
}

function memory(machine, nodes) {
	const status = machine.status(), of_machine = status.processes.filter((p) => !p.node)
	const nodes_kib = status.processes.filter((p) => p.node).reduce((sum, p) => sum + pss_kib(p.pid), 0)
	const machine_kib = of_machine.reduce((sum, p) => sum + pss_kib(p.pid), pss_kib(machine.supervisor))
	return { per_node: nodes_kib / nodes, machine_wide: machine_kib, all: nodes_kib + machine_kib }
}

function answering(machine) {
	const took = []
	for (let i = 0; i < 5; i++) {
		const began = process.hrtime.bigint()
		const status = machine.status()
		took.push(ms_since(began))
		if (status.nodes.length !== machine.ports.length - 1) throw new Error(`status tells of ${status.nodes.length} nodes`)
	}
	return median(took)
}

// Every process of one node is killed; the others are asked for their health all the while.
async function kill_one(machine, list) {
	const victim = Math.ceil(list.length / 2), others = list.filter((_, i) => i !== victim - 1)
	const before = machine.status().processes.filter((p) => p.node === victim)
	const began = process.hrtime.bigint()
	for (const { pid } of before) process.kill(pid, 'SIGKILL')
	let asked = 0, errors = 0, back
	const watch = async () => {
		while (back === undefined) { errors += (await unhealthy(others)).length; asked += others.length }
	}
	const wait = async () => {
		const killed = new Set(before.map((p) => p.pid))
		await all_healthy([list[victim - 1]], 60000)
		back = ms_since(began)
		await machine.until('all of it is new', () => machine.status().processes.filter((p) => p.node === victim)
			.every((p) => p.state === 'ready' && !killed.has(p.pid)), 60000)
	}
	await Promise.all([watch(), wait()])
	return { back_ms: back, others_asked: asked, others_errors: errors }
}

async function one_size(count, idle_s, say) {
	check_room(count)
	say(`${count} nodes: adding`)
	const machine = await Machine.create({ nodes: 0, start: false, conf: 'ram_rule = "off";\nmax_nodes = 512;' })
	machines.add(machine)
	try {
		const list = await ports(count), load = os.loadavg()[0]
		const added = await add_all(machine, list)
		const kernel = kernel_kib()
		say(`${count} nodes: starting`)
		const started = await start_all(machine, list)
		const grew = Object.entries(kernel_kib()).map(([name, kib]) => [name, (kib - kernel[name]) / count])
		say(`${count} nodes: idle for ${idle_s} s`)
		const cpu = await idle_cpu(machine, idle_s)
		const pss = memory(machine, count)
		const status_ms = answering(machine)
		say(`${count} nodes: one is killed`)
		const killed = await kill_one(machine, list)
		const began = process.hrtime.bigint()
		machine.warrend('stop')
		return {
			add_ms: added, ready_ms: started.ready, healthy_ms: started.healthy, start_cpu_ms: started.cpu_ms, idle_percent: cpu.all, idle_percent_by_kind: cpu.kinds,
			pss_kib: pss, kernel_kib_per_node: Object.fromEntries(grew), status_ms, killed, stop_ms: ms_since(began), load_before: load,
		}
	} finally {
		machines.delete(machine)
		say(`${count} nodes: removing`)
		await machine.destroy()
	}
}

// Ctrl-C hits what runs in the foreground with us; what runs in the background is stopped here.
const machines = new Set()
let interrupted = false
async function interrupt(signal) {
	if (interrupted) return
	interrupted = true
	console.error(`\n${signal}: stopping and removing what was made`)
	for (const machine of machines) await machine.destroy()
	process.exit(130)
}

async function bench_nodes({ counts = [10, 50, 200, 500], idle_s = 30 } = {}) {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupt(signal))
	const cases = {}, say = (text) => { if (process.stderr.isTTY) console.error(text) }
	const short = (key, value) => typeof value === 'number' ? Number(value.toPrecision(4)) : value
	for (const count of counts) cases[`${count}_nodes`] = JSON.parse(JSON.stringify(await one_size(count, idle_s, say), short))
	return {
		unit: 'milliseconds; KiB; percent of one processor', cases,
		goals: { '10 nodes healthy': '<= 5000 ms', '10 nodes idle': '< 1 %', '500 nodes': 'all healthy' },
	}
}

module.exports = { bench_nodes }
