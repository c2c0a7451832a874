// The benches: ratios against a peer or a physical limit measured in the same run, interleaved, at least five rounds, medians.
// Absolute figures of a shared machine move several times between runs; ratios within a round do not. Loopback only; every
// server is started here, on a scratch folder, and stopped by pid.
//
//   run.js [bus|store|get|large|memory|start|recover|nodes|growth]… [--rounds N] [--nodes 10,50,200,500] [--json]  the last two: only when named
//   run.js growth [blobs|clients|nodes]…
//   run.js profile bus|put4k|put256k|get256k|nodes…      where the time goes, as a flame graph
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { Machine, BUILD, sleep } = require('../system/machine.js')
const { bench_growth, KINDS } = require('./growth.js')
const { bench_large } = require('./large.js')
const { bench_nodes } = require('./nodes.js')
const { bench_profile, GOALS } = require('./profile.js')
const { bench_recover } = require('./recover.js')

const tool = (name) => path.join(BUILD, 'tests', name)
const options = { names: [], rounds: 5, json: false, goals: [], kinds: [], nodes: [10, 50, 200, 500] }
const words = process.argv.slice(2)
while (words.length) {
	const word = words.shift()
	if (word === '--json') options.json = true
	else if (word === '--rounds') options.rounds = Math.max(1, Number(words.shift()) || 5)
	else if (word === '--nodes') options.nodes = sizes(words.shift())
	else if (options.names.at(-1) === 'growth' && KINDS.includes(word)) options.kinds.push(word)
	else if (options.names.at(-1) === 'profile' && GOALS.includes(word)) options.goals.push(word)
	else if (BENCHES().includes(word)) options.names.push(word)
	else { console.error(`no bench is called ${word}; there are: ${BENCHES().join(', ')}`); process.exit(2) }
}
function BENCHES() { return ['bus', 'store', 'get', 'large', 'memory', 'start', 'recover', 'nodes', 'growth', 'profile'] }

function sizes(text) {
	const counts = (text || '').split(',').map(Number)
	if (counts.every((count) => Number.isInteger(count) && count >= 2 && count <= 512)) return counts
	console.error('--nodes wants numbers of nodes, 2 to 512, with commas between them: --nodes 10,50')
	process.exit(2)
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const freePort = () => new Promise((resolve) => {
	const server = net.createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)) })
})

function figure(program, ...args) {
	const done = spawnSync(tool(program), args.map(String), { encoding: 'utf8', timeout: 300000 })
	if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr || done.signal}`)
	return Number(done.stdout.trim())
}

// -- peers ------------------------------------------------------------------------------------------------------------

async function answering(port) {
	for (let i = 0; i < 200; i++) {
		const up = await new Promise((resolve) => {
			const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
			socket.on('error', () => resolve(false))
		})
		if (up) return
		await sleep(25)
	}
	throw new Error(`nobody answers on ${port}`)
}

class Peer {
	static async start(folder, port, program, args) {
		const peer = new Peer()
		peer.port = port
		peer.child = spawn(program, args, { cwd: folder, stdio: 'ignore' })
		peer.child.on('error', (error) => { console.error(`${program}: ${error.message}; scripts/packages bench installs it`); process.exit(1) })
		await answering(port)
		return peer
	}
	stop() { return new Promise((resolve) => { this.child.on('exit', resolve); this.child.kill('SIGTERM') }) }
}

async function redis(folder) {
	const port = await freePort()
	return Peer.start(folder, port, 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--appendonly', 'yes', '--appendfsync', 'always',
		'--save', '', '--dir', folder])
}

async function nginx(folder) {
	const port = await freePort()
	fs.mkdirSync(path.join(folder, 'dav'))
	fs.chmodSync(folder, 0o755)
	fs.chmodSync(path.join(folder, 'dav'), 0o777)
	fs.writeFileSync(path.join(folder, 'nginx.conf'), `daemon off; master_process off; error_log stderr; pid ${folder}/nginx.pid;
events { worker_connections 256; }
http { access_log off; client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4;
scgi_temp_path ${folder}/t5; client_max_body_size 64m; keepalive_requests 1000000;
server { listen 127.0.0.1:${port}; root ${folder}/dav; location / { dav_methods PUT DELETE; } } }\n`)
	return Peer.start(folder, port, 'nginx', ['-c', path.join(folder, 'nginx.conf'), '-p', folder])
}

// -- benches ----------------------------------------------------------------------------------------------------------

// On whatever processors the scheduler picks, and once more with everybody on one: there only the work counts, and not whether a
// sleeping processor had to be woken.
async function bench_bus() {
	const machine = await Machine.create({ nodes: 1 })
	const trips = (...before) => {
		const words = [...before, tool('bench-bus'), path.join(machine.root, 'run'), String(options.rounds), '3000']
		const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8', timeout: 300000 })
		if (done.status !== 0) throw new Error(done.stderr)
		const rounds = done.stdout.trim().split('\n').map((line) => line.split(' ').map(Number))
		const [broker, bare_router, socket_pair] = [0, 1, 2].map((i) => median(rounds.map((round) => round[i])))
		return { figures: { broker, bare_router, socket_pair }, ratio: median(rounds.map(([ours, bare]) => ours / bare)) }
	}
	try {
		const any = trips()
		for (const { pid } of machine.status().processes) spawnSync('taskset', ['-acp', '0', String(pid)])
		const one = trips('taskset', '-c', '0')
		return {
			unit: 'microseconds a round trip, median', cases: { any_processor: any.figures, one_processor: one.figures },
			ratios: { broker_to_bare: any.ratio, broker_to_bare_on_one_processor: one.ratio }, goals: { broker_to_bare: '<= 1.3' },
		}
	} finally { await machine.destroy() }
}

// Ops a second of each contender, in turn, for some rounds; a fresh machine each round so that all write into fresh space.
async function contest(rounds, contenders) {
	const figures = {}
	for (let round = 0; round < rounds; round++)
		for (const [name, run] of Object.entries(contenders)) (figures[name] ||= []).push(await run())
	return figures
}
const medians = (figures) => Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values)]))
const ratio = (figures, a, b) => median(figures[a].map((value, i) => value / figures[b][i]))

async function on_fresh_machine(job) {
	const machine = await Machine.create({ nodes: 1, storage: 512 })
	try { return job(machine.ports[1]) } finally { await machine.destroy() }
}

async function bench_store() {
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-bench-'))
	const folders = ['redis', 'nginx', 'loop'].map((name) => { const folder = path.join(scratch, name); fs.mkdirSync(folder); return folder })
	const peers = { redis: await redis(folders[0]), nginx: await nginx(folders[1]) }
	const result = { unit: 'blobs a second', cases: {}, ratios: {}, goals: {} }
	try {
		for (const [clients, count] of [[1, 300], [16, 4000], [50, 6000]]) {
			const figures = await contest(options.rounds, {
				warren: () => on_fresh_machine((port) => figure('bench-clients', 'warren', 'put', port, clients, 4096, count)),
				redis: () => figure('bench-clients', 'redis', 'put', peers.redis.port, clients, 4096, count),
				nginx: () => figure('bench-clients', 'nginx', 'put', peers.nginx.port, clients, 4096, count),
				loop_sync_each: () => figure('bench-loops', 'put', folders[2], 4096, Math.min(count, 1000), 1),
				probe_fdatasync: () => figure('bench-loops', 'sync', folders[2], 300),
			})
			result.cases[`4KiB_${clients}_clients`] = medians(figures)
			result.ratios[`4KiB_${clients}_to_redis`] = ratio(figures, 'warren', 'redis')
			result.ratios[`4KiB_${clients}_to_sync_each`] = ratio(figures, 'warren', 'loop_sync_each')
		}
		const large = await contest(options.rounds, {
			warren: () => on_fresh_machine((port) => figure('bench-clients', 'warren', 'put', port, 4, 1 << 20, 200)),
			loop: () => figure('bench-loops', 'put', folders[2], 1 << 20, 200, 1),
			redis: () => figure('bench-clients', 'redis', 'put', peers.redis.port, 4, 1 << 20, 200),
			nginx: () => figure('bench-clients', 'nginx', 'put', peers.nginx.port, 4, 1 << 20, 200),
		})
		result.cases['1MiB_4_clients'] = medians(large)
		result.ratios['1MiB_4_to_loop'] = ratio(large, 'warren', 'loop')
		result.goals = { '4KiB_16_to_redis': '>= 0.5', '4KiB_16_to_sync_each': '> 3', '1MiB_4_to_loop': '>= 0.8' }
	} finally {
		await peers.redis.stop()
		await peers.nginx.stop()
		fs.rmSync(scratch, { recursive: true, force: true })
	}
	return result
}

async function bench_get() {
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-bench-'))
	const machine = await Machine.create({ nodes: 1, storage: 64 })
	const result = { unit: 'blobs a second', cases: {}, ratios: {}, goals: { '1MiB_to_loop': '>= 0.7', '256KiB_to_loop': '>= 0.7' } }
	try {
		for (const [name, size, count] of [['256KiB', 262144, 3000], ['1MiB', 1 << 20, 800]]) {
			const figures = await contest(options.rounds, {
				warren_1: () => figure('bench-clients', 'warren', 'get', machine.ports[1], 1, size, count),
				warren_4: () => figure('bench-clients', 'warren', 'get', machine.ports[1], 4, size, count),
				loop: () => figure('bench-loops', 'get', scratch, size, count),
			})
			result.cases[name] = medians(figures)
			result.ratios[`${name}_to_loop`] = median(figures.loop.map((loop, i) => Math.max(figures.warren_1[i], figures.warren_4[i]) / loop))
		}
	} finally {
		await machine.destroy()
		fs.rmSync(scratch, { recursive: true, force: true })
	}
	return result
}

const slab_kib = () => Number(fs.readFileSync('/proc/meminfo', 'utf8').match(/^Slab:\s+(\d+)/m)[1])

async function bench_memory() {
	const result = { unit: 'KiB, proportional set size', cases: {}, goals: { per_node: '<= 8192' } }
	for (const nodes of [3, 10]) {
		const slab = slab_kib()
		const machine = await Machine.create({ nodes })
		try {
			await machine.ready()
			await sleep(2000)
			const { processes } = machine.status()
			const of = (node) => processes.filter((p) => p.node === node).reduce((sum, p) => sum + p.pss, 0)
			const kinds = {}
			for (const p of processes) (kinds[p.actor] ||= []).push(p.pss)
			result.cases[`${nodes}_nodes`] = {
				per_node: median(Array.from({ length: nodes }, (_, i) => of(i + 1))), machine_wide: of(0), kernel_slab_grew: slab_kib() - slab,
				by_kind: Object.fromEntries(Object.entries(kinds).map(([kind, values]) => [kind, median(values)])),
			}
		} finally { await machine.destroy() }
	}
	return result
}

async function bench_start() {
	const took = []
	const machine = await Machine.create({ nodes: 3, start: false })
	try {
		for (let round = 0; round < options.rounds; round++) {
			const began = process.hrtime.bigint()
			machine.start() // returns when all are ready
			took.push(Number(process.hrtime.bigint() - began) / 1e6)
			machine.warrend('stop')
		}
	} finally { await machine.destroy() }
	return { unit: 'milliseconds until three nodes are ready', median: median(took), all: took.map(Math.round), goals: { median: '<= 1000' } }
}

function print(name, result) {
	console.log(`${name}: ${result.unit}`)
	const show = (value) => typeof value === 'number' ? (value >= 100 ? Math.round(value) : Number(value.toPrecision(3))) : JSON.stringify(value)
	for (const [key, value] of Object.entries(result)) {
		if (['unit', 'goals'].includes(key)) continue
		if (typeof value !== 'object' || Array.isArray(value)) { console.log(`  ${key.padEnd(28)} ${show(value)}`); continue }
		for (const [inner, figure_] of Object.entries(value)) {
			const goal = key === 'ratios' && result.goals[inner] ? `   goal ${result.goals[inner]}` : ''
			const text = typeof figure_ === 'object' ? Object.entries(figure_).map(([k, v]) => `${k} ${show(v)}`).join('  ') : show(figure_)
			console.log(`  ${inner.padEnd(28)} ${text}${goal}`)
		}
	}
}

async function main() {
	const benches = { bus: bench_bus, store: bench_store, get: bench_get, memory: bench_memory, start: bench_start, recover: bench_recover,
		nodes: () => bench_nodes({ counts: options.nodes }), growth: () => bench_growth(options.kinds), profile: () => bench_profile(options.goals),
		large: () => bench_large({ figure, contest, medians, ratio, on_fresh_machine, redis, rounds: options.rounds }) }
	const results = {}
	for (const name of options.names.length ? options.names : BENCHES().filter((one) => !['nodes', 'growth', 'profile'].includes(one))) {
		results[name] = await benches[name]()
		if (!options.json) print(name, results[name])
	}
	if (options.json) console.log(JSON.stringify(results, null, '\t'))
}
main().catch((error) => { console.error(error.message); process.exit(1) })
