// A stranger stores a real file on an isolated node and gets it back; and everything a stranger may get wrong.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { Machine, sleep } = require('./machine.js')

let machine
test.before(async () => { machine = await Machine.create({ nodes: 3, storage: 32 }) })
test.after(async () => { await machine.destroy() })

const hello = Buffer.from('hello bytecave\n')
const helloCid = 'bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e'

test('the vector of FEATURES K8 is stored under its CID, and again as the same blob', async () => {
	const first = await machine.put(1, hello)
	assert.strictEqual(first.status, 201)
	assert.deepStrictEqual(first.json, { cid: helloCid, size: hello.length, encrypted: true })
	const again = await machine.put(1, hello)
	assert.strictEqual(again.status, 200)
	assert.strictEqual(again.json.cid, helloCid)
	const health = JSON.parse((await machine.request(1, 'GET', '/health')).body)
	assert.strictEqual(health.storedBlobs, 1)
})

test('it is read by both routes and by the hex alias; other nodes do not have it', async () => {
	const hex = crypto.createHash('sha256').update(hello).digest('hex')
	for (const target of [`/retrieve/${helloCid}`, `/blob/${helloCid}`, `/retrieve/${hex}`]) {
		const answer = await machine.request(1, 'GET', target)
		assert.strictEqual(answer.status, 200, target)
		assert.ok(answer.body.equals(hello), target)
		assert.strictEqual(answer.headers.etag, `"${helloCid}"`)
	}
	for (const node of [2, 3]) assert.strictEqual((await machine.get(node, helloCid)).status, 404)
})

test('sizes from nothing to ten MiB come back bit for bit', async () => {
	for (const size of [0, 1, 65535, 65536, 65537, 131072, 1000003, 10 * 1024 * 1024]) {
		const blob = crypto.randomBytes(size)
		const stored = await machine.put(2, blob)
		assert.ok([200, 201].includes(stored.status), `${size}: ${stored.body}`)
		const read = await machine.get(2, stored.json.cid)
		assert.ok(read.body.equals(blob), `${size} bytes`)
	}
})

test('HEAD, ranges and conditions', async () => {
	const blob = crypto.randomBytes(200000)
	const { json: { cid } } = await machine.put(1, blob)
	const head = await machine.request(1, 'HEAD', `/retrieve/${cid}`)
	assert.strictEqual(head.status, 200)
	assert.strictEqual(Number(head.headers['content-length']), blob.length)
	assert.strictEqual(head.body.length, 0)
	const cases = [['bytes=0-0', 0, 1], ['bytes=65530-65545', 65530, 65546], ['bytes=199999-', 199999, 200000], ['bytes=-5', 199995, 200000],
		['bytes=100-999999', 100, 200000]]
	for (const [range, from, to] of cases) {
		const part = await machine.request(1, 'GET', `/retrieve/${cid}`, { headers: { range } })
		assert.strictEqual(part.status, 206, range)
		assert.strictEqual(part.headers['content-range'], `bytes ${from}-${to - 1}/200000`)
		assert.ok(part.body.equals(blob.subarray(from, to)), range)
	}
	const beyond = await machine.request(1, 'GET', `/retrieve/${cid}`, { headers: { range: 'bytes=200000-' } })
	assert.strictEqual(beyond.status, 416)
	const same = await machine.request(1, 'GET', `/retrieve/${cid}`, { headers: { 'if-none-match': `"${cid}"` } })
	assert.strictEqual(same.status, 304)
})

test('/health has the eight fields and /info the six', async () => {
	// A store that was born before its wallet was there asks again after a while; until then it does not say who it is.
	const health = await machine.until('node 1 knows who it is', async () => {
		const told = JSON.parse((await machine.request(1, 'GET', '/health')).body)
		return told.peerId !== '' && told
	})
	await machine.until('so does node 2', async () => (await machine.request(2, 'GET', '/info')).status === 200)
	const types = { status: 'string', uptime: 'number', storedBlobs: 'number', totalSize: 'number', peerId: 'string', multiaddrs: 'object', publicKey: 'string', peers: 'number' }
	for (const [field, type] of Object.entries(types)) assert.strictEqual(typeof health[field], type, field)
	assert.match(health.peerId, /^12D3KooW[1-9A-HJ-NP-Za-km-z]+$/)
	assert.match(health.publicKey, /^0x[0-9a-f]{64}$/)
	const info = JSON.parse((await machine.request(1, 'GET', '/info')).body)
	assert.deepStrictEqual(Object.keys(info).sort(), ['multiaddrs', 'nodeId', 'ownerAddress', 'peerId', 'publicKey', 'shards'])
	assert.match(info.ownerAddress, /^0x[0-9a-fA-F]{40}$/)
	assert.deepStrictEqual(info.shards, [{ start: 0, end: 1023 }])
	assert.strictEqual(info.peerId, health.peerId)
	const other = JSON.parse((await machine.request(2, 'GET', '/node/info')).body)
	assert.notStrictEqual(other.ownerAddress, info.ownerAddress)
})

test('what is wrong gets a status, a sentence, and loses nothing', async () => {
	const cases = [
		['GET', '/retrieve/nonsense', 400], ['GET', '/retrieve/..%2f..%2fetc%2fpasswd', 400], ['GET', '/retrieve/%00', 400],
		['GET', `/retrieve/${helloCid}%2f`, 400], ['GET', `/retrieve/${helloCid.toUpperCase()}`, 400],
		['GET', `/retrieve/${'0'.repeat(64)}`, 404], ['GET', `/retrieve/${helloCid.slice(0, -1)}f`, 400], ['GET', '/nowhere', 404], ['DELETE', '/store', 405],
		['POST', `/retrieve/${helloCid}`, 405], ['DELETE', `/retrieve/${helloCid}`, 405],
	]
	for (const [method, target, status] of cases) {
		const answer = await machine.request(1, method, target)
		assert.strictEqual(answer.status, status, `${method} ${target}`)
		const error = JSON.parse(answer.body)
		assert.strictEqual(typeof error.error, 'string')
		assert.ok(error.message.length > 10, `${target}: a sentence`)
	}
	assert.ok((await machine.get(1, helloCid)).body.equals(hello))
})

// Raw bytes on a fresh connection; resolves to all that comes back until it closes or `ms` pass.
function raw(node, bytes, { ms = 3000, end = false } = {}) {
	return new Promise((resolve) => {
		const socket = net.connect(machine.ports[node], '127.0.0.1')
		let heard = ''
		socket.on('data', (part) => { heard += part })
		socket.on('error', () => {})
		socket.on('close', () => resolve(heard))
		socket.on('connect', () => end ? socket.end(bytes) : socket.write(bytes))
		setTimeout(() => socket.destroy(), ms)
	})
}

test('a body too large, cut short, or framed in two ways is refused and nothing is stored', async () => {
	const before = JSON.parse((await machine.request(3, 'GET', '/health')).body)
	const large = await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n')
	assert.match(large, /^HTTP\/1\.1 413 /)
	await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this', { end: true })
	await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n', { end: true })
	const smuggled = await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
	assert.match(smuggled, /^HTTP\/1\.1 400 /)
	const twice = await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello')
	assert.match(twice, /^HTTP\/1\.1 400 /)
	const garbage = await raw(3, '\x00\x01\x02 garbage\r\n\r\n')
	assert.ok(garbage === '' || /^HTTP\/1\.[01] 400 /.test(garbage), garbage)
	const after = JSON.parse((await machine.request(3, 'GET', '/health')).body)
	assert.strictEqual(after.storedBlobs, before.storedBlobs)
	const chunked = await raw(3, 'POST /store HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\na\r\n bytecave\n\r\n0\r\n\r\n')
	assert.match(chunked, new RegExp(`^HTTP/1.1 201 [^]*${helloCid}`))
})

test('two hundred and fifty slow uploads: they lose their places to a writer, who is served, not told to come again', async () => {
	const siege = []
	let told = 0
	for (let i = 0; i < 250; i++) {
		const socket = net.connect(machine.ports[1], '127.0.0.1')
		socket.on('error', () => {})
		socket.on('data', (heard) => { told += /^HTTP\/1\.1 408 [^]*TOO_SLOW/.test(heard) })
		socket.write('POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\na')
		siege.push(socket)
	}
	const trickle = setInterval(() => { for (const socket of siege) if (!socket.destroyed) socket.write('a') }, 250)
	try {
		await machine.until('all places are taken, and others wait', () => {
			const { limits } = JSON.parse(machine.warren('call', 'gateway@1', 'actor_limits', '--json').out)
			return limits.find((row) => row.name === 'blob transfers').high >= 192 && limits.find((row) => row.name === 'requests waiting').high > 0
		})
		for (let i = 0; i < 3; i++) {
			const answer = await machine.put(1, Buffer.from(`among slow ones ${i}`))
			assert.strictEqual(answer.status, 201, `${answer.body}`)
		}
		await machine.until('slow ones were told why', () => told > 0)
	} finally {
		clearInterval(trickle)
		for (const socket of siege) socket.destroy()
	}
})

test('five hundred idle and slow clients: readers do not notice, a writer is served', async () => {
	const { json: { cid } } = await machine.put(2, Buffer.from('stored before the siege'))
	const siege = []
	for (let i = 0; i < 500; i++) {
		const socket = net.connect(machine.ports[2], '127.0.0.1')
		socket.on('error', () => {})
		if (i % 2) socket.write('POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na')
		siege.push(socket)
	}
	await sleep(300)
	for (let i = 0; i < 20; i++) assert.strictEqual((await machine.get(2, cid)).status, 200)
	const stored = await machine.until('a writer is served', async () => {
		const answer = await machine.put(2, Buffer.from('between the slow ones'))
		if (answer.status !== 503) return answer
		assert.ok(Number(answer.headers['retry-after']) > 0, 'a 503 says when to come again')
	}, 15000)
	assert.strictEqual(stored.status, 201)
	for (const socket of siege) socket.destroy()
})

test('a full node answers 507, also under 32 writers, and keeps what it said it keeps', async () => {
	const small = await Machine.create({ nodes: 1, storage: 16 })
	try {
		const kept = []
		let full = 0
		await Promise.all(Array.from({ length: 32 }, async () => {
			for (let i = 0; i < 6; i++) {
				const blob = crypto.randomBytes(150000)
				const answer = await small.put(1, blob)
				if (answer.status === 201) kept.push([answer.json.cid, blob])
				else { assert.strictEqual(answer.status, 507); full++ }
			}
		}))
		assert.ok(full > 0, 'it was filled')
		const stat = JSON.parse(small.warren('call', 'store@1', 'store_stat', '--json').out)
		assert.ok(stat.used <= stat.quota, `${stat.used} of ${stat.quota}`)
		assert.ok(stat.quota - stat.used < 160000, 'full means full: the next blob would not have fitted')
		for (const [cid, blob] of kept) assert.ok((await small.get(1, cid)).body.equals(blob))
		small.warren('call', 'store@1', 'store_delete', `cid=${kept[0][0]}`)
		assert.strictEqual((await small.get(1, kept[0][0])).status, 404)
		assert.strictEqual((await small.put(1, crypto.randomBytes(150000))).status, 201, 'deleting makes room')
	} finally { await small.destroy() }
})

test('a flipped bit is never served, and is an alert; nothing lies in the clear', async () => {
	const pattern = Buffer.from('a pattern that nobody may find!!')
	const small = await Machine.create({ nodes: 1, storage: 16 })
	try {
		const blob = Buffer.concat(Array.from({ length: 8192 }, () => pattern)) // 256 KiB
		const { json: { cid } } = await small.put(1, blob)
		small.warrend('stop')
		const folder = path.join(small.root, 'node1', 'storage')
		let arena
		for (const name of fs.readdirSync(folder)) {
			const bytes = fs.readFileSync(path.join(folder, name))
			assert.strictEqual(bytes.indexOf(pattern.subarray(0, 16)), -1, name)
			if (name === 'arena') arena = bytes
		}
		const used = []
		for (let at = 0; at < arena.length; at += 1024) if (arena.subarray(at, at + 1024).some((byte) => byte !== 0)) used.push(at)
		arena[used[Math.floor(used.length / 2)] + 500] ^= 4
		fs.writeFileSync(path.join(folder, 'arena'), arena)
		small.start()
		const broken = await small.get(1, cid).catch((error) => ({ status: 'cut', error }))
		assert.ok(broken.status === 'cut' || broken.status === 500, `${broken.status}`)
		await small.until('the alert is logged', () => /store\.corrupt/.test(small.log('store@1')), 2000)
	} finally { await small.destroy() }
})

test('a node keeps only the shards it was given', async () => {
	const sharded = await Machine.create({ nodes: 0, start: false })
	try {
		sharded.add(16)
		fs.appendFileSync(path.join(sharded.root, 'etc', 'node1.conf'), 'shards = "0-970,972-1023";\n')
		sharded.start()
		const refused = await sharded.put(1, hello)
		assert.strictEqual(refused.status, 421)
		assert.match(refused.json.message, /971/)
	} finally { await sharded.destroy() }
})

test('a client that asks too often waits, and only it', async () => {
	const counted = await Machine.create({ nodes: 1, storage: 16, conf: 'rate_limits = "all";' })
	try {
		await counted.ready()
		for (let i = 0; i < 60; i++) assert.strictEqual((await counted.put(1, Buffer.from(`blob ${i}`))).status, 201)
		const late = await counted.put(1, Buffer.from('one more'))
		assert.strictEqual(late.status, 429, late.body.toString())
		const wait = Number(late.headers['retry-after'])
		assert.ok(wait >= 1 && wait <= 60, `${wait}`)
		assert.strictEqual(JSON.parse(late.body).error, 'TOO_MANY_REQUESTS')
		assert.strictEqual((await counted.get(1, helloCid)).status, 404, 'it may still read')
		const other = await counted.request(1, 'POST', '/store', { body: hello, from: '127.0.0.2' })
		assert.strictEqual(other.status, 201, 'another client may still store')
	} finally { await counted.destroy() }
})
