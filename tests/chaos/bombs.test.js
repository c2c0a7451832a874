// Bodies that claim to be more than they are, to every call of every kind of process of a live machine, and as JSON over HTTP: each is
// refused, nobody dies, and nobody's memory ever held more than a body or two for it. RELIABILITY C1 row 13.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')

const rounds = process.env.WARREN_LONG ? 50 : 1
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor
const MOST_KB = 2048 // the message as it comes (256 KiB), the copy that is passed on, what libzmq and the heap round up to

let machine
test.before(async () => {
	machine = await Machine.create({ nodes: 1, conf: `metrics_port = ${20001 + (process.pid % 900)};\nalert_webhook = "http://127.0.0.1:1/";` })
	await machine.ready()
})
test.after(() => machine.destroy())

// The most that it ever held, kB, since that was last begun anew.
const highest = (pid) => Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
const now = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1])

function grown(act) {
	const before = machine.status().processes, held = {}
	for (const { pid } of before) { fs.writeFileSync(`/proc/${pid}/clear_refs`, '5'); held[pid] = now(pid) }
	const said = act()
	const check = () => {
		const after = machine.status().processes
		assert.deepStrictEqual(after.map((p) => [name(p), p.pid]), before.map((p) => [name(p), p.pid]), 'nobody died')
		return Object.fromEntries(after.map((p) => [name(p), highest(p.pid) - held[p.pid]]))
	}
	return said && said.then ? said.then((of) => ({ said: of, more: check() })) : { said, more: check() }
}

test(`through the bus, to every call, ${rounds} times`, { skip: process.getuid() !== 0 && 'needs root: to begin a highest mark anew', timeout: 600000 }, () => {
	const everybody = machine.status().processes.filter((p) => p.actor !== 'broker').flatMap((p) => [p.actor, String(p.node)])
	const bombs = (count) => {
		const done = spawnSync(path.join(BUILD, 'tests', 'chaos-bombs'), [path.join(machine.root, 'run', 'operate.sock'), String(count), ...everybody], { encoding: 'utf8' })
		assert.strictEqual(done.status, 0, done.stderr)
		return done.stdout.trim()
	}
	bombs(1) // whatever is done once for all is done
	const { said, more } = grown(() => bombs(rounds))
	console.log(`# ${said}; most of anybody's memory for it: ${Object.entries(more).map(([who, kb]) => `${who} ${kb} KiB`).join(', ')}`)
	const tally = Object.fromEntries(said.split(' ').map((pair) => pair.split('=')))
	assert.ok(Number(tally.sent) > 300 * rounds, said)
	assert.strictEqual(tally.malformed, tally.sent, said)
	assert.strictEqual(tally.deep, 'cut', 'what is larger than a body may be ends the connection')
	for (const [who, kb] of Object.entries(more)) assert.ok(kb <= MOST_KB, `${who}: ${kb} KiB more`)
})

const CID = 'bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu', CHALLENGE = '5a'.repeat(32)
const jsons = {
	'arrays in each other, as deep as the body is long': '['.repeat(1023),
	'objects in each other': '{"a":'.repeat(204),
	'the same key twice': `{"cid":"${CID}","challenge":"${CHALLENGE}","cid":"${CID}"}`,
	'a number of a thousand digits': `{"cid":"${CID}","challenge":"${CHALLENGE}","samples":${'9'.repeat(700)}}`,
	'a number with an exponent': `{"cid":"${CID}","challenge":"${CHALLENGE}","samples":1e9999}`,
	'a NUL in a text': `{"cid":"${CID}\\u0000","challenge":"${CHALLENGE}"}`,
	'half a surrogate': `{"cid":"\\ud800","challenge":"${CHALLENGE}"}`,
	'no UTF-8': Buffer.concat([Buffer.from('{"cid":"'), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('"}')]),
	'two values': `{"cid":"${CID}","challenge":"${CHALLENGE}"}{}`,
	'nothing': '', 'a million levels': '['.repeat(1e6), 'ten MiB of blanks': ' '.repeat(10 << 20),
}

test('as JSON over HTTP', { skip: process.getuid() !== 0 && 'needs root: to begin a highest mark anew', timeout: 120000 }, async () => {
	const all = async () => {
		const said = {}
		for (const [what, body] of Object.entries(jsons)) {
			let answer
			try { answer = await machine.request(1, 'POST', '/proofs/generate', { body, headers: { 'content-length': Buffer.byteLength(body) }, from: '127.0.0.1' }) } catch (error) {
				answer = { status: error.code || error.message } // it hung up while ten MiB were still coming
			}
			said[what] = answer.status
		}
		return said
	}
	await all()
	const { said, more } = await grown(async () => { let last; for (let i = 0; i < rounds; i++) last = await all(); return last })
	console.log(`# ${Object.entries(said).map(([what, status]) => `${what}: ${status}`).join('; ')}; gateway@1 ${more['gateway@1']} KiB`)
	for (const [what, status] of Object.entries(said)) assert.ok([400, 411, 413].includes(status), `${what}: ${status}`)
	for (const [who, kb] of Object.entries(more)) assert.ok(kb <= MOST_KB, `${who}: ${kb} KiB more`)
	const blob = await machine.put(1, Buffer.from('a good one'))
	const proof = await machine.request(1, 'POST', '/proofs/generate', { body: JSON.stringify({ cid: blob.json.cid, challenge: CHALLENGE }), from: '127.0.0.1' })
	assert.strictEqual(proof.status, 200, proof.body.toString())
})
