// A node proves to a stranger that it holds the bytes; and each way of not holding them fails for its own reason.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')
const { judge, rootOf } = require('./verifier.js')

let machine, scratch
const key = {}
test.before(async () => {
	machine = await Machine.create({ nodes: 2, storage: 32 })
	scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-proofs-'))
	for (const node of [1, 2])
		key[node] = await machine.until(`node ${node} knows who it is`, async () => {
			const info = await machine.request(node, 'GET', '/info')
			return info.status === 200 && JSON.parse(info.body).publicKey.slice(2)
		})
})
test.after(async () => {
	await machine.destroy()
	fs.rmSync(scratch, { recursive: true })
})

const nonce = () => crypto.randomBytes(32).toString('hex')
const json = { 'content-type': 'application/json' }

async function prove(node, cid, challenge = nonce(), more = {}) {
	const body = Buffer.from(JSON.stringify({ cid, challenge, ...more }))
	const answer = await machine.request(node, 'POST', '/proofs/generate', { body, headers: json })
	return { status: answer.status, json: JSON.parse(answer.body), challenge }
}

// What `warren verify FILE` says of it, with what a verifier keeps.
function verify(proof, wanted, more = []) {
	const file = path.join(scratch, 'proof.json')
	fs.writeFileSync(file, typeof proof === 'string' ? proof : JSON.stringify(proof))
	const done = machine.warrenFails('verify', file, '--cid', wanted.cid, '--with-root', wanted.root, '--key', wanted.key,
		...(wanted.challenge ? ['--challenge', wanted.challenge] : []), ...more, '--json')
	return { code: done.code, ...JSON.parse(done.out) }
}

async function stored(node, size) {
	const bytes = crypto.randomBytes(size)
	const put = await machine.put(node, bytes)
	assert.ok([200, 201].includes(put.status), put.body)
	return { cid: put.json.cid, bytes, root: rootOf(bytes).toString('hex'), key: key[node] }
}

test('blobs of many sizes are proved, as two verifiers see it that share no code', async () => {
	for (const size of [0, 1, 1023, 1024, 1025, 3000, 65536, 65537, 1000003, 5 * 1048576]) {
		const blob = await stored(1, size)
		const { status, json: proof, challenge } = await prove(1, blob.cid, undefined, { samples: 16 })
		assert.strictEqual(status, 200, JSON.stringify(proof))
		assert.strictEqual(proof.samples.length, size ? 16 : 0)
		assert.strictEqual(judge(proof, { ...blob, challenge }), '', `${size} bytes`)
		const said = verify(proof, { ...blob, challenge }, size ? ['--samples', '16'] : [])
		assert.deepStrictEqual([said.code, said.verdict, said.challengeCompared], [0, 'holds', true], `${size} bytes`)
	}
})

test('the console proves too, and names files as the store does', async () => {
	const blob = await stored(1, 70000)
	const file = path.join(scratch, 'photo')
	fs.writeFileSync(file, blob.bytes)
	const named = JSON.parse(machine.warren('cid', file, '--json').out)
	assert.deepStrictEqual([named.cid, named.root, named.size], [blob.cid, blob.root, 70000])
	const challenge = nonce()
	const proof = JSON.parse(machine.warren('prove', '1', blob.cid, '--challenge', challenge, '--samples', '64').out)
	assert.strictEqual(judge(proof, { ...blob, challenge }), '')
	assert.match(machine.warrenFails('prove', '1', 'bafkrei-no').err, /not a CID/)
	assert.match(machine.warrenFails('prove', '9', blob.cid).err, /gone|not|no /)
})

test('what is not about these bytes, this node and this challenge fails, each for its own reason', async () => {
	const blob = await stored(1, 200000), same = await machine.put(2, blob.bytes)
	assert.ok(same.json.cid === blob.cid)
	const { json: proof, challenge } = await prove(1, blob.cid)
	const wanted = { ...blob, challenge }
	assert.strictEqual(verify(proof, wanted).verdict, 'holds')
	const other = await stored(1, 5000)
	const change = (edit) => { const copy = structuredClone(proof); edit(copy); return verify(copy, wanted).verdict }
	const leaf = (edit) => change((p) => { const b = Buffer.from(p.samples[3].bytes, 'base64'); p.samples[3].bytes = edit(b).toString('base64') })

	assert.strictEqual(verify((await prove(1, other.cid, challenge)).json, wanted).verdict, 'other-blob')
	assert.strictEqual(verify((await prove(2, blob.cid, challenge)).json, wanted).verdict, 'other-node')
	assert.strictEqual(verify((await prove(1, blob.cid)).json, wanted).verdict, 'other-challenge', 'an old answer')
	assert.strictEqual(verify(proof, { ...wanted, root: other.root }).verdict, 'other-root')
	assert.strictEqual(change((p) => { p.size = 1024 }), 'other-root', 'a smaller blob is easier to hold')
	assert.strictEqual(change((p) => { p.samples.pop() }), 'too-few')
	assert.strictEqual(change((p) => { p.samples[0] = p.samples[1] }), 'other-leaves', 'leaves it happens to have')
	assert.strictEqual(leaf((b) => crypto.randomBytes(b.length)), 'wrong-bytes', 'only the metadata was kept')
	assert.strictEqual(leaf((b) => { b[7] ^= 1; return b }), 'wrong-bytes')
	assert.strictEqual(change((p) => { p.samples[2].path[1] = nonce() }), 'wrong-bytes')
	assert.strictEqual(change((p) => { p.samples[2].path.pop() }), 'wrong-bytes')
	assert.strictEqual(change((p) => { p.timestamp++ }), 'not-signed')
	assert.strictEqual(change((p) => { p.proof = crypto.randomBytes(64).toString('hex') }), 'not-signed')
	const seeds = verify({ nodeId: proof.nodeId, proof: proof.proof, publicKey: blob.key, timestamp: proof.timestamp, challenge, cid: blob.cid }, wanted)
	assert.match(seeds.why, /signs nothing that needs the bytes/, "the seed's proof, which needs only the hash")
	for (const text of ['', '{', '[]', '{"version":2}', '{"version":1,"version":1}', '\u0000'.repeat(9)])
		assert.strictEqual(verify(text, wanted).code, 1, text)
	const later = verify(proof, { ...wanted, challenge: undefined })
	assert.deepStrictEqual([later.verdict, later.challengeCompared], ['holds', false])
})

test('without the bytes there is no proof: deleted, overwritten on the disk, cut', async () => {
	const deleted = await stored(2, 50000)
	machine.warren('call', 'store@2', 'store_delete', `cid=${deleted.cid}`)
	assert.strictEqual((await prove(2, deleted.cid)).status, 404)

	const marker = crypto.randomBytes(16), rotten = await stored(2, 150000)
	const arena = path.join(machine.root, 'node2', 'storage', 'arena')
	const before = fs.readFileSync(arena)
	// Where it lies is the store's to know; of what was written last, flip one byte in each unit that is not a header.
	const fd = fs.openSync(arena, 'r+')
	const magic = Buffer.from('WRNBLOB\n')
	let header = -1
	for (let at = 131072; at + 8 <= before.length; at += 1024)
		if (before.subarray(at, at + 8).equals(magic) && before.readBigUInt64LE(at + 64) === 150000n) header = at
	assert.ok(header > 0, 'its header is in the arena')
	fs.writeSync(fd, marker, 0, 16, header + 90 * 1024)
	fs.closeSync(fd)
	const answer = await prove(2, rotten.cid)
	assert.strictEqual(answer.status, 500, JSON.stringify(answer.json))
	assert.strictEqual(answer.json.error, 'CORRUPT')

	const history = JSON.parse((await machine.request(2, 'GET', '/proofs')).body)
	assert.deepStrictEqual(history.proofs.slice(0, 2).map((p) => [p.cid, p.end]), [[rotten.cid, 'corrupt'], [deleted.cid, 'not-found']])
	assert.ok(history.failed.corrupt >= 1 && history.failed['not-found'] >= 1 && history.proved >= 1)
	const of = JSON.parse((await machine.request(2, 'GET', `/proofs/${deleted.cid}`)).body)
	assert.ok(of.proofs.length === 1 && of.proofs[0].cid === deleted.cid)
})

test('what is wrong with a challenge is said', async () => {
	const blob = await stored(1, 100)
	const post = (body, headers = json) => machine.request(1, 'POST', '/proofs/generate', { body: Buffer.from(body), headers })
	for (const [body, says] of [['', /length|JSON/], ['{}', /cid/], ['nonsense', /JSON/], [`{"cid":"x","challenge":"${nonce()}"}`, /CID/],
		[`{"cid":"${blob.cid}","challenge":"12"}`, /64 hex/], [`{"cid":"${blob.cid}","challenge":"${nonce()}","samples":65}`, /1 to 64/],
		[`{"cid":"${blob.cid}","challenge":"${nonce()}","samples":0}`, /1 to 64/], ['['.repeat(1000), /JSON/]]) {
		const answer = await post(body)
		assert.ok([400, 411].includes(answer.status), `${body}: ${answer.status}`)
		assert.match(answer.body.toString(), says, body)
	}
	assert.strictEqual((await post('x'.repeat(2000))).status, 413)
	assert.strictEqual((await machine.request(1, 'GET', '/proofs/generate')).status, 405)
	assert.strictEqual((await machine.request(1, 'POST', '/proofs', { body: Buffer.from('{}') })).status, 405)
	assert.strictEqual((await machine.request(1, 'GET', '/proofs/no-cid')).status, 400)
	assert.strictEqual((await prove(1, blob.cid)).status, 200, 'and it still proves')
})

test('many ask at once, and the store dies meanwhile: every ask ends', async () => {
	const blob = await stored(1, 4 * 1048576)
	const asks = Array.from({ length: 60 }, () => prove(1, blob.cid))
	process.kill(machine.status().processes.find((p) => p.who === 'store@1').pid, 'SIGKILL')
	for (const { status } of await Promise.all(asks)) assert.ok([200, 503].includes(status), `${status}`)
	await machine.until('it proves again', async () => (await prove(1, blob.cid)).status === 200)
})

function audit(node, list, ...more) {
	return new Promise((resolve) => {
		const child = spawn(path.join(machine.root, 'bin', 'warren-auditor'), [...more, '--json', `http://127.0.0.1:${machine.ports[node]}`, list])
		let out = ''
		child.stdout.on('data', (part) => { out += part })
		child.on('close', (code) => resolve({ code, ...JSON.parse(out) }))
	})
}

test('an auditor names a node that claims what it does not hold: 5 % of its blobs are missing', async () => {
	const blobs = []
	for (let i = 0; i < 100; i++) blobs.push(await stored(1, 100 + 37 * i))
	const list = path.join(scratch, 'list')
	fs.writeFileSync(list, '# what node 1 was given\n' + blobs.map((b) => `${b.cid} ${b.root} ${b.bytes.length}\n`).join(''))
	const whole = await audit(1, list, '--key', key[1])
	assert.deepStrictEqual([whole.code, whole.ok, whole.held, whole.keyGiven], [0, true, 90, true])
	assert.ok(whole.found5 >= 0.99 && whole.found5 < 1, 'the chance that is promised for 90 draws')
	const stranger = await audit(2, list, '--key', key[2])
	assert.deepStrictEqual([stranger.code, stranger.failures], [1, { 'not-found': 90 }])
	const disguised = await audit(1, list, '--key', key[2])
	assert.deepStrictEqual([disguised.code, disguised.failures], [1, { 'other-node': 90 }])

	for (const blob of blobs.slice(0, 5)) machine.warren('call', 'store@1', 'store_delete', `cid=${blob.cid}`)
	// 400 draws miss all five once in 800 million; with 90 it is once in a hundred, which no test can stand.
	const caught = await audit(1, list, '--draws', '400')
	assert.deepStrictEqual([caught.code, caught.ok, caught.key, caught.keyGiven], [1, false, key[1], false])
	assert.strictEqual(caught.held + caught.failures['not-found'], 400)

	// And that 90 draws find 5 % with probability 0.99: 20,000 audits of the same draw, as the auditor draws.
	let found = 0
	for (let run = 0; run < 20000; run++)
		for (let i = 0; i < 90; i++)
			if (crypto.randomInt(100) < 5) { found++; break }
	assert.ok(found / 20000 > 0.987, `${found / 20000}`)
})

test('what is wrong with an audit is said', () => {
	const list = path.join(scratch, 'bad')
	const run = (...args) => spawnSync(path.join(machine.root, 'bin', 'warren-auditor'), args, { encoding: 'utf8' })
	fs.writeFileSync(list, 'bafkrei nothing\n')
	assert.strictEqual(run().status, 2)
	assert.match(run('http://127.0.0.1:9', list).stderr, /line 1: a CID and a root/)
	fs.writeFileSync(list, '\n')
	assert.match(run('http://127.0.0.1:9', list).stderr, /names no blob/)
	assert.match(run('http://127.0.0.1:9', path.join(scratch, 'none')).stderr, /cannot be read/)
	assert.strictEqual(run('--draws', '0', 'http://127.0.0.1:9', list).status, 2)
	fs.writeFileSync(list, `${'bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e'} ${nonce()}\n`)
	assert.strictEqual(run('http://127.0.0.1:9', list).status, 5, 'nobody answers there')
})
