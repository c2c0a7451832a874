// Alerts leave the machine: by a webhook, in order, whatever its server does; and by the operator's own program.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
const QUIET = 'alert_quiet_s = 2;'

// A server on a port of its own. `answer` is 200, 500 …, or 'hang'.
class Receiver {
	constructor() { this.all = []; this.got = []; this.tries = 0; this.answer = 200; this.sockets = new Set() }

	async listen(port = 0, tls) {
		const serve = (request, response) => {
			const parts = []
			this.tries++
			request.on('data', (part) => parts.push(part))
			request.on('end', () => {
				if (this.answer === 'hang') return
				if (this.answer < 300) {
					const news = { headers: request.headers, ...JSON.parse(Buffer.concat(parts)) }
					this.all.push(news)
					if (!news.code.startsWith('wall-')) this.got.push(news) // which walls there are is this system's matter
				}
				response.writeHead(this.answer, { 'content-type': 'text/plain' })
				response.end('x'.repeat(100))
			})
		}
		this.server = tls ? https.createServer(tls, serve) : http.createServer(serve)
		this.server.on('connection', (socket) => { this.sockets.add(socket); socket.on('close', () => this.sockets.delete(socket)) })
		this.server.on('tlsClientError', (error) => { this.tlsError = error })
		await new Promise((resolve, reject) => { this.server.once('error', reject); this.server.listen(port, '127.0.0.1', resolve) })
		this.port = this.server.address().port
		return this
	}

	async close() {
		for (const socket of this.sockets) socket.destroy()
		await new Promise((resolve) => this.server.close(resolve))
	}
}

const alive = (pid) => { try { return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z' } catch { return false } }
const story = (got) => got.map((one) => `${one.change} ${one.code} ${one.subject}`)
const stop = async (machine, who) => { // a store that is stopped by hand and a folder that is not right: an alert without deaths
	const place = path.join(machine.root, 'node1', 'storage', 'marker')
	assert.ok(fs.existsSync(place))
	fs.renameSync(place, place + '.away')
	machine.kill(who)
	await machine.until('it cannot start', () => machine.process(who).state === 'misconfigured')
}
const mend = async (machine) => {
	const place = path.join(machine.root, 'node1', 'storage', 'marker')
	fs.renameSync(place + '.away', place)
	machine.warren('reload')
	await machine.ready()
}

test('raise and clear arrive in order; through a server that errs, is down, or hangs', async () => {
	const receiver = await new Receiver().listen()
	const machine = await Machine.create({ nodes: 1, conf: `${QUIET}\nalert_webhook = "http://127.0.0.1:${receiver.port}/hook?key=secret";` })
	try {
		await machine.ready()
		await stop(machine, 'store@1')
		await machine.until('the first is there', () => receiver.got.length === 1)
		const first = receiver.got[0]
		assert.strictEqual(first.headers['content-type'], 'application/json')
		assert.strictEqual(first.machine, 'test')
		assert.strictEqual(first.severity, 'bad')
		assert.match(first.next, /warren reload/)
		assert.match(first.first, /^20\d\d-\d\d-\d\dT[\d:.]+Z$/)

		receiver.answer = 500
		await mend(machine)
		await machine.until('it was tried', () => receiver.tries >= 3)
		assert.strictEqual(receiver.got.length, 1)
		receiver.answer = 200
		await machine.until('the clear is there', () => receiver.got.length >= 2, 30000)

		const port = receiver.port
		await receiver.close()
		await stop(machine, 'store@1')
		await machine.until('it is said that nobody takes them', () => /alerts-undelivered/.test(machine.warren('alerts').out), 30000)
		await mend(machine)
		await receiver.listen(port)
		await machine.until('all are there', () => story(receiver.got).includes('cleared alerts-undelivered herald'), 60000)
		const heard = story(receiver.got)
		const of = (code) => heard.filter((line) => line.includes(code)).map((line) => line.split(' ')[0])
		assert.deepStrictEqual(of('process-misconfigured'), ['raised', 'cleared', 'raised', 'cleared'])
		assert.deepStrictEqual(of('alerts-undelivered').slice(-2), ['raised', 'cleared'])
		assert.deepStrictEqual(receiver.all.map((one) => one.seq), receiver.all.map((one, index) => index + 1), 'in order, once each')

		// One that hangs holds up the herald, and nobody else.
		receiver.answer = 'hang'
		const tries = receiver.tries
		await stop(machine, 'store@1')
		await machine.until('it hangs', () => receiver.tries > tries)
		const began = process.hrtime.bigint()
		for (let i = 0; i < 5; i++) machine.warren('alerts', '--json')
		await mend(machine)
		assert.strictEqual((await machine.put(1, Buffer.from('business goes on'))).status, 201)
		assert.ok(process.hrtime.bigint() - began < 10_000_000_000n, 'sooner than one post that hangs')
		const before = receiver.got.length
		receiver.answer = 200
		// A herald that dies goes on where it was.
		machine.kill('herald')
		await machine.until('both are there', () => receiver.got.length >= before + 2, 60000)
		const seqs = receiver.all.map((one) => one.seq)
		assert.deepStrictEqual([...new Set(seqs)], seqs.slice().sort((a, b) => a - b).filter((seq, i, list) => seq !== list[i - 1]))
		assert.ok(!machine.log('herald').includes('secret'), 'the URL is not in the log')
	} finally { await receiver.close().catch(() => {}); await machine.destroy() }
})

test('TLS is verified: a server that nobody vouches for gets nothing', async () => {
	const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'warren-tls-'))
	const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
		'-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', path.join(folder, 'key'), '-out', path.join(folder, 'cert')], { encoding: 'utf8' })
	assert.strictEqual(made.status, 0, made.stderr)
	const receiver = await new Receiver().listen(0, { key: fs.readFileSync(path.join(folder, 'key')), cert: fs.readFileSync(path.join(folder, 'cert')) })
	const machine = await Machine.create({ nodes: 1, conf: `${QUIET}\nalert_webhook = "https://127.0.0.1:${receiver.port}/";` })
	try {
		await machine.ready()
		await stop(machine, 'store@1')
		await machine.until('herald says why', () => /herald\.failed.*certificate/i.test(machine.log('herald')), 20000)
		assert.strictEqual(receiver.tries, 0)
		if (process.getuid() !== 0) return
		// The control: where somebody vouches for it (a bundle of our own, seen by this machine alone), it gets them.
		machine.warrend('stop')
		const bundle = path.join(folder, 'bundle')
		fs.writeFileSync(bundle, fs.readFileSync(AUTHORITIES, 'utf8') + fs.readFileSync(path.join(folder, 'cert'), 'utf8'))
		const started = spawnSync('unshare', ['--mount', 'sh', '-c', `mount --bind "${bundle}" ${AUTHORITIES} && exec "$0" --root "$1" start`,
			path.join(machine.root, 'bin', 'warrend'), machine.root], { encoding: 'utf8' })
		await machine.until('it is taken', () => receiver.got.length >= 1, 30000)
		assert.strictEqual(receiver.got[0].code, 'process-misconfigured', started.stderr)
	} finally { await receiver.close(); await machine.destroy(); fs.rmSync(folder, { recursive: true }) }
})

test('no webhook, no herald; a URL that is none is a mistake', async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		assert.strictEqual(machine.process('herald'), undefined)
		const conf = path.join(machine.root, 'etc', 'warren.conf')
		fs.appendFileSync(conf, 'alert_webhook = "ftp://example.org/";\n')
		const wrong = machine.run('warrend', ['check'], { fails: true })
		assert.strictEqual(wrong.code, 78)
		assert.match(wrong.out + wrong.err, /alert_webhook/)
	} finally { await machine.destroy() }
})

test('the operator\'s own program gets each alert on its standard input, as nobody', async () => {
	const folder = fs.mkdtempSync('/var/lib/warren-test-') // root's alone, all the way up; /tmp is everybody's
	const said = path.join(folder, 'said')
	fs.chmodSync(folder, 0o755)
	fs.mkdirSync(said)
	fs.chmodSync(said, 0o777)
	const program = path.join(folder, 'tell')
	const write = (text, mode = 0o755) => { fs.writeFileSync(program, `#!/bin/sh\n${text}\n`); fs.chmodSync(program, mode) }
	write(`cat >>${said}/alerts; { id -u; id -G; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; ls /proc/self/fd | tr "\\n" " "; } >>${said}/who`)
	const machine = await Machine.create({ nodes: 1, conf: `${QUIET}\nalert_command = "${program}";` })
	const lines = () => (fs.existsSync(`${said}/alerts`) ? fs.readFileSync(`${said}/alerts`, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [])
	try {
		await machine.ready()
		await stop(machine, 'store@1')
		await machine.until('the first is there', () => lines().length >= 1, 20000)
		await mend(machine)
		await machine.until('both are there', () => lines().length >= 2, 20000)
		assert.deepStrictEqual(story(lines()).slice(0, 2), ['raised process-misconfigured store@1', 'cleared process-misconfigured store@1'])
		const who = fs.readFileSync(`${said}/who`, 'utf8')
		if (process.getuid() === 0) {
			const uid = machine.process('steward').uid - 3 + 28
			assert.match(who, new RegExp(`^${uid}\n${uid}\n`))
		}
		assert.match(who, /CapEff:\t0+\n/)
		assert.match(who, /NoNewPrivs:\t1/)

		// One that hangs is ended, with what it left behind, and nobody waited for it.
		write(`sleep 1000 & echo $! >${said}/child; sleep 1000`)
		await stop(machine, 'store@1')
		await machine.until('it runs', () => fs.existsSync(`${said}/child`) && fs.readFileSync(`${said}/child`, 'utf8').trim())
		const left = Number(fs.readFileSync(`${said}/child`, 'utf8'))
		assert.strictEqual((await machine.put(1, Buffer.alloc(0))).status >= 400, true)
		machine.warren('status')
		await machine.until('it is said', () => /alert-command-failed[^]*killed after 10 s/.test(machine.warren('alerts', '-v').out), 30000)
		await machine.until('and what it left behind', () => !alive(left))

		// A program that others can write is not run, wherever in its path that is.
		write(`echo taken >>${said}/taken`, 0o777)
		await mend(machine)
		await machine.until('it is refused', () => /alert-command-failed[^]*can be written by others/.test(machine.warren('alerts', '-v').out), 30000)
		assert.ok(!fs.existsSync(`${said}/taken`))
	} finally { await machine.destroy(); fs.rmSync(folder, { recursive: true }) }
})
