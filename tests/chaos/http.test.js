// Hostile HTTP at one gateway: requests that two readers would end at different places, requests mutated by zzuf, 10,000 connections that
// say nothing, a byte a second of a head, a byte a second of a body. It never dies, no request is read out of another's body, who is idle
// is shown out, and good clients read on. RELIABILITY C1 row 14.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawn, spawnSync } = require('node:child_process')
const net = require('node:net')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')
const { Good, say } = require('./good.js')

const long = Boolean(process.env.WARREN_LONG)
const SLOT = 2048
let machine, good, pids
test.before(async () => {
	machine = await Machine.create({ nodes: 1, storage: 64 })
	await machine.ready()
	good = await new Good(machine, 1).begin()
	await machine.until('good clients read', () => good.well > 20)
	pids = machine.status().processes.map((p) => [p.actor, p.pid])
})
test.after(async () => { await good.end(); await machine.destroy() })
const nobodyDied = () => assert.deepStrictEqual(machine.status().processes.map((p) => [p.actor, p.pid]), pids, 'nobody died')

// What comes back to these bytes, until the other end hangs up, or `ms`. `end`: we say that no more will come (who does so behind a
// whole request may be hung up on unanswered: actors/gateway/README.md).
function raw(bytes, { ms = 15000, end = true } = {}) {
	return new Promise((resolve) => {
		const socket = net.connect({ port: machine.ports[1], host: '127.0.0.1', allowHalfOpen: true }, () => end ? socket.end(bytes) : socket.write(bytes))
		const parts = []
		const done = (how) => { clearTimeout(timer); socket.destroy(); resolve({ text: Buffer.concat(parts).toString('latin1'), how }) }
		const timer = setTimeout(() => done('silence'), ms)
		socket.on('data', (part) => parts.push(part))
		socket.on('end', () => done('end'))
		socket.on('error', (error) => done(error.code))
	})
}
const statuses = ({ text }) => [...text.matchAll(/HTTP\/1\.[01] (\d{3}) [A-Z]/g)].map(([, code]) => Number(code))

// The hidden request is one that would be answered 201 or 404, were it read as one.
const HIDDEN = 'GET /retrieve/hidden HTTP/1.1\r\nHost: x\r\n\r\n', STORE = 'POST /store HTTP/1.1\r\nHost: x\r\n'
const GET = (target) => `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
const smuggled = { // each is answered once, with one of these, and the connection ends
	'Content-Length and Transfer-Encoding': [`${STORE}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'Transfer-Encoding and Content-Length': [`${STORE}Transfer-Encoding: chunked\r\nContent-Length: ${HIDDEN.length}\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'two Content-Lengths': [`${STORE}Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 400],
	'two equal Content-Lengths': [`${STORE}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc${HIDDEN}`, 400],
	'a list of Content-Lengths': [`${STORE}Content-Length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 400],
	'a signed Content-Length': [`${STORE}Content-Length: +5\r\n\r\nhello${HIDDEN}`, 400],
	'a negative one': [`${STORE}Content-Length: -1\r\n\r\n${HIDDEN}`, 400],
	'a hexadecimal one': [`${STORE}Content-Length: 0x5\r\n\r\nhello${HIDDEN}`, 400],
	'one beyond 64 bits': [`${STORE}Content-Length: 18446744073709551621\r\n\r\nhello${HIDDEN}`, 400, 413],
	'chunked twice': [`${STORE}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'chunked, then not': [`${STORE}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'two Transfer-Encodings': [`${STORE}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'a coding with a tab before it': [`${STORE}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${HIDDEN}`, 400],
	'a blank before the colon': [`${STORE}Content-Length : 5\r\n\r\nhello${HIDDEN}`, 400],
	'a folded line': [`${STORE}X: a\r\n Content-Length: 5\r\n\r\n${HIDDEN}`, 400],
	'a folded Content-Length': [`${STORE}Content-Length:\r\n 5\r\n\r\nhello${HIDDEN}`, 400],
	'a bare LF between lines': [`POST /store HTTP/1.1\nHost: x\nContent-Length: 0\n\n${HIDDEN}`, 400],
	'one bare LF': [`${STORE}X: a\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
	'a bare CR': [`${STORE}X: a\rContent-Length: 5\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
	'a NUL in a name': [`${STORE}Content-Length\0: 0\r\n\r\n${HIDDEN}`, 400],
	'a NUL in a value': [`${STORE}X: a\0b\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
	'a body on a GET': [`GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 400],
	'two Hosts': [`POST /store HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
	'no Host': [`POST /store HTTP/1.1\r\nContent-Length: 0\r\n\r\n${HIDDEN}`, 400],
	'a chunk size that is none': [`${STORE}Transfer-Encoding: chunked\r\n\r\nzz\r\n${HIDDEN}`, 400],
	'a chunk of 2^64': [`${STORE}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${HIDDEN}`, 400, 413],
	'a chunk without its end': [`${STORE}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n${HIDDEN}`, 400],
	'a version of three digits': [`GET /health HTTP/1.11\r\nHost: x\r\n\r\n${HIDDEN}`, 400, 505],
	'HTTP/2 by prior knowledge': [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`, 400, 505],
	'a head of 20 KiB': [`GET /health HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20000)}\r\n\r\n`, 400, 413, 431],
	'three thousand lines': [`GET /health HTTP/1.1\r\nHost: x\r\n${'X: a\r\n'.repeat(3000)}\r\n`, 400, 413, 431],
	'a target of 20 KiB': [GET(`/${'a'.repeat(20000)}`), 400, 414, 431],
}
const answered = { // whole and clear: each its own answer
	'%2e%2e': [GET('/retrieve/%2e%2e/%2e%2e/etc/passwd'), 400, 404], '../': [GET('/retrieve/../../etc/passwd'), 400, 404],
	'a NUL in the path': [GET('/retrieve/%00'), 400, 404], 'half an escape': [GET('/retrieve/%2'), 400, 404], 'double slashes': [GET('//health'), 400, 404],
	'an overlong slash': [GET('/retrieve/%c0%af'), 400, 404], 'an escaped slash': [GET('/retrieve%2fx'), 400, 404],
	'an absolute target': [GET('http://elsewhere.invalid/health'), 200], 'an authority': ['CONNECT elsewhere.invalid:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 404, 405],
	'an asterisk': ['OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 404, 405], 'TRACE': ['TRACE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 405],
	'an expectation': [`${STORE}Expect: the-unexpected\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`, 417],
	'an upgrade': ['GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n', 200],
	'a thousand ranges': [`GET /retrieve/CID HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join()}\r\n\r\n`, 200, 416],
	'a range beyond 64 bits': ['GET /retrieve/CID HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=99999999999999999999-\r\n\r\n', 200, 416],
}

test(`${Object.keys(smuggled).length} requests that end at two places, ${Object.keys(answered).length} that are odd`, { timeout: 120000 }, async () => {
	for (const [what, [bytes, ...right]] of Object.entries(smuggled)) {
		const answer = await raw(Buffer.from(bytes, 'latin1'))
		const got = statuses(answer)
		assert.ok(answer.how !== 'silence', `${what}: the connection ends`)
		// Hanging up is an answer, too. What libmicrohttpd 0.9 refuses by itself has its status line twice; the hidden one would be BAD_CID.
		assert.ok(got.every((status) => right.includes(status)) && !answer.text.includes('BAD_CID'), `${what}: ${answer.text}`)
		assert.ok(got.length <= (answer.text.includes('<html>') ? 2 : 1), `${what}: answered ${got}`)
	}
	for (const [what, [bytes, ...right]] of Object.entries(answered)) {
		const answer = await raw(Buffer.from(bytes.replace('CID', good.cid), 'latin1'), { end: false }), got = statuses(answer)
		assert.ok(got.length === 1 && right.includes(got[0]), `${what}: ${JSON.stringify(answer)}`)
	}
	// The control: two requests that are in order, one behind the other, are answered both.
	const both = statuses(await raw(`GET /health HTTP/1.1\r\nHost: x\r\n\r\n${GET('/health')}`, { end: false }))
	assert.deepStrictEqual(both, [200, 200])
	// Chunk extensions: libmicrohttpd 0.9 passes over them, 1.0 refuses them; the body is the same for everybody.
	const extended = statuses(await raw(`${STORE}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n`, { end: false }))
	assert.ok(extended.length === 1 && [200, 201, 400].includes(extended[0]), `a chunk extension: ${extended}`)
	nobodyDied()
})

test('requests mutated by zzuf', { timeout: long ? 1800000 : 120000, skip: spawnSync('zzuf', ['--version']).status !== 0 && 'zzuf is not installed' }, async () => {
	const whole = [
		GET('/health'), GET('/info'), GET('/metrics'), GET('/proofs'), GET(`/retrieve/${good.cid}`), GET(`/blob/${good.cid}`),
		`GET /retrieve/${good.cid} HTTP/1.1\r\nHost: x\r\nRange: bytes=1-5\r\nIf-None-Match: "x"\r\nConnection: close\r\n\r\n`, `HEAD /retrieve/${good.cid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
		`${STORE}Content-Length: 11\r\nConnection: close\r\n\r\nhello there`, `${STORE}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\nX: y\r\n\r\n`,
		`${STORE}Content-Length: 11\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nhello there`, `GET /health HTTP/1.1\r\nHost: x\r\n\r\n${GET('/info')}`,
		(() => { const body = JSON.stringify({ cid: good.cid, challenge: '5a'.repeat(32), samples: 4 }); return `POST /proofs/generate HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}` })(),
		...Object.values(smuggled).map(([bytes]) => bytes).filter((bytes) => bytes.length < SLOT), ...Object.values(answered).map(([bytes]) => bytes).filter((bytes) => bytes.length < SLOT),
	]
	const corpus = Buffer.alloc(whole.length * SLOT)
	whole.forEach((bytes, i) => corpus.write(bytes, i * SLOT, 'latin1'))
	const seen = {}, rounds = long ? 400 : 4
	let seed = 0, sent = 0, queue = []
	const mutate = () => { // all of it at once, as a few bits in a thousand of each
		const done = spawnSync('zzuf', ['-i', '-s', String(seed), '-r', String([0.0005, 0.002, 0.004, 0.02][seed++ % 4])], { input: corpus, maxBuffer: 1 << 24 })
		assert.strictEqual(done.stdout.length, corpus.length)
		queue = whole.map((bytes, i) => done.stdout.subarray(i * SLOT, i * SLOT + bytes.length))
	}
	good.forget()
	await Promise.all(Array.from({ length: 64 }, async () => { // half a head is waited for for ten seconds: others go on
		for (;;) {
			if (!queue.length && seed === rounds) return
			if (!queue.length) mutate()
			const bytes = queue.pop(), answer = await raw(bytes, { ms: long ? 30000 : 2000 })
			sent++
			if (long) assert.notStrictEqual(answer.how, 'silence', JSON.stringify(bytes.toString('latin1')))
			const kind = statuses(answer)[0] || (answer.how === 'silence' ? 'still waited for' : 'hung up')
			seen[kind] = (seen[kind] || 0) + 1
		}
	}))
	nobodyDied()
	const tally = good.tally()
	console.log(`# ${sent} mutated requests: ${Object.entries(seen).map(([status, count]) => `${status} ${count}`).join(', ')}; good ones: ${say(tally)}`)
	assert.ok(tally.share >= 0.95, say(tally))
	assert.strictEqual(seen[500] || 0, 0, 'nothing of it is our own mistake')
	assert.ok(seen[400] > 20 && seen[200] > 2, 'some got in, some did not')
})

// `count` visitors from `addresses`; what became of them.
function visit(count, addresses, seconds, way) {
	const child = spawn(path.join(BUILD, 'tests', 'chaos-visitors'), [machine.ports[1], count, addresses, seconds, way].map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
	const run = { child, text: '' }
	child.stdout.on('data', (part) => { run.text += part })
	run.ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
	run.tally = async () => {
		assert.strictEqual(await run.ended, 0)
		return Object.fromEntries(run.text.trim().split('\n').at(-1).split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
	}
	return run
}

const crowds = long ? [[['silent', 10000]], [['head', 10000]], [['body', 2000]], [['silent', 6000], ['head', 3000], ['body', 1000]]] : [[['silent', 9500], ['head', 500]]]
for (const crowd of crowds)
	test(`useless connections: ${crowd.map(([way, count]) => `${count} ${way}`).join(', ')}`, { timeout: 240000, skip: process.getuid() !== 0 && 'needs root: so many descriptors' }, async () => {
		good.forget()
		await machine.until('good clients read', () => good.well > 50)
		const idle = good.tally(), runs = crowd.map(([way, count]) => visit(count, 200, long ? 180 : 5, way))
		await machine.until('all have come', () => runs.every((run) => run.text.startsWith('there')), 60000)
		const tallies = await Promise.all(runs.map((run) => run.tally())), during = good.tally()
		const { limits } = JSON.parse(machine.warren('limits', 'gateway@1', '--json').out).processes[0]
		const bound = limits.find((limit) => limit.name === 'http connections')
		tallies.forEach((tally, i) => console.log(`# ${crowd[i][0]}: ${Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')}`))
		console.log(`# highest ${bound.high} of ${bound.limit} connections; good ones before: ${say(idle)}; during: ${say(during)}; p99 ${(during.p99 / idle.p99).toFixed(1)} times`)
		tallies.forEach((tally, i) => { assert.strictEqual(tally.came, crowd[i][1]); if (long) assert.strictEqual(tally.left, 0, 'all are shown out in the end'); else assert.ok(tally.left <= bound.limit / 2 + 100, 'when half the room is taken, the longest idle makes room') })
		assert.ok(bound.high <= bound.limit)
		assert.ok(during.share >= 0.95, say(during))
		nobodyDied()
	})
