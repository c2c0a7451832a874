// The embedded chain of a machine through ethers, which nobody here wrote: from the one address that `warren chain --json` gives, with an
// interface typed by hand. The node is registered with what its own wallet signs under the policy that scripts/up wrote for it.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { ethers } = require('./installed.js')
const { chainMachine, chainOf, signed } = require('../system/chain.js')

const RELAYS = [
	'function getActiveNodeIds() view returns (bytes32[] ids, address[] wallets)',
	'function getNodeByNodeId(bytes32) view returns (address wallet, bytes32 machineIdHash, uint256 instanceNumber, string endpoint, uint256 stakedAmount, uint256 messagesRelayed, uint256 rewardsEarned, bool isActive, uint256 dailyUptimeSeconds, uint256 storageMB, uint8 tier, bool isOnline, uint256 registeredAt)',
	'function getNodeIdsByMachine(bytes32) view returns (bytes32[])',
	'function nodeIdOf(address, bytes32, uint32, bytes32) view returns (bytes32)',
	'function registerNodeWithId(bytes32, bytes32, bytes32, string, uint256, uint8)',
	'function heartbeatByNodeId(bytes32)',
	'function deactivateNodeById(bytes32)'
]
const TOKEN = ['function balanceOf(address) view returns (uint256)', 'function approve(address, uint256)', 'function transfer(address, uint256)']
const IDENTITIES = ['function register(string, bytes32)']

test('ethers finds a node where warren chain says, staked by its own wallet', { timeout: 180000 }, async () => {
	const machine = await chainMachine()
	const chain = chainOf(machine)
	const provider = new ethers.JsonRpcProvider(chain.rpc, undefined, { polling: true, pollingInterval: 50, cacheTimeout: -1 })
	try {
		assert.strictEqual((await provider.getNetwork()).chainId, 1370n)
		const at = (name, abi) => new ethers.Contract(chain.contracts[name], abi, provider)
		const relays = at('RelayManager', RELAYS), token = at('MCTToken', TOKEN), identities = at('MumbleChatRegistry', IDENTITIES)
		const { wallet } = machine.status().nodes[0]
		let nonce = 0
		const send = async (contract, call, ...words) => {
			const data = contract.interface.encodeFunctionData(call, words)
			const fields = { once: crypto.randomBytes(32).toString('hex'), type: 2, chain_id: 1370, nonce, gas: 700000, max_fee: 3e9, max_priority: 1e9, to: contract.target, value: 0, data, purpose: call }
			const { raw } = signed(machine, 1, fields)
			assert.strictEqual(ethers.Transaction.from(raw).from, wallet)
			const receipt = await (await provider.broadcastTransaction(raw)).wait()
			assert.strictEqual(receipt.status, 1, call)
			nonce++
		}
		const stake = ethers.parseEther('100')
		const machineId = ethers.id('a machine'), id = await relays.nodeIdOf(wallet, machineId, 1, ethers.ZeroHash)
		assert.deepStrictEqual((await relays.getActiveNodeIds()).toArray().map(list => list.toArray()), [[], []])

		await send(identities, 'register', 'peer-node', ethers.id('a key'))
		await send(token, 'approve', relays.target, stake)
		await send(relays, 'registerNodeWithId', id, machineId, ethers.id('a serial'), 'http://127.0.0.1:5001', 1024, 0)
		await send(relays, 'heartbeatByNodeId', id)

		const [ids, wallets] = await relays.getActiveNodeIds()
		assert.deepStrictEqual([ids.toArray(), wallets.toArray()], [[id], [wallet]])
		assert.deepStrictEqual((await relays.getNodeIdsByMachine(machineId)).toArray(), [id])
		const node = await relays.getNodeByNodeId(id)
		assert.strictEqual(node.wallet, wallet)
		assert.strictEqual(node.stakedAmount, stake)
		assert.strictEqual(node.isActive, true)
		assert.strictEqual(node.isOnline, true)

		// what the policy does not allow is signed by nobody
		await assert.rejects(send(token, 'transfer', relays.target, 1n), /refused/)
		await assert.rejects(send(relays, 'heartbeatByNodeId', id), /refused.*heartbeat/s, 'a second one in the same ten seconds')
		await send(relays, 'deactivateNodeById', id)
		assert.deepStrictEqual((await relays.getActiveNodeIds())[0].toArray(), [])
		assert.ok(await token.balanceOf(wallet) >= stake)
	} finally {
		provider.destroy()
		await machine.destroy()
	}
})
