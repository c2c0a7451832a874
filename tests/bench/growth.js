// Cost as work grows: one node with 1,000 to 1,000,000 blobs (latency of a put and a get, memory of its store, a start after a kill), and
// with 1 to 200 clients at once; and a machine of 1 to 50 nodes. What should be flat is flat, or the picture shows where it bends. Absolute figures of one run, as each size
// stands on the one before; the pictures are written beside this file.
//
// Room on the disk: 2.6 GiB for a million blobs of 1 KiB, 2.7 for fifty nodes. Stopped and removed at the end, also when it fails.
'use strict'
const { spawnSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')
const { plot } = require('./plot.js')

const SIZE = 1024, LOOKS = 400
const PICTURES = path.join(__dirname, 'plots')
const ms_since = (began) => Number(process.hrtime.bigint() - began) / 1e6
const at = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]

function clients(verb, port, count, size, blobs) {
	const done = spawnSync(path.join(BUILD, 'tests', 'bench-clients'), ['warren', verb, port, count, size, blobs].map(String), { encoding: 'utf8', timeout: 1800000 })
	if (done.status !== 0) throw new Error(`bench-clients ${verb}: ${done.stderr || done.signal}`)
	return Number(done.stdout.trim())
}

async function timed(count, job) {
	const took = []
	for (let i = 0; i < count; i++) {
		const began = process.hrtime.bigint()
		await job(i)
		took.push(ms_since(began))
	}
	return { p50: at(took, 0.5), p99: at(took, 0.99) }
}

function pss_kib(pid) {
	return Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])
}

async function look(machine, blobs) {
	for (const agent of machine.agents) agent && agent.destroy() // the node has closed what was idle while the clients were at work
	machine.agents = []
	const page = JSON.parse(machine.warren('call', 'store@1', 'store_list', 'most=1000', '--json').out).blobs.map((row) => row.cid)
	const put = await timed(LOOKS, async () => {
		const answer = await machine.put(1, crypto.randomBytes(SIZE))
		if (answer.status !== 201) throw new Error(`a put was answered ${answer.status}`)
	})
	const get = await timed(LOOKS, async (i) => {
		const answer = await machine.get(1, page[(i * 7919) % page.length])
		if (answer.status !== 200) throw new Error(`a get was answered ${answer.status}`)
	})
	const memory = pss_kib(machine.process('store@1').pid)
	const before = machine.process('store@1').pid, began = process.hrtime.bigint()
	process.kill(before, 'SIGKILL')
	for (;;) {
		const one = machine.process('store@1')
		if (one.pid !== before && one.state === 'ready') break
	}
	return { blobs, put_p50_ms: put.p50, put_p99_ms: put.p99, get_p50_ms: get.p50, get_p99_ms: get.p99, store_kib: memory, start_ms: ms_since(began) }
}

async function by_blobs(counts) {
	const quota = Math.ceil(Math.max(...counts) * 2.2 * SIZE / 1048576) + 64
	const machine = await Machine.create({ nodes: 1, storage: quota })
	const rows = []
	try {
		await machine.ready()
		let stored = 0
		for (const count of counts) {
			clients('put', machine.ports[1], 50, SIZE, count - stored)
			rows.push(await look(machine, count))
			stored = count + LOOKS
		}
	} finally { await machine.destroy() }
	return rows
}

async function by_clients(counts) {
	const rows = []
	for (const count of counts) {
		const machine = await Machine.create({ nodes: 1, storage: 512 })
		try {
			await machine.ready()
			rows.push({ clients: count, puts: clients('put', machine.ports[1], count, 4096, Math.min(8000, 400 + 600 * count)),
				gets: clients('get', machine.ports[1], count, 4096, Math.min(40000, 4000 + 2000 * count)) })
		} finally { await machine.destroy() }
	}
	return rows
}

// One machine that grows: nodes are added, it is started, looked at and stopped. The puts and gets go to all nodes in turn.
async function by_nodes(counts) {
	const machine = await Machine.create({ nodes: 0, start: false, conf: 'ram_rule = "off";' })
	const rows = []
	try {
		for (const count of counts) {
			while (machine.ports.length - 1 < count) machine.add(16)
			const began = process.hrtime.bigint()
			machine.start() // returns when all are ready
			const start = ms_since(began)
			const put = [], get = []
			for (let i = 0; i < LOOKS; i++) {
				const node = i % count + 1, times = [process.hrtime.bigint()]
				const stored = await machine.put(node, crypto.randomBytes(SIZE))
				times.push(process.hrtime.bigint())
				const read = await machine.get(node, stored.json.cid)
				times.push(process.hrtime.bigint())
				if (stored.status !== 201 || read.status !== 200) throw new Error(`node ${node}: a put was answered ${stored.status}, a get ${read.status}`)
				if (i < count) continue // the first to a node opens a connection
				put.push(Number(times[1] - times[0]) / 1e6)
				get.push(Number(times[2] - times[1]) / 1e6)
			}
			const pids = machine.status().processes.filter((p) => p.node).map((p) => p.pid)
			rows.push({ nodes: count, start_s: start / 1000, node_mib: pids.reduce((sum, pid) => sum + pss_kib(pid), 0) / count / 1024,
				put_p50_ms: at(put, 0.5), get_p50_ms: at(get, 0.5) })
			machine.warrend('stop')
		}
	} finally { await machine.destroy() }
	return rows
}

function draw(blobs, many, nodes) {
	const line = (rows, x, y) => rows.map((row) => [row[x], row[y]])
	const pictures = {
		'blobs-latency': { title: `A put and a get of ${SIZE} bytes, by how many blobs there are`, x: 'blobs', y: 'ms', series: {
			'put, p99': line(blobs, 'blobs', 'put_p99_ms'), 'put, p50': line(blobs, 'blobs', 'put_p50_ms'),
			'get, p99': line(blobs, 'blobs', 'get_p99_ms'), 'get, p50': line(blobs, 'blobs', 'get_p50_ms') } },
		'blobs-memory': { title: 'Memory of the store, by how many blobs there are', x: 'blobs', y: 'KiB PSS', series: { 'store@1': line(blobs, 'blobs', 'store_kib') } },
		'blobs-start': { title: 'From a kill of the store until it is ready', x: 'blobs', y: 'ms', series: { start: line(blobs, 'blobs', 'start_ms') } },
		clients: { title: '4 KiB, by how many clients at once', x: 'clients', y: 'a second', series: { gets: line(many, 'clients', 'gets'), puts: line(many, 'clients', 'puts') } },
		nodes: { title: 'A machine by how many nodes it has', x: 'nodes', y: 'see each line', series: {
			'memory of a node, MiB': line(nodes, 'nodes', 'node_mib'), 'start of all, s': line(nodes, 'nodes', 'start_s'),
			'put 1 KiB, p50, ms': line(nodes, 'nodes', 'put_p50_ms'), 'get 1 KiB, p50, ms': line(nodes, 'nodes', 'get_p50_ms') } },
	}
	fs.mkdirSync(PICTURES, { recursive: true })
	for (const [name, picture] of Object.entries(pictures)) if (Object.values(picture.series).every((one) => one.length)) fs.writeFileSync(path.join(PICTURES, `${name}.svg`), plot(picture))
}

// What: which of the three, all when none is named.
async function bench_growth(what = []) {
	const wanted = (name) => !what.length || what.includes(name)
	const rows = wanted('blobs') ? await by_blobs([1e3, 1e4, 1e5, 1e6]) : []
	const wide = wanted('clients') ? await by_clients([1, 2, 4, 8, 16, 32, 64, 128, 200]) : []
	const machines = wanted('nodes') ? await by_nodes([1, 2, 5, 10, 20, 50]) : []
	draw(rows, wide, machines)
	const round = (row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value >= 100 ? Math.round(value) : Number(value.toPrecision(3))]))
	return { unit: 'of one node; pictures in tests/bench/plots', goals: {},
		blobs: Object.fromEntries(rows.map((row) => [row.blobs, round(row)])), clients: Object.fromEntries(wide.map((row) => [row.clients, round(row)])),
		nodes: Object.fromEntries(machines.map((row) => [row.nodes, round(row)])) }
}

module.exports = { bench_growth, KINDS: ['blobs', 'clients', 'nodes'] }
