// Metrics: of a node on its gateway, of the machine by `warren metrics` and on a port of its own; read by Prometheus' own checker.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const http = require('node:http')
const { spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

const port = 20001 + (process.pid % 900)
let machine
test.before(async () => { machine = await Machine.create({ nodes: 2, conf: `metrics_port = ${port};` }); await machine.ready() })
test.after(async () => { await machine.destroy() })

// {name: {type, samples: Map(labels → value)}}; throws where the text form is not kept.
function parse(text) {
	const families = {}
	for (const line of text.trim().split('\n')) {
		const [, what, name, rest] = line.match(/^# (HELP|TYPE) (\S+) (.+)$/) || []
		if (what === 'HELP') { assert.ok(!families[name], `${name} is said once`); families[name] = { samples: new Map() } }
		else if (what === 'TYPE') families[name].type = rest
		else {
			const [, of, labels, value] = line.match(/^([a-z_]+)(?:\{([^}]*)\})? (\d+)$/)
			families[of].samples.set(labels || '', Number(value))
		}
	}
	return families
}

const check = (text) => {
	const done = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stdout + done.stderr)
	assert.strictEqual(done.stdout + done.stderr, '', 'it has nothing to say')
}

const scrape = (target = '/metrics', options = {}) => new Promise((resolve, reject) => {
	const request = http.request({ host: '127.0.0.1', port, path: target, timeout: 10000, ...options }, (response) => {
		const parts = []
		response.on('data', (part) => parts.push(part))
		response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }))
	})
	request.on('error', reject)
	request.on('timeout', () => request.destroy(new Error('timeout')))
	request.end(options.body)
})

const ofNode = async (node) => {
	const answer = await machine.request(node, 'GET', '/metrics')
	assert.strictEqual(answer.status, 200)
	assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/)
	return answer.body.toString()
}

function counters(families) {
	const all = new Map()
	for (const [name, family] of Object.entries(families))
		if (family.type === 'counter') for (const [labels, value] of family.samples) all.set(`${name}{${labels}}`, value)
	return all
}

test('a node: what was put and read is counted, promtool is content, no stranger can make a label', async () => {
	const blob = crypto.randomBytes(30000)
	const { json: { cid } } = await machine.put(1, blob)
	await machine.get(1, cid)
	await machine.get(1, 'bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')
	await machine.request(1, 'GET', '/no-such-thing')
	const text = await machine.until('the store has been asked since', async () => {
		const now = await ofNode(1)
		return parse(now).warren_store_blobs.samples.get('node="1"') === 1 && now
	})
	check(text)
	const families = parse(text)
	assert.strictEqual(families.warren_store_bytes.samples.get('node="1"'), 30000)
	assert.ok(families.warren_http_received_bytes_total.samples.get('node="1"') >= 30000)
	assert.ok(families.warren_http_refused_total.samples.get('node="1"') >= 2)
	for (const family of Object.values(families)) assert.ok([...family.samples.keys()].every((labels) => labels === 'node="1"'))
	assert.ok(!text.includes(cid) && !text.includes('127.0.0.1'))
	assert.strictEqual((await machine.request(1, 'POST', '/metrics')).status, 405)
})

test('the machine: by the console and on its port the same families, promtool is content with both', async () => {
	const page = await scrape()
	assert.strictEqual(page.status, 200)
	assert.match(page.headers['content-type'], /^text\/plain; version=0\.0\.4/)
	const printed = machine.warren('metrics').out
	check(page.text)
	check(printed)
	const one = parse(page.text), two = parse(printed)
	assert.deepStrictEqual(Object.keys(one), Object.keys(two))
	assert.strictEqual(one.warren_nodes.samples.get(''), 2)
	const processes = machine.status().processes.map((p) => `process="${p.who}"`)
	for (const name of ['warren_process_ready', 'warren_process_memory_bytes', 'warren_process_restarts_total', 'warren_process_drops_total'])
		assert.deepStrictEqual([...one[name].samples.keys()].sort(), [...processes].sort(), name)
	assert.deepStrictEqual([...one.warren_store_blobs.samples], [['node="1"', 1], ['node="2"', 0]])
	assert.deepStrictEqual([...one.warren_alerts.samples.keys()], ['severity="info"', 'severity="warn"', 'severity="bad"'])
	const series = [...Object.values(one)].reduce((sum, family) => sum + family.samples.size, 0)
	assert.ok(series < 200, `${series} series for two nodes`)
})

test('counters only rise, though whoever asks is born again; labels do not grow with what strangers do', async () => {
	const before = parse((await scrape()).text)
	for (let i = 0; i < 20; i++) await machine.put(2, crypto.randomBytes(100))
	for (let i = 0; i < 50; i++) await machine.request(2, 'GET', `/retrieve/${crypto.randomBytes(32).toString('hex')}`)
	const old = machine.kill('meter')
	await machine.until('meter is another one', () => { const now = machine.process('meter'); return now.state === 'ready' && now.pid !== old })
	const after = parse((await scrape()).text)
	const then = counters(before), now = counters(after)
	assert.deepStrictEqual([...now.keys()].sort(), [...then.keys()].sort(), 'the same series')
	for (const [name, value] of then)
		if (!name.includes('"meter"')) assert.ok(now.get(name) >= value, `${name}: ${value}, then ${now.get(name)}`)
	assert.ok(now.get('warren_store_puts_total{node="2"}') >= then.get('warren_store_puts_total{node="2"}') + 20)
	assert.ok(now.get('warren_http_requests_total{node="2"}') >= then.get('warren_http_requests_total{node="2"}') + 70)
	assert.strictEqual(now.get('warren_process_restarts_total{process="meter"}'), 1)
})

test('meter: nothing but GET /metrics, from here alone; a crowd that says nothing keeps nobody out for long', async () => {
	assert.strictEqual((await scrape('/')).status, 404)
	assert.strictEqual((await scrape('/metrics', { method: 'POST', body: 'x'.repeat(100000) })).status, 405)
	assert.strictEqual((await scrape('/metrics', { method: 'HEAD' })).status, 200)
	const answers = await Promise.all(Array.from({ length: 60 }, () => scrape().catch((error) => ({ status: error.code }))))
	assert.ok(answers.filter((answer) => answer.status === 200).length >= 20)
	const page = await machine.until('it goes on', async () => { const answer = await scrape(); return answer.status === 200 && answer })
	assert.match(page.text, /warren_up_seconds/)
	const limits = JSON.parse(machine.warren('limits', 'meter', '--json').out).processes[0].limits
	const connections = limits.find((limit) => limit.name === 'http connections')
	assert.ok(connections.high <= connections.limit, `${connections.high} of ${connections.limit}`)
})

test('a figure of a process that hangs is left out; the rest comes', async () => {
	machine.kill('store@2', 'SIGSTOP')
	const page = await scrape()
	assert.strictEqual(page.status, 200)
	assert.match(page.text, /warren_store_blobs\{node="1"\} 1/)
	await machine.ready(20000)
})
