// Scan and quarantine on a whole machine: what rots on the disk is found by one scan, all of it and nothing else, is not served, is
// named and is an alert, while everything else is served; storing the same bytes again heals it. And an index that is lost comes
// back with the same listing.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { Machine } = require('./machine.js')
const { onTerminal } = require('./terminal.js')

const BLOBS = 1000, UNIT = 1024, HEADER = 256, CHUNK = 65536, TAG = 16
const HEADER_RUNS_AT = 160 // actors/store/header.c: run[] begins here, the HMAC is the last 32 bytes

const sizeOf = (i) => i % 100 === 7 ? 2 * CHUNK + 500 : 200 + (i * 37) % 5000 // some have three chunks

async function each(list, places, body) {
	const rest = [...list]
	await Promise.all(Array.from({ length: places }, async () => { for (let next; (next = rest.shift()) !== undefined;) await body(next) }))
}

// Where the header of each blob begins in the arena: its CID stands in it, 80 bytes in.
function headers(arena, blobs) {
	const at = new Map(), wanted = new Map(blobs.map((blob) => [blob.hash.toString('hex'), blob]))
	for (let unit = 0; unit + HEADER <= arena.length; unit += UNIT) {
		const blob = wanted.get(arena.subarray(unit + 80, unit + 112).toString('hex'))
		if (blob) at.set(blob.cid, unit)
	}
	return at
}

function list(machine) {
	const cids = []
	for (let after = []; ;) {
		const { blobs } = JSON.parse(machine.warren('call', 'store@1', 'store_list', 'most=1000', ...after, '--json').out)
		cids.push(...blobs.map((row) => `${row.cid} ${row.size}`))
		if (blobs.length < 1000) return cids
		after = [`after=${blobs.at(-1).cid}`]
	}
}

const alerts = (machine) => JSON.parse(machine.warren('alerts', '--json').out).alerts.filter((row) => row.active && row.code === 'store-corrupt')

test('ten flipped bits in a thousand blobs: all found by one scan, none else; named, not served, an alert; healed by storing again', { timeout: 240000 }, async () => {
	const machine = await Machine.create({ nodes: 1, storage: 64 })
	try {
		await machine.ready()
		const blobs = []
		await each(Array.from({ length: BLOBS }, (_, i) => i), 16, async (i) => {
			const bytes = crypto.randomBytes(sizeOf(i))
			const { status, json } = await machine.put(1, bytes)
			assert.strictEqual(status, 201)
			blobs[i] = { bytes, cid: json.cid, hash: crypto.createHash('sha256').update(bytes).digest() }
		})
		const clean = JSON.parse(machine.warren('scan', '1', '--wait', '--json').out)
		assert.strictEqual(clean.ok, true)
		assert.strictEqual(clean.nodes[0].done, BLOBS, 'a scan looks at every blob')
		assert.strictEqual(clean.nodes[0].corrupt, 0)

		// The process lives meanwhile: a disk rots under it, not between two births.
		const file = path.join(machine.root, 'node1', 'storage', 'arena')
		const arena = fs.readFileSync(file), at = headers(arena, blobs)
		assert.strictEqual(at.size, BLOBS)
		const big = (n) => n * 100 + 7
		const flips = [ // which blob, which byte of it
			[3, 0, 'magic'], [111, 40, 'id'], [222, 66, 'size'], [333, 90, 'CID'], [444, HEADER_RUNS_AT + 2, 'run list'],
			[555, HEADER - 1, 'HMAC'], [666, HEADER, 'first byte'], [big(7), HEADER + CHUNK + 3, 'tag of the first chunk'],
			[big(8), HEADER + 2 * (CHUNK + TAG) + 100, 'last chunk'], [999, HEADER + sizeOf(999) + TAG - 1, 'last byte of all'],
		]
		const fd = fs.openSync(file, 'r+')
		for (const [i, byte] of flips) {
			const where = at.get(blobs[i].cid) + byte
			fs.writeSync(fd, Buffer.from([arena[where] ^ (1 << (byte % 8))]), 0, 1, where)
		}
		fs.closeSync(fd)

		// While it scans the others are read, and blobs are stored.
		const bad = new Set(flips.map(([i]) => blobs[i].cid))
		const scan = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'scan', '1', '--wait', '--corrupt', '--json'])
		let out = ''
		scan.stdout.on('data', (part) => { out += part })
		const ended = new Promise((resolve) => scan.on('close', resolve))
		await each(blobs.filter((blob) => !bad.has(blob.cid)), 4, async (blob) => {
			const answer = await machine.get(1, blob.cid)
			assert.strictEqual(answer.status, 200)
			assert.ok(answer.body.equals(blob.bytes))
		})
		const meanwhile = await machine.put(1, crypto.randomBytes(100))
		assert.strictEqual(meanwhile.status, 201)
		assert.strictEqual(await ended, 1, `${out}: something is corrupt`)
		const { ok, nodes: [found] } = JSON.parse(out)
		assert.strictEqual(ok, false)
		assert.deepStrictEqual([...found.names].sort(), [...bad].sort(), 'all ten, and none else')
		assert.strictEqual(found.found, 10)
		assert.strictEqual(found.corrupt, 10)
		assert.ok(found.finished_ms >= found.since_ms)

		for (const cid of bad) {
			const answer = await machine.get(1, cid)
			assert.strictEqual(answer.status, 500)
			assert.strictEqual(JSON.parse(answer.body).error, 'CORRUPT')
		}
		await machine.until('an alert stands that counts all ten', () => /^10 of 1001 blobs$/.test(alerts(machine)[0].detail), 30000)
		const named = machine.warrenFails('scan', '1', '--corrupt')
		assert.strictEqual(named.code, 1)
		for (const cid of bad) assert.ok(named.out.includes(cid))
		assert.strictEqual(JSON.parse(machine.warrenFails('call', 'store@1', 'store_stat', '--json').out).corrupt, 10)

		// Healed by whoever still has the bytes.
		for (const [i] of flips) assert.strictEqual((await machine.put(1, blobs[i].bytes)).status, 201)
		await machine.until('the alert is over', () => alerts(machine).length === 0)
		for (const [i] of flips) assert.ok((await machine.get(1, blobs[i].cid)).body.equals(blobs[i].bytes))
		const healed = machine.warren('scan', 'all', '--wait', '--corrupt')
		assert.match(healed.out, /node 1: 1.001 blobs looked at, 0 corrupt/)
		assert.ok(!/[\r\x1b[]/.test(healed.out + healed.err), 'no bar in a pipe')
	} finally { await machine.destroy() }
})

test('an index that was lost is made again from the arena: the same listing, row for row', { timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 1, storage: 32 })
	try {
		await machine.ready()
		const cids = []
		await each(Array.from({ length: 300 }, (_, i) => i), 8, async (i) => { cids.push((await machine.put(1, crypto.randomBytes(100 + i * 50))).json.cid) })
		for (const cid of cids.slice(0, 40)) machine.warren('call', 'store@1', 'store_delete', `cid=${cid}`)
		const before = list(machine), stat = JSON.parse(machine.warren('call', 'store@1', 'store_stat', '--json').out)
		assert.strictEqual(before.length, 260)
		machine.warrend('stop')
		const folder = path.join(machine.root, 'node1', 'storage')
		for (const name of fs.readdirSync(folder)) if (name.startsWith('index.db')) fs.unlinkSync(path.join(folder, name))
		machine.start()
		await machine.ready(30000)
		assert.match(machine.log('store@1'), /index=rebuilt/)
		assert.deepStrictEqual(list(machine), before)
		const after = JSON.parse(machine.warren('call', 'store@1', 'store_stat', '--json').out)
		for (const key of ['blobs', 'bytes', 'used', 'corrupt']) assert.strictEqual(after[key], stat[key], key)
		assert.strictEqual((await machine.get(1, cids[0])).status, 404, 'what was deleted stays so')
	} finally { await machine.destroy() }
})

test('scan: what makes no sense is told so; a node that does not run is not called sound; a bar on a terminal', { timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 2, storage: 16 })
	try {
		await machine.ready()
		await machine.put(1, Buffer.from('one'))
		for (const [words, code, why] of [
			[['scan'], 2, /NODE/], [['scan', '9'], 2, /no node 9/], [['scan', 'x'], 2, /no actor/], [['scan', 'store@1'], 2, /as a whole/],
		]) {
			const done = machine.warrenFails(...words)
			assert.strictEqual(done.code, code, words.join(' '))
			assert.match(done.err, why)
		}
		const begun = machine.warren('scan', '1')
		assert.match(begun.out, /node 1: /)
		assert.match(machine.warren('scan', '2', '--wait').out, /node 2: 0 blobs looked at, 0 corrupt/)
		machine.warren('stop', 'store@2')
		const half = machine.warrenFails('scan', 'all', '--wait', '--json')
		assert.strictEqual(half.code, 5, half.out)
		const { ok, nodes } = JSON.parse(half.out)
		assert.strictEqual(ok, false)
		assert.strictEqual(nodes[0].done, 1)
		assert.strictEqual(nodes[1].done, null, 'nothing is known')
		assert.ok(nodes[1].error)
		const { code, seen } = await onTerminal(`${path.join(machine.root, 'bin', 'warren')} --root ${machine.root} scan 1 --wait`, [])
		assert.strictEqual(code, 0)
		assert.match(seen, /\[#{30}\] 1 of 1 blobs, 0 corrupt/)
	} finally { await machine.destroy() }
})
