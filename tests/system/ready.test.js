// What "ready" promises: a node that is told to be ready names itself and takes a put, at once. And what it does not: one node that
// cannot keeps nobody else waiting, and is shown as what it is, with the reason.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD } = require('./machine.js')

const WAIT = 30000

// Everything that a first visitor may want, without a second try.
async function serves(machine, node) {
	const health = JSON.parse((await machine.request(node, 'GET', '/health')).body)
	assert.strictEqual(health.status, 'healthy')
	assert.match(health.peerId, /^12D3KooW/)
	assert.match(health.publicKey, /^0x[0-9a-f]{64}$/)
	assert.strictEqual((await machine.request(node, 'GET', '/info')).status, 200)
	const blob = crypto.randomBytes(1000), put = await machine.put(node, blob)
	assert.strictEqual(put.status, 201, put.body.toString())
	assert.ok((await machine.get(node, put.json.cid)).body.equals(blob))
}

const moved = (file) => { fs.renameSync(file, file + '.away'); return () => fs.renameSync(file + '.away', file) }

test('as soon as it is told to be ready, each node names itself and takes a put', async () => {
	const machine = await Machine.create({ nodes: 3, start: false })
	try {
		for (let round = 0; round < 5; round++) {
			machine.start()
			await Promise.all([1, 2, 3].map((node) => serves(machine, node)))
			assert.ok(machine.status().processes.every((p) => p.state === 'ready'))
			machine.warrend('stop')
		}
		machine.start()
		for (const who of ['gateway@1', 'store@1', 'wallet@1', 'broker', '1']) {
			machine.warren('restart', who === 'broker' ? 'gateway@1' : who) // the broker is nobody's to restart …
			if (who === 'broker') machine.kill(who) // … but may die
			await machine.ready(WAIT)
			machine.agents[1]?.destroy()
			delete machine.agents[1]
			if (who !== 'broker' && who !== 'store@1') await serves(machine, 1)
			else await machine.until(`it serves after ${who}`, () => serves(machine, 1).then(() => true), WAIT) // a gateway that lives on stays ready
		}
	} finally { await machine.destroy() }
})

test('a wallet that cannot start keeps its own node from being ready, and nobody else', async () => {
	const machine = await Machine.create({ nodes: 2, start: false })
	try {
		const back = moved(path.join(machine.root, 'node1', 'keys', 'wallet.keys'))
		const began = Date.now()
		const started = machine.run('warrend', ['start'], { fails: true })
		assert.match(started.out + started.err, /wallet@1 is misconfigured/)
		assert.ok(Date.now() - began < 25000, 'nobody waits for what waits for a person')
		await machine.until('the service manager is told', () => /warrend\.ready/.test(machine.log('warrend')), WAIT)
		await machine.until('node 2 is ready', () => ['wallet@2', 'store@2', 'gateway@2'].every((who) => machine.process(who).state === 'ready'), WAIT)
		await serves(machine, 2)
		assert.deepStrictEqual(['wallet@1', 'store@1', 'gateway@1'].map((who) => machine.process(who).state), ['misconfigured', 'ready', 'starting'])
		assert.match(machine.warrenFails('why', 'gateway@1').out, /because gateway@1: store@1 has not heard from its wallet[^]*you can: [^]*warren why wallet@1/)
		back()
		machine.warren('reload')
		await machine.ready(WAIT)
		await serves(machine, 1)
	} finally { await machine.destroy() }
})

test('a locked node: its gateway waits, and the start does not', async () => {
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		machine.run('warrend', ['passphrase'], { input: 'a long passphrase\n' })
		fs.appendFileSync(path.join(machine.root, 'etc', 'warren.conf'), 'unlock = "ask";\n')
		assert.match(machine.run('warrend', ['start']).out, /locked; unlock them with/)
		assert.deepStrictEqual(['wallet@1', 'store@1', 'gateway@1'].map((who) => machine.process(who).state), ['locked', 'locked', 'starting'])
		assert.strictEqual(JSON.parse(machine.warrenFails('status', '--json').out).nodes[0].state, 'locked')
		assert.match(machine.warrenFails('why', 'gateway@1').out, /because gateway@1: store@1/)
		machine.run('warrend', ['unlock'], { input: 'a long passphrase\n' })
		await machine.ready(WAIT)
		await serves(machine, 1)
	} finally { await machine.destroy() }
})

test('a wallet that lives and says nothing has ten seconds, then the machine is up without it', async () => {
	const machine = await Machine.create({ nodes: 1, start: false })
	try {
		const program = path.join(machine.root, 'bin', 'warren-wallet'), mode = fs.statSync(program).mode & 0o777
		const put = (from) => { fs.rmSync(program); fs.copyFileSync(path.join(BUILD, from), program); fs.chmodSync(program, mode) }
		put('tests/tool-mute')
		const started = machine.run('warrend', ['start'], { fails: true })
		assert.match(started.out + started.err, /wallet@1 is starting[^]*gateway@1 is starting/)
		await machine.until('the service manager is told', () => /warrend\.ready/.test(machine.log('warrend')), WAIT)
		assert.strictEqual(machine.process('store@1').state, 'ready')
		put('warren-wallet')
		machine.kill('wallet@1')
		await machine.ready(WAIT)
		await serves(machine, 1)
	} finally { await machine.destroy() }
})
