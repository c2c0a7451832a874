// Draining a node: what runs ends whole, nothing new is let in, the operator sees what is waited for, and time has an end.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { Machine } = require('./machine.js')

// A console that goes on by itself; `lines` grows.
function console_(machine, ...args) {
	const child = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, ...args])
	const seen = { child, out: '', err: '' }
	child.stdout.on('data', (part) => { seen.out += part })
	child.stderr.on('data', (part) => { seen.err += part })
	seen.ended = new Promise((resolve) => child.on('close', (code) => resolve(code)))
	return seen
}

// An upload that stays in the middle of its body until finish() is called; the answer is a promise.
function slowUpload(machine, node, body) {
	let done
	const answer = new Promise((resolve, reject) => {
		done = http.request({ host: '127.0.0.1', port: machine.ports[node], method: 'POST', path: '/store', agent: false,
			headers: { 'content-type': 'application/octet-stream', 'content-length': body.length } }, (response) => {
			const parts = []
			response.on('data', (part) => parts.push(part))
			response.on('end', () => resolve({ status: response.statusCode, json: JSON.parse(Buffer.concat(parts).toString()) }))
		})
		done.on('error', reject)
	})
	answer.catch(() => {})
	done.write(body.subarray(0, 100000))
	return { answer, finish: () => done.end(body.subarray(100000)) }
}

// A download whose client reads nothing before rest() is called.
function slowDownload(machine, node, cid) {
	const socket = net.connect(machine.ports[node], '127.0.0.1')
	socket.pause()
	socket.write(`GET /retrieve/${cid} HTTP/1.1\r\nHost: x\r\n\r\n`)
	const whole = new Promise((resolve, reject) => {
		const parts = []
		socket.on('data', (part) => parts.push(part))
		socket.on('end', () => resolve(Buffer.concat(parts)))
		socket.on('error', reject)
	})
	whole.catch(() => {})
	return { rest: () => { socket.resume(); return whole } }
}

const duties = (machine, node) => JSON.parse(machine.warren('call', `gateway@${node}`, 'actor_duties', '--json').out)
const running = (machine, node) => machine.status().processes.filter((p) => p.node === node && p.state !== 'stopped').length

test('a drain waits for a slow upload and a slow download, lets nothing new in, and then stops the node', async () => {
	const machine = await Machine.create({ nodes: 2, storage: 64, conf: 'max_blob_mb = 16;' })
	try {
		await machine.ready()
		const stored = crypto.randomBytes(12 << 20), body = crypto.randomBytes(3 << 20)
		const { json: { cid } } = await machine.put(1, stored)
		const upload = slowUpload(machine, 1, body)
		const download = slowDownload(machine, 1, cid)
		await machine.until('both are under way', () => {
			const rows = Object.fromEntries(duties(machine, 1).duties.map((row) => [row.what, row.count]))
			return rows.upload === 1 && rows.download === 1
		})
		const before = machine.status().processes.map((p) => p.pid)
		const drain = console_(machine, 'drain', '1', '--within', '60s')
		await machine.until('it says what it waits for', () => /node 1 waits for gateway@1: 1 upload, 1 download · cut in/.test(drain.out))

		for (const [method, target] of [['GET', '/health'], ['GET', `/retrieve/${cid}`], ['POST', '/store']]) {
			const refused = await machine.request(1, method, target, { body: method === 'POST' ? Buffer.from('new') : undefined,
				headers: method === 'POST' ? { 'content-length': 3 } : {} })
			assert.strictEqual(refused.status, 503, `${method} ${target}`)
			assert.strictEqual(refused.headers.connection, 'close')
			assert.match(refused.body.toString(), /being stopped/)
		}
		assert.strictEqual((await machine.put(2, Buffer.from('node 2 goes on'))).status, 201)

		const second = console_(machine, 'drain', '1', '--json')
		await machine.until('the second one says so', () => /"already":true/.test(second.out) && /"waits_for":\[{/.test(second.out))
		second.child.kill('SIGINT')
		assert.strictEqual(await second.ended, 5)
		assert.match(second.out, /goes on without you/)
		assert.strictEqual(machine.status().nodes[0].state, 'draining')
		assert.deepStrictEqual(machine.status().processes.map((p) => p.pid), before, 'nobody was stopped yet')

		upload.finish()
		const answer = await upload.answer
		assert.strictEqual(answer.status, 201)
		assert.strictEqual(answer.json.size, body.length)
		await machine.until('one is left', () => /node 1 waits for gateway@1: 1 download · cut in/.test(drain.out))
		const got = await download.rest()
		assert.ok(got.subarray(got.indexOf('\r\n\r\n') + 4).equals(stored), 'the bytes arrive whole')
		assert.strictEqual(await drain.ended, 0, drain.out + drain.err)
		assert.match(drain.out, /its work has ended; it stops[^]*node 1 stopped/)
		assert.strictEqual(running(machine, 1), 0)
		assert.strictEqual(machine.status().nodes[0].state, 'drained')
		await assert.rejects(machine.request(1, 'GET', '/health'), 'strangers are refused at once')

		machine.warren('start', '1')
		await machine.ready()
		const back = await machine.request(1, 'GET', `/retrieve/${answer.json.cid}`)
		assert.ok(back.body.equals(body), 'what was acknowledged is there')
		assert.strictEqual(duties(machine, 1).closed, false)
	} finally { await machine.destroy() }
})

test('when the time is up, what runs is cut; nobody needs to look on', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 64 })
	try {
		await machine.ready()
		const upload = slowUpload(machine, 1, crypto.randomBytes(3 << 20))
		await machine.until('it is under way', () => duties(machine, 1).duties.length === 1)
		const left = console_(machine, 'drain', '1', '--within', '3s')
		await machine.until('it has begun', () => /waits for/.test(left.out))
		left.child.kill('SIGKILL')
		await left.ended
		const json = console_(machine, 'drain', '1', '--json')
		assert.strictEqual(await json.ended, 1)
		const lines = json.out.trim().split('\n').map((line) => JSON.parse(line))
		assert.deepStrictEqual(lines.at(-1), { ok: false, done: true, target: '1', cut: 1 })
		assert.ok(lines.some((line) => line.state === 'draining' && line.waits_for[0].who === 'gateway@1' && line.waits_for[0].what === 'upload'))
		await assert.rejects(upload.answer)
		assert.strictEqual(running(machine, 1), 0)
	} finally { await machine.destroy() }
})

test('drain all, start-all, stop all; a gateway that dies while it drains takes nothing new on', async () => {
	const machine = await Machine.create({ nodes: 3, storage: 16 })
	try {
		await machine.ready()
		const upload = slowUpload(machine, 2, crypto.randomBytes(3 << 20))
		await machine.until('it is under way', () => duties(machine, 2).duties.length === 1)
		const drain = console_(machine, 'drain', 'all')
		await machine.until('it waits for node 2 alone', () => running(machine, 1) + running(machine, 3) === 0 && /node 2 waits for/.test(drain.out))
		machine.kill('gateway@2')
		await assert.rejects(upload.answer)
		assert.strictEqual(await drain.ended, 0, drain.out + drain.err)
		assert.strictEqual(running(machine, 2), 0)
		machine.warren('start-all')
		await machine.ready()
		machine.warren('stop', 'all')
		assert.strictEqual(running(machine, 1) + running(machine, 2) + running(machine, 3), 0)
		assert.strictEqual(JSON.parse(machine.warren('start', 'all', '--json').out).processes.length, 9)
		const wrong = machine.warrenFails('drain', 'gateway@1')
		assert.strictEqual(wrong.code, 2)
		assert.strictEqual(machine.warrenFails('drain', '9').code, 1)
	} finally { await machine.destroy() }
})

test('an idle node drains at once; a start in the middle of a drain ends it', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 64 })
	try {
		await machine.ready()
		const upload = slowUpload(machine, 1, crypto.randomBytes(3 << 20))
		await machine.until('it is under way', () => duties(machine, 1).duties.length === 1)
		const drain = console_(machine, 'drain', '1')
		await machine.until('it waits', () => /waits for/.test(drain.out))
		machine.warren('start', '1')
		await drain.ended
		assert.match(drain.out, /somebody started/)
		await machine.ready()
		await upload.answer.catch(() => {})
		assert.strictEqual((await machine.put(1, Buffer.from('it takes new ones on'))).status, 201)
		machine.warren('drain', '1')
		assert.strictEqual(running(machine, 1), 0)
	} finally { await machine.destroy() }
})

// -- the machine's own end: SIGTERM is what a service manager sends ------------------------------

const gone = (pid) => { try { process.kill(pid, 0); return false } catch { return true } }
const WAIT = 60000

test('SIGTERM lets work under way end, and only that; then the machine ends', async () => {
	const machine = await Machine.create({ nodes: 2, storage: 64, conf: 'stop_drain_s = 90;' })
	try {
		await machine.ready()
		const body = crypto.randomBytes(3 << 20), upload = slowUpload(machine, 1, body), { supervisor } = machine
		await machine.until('it is under way', () => duties(machine, 1).duties.length === 1)
		process.kill(supervisor, 'SIGTERM')
		await machine.until('node 2 had nothing to end', () => running(machine, 2) === 0)
		assert.strictEqual((await machine.request(1, 'GET', '/health')).status, 503)
		assert.match(machine.warrenFails('start', '2').err, /the machine is stopping/)
		assert.strictEqual(machine.process('store@1').state, 'ready', 'node 1 is waited for')
		upload.finish()
		const answer = await upload.answer
		assert.strictEqual(answer.status, 201)
		await machine.until('the machine has ended', () => gone(supervisor), WAIT)
		assert.match(machine.log('warrend'), /node\.drained node=1 cut=0[^]*process\.ended process=broker/)
		assert.doesNotMatch(machine.log('warrend'), /process\.ended .* signal=/, 'each ended by itself')
		machine.start()
		await machine.ready()
		assert.ok((await machine.get(1, answer.json.cid)).body.equals(body), 'what was acknowledged is there')
	} finally { await machine.destroy() }
})

test('the time of a stop has an end: what runs then is cut, and that is said; a second SIGTERM and `warrend stop` do not wait', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 64, conf: 'stop_drain_s = 2;' })
	const endless = async () => {
		const upload = slowUpload(machine, 1, crypto.randomBytes(3 << 20))
		await machine.until('it is under way', () => duties(machine, 1).duties.length === 1)
		return upload
	}
	const again = async () => { machine.start(); await machine.ready() }
	try {
		await machine.ready()
		let upload = await endless()
		process.kill(machine.supervisor, 'SIGTERM')
		await assert.rejects(upload.answer)
		await machine.until('it has ended', () => gone(machine.supervisor), WAIT)
		assert.match(machine.log('warrend'), /warn warrend\S* node\.drained node=1 cut=1 ms=\d+ why="the time was up; what gateway@1 had under way is cut"/)

		fs.writeFileSync(path.join(machine.root, 'etc', 'warren.conf'), fs.readFileSync(path.join(machine.root, 'etc', 'warren.conf'), 'utf8').replace('stop_drain_s = 2', 'stop_drain_s = 90'))
		await again()
		upload = await endless()
		process.kill(machine.supervisor, 'SIGTERM')
		await machine.until('it drains', () => machine.status().nodes[0].state === 'draining')
		process.kill(machine.supervisor, 'SIGTERM')
		await assert.rejects(upload.answer)
		await machine.until('it has ended', () => gone(machine.supervisor), 15000)
		assert.match(machine.log('warrend'), /stop\.hurried why="somebody hurries; what [^"]*gateway@1 had under way is cut"/)

		await again()
		upload = await endless()
		machine.warrend('stop')
		await assert.rejects(upload.answer)
		await machine.until('it has ended', () => gone(machine.supervisor), WAIT)
		assert.doesNotMatch(machine.log('warrend'), /process\.ended .* signal=(6|11)\b/, 'nobody broke')
	} finally { await machine.destroy() }
})

// Both in one turn: it is stopped while it is told to end and its gateway hangs up.
test('a store that is told to end in the turn in which its gateway dies ends whole', async () => {
	const machine = await Machine.create({ nodes: 1, storage: 16 })
	try {
		await machine.ready()
		assert.strictEqual((await machine.put(1, Buffer.from('so that the gateway is connected'))).status, 201)
		const { pid } = machine.process('store@1'), gateway = machine.process('gateway@1').pid
		process.kill(pid, 'SIGSTOP')
		process.kill(gateway, 'SIGKILL')
		await machine.until('the gateway is gone', () => gone(gateway))
		process.kill(pid, 'SIGTERM')
		process.kill(pid, 'SIGCONT')
		await machine.until('the store has ended', () => new RegExp(`process\\.ended process=store@1 pid=${pid} `).test(machine.log('warrend')))
		assert.match(machine.log('warrend'), new RegExp(`process\\.ended process=store@1 pid=${pid} exit=0 `))
	} finally { await machine.destroy() }
})
