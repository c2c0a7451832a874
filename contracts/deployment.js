// Deploys the contracts to a chain, step by step, each step written down before the next; begun again, it goes on where it was.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { ethers, build } = require('./installed.js')
const { linked } = require('./compile.js')

// In this order; what a constructor is given. `at` has the addresses so far.
const STEPS = [
	['Pooling', () => []],
	['Reporting', () => []],
	['Challenging', () => []],
	['MCTToken', (at, owner) => [owner]],
	['MumbleChatRegistry', (at, owner) => [at.MCTToken, owner]],
	['RelayManager', (at, owner) => [at.MCTToken, at.MumbleChatRegistry, owner]],
	['VaultRegistry', (at, owner) => [owner]],
	['NodeNexus', (at, owner) => [owner]]
]
const LIBRARIES = ['Pooling', 'Reporting', 'Challenging']

function read(file) {
	try {
		return JSON.parse(fs.readFileSync(file, 'utf8'))
	} catch (error) {
		if (error.code === 'ENOENT') return null
		throw new Error(`${file} is not a chain profile: ${error.message}`)
	}
}

// Whole or not at all, and on the disk.
function writeText(file, text) {
	const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`)
	const fd = fs.openSync(beside, 'w', 0o644)
	try {
		fs.writeSync(fd, text)
		fs.fsyncSync(fd)
	} finally {
		fs.closeSync(fd)
	}
	fs.renameSync(beside, file)
}

const write = (file, profile) => writeText(file, JSON.stringify(profile, null, '\t') + '\n')

const MINED_LIMIT = 600000 // ms; a chain that takes longer is told about

// The receipt of what was sent, so many blocks deep. Asked for again and again: ethers' own wait() goes by new blocks, and of a
// development chain that mines only when something is sent it can wait for one that never comes.
async function mined(provider, sent, confirmations) {
	const limit = Date.now() + MINED_LIMIT
	for (let pause = 5; Date.now() < limit; pause = Math.min(pause * 2, 1000)) {
		const receipt = await provider.getTransactionReceipt(sent.hash)
		if (receipt && receipt.status !== 1) throw new Error(`the transaction ${sent.hash} was reverted`)
		if (receipt && await provider.getBlockNumber() - receipt.blockNumber + 1 >= confirmations) return receipt
		await new Promise(resolve => setTimeout(resolve, pause))
	}
	throw new Error(`the transaction ${sent.hash} is not in a block after ${MINED_LIMIT / 60000} minutes; look at the chain, then begin again`)
}

async function begin(file, name, chain, url, provider) {
	const profile = read(file)
	if (!profile) return { name, id: chain, rpc: [url], contracts: {}, libraries: {} }
	if (profile.id !== chain) throw new Error(`${file} is of chain ${profile.id}, and this is chain ${chain}; name another file with --out`)
	for (const [contract, { address }] of Object.entries({ ...profile.libraries, ...profile.contracts })) {
		if (await provider.getCode(address) === '0x') {
			throw new Error(`${file} says that ${contract} is at ${address}, but nothing is there on this chain: it was wiped, or is another one. Move the file away to deploy anew`)
		}
	}
	return profile
}

// What must be so after the contracts are there: [what it does, whether it is so, the call that makes it so].
function settings(at, contract, rewards) {
	const token = contract('MCTToken')
	const relays = contract('RelayManager')
	const exempt = name => [`no transfer fee for ${name}, so that stakes arrive whole`, () => token.feeExempt(at[name]), () => token.setFeeExempt(at[name], true)]
	const list = [
		exempt('RelayManager'),
		exempt('MumbleChatRegistry'),
		['RelayManager tells the token who relays', async () => await token.registryContract() === at.RelayManager, () => token.setRegistryContract(at.RelayManager)]
	]
	if (rewards > 0n) {
		const funded = async () => await relays.rewardReserve() >= rewards
		list.push(
			['RelayManager may take the first rewards', async () => await funded() || await token.allowance(token.runner.address, at.RelayManager) >= rewards, () => token.approve(at.RelayManager, rewards)],
			[`${ethers().formatEther(rewards)} MCT to pay rewards from`, funded, () => relays.fundRewards(rewards)]
		)
	}
	return list
}

// wallet: an ethers signer with a provider. options: file, name, url, rewards (wei of MCT), confirmations, said(line).
async function deploy(wallet, { file, name = 'dev', url = '', rewards = 0n, confirmations = 1, said = () => {} }) {
	const { Contract, ContractFactory } = ethers()
	const artifacts = build()
	const { provider, address: owner } = wallet
	const chain = Number((await provider.getNetwork()).chainId)
	const profile = await begin(file, name, chain, url, provider)
	const at = {}
	for (const [step, given] of STEPS) {
		const shelf = LIBRARIES.includes(step) ? profile.libraries : profile.contracts
		if (!shelf[step]) {
			const { abi, ...artifact } = artifacts[step]
			const made = await new ContractFactory(abi, linked(artifact, at), wallet).deploy(...given(at, owner))
			const receipt = await mined(provider, made.deploymentTransaction(), confirmations)
			shelf[step] = { address: receipt.contractAddress, block: receipt.blockNumber, transaction: receipt.hash }
			write(file, profile)
			said(`${step} at ${receipt.contractAddress}, block ${receipt.blockNumber}, ${receipt.gasUsed} gas`)
		}
		at[step] = shelf[step].address
	}
	const contract = which => new Contract(at[which], artifacts[which].abi, wallet)
	for (const [what, isSo, make] of settings(at, contract, rewards)) {
		if (await isSo()) continue
		const receipt = await mined(provider, await make(), confirmations)
		said(`${what}: block ${receipt.blockNumber}, ${receipt.gasUsed} gas`)
	}
	write(file, profile)
	return profile
}

module.exports = { deploy, read, mined, writeText }
