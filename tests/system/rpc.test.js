// The process that speaks to a chain, on a real machine, against a real anvil; between them servers that do what bad ones do.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const https = require('node:https')
const os = require('node:os')
const path = require('node:path')
const { Machine } = require('./machine.js')
const { Rpc } = require('./rpc.js')
const contracts = require('../contracts/chain.js')
const anvil = require('../../contracts/anvil.js')

const LONG = 60000 // what must come, on a machine that has other work

const once = () => crypto.randomBytes(32).toString('hex')
const call = (machine, who, name, ...fields) => {
	const done = machine.run('warren', ['call', who, name, ...fields, '--json'], { fails: true })
	return { ...JSON.parse(done.out || '{}'), code: done.code, text: done.out + done.err }
}
const status = (machine) => call(machine, 'chain', 'chain_status')
const outbox = (machine) => call(machine, 'chain', 'chain_outbox').sent
const row = (machine, id) => outbox(machine).find((one) => Number(one.id) === Number(id))
const state = (machine, id, wanted) => {
	assert.ok(id, 'it was not even taken')
	return machine.until(`transaction ${id} is ${wanted}`, () => row(machine, id).state === wanted && row(machine, id), LONG)
}

// Another profile than those that come with it: all of it is in one file.
function profile(world, urls, { confirmations = 1, blockS = 0 } = {}) {
	const at = Object.entries(world.profile.contracts).map(([name, { address }]) => `${name} = "${address}";`).join(' ')
	return `id = ${anvil.CHAIN_ID};\nrpc = [${urls.map((url) => `"${url}"`).join(', ')}];\nconfirmations = ${confirmations};\nblock_s = ${blockS};\ncontracts = { ${at} };\n`
}

// What its wallet may sign: an identity, an approval, and nothing to itself, which is how a transaction is cancelled.
function policy(world, wallet) {
	const at = world.profile.contracts
	return `chains = ({ id = ${anvil.CHAIN_ID}; value_per_day = "1"; fee_per_day = "5"; rules = (
		{ name = "identity"; to = "${at.MumbleChatRegistry.address}"; methods = ["register(bytes32,string)", "updateDisplayName(string)"]; },
		{ name = "stake"; to = "${at.MCTToken.address}"; methods = ["approve(address,uint256)"]; },
		{ name = "cancel"; to = "${wallet}"; methods = ["pay"]; }
	); });\n`
}

async function machineOn(world, urls, more = {}) {
	const machine = await Machine.create({ nodes: 1, start: false })
	const etc = (name, text) => fs.writeFileSync(path.join(machine.root, 'etc', name), text, { mode: 0o644 })
	etc('chain.conf', 'profile = "test";\n')
	etc('chain-test.conf', profile(world, urls, more))
	machine.start()
	await machine.until('the wallet is there', () => call(machine, 'wallet@1', 'wallet_address').text0 || call(machine, 'wallet@1', 'wallet_address').address, LONG)
	machine.wallet = world.ethers.getAddress('0x' + String(call(machine, 'wallet@1', 'wallet_address').address).replace(/^0x/, ''))
	etc('policy.conf', policy(world, machine.wallet))
	machine.warren('reload')
	await anvil.ask(world.chain.url, 'anvil_setBalance', [machine.wallet, '0xde0b6b3a7640000'])
	await machine.until('chain is ready', () => machine.process('chain').state === 'ready', LONG)
	return machine
}

const identity = (machine, name, ...more) => call(machine, 'chain', 'chain_send', `once=${once()}`, 'node=1', 'contract=MumbleChatRegistry', 'method=register_cf2d31fb',
	`args=publicKeyX=0x${'42'.repeat(32)} displayName=${name}`, 'value=0', 'gas=0', 'purpose=identity', ...more)
const approve = (machine, amount, ...more) => call(machine, 'chain', 'chain_send', `once=${once()}`, 'node=1', 'contract=MCTToken', 'method=approve',
	`args=spender=0x${'35'.repeat(20)} value=${amount}`, 'value=0', 'gas=0', 'purpose=stake', ...more)
const nonce = async (world, machine) => Number(await anvil.ask(world.chain.url, 'eth_getTransactionCount', [machine.wallet, 'latest']))
const well = (machine) => machine.until('nothing is in the way', () => status(machine).trouble === '' && call(machine, 'chain', 'chain_contracts').contracts.every((one) => one.there), LONG)

test('a machine without a chain has no process for one, and says so', async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		await machine.ready(LONG)
		assert.strictEqual(machine.process('chain'), undefined)
		const asked = call(machine, 'chain', 'chain_status')
		assert.notStrictEqual(asked.code, 0)
	} finally { await machine.destroy() }
})

test('TLS is verified: a server that nobody vouches for is asked nothing', async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-tls-'))
	const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
		'-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', path.join(folder, 'key'), '-out', path.join(folder, 'cert')], { encoding: 'utf8' })
	assert.strictEqual(made.status, 0, made.stderr)
	let asked = 0, knocked = 0
	const server = https.createServer({ key: fs.readFileSync(path.join(folder, 'key')), cert: fs.readFileSync(path.join(folder, 'cert')) }, () => { asked++ })
	server.on('connection', () => { knocked++ })
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		fs.writeFileSync(path.join(machine.root, 'etc', 'chain.conf'), 'profile = "test";\n', { mode: 0o644 })
		fs.writeFileSync(path.join(machine.root, 'etc', 'chain-test.conf'), `id = 1370;\nrpc = ["https://127.0.0.1:${server.address().port}/secret-path"];\n`, { mode: 0o644 })
		machine.start()
		await machine.until('it says why', () => /certificate/i.test(status(machine).servers[0].why), LONG)
		assert.ok(knocked > 0)
		assert.strictEqual(asked, 0)
		assert.ok(!(machine.log('chain') + JSON.stringify(status(machine))).includes('secret-path'), 'what may be a key is not shown')
	} finally {
		await machine.destroy()
		server.close()
		fs.rmSync(folder, { recursive: true })
	}
})

test('it knows head and contracts, signs under the policy, and each transaction is in the chain once', async () => {
	const world = await contracts.start({ users: 1 })
	const a = await Rpc.start(world.chain.url)
	let machine
	try {
		machine = await machineOn(world, [a.url])
		await well(machine)
		const is = status(machine)
		assert.strictEqual(Number(is.chain_id), anvil.CHAIN_ID)
		assert.strictEqual(Number(is.head), await world.provider.getBlockNumber())
		assert.strictEqual(is.servers[0].state, 'good')
		await machine.until('the contracts were looked at', () => call(machine, 'chain', 'chain_contracts').contracts.every((one) => one.there), LONG)
		for (const contract of call(machine, 'chain', 'chain_contracts').contracts) assert.strictEqual(contract.missing, '', contract.contract)
		const read = call(machine, 'chain', 'chain_read', 'contract=RelayManager', 'method=getStakeForTier', 'args=tier=0')
		assert.strictEqual(read.answer, 'value0=100000000000000000000', read.text)

		// Sent, confirmed; asked again with the same key it is the same one.
		const key = once()
		const send = () => call(machine, 'chain', 'chain_send', `once=${key}`, 'node=1', 'contract=MumbleChatRegistry', 'method=register_cf2d31fb',
			`args=publicKeyX=0x${'42'.repeat(32)} displayName=a node`, 'value=0', 'gas=0', 'purpose=identity')
		const sent = send()
		assert.strictEqual(sent.code, 0, sent.text)
		const done = await state(machine, sent.id, 'confirmed')
		assert.strictEqual(await world.registry.isRegistered(machine.wallet), true)
		const receipt = await world.provider.getTransactionReceipt('0x' + String(done.tx_hash).replace(/^0x/, ''))
		assert.strictEqual(BigInt(done.fee_paid), receipt.gasUsed * receipt.gasPrice)
		assert.strictEqual(Number(send().id), Number(sent.id))
		assert.strictEqual(await nonce(world, machine), 1)

		// What the contract would refuse is told, and costs nothing; what the policy refuses frees its nonce.
		const twice = identity(machine, 'again')
		assert.match((await state(machine, twice.id, 'failed')).why, /would refuse it: error 0x/)
		const other = call(machine, 'chain', 'chain_send', `once=${once()}`, 'node=1', 'contract=RelayManager', 'method=heartbeatByNodeId',
			`args=nodeId=0x${'00'.repeat(32)}`, 'value=0', 'gas=60000', 'purpose=heartbeat')
		assert.match((await state(machine, other.id, 'refused')).why, /wallet@1 does not sign: refused/)
		assert.match(machine.warren('why', 'chain').out, /does not sign/)
		const next = approve(machine, 7)
		await state(machine, next.id, 'confirmed')
		assert.strictEqual(await world.token.allowance(machine.wallet, '0x' + '35'.repeat(20)), 7n)
		assert.strictEqual(await nonce(world, machine), 2)

		// Words that are none of the ABI's.
		for (const [words, because] of [
			[['contract=Nobody', 'method=x', 'args='], /no contract is called Nobody/],
			[['contract=MCTToken', 'method=steal', 'args='], /no method steal/],
			[['contract=MCTToken', 'method=balanceOf', 'args='], /changes nothing/],
			[['contract=MCTToken', 'method=approve', 'args=value=1'], /needs spender/],
			[['contract=MCTToken', 'method=approve', 'args=spender=0x12 value=1'], /not a value of its kind/],
			[['contract=', 'method=', 'args='], /plain transfer/],
		]) {
			const wrong = call(machine, 'chain', 'chain_send', `once=${once()}`, 'node=1', ...words, 'value=0', 'gas=0', 'purpose=')
			assert.match(wrong.text, because)
			assert.notStrictEqual(wrong.code, 0)
		}

		// A reader may look, and nothing more.
		const beats = machine.process('chain').restarts
		assert.strictEqual(beats, 0)
	} finally {
		if (machine) await machine.destroy()
		await a.close()
		await world.stop()
	}
})

test('servers that are down, slow, lying or flooding: no exit, another is asked, and nothing is signed when two disagree', async () => {
	const world = await contracts.start({ users: 1 })
	const a = await Rpc.start(world.chain.url), b = await Rpc.start(world.chain.url)
	let machine
	try {
		machine = await machineOn(world, [a.url, b.url])
		await well(machine)
		let amount = 1
		for (const mode of ['hang', '429', '500', 'html', 'deep', 'short', 'moved', 'cut', 'huge']) {
			await a.set({ mode })
			const sent = approve(machine, ++amount)
			await state(machine, sent.id, 'confirmed')
			await machine.until(`${mode} is seen`, () => status(machine).servers[0].state === 'failing', LONG)
			assert.strictEqual(status(machine).servers[1].state, 'good')
			await a.set()
		}
		assert.strictEqual(await nonce(world, machine), amount - 1)
		// Both gone: it says so, waits, and goes on.
		await Promise.all([a, b].map((rpc) => rpc.set({ mode: '500' })))
		await machine.until('nobody can be asked', () => /no server of the chain can be used/.test(status(machine).trouble), LONG)
		const held = approve(machine, 100)
		assert.strictEqual(row(machine, held.id).state, 'queued')
		await Promise.all([a, b].map((rpc) => rpc.set()))
		await state(machine, held.id, 'confirmed')

		// A receipt that is none: found out by the block that it names, and the transaction, which was lost, goes the other way.
		await machine.until('both are good', () => status(machine).servers.every((server) => server.state === 'good'), LONG * 2)
		await a.set({ lie: 'receipt', lose: 1 })
		const lied = approve(machine, 98)
		await state(machine, lied.id, 'confirmed')
		assert.strictEqual(await world.token.allowance(machine.wallet, '0x' + '35'.repeat(20)), 98n)

		// A nonce that is far too high: another is asked, too, and nothing is signed until they say the same.
		await a.set()
		await machine.until('both are good', () => status(machine).servers.every((server) => server.state === 'good'), LONG * 2)
		await a.set({ lie: 'nonce' })
		const wrong = approve(machine, 99)
		await machine.until('they disagree about it', () => /next nonce: 99 and \d+/.test(row(machine, wrong.id).why), LONG)
		assert.strictEqual(row(machine, wrong.id).nonce, null)
		await a.set()
		await state(machine, wrong.id, 'confirmed')

		// One of another chain is not believed.
		await machine.until('both are good', () => status(machine).servers.every((server) => server.state === 'good'), LONG * 2)
		await a.set({ lie: 'chain-id' })
		await machine.until('it is another chain', () => status(machine).servers[0].state === 'other-chain', LONG)
		assert.match(status(machine).servers[0].why, /of chain 1, not 1370/)
		const through = approve(machine, 101)
		await state(machine, through.id, 'confirmed')
		await a.set()
	} finally {
		if (machine) { assert.strictEqual(machine.process('chain').restarts, 0); await machine.destroy() }
		await a.close()
		await b.close()
		await world.stop()
	}
})

test('two that disagree about a block: nothing is signed, in so many words, until they agree', async () => {
	const world = await contracts.start({ users: 1 })
	const a = await Rpc.start(world.chain.url), b = await Rpc.start(world.chain.url)
	let machine
	try {
		machine = await machineOn(world, [a.url, b.url])
		await well(machine)
		await b.set({ lie: 'hash' })
		await machine.until('they disagree', () => /servers . and . disagree about block/.test(status(machine).trouble), LONG)
		const sent = approve(machine, 5)
		const told = async () => await a.times('eth_sendRawTransaction') + await b.times('eth_sendRawTransaction')
		const signed = await told(), asked = await a.times('eth_chainId')
		await machine.until('rounds went by', async () => await a.times('eth_chainId') > asked + 3, LONG)
		assert.strictEqual(row(machine, sent.id).state, 'queued')
		assert.strictEqual(await told(), signed)
		assert.match(machine.warren('why', 'chain').out, /disagree about block/)
		await machine.until('an alert', () => /chain-trouble/.test(machine.warren('alerts').out), LONG)
		await b.set()
		await state(machine, sent.id, 'confirmed')
		assert.strictEqual(await nonce(world, machine), 1)
		await machine.until('the alert is over', () => !/chain-trouble/.test(machine.warren('alerts').out), LONG)
	} finally {
		if (machine) await machine.destroy()
		await a.close()
		await b.close()
		await world.stop()
	}
})

test('lost, stuck and cancelled transactions; kill -9 of chain and wallet at each step: one nonce, one inclusion', async () => {
	const world = await contracts.start({ users: 1 })
	const a = await Rpc.start(world.chain.url)
	let machine
	try {
		machine = await machineOn(world, [a.url])
		await well(machine)
		// Lost on the way: told again, then with more fee, under the same nonce.
		await a.set({ lose: 2 })
		const lost = approve(machine, 11)
		const found = await state(machine, lost.id, 'confirmed')
		assert.ok(found.attempts >= 2, `with more fee: ${found.attempts} attempts`)
		assert.strictEqual(Number(found.nonce), 0)
		assert.strictEqual(await nonce(world, machine), 1)

		// Cancelled while nobody takes it: nothing is put in its place, and the next one goes on behind it.
		await a.set({ lose: 1000 })
		const dropped = approve(machine, 12)
		await state(machine, dropped.id, 'sent')
		assert.strictEqual(call(machine, 'chain', 'chain_cancel', `id=${dropped.id}`).code, 0)
		const behind = approve(machine, 13)
		await a.set()
		await state(machine, dropped.id, 'cancelled')
		await state(machine, behind.id, 'confirmed')
		assert.strictEqual(await nonce(world, machine), 3)
		assert.strictEqual(await world.token.allowance(machine.wallet, '0x' + '35'.repeat(20)), 13n)

		// A death at each step. What it was told about before, it brings to its end once.
		let count = 3
		for (const [step, until] of [['queued', /eth_estimateGas/], ['signing', /eth_estimateGas/], ['sent', /eth_sendRawTransaction/], ['included', /eth_getTransactionReceipt/]]) {
			for (const who of step === 'signing' ? ['wallet@1', 'chain'] : ['chain']) {
				const before = (await a.asked()).length
				await a.set({ lose: step === 'sent' ? 1000 : 0 })
				const sent = approve(machine, 1000 + count)
				await machine.until(`it is ${step}`, async () => (await a.asked()).slice(before).some((method) => until.test(method)), LONG)
				machine.kill(who)
				await a.set()
				await machine.until('it is born again', () => status(machine).code === 0, LONG)
				await state(machine, sent.id, 'confirmed')
				assert.strictEqual(await nonce(world, machine), ++count, `${who} killed while ${step}`)
			}
		}
	} finally {
		if (machine) await machine.destroy()
		await a.close()
		await world.stop()
	}
})

test('what a reorganisation takes back is sent again as it was, at every depth', async () => {
	const depths = process.env.WARREN_LONG ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] : [1, 5, 12]
	const world = await contracts.start({ users: 1 })
	let machine
	try {
		machine = await machineOn(world, [world.chain.url], { confirmations: 13 })
		await well(machine)
		let amount = 20
		for (const depth of depths) {
			const sent = approve(machine, ++amount)
			const first = await state(machine, sent.id, 'included')
			if (depth === 1) machine.kill('chain') // the next birth looks at it again
			for (let i = 1; i < depth; i++) await anvil.ask(world.chain.url, 'evm_mine')
			const height = await world.provider.getBlockNumber()
			await machine.until('it knows the head', () => Number(status(machine).head) === height, LONG)
			const before = Number(status(machine).reorgs)
			const snapshot = await anvil.ask(world.chain.url, 'anvil_reorg', [depth, []])
			assert.strictEqual(snapshot, null)
			await anvil.ask(world.chain.url, 'evm_mine')
			await machine.until(`a reorganisation ${depth} deep is seen`, () => Number(status(machine).reorgs) > before, LONG)
			await machine.until('it is in another block', () => {
				const is = row(machine, sent.id)
				return is.state === 'included' && is.tx_hash === first.tx_hash && is.block !== null
			}, LONG)
			for (let i = 0; i < 13; i++) await anvil.ask(world.chain.url, 'evm_mine')
			const last = await state(machine, sent.id, 'confirmed')
			assert.strictEqual(last.tx_hash, first.tx_hash, 'the same bytes')
			assert.strictEqual(last.attempts, 1)
		}
		assert.strictEqual(await nonce(world, machine), depths.length)
		assert.strictEqual(await world.token.allowance(machine.wallet, '0x' + '35'.repeat(20)), BigInt(amount))
	} finally {
		if (machine) await machine.destroy()
		await world.stop()
	}
})
