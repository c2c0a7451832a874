// A machine in a network namespace, its clients in another, a wire between them that is cut: both ways, one way, the other way; and one that
// loses three packets of ten. Every acknowledged write is there and whole, once it is mended clients are served again within ten seconds,
// and what the lost ones held is given back. RELIABILITY C1 row 17.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const rooted = process.getuid() === 0
if (rooted && !process.env.WARREN_OWN_NET) {
	const env = { ...process.env, WARREN_OWN_NET: '1' }
	process.exit(spawnSync('unshare', ['--net', process.execPath, __filename], { stdio: 'inherit', env }).status ?? 1)
}

const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const path = require('node:path')
const { Machine, sleep } = require('../system/machine.js')
const { Load } = require('./load.js')

const long = Boolean(process.env.WARREN_LONG), LASTS_MS = long ? 60000 : 1500, HEALS_MS = 10000
const OURS = '10.77.0.1', THEIRS = '10.77.0.2'

function must(...words) {
	const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, `${words.join(' ')}: ${done.stderr}`)
}
const works = (...words) => spawnSync(words[0], words.slice(1)).status === 0

function whyNot() {
	if (!rooted) return 'needs root: it makes a network of its own'
	if (!works('nft', 'list', 'ruleset')) return 'no nftables here'
	if (!works('ip', 'link', 'add', 'warren-try', 'type', 'veth')) return 'no veth here'
	must('ip', 'link', 'del', 'warren-try')
	return false
}

// What the wire does to packets; `at` is input, output, or both.
function wire(at, how) {
	const chain = (hook, side) => `chain ${hook} {\n type filter hook ${hook} priority 0;\n ${at.includes(hook) ? `${side} "ours" ${how}` : ''}\n}\n`
	const done = spawnSync('nft', ['-f', '-'], { input: `flush ruleset\ntable inet wire {\n${chain('input', 'iifname')}${chain('output', 'oifname')}}\n`, encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stderr)
}
const mend = () => must('nft', 'flush', 'ruleset')

class Beyond {
	constructor(namespace, port) {
		this.said = []
		this.child = spawn('nsenter', ['--net', '-t', String(namespace.pid), process.execPath, path.join(__dirname, 'beyond.js'), OURS, String(port), '4'], { stdio: ['pipe', 'pipe', 'inherit'] })
		let rest = ''
		this.child.stdout.on('data', (part) => {
			const lines = (rest + part).split('\n')
			rest = lines.pop()
			for (const line of lines) this.said.push(JSON.parse(line))
		})
		this.ended = new Promise((resolve) => this.child.on('exit', resolve))
	}

	well(since) { return this.said.filter((one) => one.ok && one.at >= since) }
	async end() { this.child.stdin.end(); await this.ended }
}

test('the wire is cut, and loses packets', { skip: whyNot(), timeout: 1200000 }, async (t) => {
	must('ip', 'link', 'set', 'lo', 'up')
	const namespace = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
	let machine, beyond
	t.after(async () => {
		mend()
		if (beyond) beyond.child.kill('SIGKILL')
		if (machine) await machine.destroy()
		namespace.kill('SIGKILL')
	})
	machine = await Machine.create({ nodes: 1, storage: long ? 4096 : 256, conf: 'host = "0.0.0.0";\nrate_limits = "off";' })
	await machine.ready()
	await machine.until('the other namespace is there', () => works('ip', 'link', 'add', 'ours', 'type', 'veth', 'peer', 'name', 'theirs', 'netns', String(namespace.pid)))
	must('ip', 'addr', 'add', `${OURS}/24`, 'dev', 'ours')
	must('ip', 'link', 'set', 'ours', 'up')
	const there = (...words) => must('nsenter', '--net', '-t', String(namespace.pid), ...words)
	there('ip', 'addr', 'add', `${THEIRS}/24`, 'dev', 'theirs')
	there('ip', 'link', 'set', 'theirs', 'up')
	const pids = machine.status().processes.map((p) => [p.actor, p.pid])
	beyond = new Beyond(namespace, machine.ports[1])
	await machine.until('they store', () => beyond.well(0).length > 20)
	const told = []
	for (const [what, at, how] of [['cut both ways', ['input', 'output'], 'drop'], ...long ? [['nothing comes in', ['input'], 'drop'], ['nothing goes out', ['output'], 'drop']] : [], ['three of ten are lost', ['input', 'output'], 'numgen random mod 100 < 30 drop']]) {
		const began = Date.now()
		wire(at, how)
		await sleep(LASTS_MS)
		const served = beyond.well(began + 500).length // what was on its way is over
		if (how === 'drop') assert.strictEqual(served, 0, `${what}: the wire is cut`)
		// Those behind the wire are not all: from here the node is served as before.
		const here = await machine.put(1, crypto.randomBytes(1000))
		assert.strictEqual(here.status, 201, `${what}: ${here.body}`)
		const mended = Date.now()
		mend()
		await machine.until(`${what}: they are served again`, () => beyond.well(mended).length >= 8, 60000)
		const took = beyond.well(mended)[0].at - mended
		told.push(`${what}: ${served} stored meanwhile, again after ${took} ms`)
		assert.ok(took <= HEALS_MS, `${what}: after ${took} ms`)
	}
	await beyond.end()
	const acknowledged = beyond.said.filter((one) => one.ok), wrong = beyond.said.filter((one) => one.wrong && one.status !== undefined)
	const bad = {}
	for (const one of beyond.said) if (one.bad) bad[one.bad] = (bad[one.bad] || 0) + 1
	console.log(`# ${told.join('; ')}; acknowledged ${acknowledged.length}, failed ${JSON.stringify(bad)}`)
	assert.deepStrictEqual(wrong, [], 'read back as they were')
	for (const { cid, digest } of acknowledged) {
		const answer = await machine.get(1, cid)
		assert.strictEqual(answer.status, 200, `${cid} was acknowledged`)
		assert.strictEqual(crypto.createHash('sha256').update(answer.body).digest('hex'), digest)
	}
	assert.deepStrictEqual(await new Load(machine, 1).halves(), [], 'and nothing is there by halves')
	assert.deepStrictEqual(machine.status().processes.map((p) => [p.actor, p.pid]), pids, 'nobody died')
	machine.agents[1].destroy()
	await machine.until('what the lost ones held is given back', () => {
		const { limits } = JSON.parse(machine.warren('limits', 'gateway@1', '--json').out).processes[0]
		const depth = (name) => limits.find((limit) => limit.name === name).depth
		return depth('http connections') === 0 && depth('blob transfers') === 0 && depth('requests waiting') === 0
	}, 60000)
})
