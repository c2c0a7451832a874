// The embedded chain of a machine, furnished: what is missing of contracts, coins, tokens, addresses and policies. The deployer is
// anvil's first account, whose key everybody knows: on this chain nothing is worth anything.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { ethers } = require('./installed.js')
const { deploy, read, mined, writeText } = require('./deployment.js')
const policy = require('./policy.js')

const DEPLOYER = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80' // anvil's account 0, of its public mnemonic
const REWARDS = '500'       // MCT that rewards are paid from
const COINS = ['5', '20']   // a wallet that has less than the first gets what it lacks to the second
const SPARE = '20'          // MCT beside the stake: bonds
const TIERS = ['bronze', 'silver', 'gold', 'platinum']

function warren(root, ...args) {
	const done = spawnSync(path.join(root, 'bin', 'warren'), ['--root', root, ...args], { encoding: 'utf8', timeout: 60000 })
	if (done.status !== 0) throw new Error(`warren ${args.join(' ')}: ${done.stdout}${done.stderr}${done.error || ''}`)
	return done.stdout
}

// What was deployed is gone when the chain began anew; then it is deployed anew, and the old list is kept beside.
async function forgetLost(file, provider, said) {
	const known = read(file)
	for (const { address } of known ? Object.values({ ...known.libraries, ...known.contracts }) : []) {
		if (await provider.getCode(address) !== '0x') continue
		fs.renameSync(file, `${file}.lost`)
		return said('the chain was begun anew since the contracts were deployed; they are deployed again')
	}
}

function addresses(profile) {
	const lines = Object.entries(profile.contracts).map(([name, { address }]) => `\t${name} = "${address}";\n`)
	return `// Written by scripts/up: what it deployed to the chain of this machine.\nversion = 1;\nid = ${profile.id};\ncontracts = {\n${lines.join('')}};\n`
}

// True when it was written.
function put(file, text) {
	if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return false
	writeText(file, text)
	return true
}

async function fund(signer, contract, node, said) {
	const { parseEther, formatEther } = ethers()
	const { provider } = signer
	const stake = await contract('RelayManager').getStakeForTier(TIERS.indexOf(node.tier))
	const coins = await provider.getBalance(node.wallet)
	if (coins < parseEther(COINS[0])) {
		await mined(provider, await signer.sendTransaction({ to: node.wallet, value: parseEther(COINS[1]) - coins }), 1)
		said(`node ${node.node} has ${COINS[1]} coins`)
	}
	const tokens = await contract('MCTToken').balanceOf(node.wallet)
	const wanted = stake + parseEther(SPARE)
	const staked = (await contract('RelayManager').getWalletNodeIds(node.wallet)).length > 0
	if (tokens < stake && !staked) {
		await mined(provider, await contract('MCTToken').mint(node.wallet, wanted - tokens), 1)
		said(`node ${node.node} has ${formatEther(wanted)} MCT, of which ${formatEther(stake)} are the stake of ${node.tier}`)
	}
	return stake
}

// A policy that somebody wrote, be it for all nodes or for this one, is theirs.
function allow(etc, node, chain, at, stake, said) {
	const file = path.join(etc, `policy${node.node}.conf`)
	const there = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null
	const theirs = there !== null ? (policy.isOurs(there) ? null : file) : fs.existsSync(path.join(etc, 'policy.conf')) ? path.join(etc, 'policy.conf') : null
	if (theirs) {
		said(`${theirs} is yours and stays as it is: node ${node.node} signs what it allows`)
		return false
	}
	return put(file, policy.text(chain, at, stake))
}

const RELOAD_MS = 60000

// Until everybody who was told of something new is born again with it.
async function reload(root, at) {
	const told = () => {
		const chain = JSON.parse(warren(root, 'chain', '--json'))
		return Object.entries(at).every(([name, address]) => chain.contracts[name] === address) &&
			JSON.parse(warren(root, 'status', '--json')).processes.every(({ state }) => state === 'ready')
	}
	warren(root, 'reload')
	for (const limit = Date.now() + RELOAD_MS; ;) {
		let why = 'not all processes are ready'
		try {
			if (told()) return
		} catch (error) { // the steward, who answers, is one of them
			why = error.message
		}
		if (Date.now() > limit) throw new Error(`the configuration was read again, but ${why}`)
		await new Promise(resolve => setTimeout(resolve, 100))
	}
}

async function furnish(root, said) {
	const { Contract, JsonRpcProvider, Network, NonceManager, Wallet, parseEther } = ethers()
	const chain = JSON.parse(warren(root, 'chain', '--json'))
	if (chain.name !== 'dev') throw new Error(`the chain of ${root} is ${chain.name}; only dev is furnished`)
	const provider = new JsonRpcProvider(chain.rpc, chain.id, { staticNetwork: Network.from(chain.id), cacheTimeout: -1 })
	try {
		const wallet = new Wallet(DEPLOYER, provider)
		const signer = Object.assign(new NonceManager(wallet), { address: wallet.address })
		const file = path.join(root, 'machine', 'contracts.json')
		await forgetLost(file, provider, said)
		const profile = await deploy(signer, { file, name: chain.name, url: chain.rpc, rewards: parseEther(REWARDS), said })
		const artifacts = require('./installed.js').artifacts()
		const at = Object.fromEntries(Object.entries(profile.contracts).map(([name, { address }]) => [name, address]))
		const contract = name => new Contract(at[name], artifacts[name].abi, signer)
		const etc = path.join(root, 'etc')
		let changed = put(path.join(etc, 'chain-dev.conf'), addresses(profile))
		for (const node of JSON.parse(warren(root, 'status', '--json')).nodes) {
			if (!node.wallet) {
				said(`node ${node.node} is locked, so nobody knows its wallet: run this again when it is not`)
				continue
			}
			const stake = await fund(signer, contract, node, said)
			changed = allow(etc, node, chain.id, at, stake, said) || changed
		}
		if (changed) await reload(root, at)
	} finally {
		provider.destroy()
	}
}

module.exports = { furnish }
