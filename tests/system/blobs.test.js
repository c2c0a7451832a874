// What a node keeps: pins, the trash, the collector, lists of thousands; as an operator sees it, through kills.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { Machine } = require('./machine.js')

const put = async (machine, node, size) => {
	const bytes = crypto.randomBytes(size), answer = await machine.put(node, bytes)
	assert.strictEqual(answer.status, 201, String(answer.body))
	return { cid: answer.json.cid, bytes }
}
// A connection of its own: one that idles is closed while these tests wait.
const get = (machine, cid) => machine.request(1, 'GET', `/retrieve/${cid}`, { from: '127.0.0.1' })
const json = (machine, ...words) => JSON.parse(machine.warren(...words, '--json').out)
const row = (machine, node, cid) => json(machine, 'blobs', String(node), '--most', '100000').blobs.find((blob) => blob.cid === cid)
const remove = (machine, node, cid) => machine.warrenFails('delete', String(node), cid)
const used = (machine, node) => json(machine, 'call', `store@${node}`, 'store_stat').used

async function reborn(machine, who) {
	const pid = machine.kill(who)
	await machine.until(`${who} is back`, () => { const p = machine.process(who); return p.state === 'ready' && p.pid !== pid })
	await machine.until('its gateway serves', async () => (await machine.request(1, 'GET', '/health', { from: '127.0.0.1' })).status === 200)
}

// Of node 1; an opened store has its settings.
async function set(machine, lines) {
	const conf = path.join(machine.root, 'etc', 'node1.conf'), name = lines.split(' ')[0]
	const kept = fs.readFileSync(conf, 'utf8').split('\n').filter((line) => !line.startsWith(`${name} `)) // each may stand once
	fs.writeFileSync(conf, kept.join('\n') + lines + '\n')
	machine.warren('reload')
	machine.warren('restart', 'store@1')
	await machine.ready()
	await machine.until('its gateway serves', async () => (await machine.request(1, 'GET', '/health', { from: '127.0.0.1' })).status === 200)
}

test('pins, and a trash that outlives kill -9', { timeout: 240000 }, async (t) => {
	const machine = await Machine.create({ nodes: 1, storage: 16 })
	t.after(() => machine.destroy())
	await machine.ready()
	const [pinned, plain, other] = [await put(machine, 1, 5000), await put(machine, 1, 70000), await put(machine, 1, 900)]

	assert.deepStrictEqual(json(machine, 'pin', '1', pinned.cid), { ok: true, node: 1, cid: pinned.cid, pinned: true })
	await reborn(machine, 'store@1')
	assert.strictEqual(row(machine, 1, pinned.cid).pinned, true)
	const refused = remove(machine, 1, pinned.cid)
	assert.strictEqual(refused.code, 1)
	assert.match(refused.err, /pinned; unpin it first/)
	assert.strictEqual((await get(machine, pinned.cid)).status, 200)
	assert.deepStrictEqual(json(machine, 'blobs', '1', '--pinned').blobs.map((b) => b.cid), [pinned.cid])

	// Without trash_hours a delete is at once, as ever.
	assert.strictEqual(remove(machine, 1, other.cid).code, 0)
	assert.strictEqual(row(machine, 1, other.cid), undefined)

	await set(machine, 'trash_hours = 24;')
	const before = used(machine, 1)
	assert.strictEqual(remove(machine, 1, plain.cid).code, 0)
	await reborn(machine, 'store@1')
	assert.strictEqual((await get(machine, plain.cid)).status, 404)
	assert.strictEqual((await machine.request(1, 'HEAD', `/retrieve/${plain.cid}`, { from: '127.0.0.1' })).status, 404)
	assert.strictEqual(used(machine, 1), before, 'the trash counts in the quota')
	assert.ok(Math.abs(row(machine, 1, plain.cid).trashed - Date.now() / 1000) < 600)
	assert.deepStrictEqual(json(machine, 'blobs', '1', '--trash').blobs.map((b) => b.cid), [plain.cid])
	assert.match(machine.warren('blobs', '1').out, new RegExp(`${plain.cid}.*in the trash for`))
	assert.deepStrictEqual(json(machine, 'undelete', '1', plain.cid), { ok: true, node: 1, cid: plain.cid, deleted: false })
	await reborn(machine, 'store@1')
	assert.ok((await get(machine, plain.cid)).body.equals(plain.bytes))

	// A put of the same bytes takes it out, and says that they were there.
	remove(machine, 1, plain.cid)
	const again = await machine.put(1, plain.bytes)
	assert.strictEqual(again.status, 200)
	await reborn(machine, 'store@1')
	assert.ok((await get(machine, plain.cid)).body.equals(plain.bytes))

	remove(machine, 1, plain.cid)
	assert.match(machine.warren('purge', '1', plain.cid).out, /gone from the trash, for good/)
	await reborn(machine, 'store@1')
	assert.match(machine.warrenFails('undelete', '1', plain.cid).err, /no such thing here/)
	assert.strictEqual((await get(machine, plain.cid)).status, 404)
	assert.ok(used(machine, 1) < before)

	// trash_hours back to 0 empties it.
	machine.warren('unpin', '1', pinned.cid)
	remove(machine, 1, pinned.cid)
	assert.ok(row(machine, 1, pinned.cid).trashed)
	await set(machine, 'trash_hours = 0;')
	await machine.until('the trash is empty', () => !row(machine, 1, pinned.cid), 60000)
})

test('the collector: a dry run touches nothing, a pass takes the oldest and no pin, and says so', { timeout: 240000 }, async (t) => {
	const machine = await Machine.create({ nodes: 1, storage: 16 })
	t.after(() => machine.destroy())
	await machine.ready()
	const blobs = []
	for (let i = 0; i < 14; i++) blobs.push(await put(machine, 1, 1 << 20))
	machine.warren('pin', '1', blobs[0].cid)
	assert.match(machine.warren('gc', '1').out, /gc is off: nothing is collected\n14 blobs, 1 of them pinned; 0 were deleted/)

	// 16 MiB, of which a fifth is to be free: 3.2. The store is turned on when everything is there; its own first pass comes later.
	const free = () => { const s = json(machine, 'call', 'store@1', 'store_stat'); return s.quota - s.used }
	fs.appendFileSync(path.join(machine.root, 'etc', 'node1.conf'), 'gc = "size";\n')
	machine.warren('reload')
	machine.warren('restart', 'store@1')
	await machine.ready()
	const plan = json(machine, 'gc', '1', '--dry-run')
	assert.deepStrictEqual([plan.dryRun, plan.mode, plan.pinned, plan.collected], [true, 'size', 1, 0])
	assert.strictEqual(plan.floor, Math.floor(16 * 1048576 / 5))
	const first = plan.looked === 14 // on a machine so busy that its own pass, ten seconds after its birth, came before us, it chose already
	if (!first) t.diagnostic('its own pass was first: what the plan would choose was not compared')
	const chosen = first ? plan.chosen.map((blob) => blob.cid) : blobs.map((blob) => blob.cid).filter((cid) => !row(machine, 1, cid))
	assert.ok(chosen.length >= 1 && chosen.length <= 3, `${chosen.length} chosen`)
	assert.ok(!chosen.includes(blobs[0].cid))
	if (first) {
		const needed = plan.chosen.slice(0, -1).reduce((sum, blob) => sum + blob.charge, plan.free)
		assert.ok(needed < plan.floor, 'one less would not do')
	}

	const done = json(machine, 'gc', '1')
	// Its own pass, ten seconds after its birth, may have been first: then this one finds nothing left.
	if (done.collected) assert.deepStrictEqual(done.chosen.map((blob) => blob.cid), chosen)
	await machine.until('the floor is reached', () => free() >= plan.floor, 30000)
	await reborn(machine, 'store@1')
	for (const { cid } of blobs) assert.strictEqual((await get(machine, cid)).status, chosen.includes(cid) ? 404 : 200)
	assert.strictEqual(json(machine, 'gc', '1', '--dry-run').chosen.length, 0)
	for (const cid of chosen) assert.match(machine.log('store@1'), new RegExp(`store\\.collected cid=${cid}`))

	// By itself: nobody asks, and the oldest make room again.
	const second = Math.floor(Date.now() / 1000) // ages are whole seconds; of the same age, the CID decides
	await machine.until('these are younger', () => Math.floor(Date.now() / 1000) > second, 5000)
	const filler = await put(machine, 1, 1 << 20), more = await put(machine, 1, 1 << 20)
	await reborn(machine, 'store@1')
	await machine.until('it collects by itself', () => free() >= plan.floor, 60000)
	for (const { cid } of [filler, more, blobs[0]]) assert.strictEqual((await get(machine, cid)).status, 200)
	const gone = blobs.find(({ cid }) => !row(machine, 1, cid) && !chosen.includes(cid))
	const why = JSON.parse(machine.warren('why', gone.cid, '--json').out)
	assert.ok(why.reasons.some((reason) => reason.name === 'store-collected' || reason.reason === 'store-collected'), JSON.stringify(why))

	// A lost index takes the pins with it: nothing more is collected until an operator says so.
	machine.warren('stop', 'store@1')
	for (const name of ['index.db', 'index.db-wal', 'index.db-shm'])
		fs.rmSync(path.join(machine.root, 'node1', 'storage', name), { force: true })
	machine.warren('start', 'store@1')
	await machine.ready()
	assert.strictEqual(row(machine, 1, blobs[0].cid).pinned, false)
	const held = machine.warrenFails('gc', '1')
	assert.strictEqual(held.code, 1)
	assert.match(held.err, /rebuilt, which loses pins/)
	assert.strictEqual(json(machine, 'gc', '1', '--dry-run').held, true)
	machine.warren('pin', '1', blobs[0].cid)
	assert.strictEqual(json(machine, 'gc', '1', '--release').held, false)
	assert.strictEqual(machine.warrenFails('gc', '1').code, 0)
})

test('2,500 blobs, a page at a time, each once', { timeout: 240000 }, async (t) => {
	const machine = await Machine.create({ nodes: 1, storage: 16, conf: 'rate_limits = "off";' })
	t.after(() => machine.destroy())
	await machine.ready()
	const cids = new Set()
	for (let i = 0; i < 2500; i += 50)
		for (const blob of await Promise.all(Array.from({ length: 50 }, () => put(machine, 1, 16 + crypto.randomInt(700))))) cids.add(blob.cid)
	assert.strictEqual(cids.size, 2500)
	const seen = []
	let after = []
	for (;;) {
		const page = json(machine, 'blobs', '1', '--most', '700', ...after)
		seen.push(...page.blobs.map((blob) => blob.cid))
		if (!page.next) break
		assert.strictEqual(page.blobs.length, 700)
		assert.strictEqual(page.next, seen.at(-1))
		after = ['--after', page.next]
	}
	assert.deepStrictEqual([seen.length, new Set(seen).size], [2500, 2500])
	assert.ok(seen.every((cid) => cids.has(cid)))
	assert.strictEqual(json(machine, 'blobs', '1', '--most', '100000').blobs.length, 2500)
	const text = machine.warren('blobs', '1').out.trimEnd().split('\n')
	assert.strictEqual(text.length, 101)
	assert.match(text[100], /there are more: --after bafkrei/)
	for (const cid of seen.slice(2400, 2403)) machine.warren('pin', '1', cid)
	assert.deepStrictEqual(json(machine, 'blobs', '1', '--pinned').blobs.map((blob) => blob.cid), seen.slice(2400, 2403))
})

test('what makes no sense is told in a sentence', { timeout: 120000 }, async (t) => {
	const machine = await Machine.create({ nodes: 1 })
	t.after(() => machine.destroy())
	await machine.ready()
	const none = 'bafkrei' + 'a'.repeat(52)
	for (const [words, code, sentence] of [
		[['pin', '1', 'bafkrei-no'], 2, /not a CID/],
		[['pin', '0', none], 2, /there is no node "0"/],
		[['pin', '1'], 2, /./],
		[['unpin', '1', none], 1, /no such thing here/],
		[['blobs', '1', '--pinned', '--trash'], 2, /nothing in the trash is pinned/],
		[['blobs', '1', '--after', 'x'], 2, /not a CID/],
		[['blobs', '1', '--most', '0'], 2, /most/],
		[['gc', 'x'], 2, /there is no node "x"/],
		[['gc', '1', '--dry-run', '--release'], 2, /not with --release/],
		[['call', 'store@1', 'store_blobs', 'most=5', 'which=some'], 1, /out of its bounds/],
		[['undelete', '1', none], 1, /no such thing here/],
		[['purge', '1', none], 1, /no such thing here/],
		[['delete', '1', 'bafkreiwrong'], 2, /not a CID/],
	]) {
		const done = machine.warrenFails(...words)
		assert.strictEqual(done.code, code, `${words.join(' ')}: ${done.out}${done.err}`)
		assert.match(done.err, sentence, words.join(' '))
	}
	fs.appendFileSync(path.join(machine.root, 'etc', 'node1.conf'), 'gc = "always";\n')
	const reload = machine.warrenFails('reload')
	assert.notStrictEqual(reload.code, 0)
	assert.match(reload.err + reload.out, /gc is "always"; it is off, size, time or hybrid/)
})
