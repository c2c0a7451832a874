// Blobs of 256 KiB: a durable put against redis (appendfsync always) and against a bare loop that syncs once for sixteen blobs; a get
// against what SHA-256 and AES-256-GCM alone allow on one processor; both against helia's blockstore-fs, which syncs nothing and checks
// nothing. Medians of ratios within a round.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Machine } = require('../system/machine.js')

const SIZE = 262144, CLIENTS = 8, GROUP = 16

function install() {
	if (fs.existsSync(path.join(__dirname, 'node_modules', '.package-lock.json'))) return
	const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: __dirname, encoding: 'utf8', timeout: 240000 })
	if (npm.status !== 0) throw new Error(`npm ci in tests/bench: ${npm.stdout}${npm.stderr}${npm.error || ''}`)
}

function blockstore(...args) {
	const done = spawnSync(process.execPath, [path.join(__dirname, 'blockstore.js'), ...args.map(String)], { encoding: 'utf8', timeout: 300000 })
	if (done.status !== 0) throw new Error(`blockstore.js ${args.join(' ')}: ${done.stderr || done.signal}`)
	return Number(done.stdout)
}

// The helpers of run.js: figure, contest, medians, ratio, on_fresh_machine, redis, rounds.
async function bench_large({ figure, contest, medians, ratio, on_fresh_machine, redis, rounds }) {
	install()
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-bench-'))
	const [redis_folder, folder] = ['redis', 'loop'].map((name) => { const one = path.join(scratch, name); fs.mkdirSync(one); return one })
	const peer = await redis(redis_folder)
	const result = { unit: 'blobs of 256 KiB a second', cases: {}, ratios: {},
		goals: { put_to_redis: '>= 1.0', put_to_group_of_16: '>= 0.8', get_to_crypto: '>= 0.8', get_to_blockstore_fs: '>= 1' } }
	try {
		const puts = await contest(rounds, {
			warren: () => on_fresh_machine((port) => figure('bench-clients', 'warren', 'put', port, CLIENTS, SIZE, 600)),
			redis: () => figure('bench-clients', 'redis', 'put', peer.port, CLIENTS, SIZE, 600),
			group_of_16: () => figure('bench-loops', 'put', folder, SIZE, 600, GROUP),
			blockstore_fs: () => blockstore('put', folder, CLIENTS, SIZE, 600),
			probe_fdatasync: () => figure('bench-loops', 'sync', folder, 300),
		})
		result.cases.put = medians(puts)
		for (const other of ['redis', 'group_of_16', 'blockstore_fs']) result.ratios[`put_to_${other}`] = ratio(puts, 'warren', other)
	} finally { await peer.stop() }
	const machine = await Machine.create({ nodes: 1, storage: 64 })
	try {
		const gets = await contest(rounds, {
			warren_1: () => figure('bench-clients', 'warren', 'get', machine.ports[1], 1, SIZE, 3000),
			warren_4: () => figure('bench-clients', 'warren', 'get', machine.ports[1], 4, SIZE, 3000),
			crypto: () => figure('bench-loops', 'crypto', SIZE, 3000),
			opening: () => figure('bench-loops', 'open', SIZE, 3000),
			blockstore_fs: () => Math.max(blockstore('get', folder, 1, SIZE, 3000), blockstore('get', folder, 4, SIZE, 3000)),
		})
		gets.warren = gets.warren_1.map((one, i) => Math.max(one, gets.warren_4[i]))
		result.cases.get = medians(gets)
		for (const other of ['crypto', 'opening', 'blockstore_fs']) result.ratios[`get_to_${other}`] = ratio(gets, 'warren', other)
	} finally {
		await machine.destroy()
		fs.rmSync(scratch, { recursive: true, force: true })
	}
	return result
}

module.exports = { bench_large }
