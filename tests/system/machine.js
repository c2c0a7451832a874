// A machine for a test: the real supervisor, real processes, a scratch root. Made small, stopped and removed by itself.
// Runs as root or not, like the machine it makes. Traffic goes to 127.0.0.1 only; only pids it started are signalled.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

const BUILD = process.env.WARREN_BUILD || path.join(__dirname, '..', '..', 'build', 'release')
// Walls to leave out of every machine, "landlock, seccomp, …": tests see what is left standing, and that it works without.
const WITHOUT = (process.env.WARREN_WITHOUT || '').split(/[ ,]+/).filter(Boolean)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Ports of the machines of a test, fifty for a process: away from a machine that an operator runs here and from those that the
// kernel gives to whoever connects (32768 and up). Whoever listens on the first of a block has the block, so that tests which run
// side by side do not meet.
const FIRST_PORT = 21001, BLOCK = 50, BLOCKS = 230
let nextPort = 0

function claim(port) {
	return new Promise((resolve) => {
		const server = net.createServer((socket) => socket.destroy())
		server.on('error', () => resolve(false))
		server.listen(port, '127.0.0.1', () => { server.unref(); resolve(true) })
	})
}

async function claimPorts() {
	for (let i = 0; i < BLOCKS && !nextPort; i++) {
		const first = FIRST_PORT + (process.pid + i) % BLOCKS * BLOCK
		if (await claim(first)) nextPort = first + 1
	}
	if (!nextPort) throw new Error(`somebody listens on each of the ports ${FIRST_PORT}, ${FIRST_PORT + BLOCK}, …`)
}

class Machine {
	// nodes: how many; storage: MiB each; conf: lines for warren.conf
	static async create({ nodes = 1, storage = 16, conf = '', start = true } = {}) {
		if (!nextPort) await claimPorts()
		const machine = new Machine()
		machine.root = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-test-'))
		machine.ports = [0]
		machine.agents = []
		installPrograms(machine.root)
		machine.warrend('create', '--name', 'test')
		if (WITHOUT.length && !/^without\b/m.test(conf)) conf += `\nwithout = "${WITHOUT.join(', ')}";`
		if (conf) fs.appendFileSync(path.join(machine.root, 'etc', 'warren.conf'), conf + '\n')
		for (let node = 1; node <= nodes; node++) machine.add(storage)
		if (start) machine.start()
		return machine
	}

	add(storage = 16, port = nextPort++) {
		this.ports.push(port)
		return this.warrend('add', '--tier', 'bronze', '--storage', String(storage), '--port', String(port))
	}

	start() {
		for (const agent of this.agents) agent && agent.destroy() // connections to processes that are no more
		this.agents = []
		this.warrend('start')
		this.supervisor = Number(fs.readFileSync(path.join(this.root, 'run', 'warrend.pid'), 'utf8'))
	}

	// Runs a program of the machine to its end. Throws when it fails, unless asked not to.
	run(program, args, { fails = false, input } = {}) {
		const done = spawnSync(path.join(this.root, 'bin', program), ['--root', this.root, ...args], {
			encoding: 'utf8', timeout: 60000, input, maxBuffer: 1 << 26,
		})
		if (!fails && done.status !== 0)
			throw new Error(`${program} ${args.join(' ')}: exit ${done.status} ${done.signal || ''}\n${done.stdout}${done.stderr}`)
		return { code: done.status, out: done.stdout, err: done.stderr }
	}

	warrend(...args) { return this.run('warrend', args) }
	warren(...args) { return this.run('warren', args) }
	warrenFails(...args) { return this.run('warren', args, { fails: true }) }

	status() { return JSON.parse(this.warren('status', '--json').out) }

	// "store@1" or "broker"
	process(who, status = this.status()) {
		const [actor, node] = who.split('@')
		return status.processes.find((p) => p.actor === actor && p.node === Number(node || 0))
	}

	async until(what, check, ms = 10000) {
		const end = Date.now() + ms
		for (;;) {
			let value
			try { value = await check() } catch (error) { value = false }
			if (value) return value
			if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
			await sleep(20)
		}
	}

	ready(ms = 10000) {
		return this.until('every process is ready', () => this.status().processes.every((p) => p.state === 'ready'), ms)
	}

	// What a process logged: the text of its file.
	log(who) {
		const [actor, node] = who.split('@')
		const folder = node ? `node${node}` : 'machine'
		return fs.readFileSync(path.join(this.root, 'logs', folder, `${actor}.log`), 'utf8')
	}

	agent(node) {
		this.agents[node] ||= new http.Agent({ keepAlive: true, maxSockets: 64 })
		return this.agents[node]
	}

	// One HTTP request; resolves to {status, headers, body}; rejects when the connection breaks.
	request(node, method, target, { body, headers = {}, from } = {}) { // from: our address, 127.x.y.z
		return new Promise((resolve, reject) => {
			const request = http.request({
				host: '127.0.0.1', port: this.ports[node], method, path: target, headers, timeout: 20000,
				agent: from ? false : this.agent(node), localAddress: from,
			}, (response) => {
				const parts = []
				response.on('data', (part) => parts.push(part))
				response.on('error', reject)
				response.on('aborted', () => reject(new Error('aborted')))
				response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }))
			})
			request.on('timeout', () => request.destroy(new Error('timeout')))
			request.on('error', reject)
			request.end(body)
		})
	}

	async put(node, body) {
		const answer = await this.request(node, 'POST', '/store', {
			body, headers: { 'content-type': 'application/octet-stream', 'content-length': body.length },
		})
		return { ...answer, json: JSON.parse(answer.body.toString() || 'null') }
	}

	get(node, cid) { return this.request(node, 'GET', `/retrieve/${cid}`) }

	kill(who, signal = 'SIGKILL') {
		const process_ = this.process(who)
		if (!process_ || !process_.pid) throw new Error(`${who} does not run`)
		process.kill(process_.pid, signal)
		return process_.pid
	}

	// Stops it, removes its root. Returns how `warrend stop` ended.
	async destroy() {
		for (const agent of this.agents) agent && agent.destroy()
		const stopped = this.run('warrend', ['stop'], { fails: true })
		this.giveUidsBack()
		fs.rmSync(this.root, { recursive: true, force: true })
		return stopped
	}

	// A block of uids is never given out twice, as a moved root would share them; a scratch machine's is nobody's any more.
	giveUidsBack() {
		const claims = '/var/lib/warren-uids'
		if (process.getuid() !== 0 || !fs.existsSync(claims)) return
		for (const name of fs.readdirSync(claims)) {
			const claim = path.join(claims, name)
			if (fs.readFileSync(claim, 'utf8').trim() === this.root) fs.unlinkSync(claim)
		}
	}
}

function installPrograms(root) {
	const bin = path.join(root, 'bin')
	fs.chmodSync(root, 0o755)
	fs.mkdirSync(bin, { mode: 0o755 })
	for (const name of fs.readdirSync(BUILD)) {
		if (name !== 'warren' && name !== 'warrend' && !name.startsWith('warren-')) continue
		fs.copyFileSync(path.join(BUILD, name), path.join(bin, name))
		fs.chmodSync(path.join(bin, name), name === 'warren' ? 0o755 : process.getuid() !== 0 ? 0o111 : 0o711)
	}
}

module.exports = { Machine, installPrograms, sleep, BUILD, WITHOUT }
