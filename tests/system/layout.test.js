// Blobs as files, in the layout of seed 003: out of one node and into another with the same listing and the same files again; hostile
// folders refused, each with its sentence and with nothing stored; killed at any moment, no half blob is seen, and the same again
// goes on where it stopped.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

const BLOBS = 60
let machine, scratch
const kept = new Map() // of node 1: CID to bytes
test.before(async () => {
	scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-layout-'))
	machine = await Machine.create({ nodes: 3, storage: 32 })
	await machine.ready()
	for (let i = 0; i < BLOBS; i++) {
		const bytes = crypto.randomBytes(i === 0 ? 0 : i === 1 ? 3 << 20 : 100 + i * 997)
		const { status, json } = await machine.put(1, bytes)
		assert.strictEqual(status, 201)
		kept.set(json.cid, bytes)
	}
})
test.after(async () => {
	await machine.destroy()
	fs.rmSync(scratch, { recursive: true, force: true })
})

const listing = (node) => JSON.parse(machine.warren('call', `store@${node}`, 'store_list', 'most=1000', '--json').out).blobs
const blobsOf = (node) => listing(node).length
const program = () => path.join(machine.root, 'bin', 'warren-layout')
const url = (node) => `http://127.0.0.1:${machine.ports[node]}`

// Every file below a folder: its path, its mode and its bytes.
function tree(folder) {
	const all = []
	const walk = (at) => {
		for (const name of fs.readdirSync(path.join(folder, at)).sort()) {
			const below = path.join(at, name), stat = fs.lstatSync(path.join(folder, below))
			if (stat.isDirectory()) { all.push([below, stat.mode & 0o777]); walk(below) }
			else all.push([below, stat.mode & 0o777, fs.readFileSync(path.join(folder, below)).toString('base64')])
		}
	}
	walk('')
	return all
}

test('out of one node and into another: the layout and its modes, the same listing, and the same files again', async () => {
	const first = path.join(scratch, 'first'), second = path.join(scratch, 'second')
	const out = JSON.parse(machine.warren('export-blobs', '1', first, '--json').out)
	assert.deepStrictEqual([out.ok, out.exported, out.already, out.refused], [true, BLOBS, 0, 0])
	assert.strictEqual(out.bytes, [...kept.values()].reduce((sum, bytes) => sum + bytes.length, 0))
	for (const [cid, bytes] of kept) {
		assert.ok(fs.readFileSync(path.join(first, 'blobs', cid, 'data')).equals(bytes))
		const meta = JSON.parse(fs.readFileSync(path.join(first, 'blobs', cid, 'meta.json'), 'utf8'))
		assert.deepStrictEqual(meta, { cid, size: bytes.length, mimeType: 'application/octet-stream', version: 2, compressed: false })
	}
	for (const [name, mode, bytes] of [['.', fs.statSync(first).mode & 0o777], ...tree(first)]) assert.strictEqual(mode, bytes === undefined ? 0o700 : 0o600, name)
	const info = JSON.parse((await machine.request(1, 'GET', '/info')).body)
	assert.strictEqual(fs.readFileSync(path.join(first, 'keys', 'public.key'), 'utf8'), `${info.publicKey.slice(2)}\n`)
	const peer = JSON.parse(fs.readFileSync(path.join(first, 'p2p', 'peer-id.json'), 'utf8'))
	assert.strictEqual(peer.id, info.peerId)
	assert.strictEqual(Buffer.from(peer.pubKey, 'base64').toString('hex'), '08011220' + info.publicKey.slice(2))
	assert.deepStrictEqual(fs.readdirSync(path.join(first, 'keys')), ['public.key'], 'what signs stays in the wallet')

	const into = machine.warren('import-blobs', '2', first)
	assert.match(into.out, new RegExp(`^imported ${BLOBS} \\(\\d+ bytes\\), already there 0, refused 0\n$`))
	assert.deepStrictEqual(listing(2), listing(1))
	machine.warren('export-blobs', '2', second)
	assert.deepStrictEqual(tree(path.join(second, 'blobs')), tree(path.join(first, 'blobs')))

	for (const [verb, node, at, words] of [['export-blobs', '1', first, 'exported'], ['import-blobs', '2', first, 'imported']]) {
		const before = tree(first)
		assert.match(machine.warren(verb, node, at).out, new RegExp(`^${words} 0 \\(0 bytes\\), already there ${BLOBS}, refused 0\n$`))
		assert.deepStrictEqual(tree(first), before)
	}
})

// One blob as ByteCave core would have left it: the CID as 64 hex digits, and more in meta.json than we read.
function lay(folder, bytes, { name, meta = {}, data = bytes } = {}) {
	const hex = crypto.createHash('sha256').update(bytes).digest('hex')
	const at = path.join(folder, 'blobs', name ?? hex)
	fs.mkdirSync(at, { recursive: true })
	if (data !== null) fs.writeFileSync(path.join(at, 'data'), data)
	const whole = { cid: hex, size: bytes.length, mimeType: 'image/png', createdAt: 1700000000000, version: 2, compressed: false, metrics: { retrievalCount: 3 }, ...meta }
	if (meta !== null) fs.writeFileSync(path.join(at, 'meta.json'), typeof meta === 'string' ? meta : JSON.stringify(whole))
	return { at, hex }
}

test('what a node of the seed left is taken: names in hex, and more in meta.json than is read', async () => {
	const folder = path.join(scratch, 'seed'), bytes = crypto.randomBytes(5000)
	const { hex } = lay(folder, bytes)
	fs.mkdirSync(path.join(folder, 'keys'))
	fs.writeFileSync(path.join(folder, 'keys', 'private.key'), 'is not looked at')
	assert.match(machine.warren('import-blobs', '3', folder).out, /^imported 1 /)
	assert.ok((await machine.get(3, hex)).body.equals(bytes))
})

test('hostile layouts: each is refused with its sentence, nothing of it is stored, and what is beside it is', { timeout: 120000 }, async () => {
	const folder = path.join(scratch, 'hostile'), elsewhere = path.join(scratch, 'elsewhere')
	const make = (text) => Buffer.from(`a blob that is ${text}`)
	const good = lay(folder, make('good'))
	const outside = lay(elsewhere, make('outside'))
	const sentences = new Map()
	const expect = ({ at, hex }, why) => { sentences.set(path.basename(at ?? hex), why) }

	expect(lay(folder, make('another'), { data: make('not it') }), /not the bytes of that name/)
	const linked = lay(folder, make('a link'), { data: null })
	fs.symlinkSync(path.join(elsewhere, 'blobs', outside.hex, 'data'), path.join(linked.at, 'data'))
	expect(linked, /data is a symbolic link/)
	const metaLink = lay(folder, make('a linked meta'))
	fs.renameSync(path.join(metaLink.at, 'meta.json'), path.join(elsewhere, 'meta'))
	fs.symlinkSync(path.join(elsewhere, 'meta'), path.join(metaLink.at, 'meta.json'))
	expect(metaLink, /meta\.json is a symbolic link/)
	fs.symlinkSync(path.join(elsewhere, 'blobs', outside.hex), path.join(folder, 'blobs', outside.hex))
	expect(outside, /no folder \(a link to one counts as none\)/)
	const pipe = lay(folder, make('a pipe'), { data: null })
	spawnSync('mkfifo', [path.join(pipe.at, 'data')])
	expect(pipe, /data is a pipe, a socket or a device/)
	const dir = lay(folder, make('a folder'), { data: null })
	fs.mkdirSync(path.join(dir.at, 'data'))
	expect(dir, /data is a folder/)
	expect(lay(folder, make('missing'), { data: null }), /it has no data/)
	const without = lay(folder, make('without meta'))
	fs.unlinkSync(path.join(without.at, 'meta.json'))
	expect(without, /it has no meta\.json/)
	expect(lay(folder, make('misnamed'), { name: 'bafkrei..' }), /its name is no CID/)
	expect(lay(folder, make('loud'), { name: '\x1b[31m' }), /its name is no CID/)
	sentences.set('?[31m', sentences.get('\x1b[31m'))
	sentences.delete('\x1b[31m')
	const size = make('mismatched')
	expect(lay(folder, size, { meta: { size: size.length + 1 } }), /tells another size/)
	expect(lay(folder, make('about another'), { meta: { cid: good.hex } }), /about another blob/)
	expect(lay(folder, make('packed'), { meta: { compressed: true } }), /compressed/)
	expect(lay(folder, make('malformed'), { meta: '{"cid": ' }), /no JSON: line 1/)
	expect(lay(folder, make('twice'), { meta: '{"cid": "a", "cid": "b"}' }), /no JSON/)
	expect(lay(folder, make('a list'), { meta: '[]' }), /no JSON object/)
	expect(lay(folder, make('of no size'), { meta: { size: '12' } }), /"size" of meta\.json/)
	expect(lay(folder, make('below nothing'), { meta: { size: -1 } }), /"size" of meta\.json/)
	expect(lay(folder, make('deep'), { meta: '['.repeat(60000) }), /no JSON/)
	expect(lay(folder, make('huge in meta'), { meta: { filler: 'x'.repeat(70000) } }), /meta\.json has \d+ bytes; at most 65536/)
	const sparse = lay(folder, make('sparse'))
	fs.truncateSync(path.join(sparse.at, 'data'), 2 ** 40)
	expect(sparse, /data has 1099511627776 bytes; at most/)
	const large = Buffer.alloc((10 << 20) + 1, 7) // more than this node takes, and honest
	expect(lay(folder, large), /at most 10485760 bytes \(max_blob_mb\)/)
	fs.writeFileSync(path.join(folder, 'blobs', 'f'.repeat(64)), 'a file where a folder should be')
	sentences.set('f'.repeat(64), /no folder/)

	const before = blobsOf(3)
	const done = machine.run('warren', ['import-blobs', '3', folder, '--json'], { fails: true })
	assert.strictEqual(done.code, 1, done.out)
	const told = JSON.parse(done.out)
	assert.strictEqual(told.ok, false)
	assert.strictEqual(told.imported, 1)
	const refused = new Map(told.refusals.map(({ name, why }) => [name, why]))
	for (const [name, why] of sentences) assert.match(refused.get(name) ?? `${name} was not refused`, why)
	assert.strictEqual(refused.size, sentences.size)
	assert.strictEqual(told.refused, sentences.size)
	assert.strictEqual(blobsOf(3), before + 1, 'nothing of them is stored')
	assert.strictEqual((await machine.get(3, good.hex)).status, 200)
	const text = machine.warrenFails('import-blobs', '3', folder)
	assert.strictEqual(text.code, 1)
	assert.match(text.out, new RegExp(`^imported 0 \\(0 bytes\\), already there 1, refused ${sentences.size}\n$`))
	assert.ok(!text.err.includes('\x1b'), 'a name does not steer the terminal')
	assert.ok(text.err.split('\n').length > sentences.size)
})

test('what nobody may read is refused; without rights, too', { skip: process.getuid() !== 0 && 'needs root: it makes files of another' }, () => {
	const folder = path.join(scratch, 'unreadable')
	const { hex, at } = lay(folder, Buffer.from('a blob that nobody may read'))
	fs.chmodSync(path.join(at, 'data'), 0)
	fs.chmodSync(scratch, 0o755)
	const done = spawnSync('setpriv', ['--reuid', '65534', '--clear-groups', program(), '--json', 'import', url(3), folder], { encoding: 'utf8' })
	assert.strictEqual(done.status, 1, done.stderr)
	assert.deepStrictEqual(JSON.parse(done.stdout).refusals, [{ name: hex, why: 'data cannot be read: Permission denied' }])
})

// A node that stands in for ours: it answers as told, and counts.
async function standIn(answer, body) {
	const server = http.createServer(answer)
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
	try { return await body(`http://127.0.0.1:${server.address().port}`) } finally { server.closeAllConnections(); server.close() }
}
function layout(args, input = '') {
	return new Promise((resolve) => {
		const child = spawn(program(), args)
		let out = '', err = ''
		child.stdout.on('data', (part) => { out += part })
		child.stderr.on('data', (part) => { err += part })
		child.on('close', (code) => resolve({ code, out, err }))
		child.stdin.on('error', () => {})
		child.stdin.end(input)
	})
}

test('a file that changes while it is read is refused', { timeout: 120000 }, async () => {
	const folder = path.join(scratch, 'changing')
	// A large one: while it is read, something is written to it again and again. Each try may be too late or too early.
	const bytes = Buffer.alloc(256 << 20, 1)
	const { at, hex } = lay(folder, bytes)
	let why = ''
	await machine.until('it was caught in the act', async () => {
		fs.writeFileSync(path.join(at, 'data'), bytes)
		const running = layout(['--json', 'import', url(3), folder])
		const fd = fs.openSync(path.join(at, 'data'), 'r+')
		let over = false
		running.then(() => { over = true })
		while (!over) { fs.writeSync(fd, Buffer.from([1]), 0, 1, 100); await new Promise(setImmediate) }
		fs.closeSync(fd)
		const told = JSON.parse((await running).out)
		assert.strictEqual(told.imported, 0)
		why = told.refusals.find((row) => row.name === hex).why
		return /changed while it was read/.test(why)
	}, 60000)
	fs.rmSync(folder, { recursive: true })
})

test('a node that lies is not believed, one that is silent ends it, one that says later is asked again', { timeout: 120000 }, async () => {
	const folder = path.join(scratch, 'lied'), [cid, bytes] = [...kept][5]
	const info = (await machine.request(1, 'GET', '/info')).body
	const face = (get) => (request, response) => {
		if (request.url === '/info') return response.end(info)
		request.resume()
		return get(request, response)
	}
	await standIn(face((_, response) => response.end('other bytes')), async (at) => {
		const done = await layout(['export', at, folder], `${cid}\n../../etc/passwd\n`)
		assert.strictEqual(done.code, 1)
		assert.match(done.err, /not the bytes of that name/)
		assert.match(done.err, /refused \.\.\/\.\.\/etc\/passwd: it is no CID/)
	})
	assert.deepStrictEqual(fs.readdirSync(path.join(folder, 'blobs')), [], 'nothing is left of it')
	await standIn(face((_, response) => { response.writeHead(200, { 'content-length': bytes.length }); response.write(bytes.subarray(0, 9), () => response.destroy()) }), async (at) => {
		const done = await layout(['export', at, folder], `${cid}\n`)
		assert.strictEqual(done.code, 1)
		assert.match(done.err, /cannot give it whole/)
	})
	let asked = 0
	await standIn(face((_, response) => {
		if (++asked === 1) { response.writeHead(429, { 'retry-after': '1' }); return response.end('{}') }
		return response.end(bytes)
	}), async (at) => {
		assert.match((await layout(['export', at, folder], `${cid}\n`)).out, /^exported 1 /)
	})
	await standIn(face((request, response) => { response.writeHead(request.method === 'HEAD' ? 404 : 201); response.end(JSON.stringify({ cid: [...kept.keys()][6] })) }), async (at) => {
		const done = await layout(['import', at, folder])
		assert.strictEqual(done.code, 1)
		assert.match(done.err, /does not say that it stored these bytes/)
		const other = await layout(['--key', '0'.repeat(64), 'import', at, folder])
		assert.strictEqual(other.code, 1)
		assert.match(other.err, /another node answers there/)
	})
	const silent = await layout(['import', 'http://127.0.0.1:1', folder])
	assert.strictEqual(silent.code, 5)
	assert.match(silent.err, /does not answer: .*; the same again goes on here/)
})

test('killed at any moment, an export shows no half blob, and the same again ends it', { timeout: 120000 }, async () => {
	const folder = path.join(scratch, 'killed'), blobs = path.join(folder, 'blobs')
	const input = [...kept.keys()].map((cid) => `${cid}\n`).join('')
	let kills = 0, parts = 0
	for (let delay = 0; kills < 25; delay = (delay + 7) % 60) {
		const child = spawn(program(), ['export', url(1), folder], { stdio: ['pipe', 'ignore', 'ignore'] })
		child.stdin.on('error', () => {})
		child.stdin.end(input)
		const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
		setTimeout(() => child.kill('SIGKILL'), delay) // how far it is when it is killed differs: that is the point
		if (await ended === 'SIGKILL') kills++
		for (const name of fs.existsSync(blobs) ? fs.readdirSync(blobs) : []) {
			if (name.startsWith('.part-')) { parts++; continue }
			assert.ok(fs.readFileSync(path.join(blobs, name, 'data')).equals(kept.get(name)), name)
			assert.strictEqual(JSON.parse(fs.readFileSync(path.join(blobs, name, 'meta.json'), 'utf8')).cid, name)
		}
		fs.existsSync(blobs) && fs.readdirSync(blobs).length >= BLOBS && fs.rmSync(folder, { recursive: true })
	}
	console.log(`# ${kills} kills, ${parts} times in the middle of a blob`)
	const done = await layout(['export', url(1), folder], input)
	assert.strictEqual(done.code, 0, done.err)
	assert.deepStrictEqual(fs.readdirSync(blobs).sort(), [...kept.keys()].sort())
})

test('an import that is killed is gone on with', { timeout: 120000 }, async () => {
	const folder = path.join(scratch, 'first')
	const three = JSON.parse((await machine.request(3, 'GET', '/health')).body).storedBlobs
	for (let delay = 5; delay < 200; delay += 20) {
		const child = spawn(program(), ['import', url(3), folder], { stdio: 'ignore' })
		const ended = new Promise((resolve) => child.on('close', resolve))
		setTimeout(() => child.kill('SIGKILL'), delay)
		await ended
	}
	const done = JSON.parse((await layout(['--json', 'import', url(3), folder])).out)
	assert.strictEqual(done.ok, true)
	assert.strictEqual(done.imported + done.already, BLOBS)
	await machine.until('they are all there', async () => JSON.parse((await machine.request(3, 'GET', '/health')).body).storedBlobs === three + BLOBS)
	for (const [cid, bytes] of kept) assert.ok((await machine.get(3, cid)).body.equals(bytes))
})

test('what makes no sense is told so', () => {
	for (const [words, code, why] of [
		[['export-blobs', '9', scratch], 2, /no node 9/], [['export-blobs', 'x', scratch], 2, /no node "x"/], [['export-blobs', '1'], 2, /DIR/],
		[['import-blobs', '1', path.join(scratch, 'nowhere')], 1, /DIR cannot be opened/], [['import-blobs', '1', '/dev/null'], 1, /DIR cannot be opened/],
		[['import-blobs', '1', os.tmpdir()], 1, /blobs: it cannot be opened/], [['export-blobs', '1', path.join(scratch, 'a', 'b', 'c')], 1, /DIR cannot be made/],
		[['import-blobs', '1', scratch, '--url', 'ftp://x'], 2, /URL is http/], [['import-blobs', '1', scratch, '--url', url(2)], 1, /another node answers there/],
	]) {
		const done = machine.warrenFails(...words)
		assert.strictEqual(done.code, code, `${words.join(' ')}: ${done.err}`)
		assert.match(done.err, why)
	}
})
