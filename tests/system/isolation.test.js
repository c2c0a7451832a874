// The selftest that an operator can run, run here: no attempt from inside any jail may get through, every attempt from outside
// must. Then with every wall down in turn: what gets through is what SECURITY.md says that one wall alone holds. With WARREN_LONG
// from every kind's place, and every wall left standing alone, too.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const { spawn, spawnSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')
const zlib = require('node:zlib')
const { Machine, BUILD, sleep } = require('./machine.js')

const LONG = Boolean(process.env.WARREN_LONG)
const TOP = path.join(__dirname, '..', '..')
const PROGRAM = path.join(BUILD, 'warren-selftest')
const NOT_SAMPLED = ['broker', 'scribe']

// Rows of attacks.def: {row, symbol, name}, and those with nothing to try.
function table() {
	const text = fs.readFileSync(path.join(TOP, 'actors', 'prober', 'attacks.def'), 'utf8').replace(/\/\*[^]*?\*\//g, '')
	const rows = [...text.matchAll(/^(ATTACK|BUS)\((\d+), (\w+),.*"([^"]*)"\)$/gm)]
		.map(([, form, row, symbol, name]) => ({ form, row: Number(row), symbol, name }))
	const open = [...text.matchAll(/^OPEN\((\d+), "([^"]+)", "([^"]+)"\)$/gm)].map(([, row]) => Number(row))
	return { rows, open }
}

// "| row | attempt | the one wall | from the place of |" in a text, as "attempt: wall: places"; places that a sample leaves out are.
function singles(text, sampled) {
	const rows = []
	for (const [, , attempt, wall, places] of text.matchAll(/^\| (\d+) \| ([^|]+) \| ([a-z]+) \| ([a-z, ]+) \|$/gm)) {
		const left = places.split(', ').filter((place) => !sampled || !NOT_SAMPLED.includes(place))
		if (left.length) rows.push(`${attempt}: ${wall}: ${left.join(', ')}`)
	}
	return rows.sort()
}

const skip = process.getuid() !== 0 && 'needs root: it builds a scratch machine in /var/lib'

test('every row of the matrix has an attempt, or says why not', () => {
	const { rows, open } = table()
	assert.ok(rows.length > 70, `${rows.length} rows were read`)
	for (let row = 1; row <= 25; row++)
		assert.ok(rows.some((r) => r.row === row) || open.includes(row), `row ${row} is not there`)
	assert.strictEqual(new Set(rows.map((r) => r.symbol)).size, rows.length, 'a symbol stands twice')
})

test('a burglar in every jail gets nowhere; root from outside gets everywhere; and each wall holds what is said of it', {
	skip, timeout: LONG ? 1200000 : 280000,
}, (t) => {
	const words = LONG ? ['--matrix', '--alone', '--cells'] : ['--sample', '--cells']
	const done = spawnSync(PROGRAM, words, { encoding: 'utf8', timeout: LONG ? 1100000 : 270000, maxBuffer: 1 << 26 })
	const said = done.stdout.split('\n').filter((line) => !line.startsWith('cell\t')).join('\n')
	console.log(said.trim().replace(/^/gm, '# '))
	assert.strictEqual(done.status, 0, said + done.stderr)
	const { rows } = table()
	for (const kind of ['broker', 'scribe', 'steward', 'store', 'wallet', 'gateway', 'chain', 'herald', 'meter'])
		assert.match(said, new RegExp(`^ok +${kind} +\\d+ attempts on \\d+ processes, 0 got through`, 'm'))
	assert.match(said, /^ok +control: /m)

	const cells = new Map()
	for (const line of done.stdout.split('\n')) {
		const [mark, down, kind, , symbol, outcome] = line.split('\t')
		if (mark === 'cell') cells.set(`${down} ${kind} ${symbol}`, outcome)
	}
	const at = (down, kind, symbol) => cells.get(`${down} ${kind} ${symbol}`)
	const missing = (said.match(/^features: .*missing walls ([a-z ]+);/m) || [])[1] || ''
	const there = (wall) => !missing.split(' ').includes(wall)

	// All of them were tried, and with nothing down each was stopped, by what is named.
	for (const { form, symbol } of rows) {
		if (symbol === 'internet_socket') continue // chain and herald may
		assert.ok(at('-', 'herald', symbol), `${symbol} was not tried`)
		if (form === 'ATTACK' && symbol !== 'eat_memory') assert.notStrictEqual(at('-', 'store', symbol), 'through', symbol)
	}
	assert.strictEqual(at('-', 'store', 'io_ring'), 'killed', 'seccomp kills')
	assert.strictEqual(at('-', 'store', 'leave_in_shared'), 'EROFS', 'its own view is read-only')

	// A wall that is down lets through what it held: the same probes, so a probe that cannot get through would show here.
	if (there('ports')) assert.strictEqual(at('ports', 'herald', 'dial_host'), 'through')
	if (there('seccomp')) assert.strictEqual(at('seccomp', 'wallet', 'executable_pages'), 'through')
	if (there('mounts')) assert.strictEqual(at('mounts', 'gateway', 'host_socket'), 'through')
	if (there('memory')) assert.strictEqual(at('memory', 'wallet', 'eat_memory'), 'through')
	assert.strictEqual(at('uid', 'meter', 'operate'), 'through')
	// And what a second wall holds stays out.
	assert.strictEqual(at('landlock', 'store', 'dial_host'), 'killed')
	assert.notStrictEqual(at('seccomp', 'wallet', 'read_blobs'), 'through')

	const page = fs.readFileSync(path.join(TOP, 'SECURITY.md'), 'utf8')
	const features = (text) => (text.match(/^features: (.*)$/m) || [])[1]
	assert.ok(features(page), 'SECURITY.md says on what it was measured')
	if (features(page) !== features(said)) {
		t.diagnostic(`not compared with SECURITY.md, which was measured with: ${features(page)}`)
		return
	}
	assert.deepStrictEqual(singles(said, !LONG), singles(page, !LONG),
		'SECURITY.md is not what was measured; look at the difference, then paste what warren-selftest --matrix prints')
})

test('beside a machine that works it disturbs nobody; one at a time; and what it does not know, it says', {
	skip, timeout: 240000,
}, async () => {
	const wrong = spawnSync(PROGRAM, ['--nonsense'], { encoding: 'utf8' })
	assert.strictEqual(wrong.status, 1)
	assert.match(wrong.stderr, /^usage: /)
	const machine = await Machine.create({ nodes: 1, storage: 16 })
	try {
		await machine.ready(60000)
		const pids = () => machine.status().processes.map((p) => `${p.actor}@${p.node} ${p.pid}`).sort()
		const before = pids()
		const first = spawn(PROGRAM, [], { stdio: ['ignore', 'pipe', 'inherit'] })
		let code, said = '', served = 0
		first.stdout.on('data', (text) => { said += text })
		first.on('close', (status) => { code = status })
		await machine.until('the first has begun', () => fs.existsSync('/var/lib/warren-selftest/bin'), 60000)
		const second = spawnSync(PROGRAM, [], { encoding: 'utf8' })
		assert.strictEqual(second.status, 1)
		assert.match(second.stderr, /another selftest runs/)
		while (code === undefined) {
			const put = await machine.put(1, Buffer.from(`blob ${served}`))
			assert.strictEqual(put.status, 201, JSON.stringify(put.json))
			assert.strictEqual((await machine.get(1, put.json.cid)).status, 200)
			served++
			await sleep(50)
		}
		console.log(`# beside a machine: ${said.trim().split('\n').pop()}; it served ${served} blobs meanwhile`)
		assert.strictEqual(code, 0, said)
		assert.ok(served > 1, `${served} blobs`)
		assert.deepStrictEqual(pids(), before, 'somebody was restarted')
		assert.deepStrictEqual(JSON.parse(machine.warren('alerts', '--json').out).alerts, [])
	} finally {
		await machine.destroy()
	}
	for (const left of ['/var/lib/warren-selftest', '/run/warren-selftest.sock']) assert.ok(!fs.existsSync(left), left)
})

// What a taken process can leave in its own folder, for root's tools to stumble over.
test('root follows no link that a process left in its own folder', { skip, timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 2, storage: 16 })
	const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-outside-'))
	const booty = path.join(outside, 'booty')
	const below = (...names) => path.join(machine.root, ...names)
	const state = () => {
		const at = fs.lstatSync(booty)
		return [fs.readFileSync(booty, 'utf8'), at.mode, at.uid, at.gid, at.nlink, fs.readdirSync(outside).join()].join(' ')
	}
	const plant = (folder, make) => { // as the owner of the folder would
		const { uid, gid } = fs.statSync(path.dirname(folder))
		make()
		fs.lchownSync(folder, uid, gid)
	}
	try {
		await machine.ready(60000)
		fs.writeFileSync(booty, 'nobody may have this\n', { mode: 0o600 })
		const before = state()
		const links = [
			[below('node2', 'storage', 'more'), outside], [below('node2', 'storage', 'file'), booty],
			[below('node2', 'keys', 'more'), outside], [below('logs', 'node2', 'gateway.log.1'), booty],
		]
		for (const [link, target] of links) plant(link, () => fs.symlinkSync(target, link))
		const said = [
			machine.warrenFails('logs', 'gateway@2', '-n', '1000'), machine.warrenFails('verify'),
			machine.warrenFails('status', '-v'), machine.warrenFails('bundle', path.join(machine.root, 'bundle.tar')),
		]
		const bundle = zlib.gunzipSync(fs.readFileSync(path.join(machine.root, 'bundle.tar')))
		assert.ok(bundle.includes('gateway'), 'the bundle has something in it')
		for (const { out, err } of said) assert.ok(!`${out}${err}`.includes('nobody may have'), out + err)
		assert.ok(!bundle.includes('nobody may have'), 'in the bundle')
		machine.warren('remove', '2', '--yes', '--stop')
		assert.strictEqual(state(), before, 'root went through a link')
		assert.ok(!fs.existsSync(below('node2')), 'it is gone all the same')
	} finally {
		await machine.destroy()
		fs.rmSync(outside, { recursive: true, force: true })
	}
})
