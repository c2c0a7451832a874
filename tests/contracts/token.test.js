// MCTToken: the fee, the cap, the rewards that halve, the fee pool, the vote.
'use strict'
const assert = require('node:assert/strict')
const { after, before, test } = require('node:test')
const { start, done, refused, events, later, tomorrow, node, DAY, MCT } = require('./chain.js')

let world
before(async () => { world = await start() }, { timeout: 120000 })
after(() => world && world.stop())

test('a transfer takes 0.1 % for the fee pool, an exempt one nothing, and the fee is a setting', async () => {
	const { token, people: [owner, a, b] } = world
	const pool = await token.feePool()
	const had = await token.balanceOf(b)
	const receipt = await done(token.connect(a).transfer(b, 100n * MCT))
	assert.equal(await token.balanceOf(b) - had, 100n * MCT - MCT / 10n)
	assert.equal(await token.feePool() - pool, MCT / 10n)
	assert.equal(events(token, receipt, 'TransferFeeCollected').length, 1)
	assert.equal(events(token, receipt, 'FeeCollected').length, 1)
	await done(token.setTransferFeeBps(0))
	await done(token.connect(b).transfer(a, 50n * MCT))
	assert.equal(await token.feePool() - pool, MCT / 10n)
	assert.equal((await refused(token.setTransferFeeBps(101), 'FeeAboveMaximum')).maximumBps, 100n)
	await done(token.setTransferFeeBps(10))
	await done(token.setFeeExempt(b, true))
	assert.equal(await token.feeOn(a, b, MCT), 0n)
	await done(token.setFeeExempt(b, false))
	await refused(token.connect(a).setTransferFeeBps(0), 'OwnableUnauthorizedAccount')
	assert.ok(await token.balanceOf(token) >= await token.feePool())
	await done(token.connect(owner).addToFeePool(MCT))
	assert.equal(await token.feePool() - pool, MCT / 10n + MCT)
})

test('nobody mints above the cap', async () => {
	const { token, people: [, a] } = world
	const left = await token.maxSupply() - await token.totalSupply()
	await refused(token.mint(a, left + 1n), 'WouldExceedMaxSupply')
	await refused(token.connect(a).mint(a, 1n), 'OwnableUnauthorizedAccount')
	assert.equal(await token.canMint(left), true)
	assert.equal(await token.canMint(left + 1n), false)
})

test('rewards: 0.001 MCT for 1,000 messages, at most 100 batches a call; the seed names say the same', async () => {
	const { token, people: [, a] } = world
	const had = await token.balanceOf(a)
	await done(token.mintRelayReward(a, 3))
	await done(token.mintForRelay(a, 2999))
	assert.equal(await token.balanceOf(a) - had, 5n * 10n ** 15n)
	await refused(token.mintForRelay(a, 999), 'GiveOneToHundredBatches')
	await refused(token.mintRelayReward(a, 101), 'GiveOneToHundredBatches')
	assert.equal(await token.currentRate(), await token.calculateRewardPer1000Messages())
	assert.equal(await token.halvingLevel(), await token.getHalvingCount())
	assert.equal(await token.totalMinted(), await token.totalRewardsMinted())
	assert.equal((await token.getTokenomics()).rewardPer1000Msg, 10n ** 15n)
	assert.equal(await token.remainingDailyMint(), 100n * MCT - 5n * 10n ** 15n)
	await tomorrow(world)
	assert.equal(await token.remainingDailyMint(), 100n * MCT)
})

test('the fee pool is shared once a day by tier, and only with who has a node that is online', async () => {
	const { token, people: [, a, b] } = world
	await refused(token.connect(a).claimFeePoolReward(), 'RegisterAnActiveNodeFirst')
	await node(world, a, { tier: 3 })
	await node(world, b, { tier: 0 })
	const pool = await token.feePool()
	const [hadA, hadB] = [await token.balanceOf(a), await token.balanceOf(b)]
	await done(token.connect(b).claimFeePoolReward())
	assert.equal(await token.balanceOf(b) - hadB, pool / 2n)
	await done(token.connect(a).claimFeePoolReward())
	const left = pool - pool / 2n
	assert.equal(await token.balanceOf(a) - hadA, left) // 3.0 times a half of the rest is more than there is
	assert.equal(await token.feePool(), 0n)
	await done(token.addToFeePool(MCT))
	await refused(token.connect(b).claimFeePoolReward(), 'FeeShareAlreadyTakenToday')
	assert.ok(await token.lastClaimBlock(b) > 0n)
	await refused(token.setRegistryContract(a), 'TheRelayManagerIsNamedForGood')
	await refused(token['claimFeeReward(address,uint256)'](b, 100), 'OnlyTheRelayManagerMayCallThis')
	await refused(token.setActiveRelayCount(1), 'OnlyTheRelayManagerMayCallThis')
})

test('the cap rises by the vote of relays that were staked before; passing tokens on gives no second vote', async () => {
	const { token, people: [, a, b, c] } = world // a and b have nodes from the test above
	const wanted = 2_000_000n * MCT
	await refused(token.connect(c).proposeMaxSupplyChange(wanted), 'OnlyWalletsWithAnActiveNodeMayDoThis')
	await refused(token.connect(a).proposeMaxSupplyChange(10_000_001n * MCT), 'CapMustBeAboveSupplyAndAtMost')
	await done(token.connect(a).proposeMaxSupplyChange(wanted))
	await later(world, 10)
	await done(token.connect(a).vote(1, true))
	await refused(token.connect(a).vote(1, true), 'AlreadyVoted')
	await done(token.connect(a).transfer(c, 200n * MCT)) // deployed: c could vote with them
	await refused(token.connect(c).vote(1, true), 'OnlyWalletsWithAnActiveNodeMayDoThis')
	await node(world, c)
	await refused(token.connect(c).vote(1, true), 'StakedOnlyAfterTheProposal')
	await refused(token.executeProposal(1), 'VotingGoesOnUntil')
	await done(token.connect(b).vote(1, true))
	await later(world, 7 * DAY + 1)
	await done(token.executeProposal(1))
	assert.equal(await token.maxSupply(), wanted)
	await refused(token.executeProposal(1), 'AlreadyExecuted')
	await done(token.connect(a).proposeMaxSupplyChange(wanted + 1n))
	await done(token.connect(a).vote(2, true))
	await later(world, 7 * DAY + 1)
	assert.deepEqual([...await refused(token.executeProposal(2), 'TooFewVotes')], [1n, 2n])
	await refused(token.vote(9, true), 'NoSuchProposal')
})
