// The two commands of the README, on a root of their own: three nodes, a file there and back, the second `scripts/up`, the end.
// The nodes' ports are the ones that a user gets; when something here has one of them already, this is skipped.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { BUILD } = require('./machine.js')
const { ask } = require('../../contracts/anvil.js')

const clone = path.join(__dirname, '..', '..')
const PORTS = [5001, 5101, 5201]
const scriptIn = (env, name, ...args) => {
	const done = spawnSync(path.join(clone, 'scripts', name), args, { encoding: 'utf8', timeout: 300000, env: { ...process.env, ...env } })
	return { code: done.status, said: done.stdout + done.stderr }
}
const script = (...words) => scriptIn({}, ...words)
const taken = (port) => new Promise((resolve) => {
	const server = net.createServer().on('error', () => resolve(true))
	server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
})

test('scripts/up, a file, scripts/up again, scripts/down', { timeout: 400000 }, async (t) => {
	for (const port of PORTS)
		if (await taken(port)) return t.skip(`port ${port} is taken on this machine`)
	if (BUILD !== path.join(clone, 'build', 'release')) return t.skip(`scripts/up does not use the programs of ${BUILD}`)
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-test-'))
	fs.chmodSync(folder, 0o755)
	const root = path.join(folder, 'machine')
	try {
		const unknown = script('up', '--root', root, '--nodes', 'bronze,diamond')
		assert.strictEqual(unknown.code, 1)
		const small = { LD_PRELOAD: path.join(BUILD, 'tests', 'libworld.so'), WARREN_WORLD_MEMORY: '2' } // GiB
		// Node.js is there, but what it is to fetch is not: the nodes run, and what they lack is said
		const bare = path.join(folder, 'bin')
		fs.mkdirSync(bare)
		fs.writeFileSync(path.join(bare, 'node'), '#!/bin/sh\necho "npm ci in contracts: there is no network" >&2\nexit 1\n', { mode: 0o755 })
		const fewer = scriptIn({ ...small, PATH: `${bare}:${process.env.PATH}` }, 'up', '--root', `${root}-small`, '--storage', '16')
		assert.strictEqual(fewer.code, 0, fewer.said)
		assert.match(fewer.said, /THIS MACHINE HAS NO CHAIN: npm ci in contracts: there is no network/)
		const none = spawnSync(path.join(`${root}-small`, 'bin', 'warren'), ['chain'], { encoding: 'utf8' })
		assert.strictEqual(none.status, 1)
		assert.match(none.stderr, /speaks to no chain/)
		assert.match(fewer.said, /2 nodes, not 3: this machine carries no more by the rule "ram"/)
		assert.strictEqual(script('down', '--root', `${root}-small`).code, 0)
		assert.match(unknown.said, /no tier 'diamond'; there are: bronze silver gold platinum/)
		const up = script('up', '--root', root, '--storage', '16')
		assert.strictEqual(up.code, 0, up.said)
		for (const word of ['bronze', 'silver', 'gold', ...PORTS.map((port) => `:${port}`)]) assert.ok(up.said.includes(word), `${word}: ${up.said}`)
		const blob = fs.readFileSync(path.join(clone, 'README.md'))
		const stored = await (await fetch(`http://127.0.0.1:${PORTS[0]}/store`, { method: 'POST', body: blob })).json()
		const got = Buffer.from(await (await fetch(`http://127.0.0.1:${PORTS[0]}/retrieve/${stored.cid}`)).arrayBuffer())
		assert.ok(got.equals(blob))
		for (const port of PORTS.slice(1)) assert.strictEqual((await fetch(`http://127.0.0.1:${port}/retrieve/${stored.cid}`)).status, 404)
		const chain = JSON.parse(spawnSync(path.join(root, 'bin', 'warren'), ['chain', '--json'], { encoding: 'utf8' }).stdout)
		const code = await ask(chain.rpc, 'eth_getCode', [chain.contracts.RelayManager, 'latest'])
		assert.ok(code.length > 1000, 'the contracts are there')
		for (const node of [1, 2, 3]) assert.ok(fs.existsSync(path.join(root, 'etc', `policy${node}.conf`)))
		const again = script('up', '--root', root, '--storage', '16')
		assert.strictEqual(again.code, 0, again.said)
		assert.match(again.said, /running/)
		assert.strictEqual(script('down', '--root', root).code, 0)
		await assert.rejects(ask(chain.rpc, 'eth_chainId'), 'the chain ends with the machine')
		await assert.rejects(fetch(`http://127.0.0.1:${PORTS[0]}/health`))
	} finally {
		for (const made of [root, `${root}-small`]) script('down', '--root', made)
		fs.rmSync(folder, { recursive: true, force: true })
	}
})
