// Clients beyond a wire (chaos/partition.test.js): they store without end, note what was acknowledged, read some of it back, and give
// every request three seconds. Runs in a network namespace of its own. Says one JSON object a line: {ok, cid, digest} or {bad}, with the
// time of day; ends when its standard input does, with {done}. usage: node beyond.js HOST PORT WRITERS
'use strict'
const crypto = require('node:crypto')
const http = require('node:http')

const [host, port, writers] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
const sha = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex')
let over = false
process.stdin.on('end', () => { over = true }).resume()
const say = (what) => process.stdout.write(JSON.stringify({ at: Date.now(), ...what }) + '\n')

const request = (method, target, body) => new Promise((resolve, reject) => {
	const one = http.request({ host, port, method, path: target, agent, headers: body ? { 'content-length': body.length } : {} }, (response) => {
		const parts = []
		response.on('data', (part) => parts.push(part))
		response.on('aborted', () => reject(new Error('aborted')))
		response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts) }))
	})
	const timer = setTimeout(() => one.destroy(new Error('timeout')), 3000)
	one.on('close', () => clearTimeout(timer))
	one.on('error', reject)
	one.end(body)
})

async function write() {
	while (!over) {
		const body = crypto.randomBytes(crypto.randomInt(4) ? 2000 : 150000), digest = sha(body)
		try {
			const put = await request('POST', '/store', body)
			if (put.status !== 201) throw new Error(`put ${put.status}`)
			const { cid } = JSON.parse(put.body)
			say({ ok: true, cid, digest })
			const got = await request('GET', `/retrieve/${cid}`)
			if (got.status !== 200 || sha(got.body) !== digest) say({ wrong: cid, status: got.status })
		} catch (error) { say({ bad: error.code || error.message }) }
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}

Promise.all(Array.from({ length: Number(writers) }, write)).then(() => { agent.destroy(); say({ done: true }); process.exit(0) })
