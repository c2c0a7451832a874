// A chain of this test's own with the contracts on it, and the few words that the tests are written in.
'use strict'
const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const anvil = require('../../contracts/anvil.js')
const installed = require('../../contracts/installed.js')
const { deploy } = require('../../contracts/deployment.js')

const ALL = [] // the interfaces of what start() deployed

const DAY = 86400
const MCT = 10n ** 18n

// One of anvil's own accounts. It estimates first, so that a refusal comes with its reason, and gives more gas than that: a
// heartbeat in a later second than the estimate's writes more.
function person(world, address) {
	const { AbstractSigner } = world.ethers
	class Person extends AbstractSigner {
		constructor() {
			super(world.provider)
			this.address = address
		}

		getAddress() { return Promise.resolve(address) }
		connect() { return this }
		signTransaction() { throw new Error('anvil signs') }
		signTypedData() { throw new Error('nobody signs typed data here') }
		signMessage(bytes) { return anvil.ask(world.chain.url, 'personal_sign', [world.ethers.hexlify(bytes), address]) }

		async sendTransaction({ to, data, value }) {
			const call = { from: address, to: to && await to, data, value: world.ethers.toQuantity(value || 0) }
			const gas = BigInt(await anvil.ask(world.chain.url, 'eth_estimateGas', [call]))
			const hash = await anvil.ask(world.chain.url, 'eth_sendTransaction', [{ ...call, gas: world.ethers.toQuantity(gas * 3n / 2n + 50000n) }])
			return { hash }
		}
	}
	return new Person()
}

async function receiptOf(provider, hash) {
	const limit = Date.now() + 30000
	for (;;) {
		const receipt = await provider.getTransactionReceipt(hash)
		if (receipt && receipt.status === 1) return receipt
		if (receipt) throw new Error(`${hash} was reverted, though its estimate was not`)
		if (Date.now() > limit) throw new Error(`${hash} was not mined in 30 s`)
		await new Promise(resolve => setTimeout(resolve, 2))
	}
}

// Everything deployed by people[0]; people[1..] are registered users with 2,000 MCT each. stop() ends it.
async function start({ users = 6, rewards = 500n, extra = [] } = {}) {
	installed.install(true)
	const ethers = installed.ethers()
	const { JsonRpcProvider, Network, Contract } = ethers
	const chain = await anvil.start({ extra })
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-contracts-'))
	const provider = new JsonRpcProvider(chain.url, anvil.CHAIN_ID, { staticNetwork: Network.from(anvil.CHAIN_ID), cacheTimeout: -1, batchMaxCount: 1 })
	provider.pollingInterval = 10
	const stop = async () => {
		provider.destroy()
		await chain.stop()
		fs.rmSync(folder, { recursive: true, force: true })
	}
	try {
		const addresses = (await anvil.ask(chain.url, 'eth_accounts')).slice(0, users + 1)
		const people = addresses.map(address => person({ ethers, provider, chain }, ethers.getAddress(address)))
		const profile = await deploy(await provider.getSigner(0), { file: path.join(folder, 'profile.json'), rewards: rewards * MCT })
		const artifacts = installed.artifacts()
		const at = Object.fromEntries(Object.entries(profile.contracts).map(([name, { address }]) => [name, new Contract(address, artifacts[name].abi, people[0])]))
		const world = { ethers, chain, provider, people, profile, artifacts, folder, stop, token: at.MCTToken, registry: at.MumbleChatRegistry, relays: at.RelayManager, vault: at.VaultRegistry, nexus: at.NodeNexus }
		ALL.push(...Object.values(artifacts).map(({ abi }) => new ethers.Interface(abi)))
		await settle(world)
		return world
	} catch (error) {
		await stop()
		throw error
	}
}

async function settle({ people, token, registry, relays, ethers }) {
	await done(token.mint(people[0], 100_000n * MCT))
	for (const [i, person] of people.entries()) {
		if (i) await done(token.setFeeExempt(person, true))
		if (i) await done(token.transfer(person, 2_000n * MCT))
		if (i) await done(token.setFeeExempt(person, false))
		await done(registry.connect(person)['register(bytes32,string)'](ethers.id(`key ${i}`), `user ${i}`))
		await done(token.connect(person).approve(relays, ethers.MaxUint256))
		await done(token.connect(person).approve(registry, ethers.MaxUint256))
	}
}

// Sends and waits; the receipt. Not by ethers' wait(), which goes by new blocks, and of a chain that makes none but for what is sent
// waits for ever when the block came between its look and its wait.
async function done(sent) {
	const { provider, hash } = await sent
	return receiptOf(provider, hash)
}

// What a call that must not go through said: the error's name, and its values by name.
async function refused(sent, name) {
	let error
	try {
		await done(sent)
	} catch (thrown) {
		error = thrown
	}
	assert.ok(error, `it went through; ${name} was wanted`)
	const said = typeof error.data === 'string' && ALL.map(known => known.parseError(error.data)).find(Boolean)
	assert.ok(said, `${name} was wanted; it said: ${error.message}`)
	assert.equal(said.name, name)
	return said.args
}

// The events of this name in a receipt, as their values.
function events(contract, receipt, name) {
	return receipt.logs.map(log => {
		try { return contract.interface.parseLog(log) } catch { return null }
	}).filter(log => log && log.name === name).map(log => log.args)
}

async function now({ provider }) {
	return (await provider.getBlock('latest')).timestamp
}

// The next block is of this time, or so many seconds after the last.
async function at({ chain }, time) {
	await anvil.ask(chain.url, 'evm_setNextBlockTimestamp', [time])
}
async function later(world, seconds) {
	await at(world, await now(world) + seconds)
	await anvil.ask(world.chain.url, 'evm_mine')
}
// To so many seconds after the beginning of the next UTC day.
async function tomorrow(world, seconds = 0) {
	const time = await now(world)
	await later(world, DAY - time % DAY + seconds)
}

const machine = ({ ethers }, name = 'machine') => ethers.id(name)

// Registers a node of a person; its id.
async function node(world, person, { tier = 0, instance = 1, on = 'machine', salt = null } = {}) {
	const { relays } = world
	const hash = machine(world, on)
	const id = await relays.nodeIdOf(person, hash, instance, salt || world.ethers.ZeroHash)
	const own = relays.connect(person)
	const rest = [hash, world.ethers.id('serial'), '/ip4/127.0.0.1/tcp/5011', 1024 << tier, tier]
	await done(salt ? own.registerNodeWithSalt(salt, instance, ...rest) : own.registerNodeWithId(id, ...rest))
	return id
}

// What a sender signs for a relay (FEATURES 1.3).
async function signed({ ethers, relays }, sender, id, messageHash, timestamp, nonce) {
	const digest = ethers.solidityPackedKeccak256(['bytes32', 'bytes32', 'uint256', 'uint256'], [messageHash, id, timestamp, nonce])
	return sender.signMessage(ethers.getBytes(digest))
}

// One relay proof, signed and sent; the receipt.
async function relay(world, owner, id, sender, recipient, message) {
	const { relays, ethers } = world
	const time = await now(world)
	const hash = ethers.id(message)
	const signature = await signed(world, sender, id, hash, time, await relays.getRelayProofNonce(owner))
	return done(relays.connect(owner).submitRelayProof(id, hash, sender, recipient, time, signature))
}

module.exports = { start, person, done, refused, events, now, at, later, tomorrow, node, signed, relay, machine, DAY, MCT }
