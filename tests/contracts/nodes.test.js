// RelayManager: ids, stakes, heartbeats, tiers, punishment. "Deployed" is the rule that a defect came from.
'use strict'
const assert = require('node:assert/strict')
const { after, before, beforeEach, afterEach, test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const { start, done, refused, events, now, at, later, tomorrow, node, machine, DAY, MCT } = require('./chain.js')

let world, snapshot
before(async () => { world = await start() }, { timeout: 120000 })
after(() => world && world.stop())
beforeEach(async () => { snapshot = await anvil.ask(world.chain.url, 'evm_snapshot') })
afterEach(() => anvil.ask(world.chain.url, 'evm_revert', [snapshot]))

async function whole({ token, relays }) {
	assert.ok(await token.balanceOf(relays) >= await relays.totalOwed(), 'more is owed than held')
}

test('the tier table is that of seed 002', async () => {
	const { relays } = world
	const [stakes, uptimes, storages, percents, multipliers] = (await relays.getTierInfo()).map(list => [...list])
	assert.deepEqual(stakes, [100n, 200n, 300n, 400n].map(n => n * MCT))
	assert.deepEqual(uptimes, [4n, 8n, 12n, 16n].map(n => n * 3600n))
	assert.deepEqual(storages, [1024n, 2048n, 4096n, 8192n])
	assert.deepEqual(percents, [10n, 20n, 30n, 40n])
	assert.deepEqual(multipliers, [100n, 150n, 200n, 300n])
	for (let tier = 0; tier < 4; tier++) {
		assert.deepEqual([await relays.getStakeForTier(tier), await relays.getUptimeForTier(tier), await relays.getFeePercentForTier(tier)], [stakes[tier], uptimes[tier], percents[tier]])
	}
})

test('register: needs identity and approval, takes the stake, and everything reads it back', async () => {
	const { relays, registry, token, ethers, people: [, a, b] } = world
	const hash = machine(world)
	const id = await relays.nodeIdOf(a, hash, 1, ethers.ZeroHash)
	assert.equal(id, ethers.sha256(ethers.concat([ethers.toUtf8Bytes('node'), a.address, hash, '0x00000001', ethers.ZeroHash])))
	const call = (endpoint = 'here', storage = 2048, tier = 1) => relays.connect(a).registerNodeWithId(id, hash, ethers.id('s'), endpoint, storage, tier)
	await done(registry.connect(a).deactivate())
	await refused(call(), 'RegisterYourIdentityFirst')
	await done(registry.connect(a)['register(string,bytes32)']('again', ethers.id('k')))
	await done(token.connect(a).approve(relays, 0))
	await refused(call(), 'ERC20InsufficientAllowance')
	await done(token.connect(a).approve(relays, 200n * MCT))
	await refused(call(''), 'EndpointMustBe1To512Bytes')
	await refused(call('here', 2047), 'StorageTooSmallForTier')
	const had = await token.balanceOf(a)
	const receipt = await done(call())
	assert.equal(had - await token.balanceOf(a), 200n * MCT)
	const topic = 'f8a3a9da994fd632b36825064b97821d8afec531fcb4104dae4559af915a8b33' // FEATURES 1.3
	assert.ok(receipt.logs.some(log => log.topics[0] === `0x${topic}`))
	const seen = await relays.getNodeByNodeId(id)
	assert.deepEqual([...seen].slice(0, 12), [a.address, hash, 1n, 'here', 200n * MCT, 0n, 0n, true, 0n, 2048n, 1n, true])
	assert.deepEqual([...await relays.getNodeIdentity(id)].slice(0, 5), [id, hash, ethers.id('s'), a.address, 1n])
	assert.deepEqual([...await relays.getNodeIdsByMachine(hash)], [id])
	assert.equal(await relays.machineNodeIds(hash, 0), id)
	assert.equal(await relays.machineIdHash(id), hash)
	assert.deepEqual([...await relays.getWalletNodeIds(a)], [id])
	const other = await node(world, b)
	const [ids, wallets] = await relays.getActiveNodeIds()
	assert.deepEqual([[...ids], [...wallets]], [[id, other], [a.address, b.address]])
	assert.deepEqual([...(await relays.getActiveNodeIdsFrom(1, 5))[0]], [other])
	assert.equal((await relays.getNodeByNodeId(other)).instanceNumber, 2n)
	assert.equal((await relays.getActiveEndpoints())[1][0], 'here')
	assert.deepEqual([...await relays.getEndpointByWallet(a)], ['here', true])
	assert.equal(await token.activeRelayCount(), 2n)
	assert.equal(await relays.getTotalNodeIds(), 2n)
	await refused(call(), 'NodeIsAlreadyActive')
	await done(relays.connect(a).updateEndpoint(id, 'there'))
	assert.equal((await relays.getEndpointByNodeId(id))[0], 'there')
	await refused(relays.connect(b).updateEndpoint(id, 'mine'), 'OnlyTheNodesWalletMayCallThis')
	await whole(world)
})

test('defect: nobody can take another one\'s node id first', async () => {
	const { relays, ethers, people: [, a, b] } = world
	const hash = machine(world)
	const id = await relays.nodeIdOf(a, hash, 1, ethers.ZeroHash)
	await refused(relays.connect(b).registerNodeWithId(id, hash, hash, 'x', 1024, 0), 'NodeIdNotYoursDeriveItWithNodeIdOf') // deployed: it was b's
	assert.equal(await node(world, a), id)
	await refused(relays.connect(b).registerNodeWithId(ethers.id('any'), hash, hash, 'x', 1024, 0), 'NodeIdNotYoursDeriveItWithNodeIdOf')
	const tenth = await node(world, b, { instance: 10 })
	assert.equal((await relays.getNodeByNodeId(tenth)).walletAddress, b.address)
	const salted = await node(world, b, { salt: ethers.id('salt') })
	assert.equal(salted, await relays.nodeIdOf(b, hash, 1, ethers.id('salt')))
})

test('defect: what is owed is held, though the token takes a fee', async () => {
	const { relays, token, people: [, a] } = world
	await done(token.setFeeExempt(relays, false)) // deployed: always so; 100 were written down and 99.9 arrived
	await refused(node(world, a), 'ArrivedShortAskTheTokenOwnerForFeeExemption')
	await done(token.setFeeExempt(relays, true))
	await node(world, a)
	assert.equal(await relays.totalStaked(), 100n * MCT)
	await done(token.transfer(relays, 7n * MCT)) // by mistake
	await refused(relays.withdrawExcessMCT(7n * MCT + 1n), 'OnlyTheExcessMayBeWithdrawn') // deployed: anything
	await done(relays.withdrawExcessMCT(7n * MCT))
	await whole(world)
})

test('deactivate returns the whole stake; the id may come back; nobody else may', async () => {
	const { relays, token, people: [, a, b] } = world
	const id = await node(world, a, { tier: 2 })
	const had = await token.balanceOf(a)
	await refused(relays.connect(b).deactivateNodeById(id), 'OnlyTheNodesWalletMayCallThis')
	const receipt = await done(relays.connect(a).deactivateNodeById(id))
	assert.equal(events(relays, receipt, 'NodeIdentityDeactivated').length, 1)
	assert.equal(await token.balanceOf(a) - had, 300n * MCT)
	await refused(relays.connect(a).deactivateNodeById(id), 'NothingIsStaked')
	assert.equal((await relays.getActiveNodeIds())[0].length, 0)
	assert.equal(await token.activeRelayCount(), 0n)
	assert.equal(await node(world, a), id)
	assert.equal((await relays.getWalletNodeIds(a)).length, 1)
	await whole(world)
})

test('defect: the stake of a node that was forced off comes back', async () => {
	const { relays, token, people: [, a, b] } = world
	const id = await node(world, a)
	const other = await node(world, b, { tier: 1 })
	const pool = await token.feePool()
	await done(relays.slashNode(id, 'test')) // 90 is below the lowest stake: off
	assert.equal(await token.feePool() - pool, 10n * MCT)
	assert.equal((await relays.getNodeByNodeId(id)).isActive, false)
	await refused(node(world, a), 'WithdrawTheOldStakeFirst')
	const had = await token.balanceOf(a)
	await done(relays.connect(a).deactivateNodeById(id)) // deployed: "already inactive", for ever
	assert.equal(await token.balanceOf(a) - had, 90n * MCT)
	await done(relays.blacklistNode(b, 'test'))
	assert.equal((await relays.getNodeByNodeId(other)).isActive, false)
	await refused(node(world, b), 'WalletIsBlacklisted')
	const hadB = await token.balanceOf(b)
	await done(relays.connect(b).deactivateNodeById(other))
	assert.equal(await token.balanceOf(b) - hadB, 200n * MCT)
	await done(relays.removeFromBlacklist(b))
	await node(world, b)
	await whole(world)
})

test('defect: reports cost a bond and do nothing until they are judged', async () => {
	const { relays, token, people: [, a, b, c] } = world
	const id = await node(world, a)
	await done(token.connect(b).approve(relays, 0))
	await refused(relays.connect(b).reportViolation(id, 'free'), 'ERC20InsufficientAllowance') // deployed: free
	await done(token.connect(b).approve(relays, 1000n * MCT))
	await refused(relays.connect(a).reportViolation(id, 'self'), 'YouCannotReportYourself')
	await done(relays.connect(b).reportViolation(id, 'one'))
	await refused(relays.connect(b).reportViolation(id, 'two'), 'YourReportIsStillOpen')
	await done(relays.connect(c).reportViolation(id, 'three'))
	assert.deepEqual([...await relays.getNodeSecurityInfo(a)], [50n, 0n, false, true])
	const had = await token.balanceOf(a)
	await refused(relays.connect(b).judgeReport(1, true), 'OwnableUnauthorizedAccount')
	await done(relays.judgeReport(1, false))
	assert.equal(await token.balanceOf(a) - had, 10n * MCT) // a false report pays the one it hit
	await refused(relays.judgeReport(1, true), 'NoSuchOpenReport')
	const hadC = await token.balanceOf(c)
	await done(relays.judgeReport(2, true))
	assert.equal(await token.balanceOf(c) - hadC, 10n * MCT)
	assert.deepEqual([...await relays.getNodeSecurityInfo(a)], [45n, 1n, false, true])
	for (let i = 3; i <= 6; i++) { // the fifth upheld one slashes, once; deployed: every one from the fifth on
		await done(relays.connect(c).reportViolation(id, `number ${i}`))
		assert.equal((await relays.getNodeByNodeId(id)).stakedAmount, 100n * MCT)
		await done(relays.judgeReport(i, true))
	}
	const seen = await relays.getNodeByNodeId(id)
	assert.deepEqual([seen.stakedAmount, seen.isActive], [90n * MCT, false])
	await whole(world)
})

test('a report that nobody judged is void, and its bond comes back', async () => {
	const { relays, token, people: [, a, b] } = world
	const id = await node(world, a)
	await done(relays.connect(b).reportViolation(id, 'slow'))
	await refused(relays.connect(b).withdrawReport(1), 'WaitForTheJudgement')
	await later(world, 7 * DAY + 1)
	await refused(relays.judgeReport(1, true), 'ReportIsVoidTheReporterMayWithdraw')
	await refused(relays.connect(a).withdrawReport(1), 'OnlyTheReporterMayWithdraw')
	const had = await token.balanceOf(b)
	await done(relays.connect(b).withdrawReport(1))
	assert.equal(await token.balanceOf(b) - had, 10n * MCT)
	assert.equal(await relays.totalBonds(), 0n)
})

test('uptime: a gap of 300 s counts, one of 301 s is lost; the tier follows; midnight begins anew', async () => {
	const { relays, people: [, a, b] } = world
	await tomorrow(world, 10)
	const id = await node(world, a, { tier: 3 })
	const beat = async seconds => {
		await at(world, await now(world) + seconds)
		return events(relays, await done(relays.connect(a).heartbeatByNodeId(id)), 'NodeHeartbeatByNodeId')[0]
	}
	assert.deepEqual([...await beat(300)].slice(1), [300n, 0n])
	assert.equal((await beat(301)).uptimeSeconds, 300n)
	assert.equal((await beat(100)).uptimeSeconds, 400n)
	await refused(relays.connect(b).heartbeatByNodeId(id), 'OnlyTheNodesWalletMayCallThis')
	const tiers = new Set()
	for (let up = 400; up < 16 * 3600;) {
		const said = await beat(300)
		up += 300
		assert.equal(said.uptimeSeconds, BigInt(up))
		assert.equal(said.tier, up >= 57600 ? 3n : up >= 43200 ? 2n : up >= 28800 ? 1n : 0n)
		tiers.add(said.tier)
	}
	assert.equal(tiers.size, 4)
	assert.equal(await relays.getRewardMultiplierByNodeId(id), 300n)
	await tomorrow(world, 5)
	assert.equal((await relays.getNodeByNodeId(id)).dailyUptimeSeconds, 0n)
	assert.equal(await relays.isNodeOnlineByNodeId(id), false)
	assert.deepEqual([...await beat(1)].slice(1), [0n, 0n])
	assert.equal(await relays.isNodeOnlineByNodeId(id), true)
})

test('defect: the figure for a tier is a view, of the contract\'s own pool', async () => {
	const { relays, people: [, a] } = world
	await tomorrow(world, 10)
	const id = await node(world, a)
	assert.equal(relays.interface.getFunction('calculateTierRewardWithUptime').stateMutability, 'view') // deployed: it wrote
	const today = BigInt(await now(world)) / 86400n
	await at(world, await now(world) + 300)
	await done(relays.connect(a).heartbeatByNodeId(id))
	const [actual, missed] = await relays.calculateTierRewardWithUptime(id, today, 0)
	assert.deepEqual([actual, missed], [10n * MCT * 2n / 100n, 10n * MCT * 98n / 100n]) // 300 s of 4 h: 2 %
	await assert.rejects(relays.calculateTierRewardWithUptime(id, today, 10n ** 30n), error => error.revert.name === 'ThePoolIsThatOfTheContract')
	await assert.rejects(relays.calculateTierRewardWithUptime(id, today - 1n, 0), error => error.revert.name === 'OnlyTodaysUptimeIsKnown')
})

test('the owner cannot do what a setting does not allow', async () => {
	const { relays, people: [, a] } = world
	await refused(relays.setDailyPoolAmount(100n * MCT + 1n), 'SettingIsAboveItsBound')
	await refused(relays.setRelayRewardPerMessage(MCT + 1n), 'SettingIsAboveItsBound')
	await refused(relays.setReportBond(100n * MCT + 1n), 'BondIsAboveItsBound')
	await refused(relays.setChallengeTerms(599, 0, 1), 'TermsOutOfBounds')
	await refused(relays.setChallengeTerms(3600, 0, 17), 'TermsOutOfBounds')
	for (const call of [['slashNode', `0x${'11'.repeat(32)}`, 'x'], ['blacklistNode', a.address, 'x'], ['setDailyPoolAmount', 1], ['withdrawExcessMCT', 0], ['setRegistry', a.address], ['setChallengeTerms', 3600, 0, 1], ['setReportBond', 0], ['setRelayRewardPerMessage', 0], ['removeFromBlacklist', a.address]]) {
		await refused(relays.connect(a)[call[0]](...call.slice(1)), 'OwnableUnauthorizedAccount')
	}
})
