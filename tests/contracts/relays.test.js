// RelayManager: relay proofs and the daily pool.
'use strict'
const assert = require('node:assert/strict')
const { after, before, beforeEach, afterEach, test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const { start, done, refused, events, now, at, later, tomorrow, node, signed, relay, DAY, MCT } = require('./chain.js')

let world, snapshot
before(async () => { world = await start() }, { timeout: 120000 })
after(() => world && world.stop())
beforeEach(async () => {
	snapshot = await anvil.ask(world.chain.url, 'evm_snapshot')
	await tomorrow(world, 3600)
})
afterEach(() => anvil.ask(world.chain.url, 'evm_revert', [snapshot]))

const CAP = 10n ** 12n // wei a relay: 0.001 MCT for 1,000

test('a proof: digest, order of nonces, and each way to be refused', async () => {
	const { relays, registry, ethers, people: [, a, b, c] } = world
	const id = await node(world, a)
	const time = await now(world)
	const hash = ethers.id('message')
	const proof = (signature, { from = a, sender = b.address, when = time, message = hash } = {}) =>
		relays.connect(from).submitRelayProof(id, message, sender, c, when, signature)
	const good = await signed(world, b, id, hash, time, 0n)
	await refused(proof(good, { from: c }), 'OnlyTheNodesWalletMayCallThis')
	await refused(proof('0x1234'), 'SignatureMustHave65Bytes')
	await refused(proof(await signed(world, c, id, hash, time, 0n)), 'SignatureIsNotTheSendersForThisNonce')
	await refused(proof(await signed(world, b, id, hash, time, 1n)), 'SignatureIsNotTheSendersForThisNonce')
	await refused(proof(good, { when: time + 999 }), 'TimestampIsInTheFuture')
	await refused(proof(good, { when: time - 3700 }), 'TimestampIsTooOld')
	await refused(proof(good, { sender: a.address }), 'OwnMessagesDoNotCount')
	await done(registry.connect(b).deactivate())
	await refused(proof(good), 'SenderIsNotRegistered')
	await done(registry.connect(b)['register(bytes32,string)'](hash, 'again'))
	const low = good.slice(0, 130) + (parseInt(good.slice(130), 16) - 27).toString(16).padStart(2, '0') // v as 0 or 1
	const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
	const other = good.slice(0, 66) + ethers.toBeHex(order - BigInt(`0x${good.slice(66, 130)}`), 32).slice(2) + (good.endsWith('1b') ? '1c' : '1b')
	await refused(proof(other), 'SignatureIsNotTheSendersForThisNonce') // the malleable twin
	const receipt = await done(proof(low))
	assert.deepEqual([...events(relays, receipt, 'RelayProofSubmitted')[0]], [a.address, hash, b.address, c.address, 0n, BigInt(time)])
	assert.equal(await relays.getRelayProofNonce(a), 1n)
	await refused(proof(good, { message: ethers.id('next') }), 'WaitBetweenProofs')
	await later(world, 10)
	await refused(proof(await signed(world, b, id, hash, time, 1n)), 'ProofWasUsedBefore')
	await done(relays.connect(a).heartbeatByNodeId(id))
	await later(world, 301)
	await refused(proof(await signed(world, b, id, ethers.id('next'), time, 1n), { message: ethers.id('next') }), 'NodeIsOfflineSendAHeartbeat')
	assert.equal((await relays.getNodeByNodeId(id)).messagesRelayed, 1n)
	assert.equal((await relays.getNodeSecurityInfo(a)).reputation, 51n)
	await done(relays.blacklistNode(a, 'test'))
	await refused(proof(good), 'NodeIsNotActive')
})

test('defect: what getClaimableReward says is what the claim pays, cap included; and only once', async () => {
	const { relays, token, people: [, a, b, c, d] } = world
	const nodes = [await node(world, a, { tier: 3 }), await node(world, c)] // weights 300 until the first heartbeat, and 100
	for (let i = 0; i < 4; i++) {
		await later(world, 10)
		await relay(world, a, nodes[0], b, d, `a ${i}`)
		if (i % 2) await relay(world, c, nodes[1], b, d, `c ${i}`)
	}
	const day = BigInt(await now(world)) / 86400n
	const [, relayed, weighted, pool, contributors] = await relays.getTodayPoolInfo()
	assert.deepEqual([relayed, weighted, pool, contributors], [6n, 1400n, 100n * MCT, 2n])
	await refused(relays.connect(a).claimDailyPoolReward(day), 'OnlyDaysBeforeTodayCanBeClaimed')
	await tomorrow(world)
	for (const [who, count] of [[a, 4n], [c, 2n]]) {
		const said = await relays.getClaimableReward(who, day)
		assert.equal(said, count * CAP) // deployed, it said a thousand times as much
		const had = await token.balanceOf(who)
		await done(relays.connect(who).claimDailyPoolReward(day))
		assert.equal(await token.balanceOf(who) - had, said)
		assert.equal(await relays.getClaimableReward(who, day), 0n)
		await refused(relays.connect(who).claimDailyPoolReward(day), 'AlreadyClaimedInFull')
	}
	assert.equal((await relays.getDay(day)).paid, 6n * CAP)
	assert.equal((await relays.getNodeByNodeId(nodes[0])).rewardsEarned, 4n * CAP)
	await refused(relays.connect(b).claimDailyPoolReward(day), 'NothingWasRelayedThatDay')
})

test('defect: who relays on two days is a contributor of both', async () => {
	const { relays, people: [, a, b, c] } = world
	const id = await node(world, a)
	await relay(world, a, id, b, c, 'first')
	await relays.getTodayPoolInfo().then(info => assert.equal(info.numContributors, 1n))
	await tomorrow(world, 60)
	assert.deepEqual([...await relays.getTodayPoolInfo()].slice(1), [0n, 0n, 100n * MCT, 0n])
	await done(relays.connect(a).heartbeatByNodeId(id))
	await relay(world, a, id, b, c, 'second')
	await relays.getTodayPoolInfo().then(info => assert.equal(info.numContributors, 1n)) // deployed: 0
})

test('a small pool is shared by weight, and never exceeded', async () => {
	const { relays, token, people: [, a, b, c, d] } = world
	await done(relays.setDailyPoolAmount(10n ** 12n + 1n))
	const nodes = [await node(world, a, { tier: 1 }), await node(world, c)]
	await relay(world, a, nodes[0], b, d, 'one')
	await relay(world, c, nodes[1], b, d, 'two')
	await done(relays.setDailyPoolAmount(100n * MCT)) // a day keeps the pool that it began with
	const day = BigInt(await now(world)) / 86400n
	await tomorrow(world)
	const said = [await relays.getClaimableReward(a, day), await relays.getClaimableReward(c, day)]
	assert.deepEqual(said, [150n * (10n ** 12n + 1n) / 250n, 100n * (10n ** 12n + 1n) / 250n])
	const had = await token.balanceOf(a)
	await done(relays.connect(a).claimDailyPoolReward(day))
	assert.equal(await token.balanceOf(a) - had, said[0])
})

test('defect: rewards are not paid out of stakes; what the reserve lacks is paid later', async () => {
	const fresh = await start({ users: 4, rewards: 0n })
	try {
		const { relays, token, people: [owner, a, b, c] } = fresh
		const id = await node(fresh, a)
		await relay(fresh, a, id, b, c, 'one')
		const day = BigInt(await now(fresh)) / 86400n
		await tomorrow(fresh)
		assert.equal(await relays.getClaimableReward(a, day), 0n)
		await refused(relays.connect(a).claimDailyPoolReward(day), 'RewardReserveIsEmptyClaimLater') // deployed: of the stakes
		assert.equal(await token.balanceOf(relays), 100n * MCT)
		await done(relays.connect(owner).fundRewards(CAP / 4n))
		await done(relays.connect(a).claimDailyPoolReward(day))
		await done(relays.connect(owner).fundRewards(CAP))
		assert.equal(await relays.getClaimableReward(a, day), CAP - CAP / 4n)
		await done(relays.connect(a).claimDailyPoolReward(day))
		assert.equal((await relays.getDay(day)).paid, CAP)
		assert.equal(await relays.rewardReserve(), CAP / 4n)
		await at(fresh, await now(fresh) + DAY)
	} finally {
		await fresh.stop()
	}
})
