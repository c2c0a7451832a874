// RelayManager: files that a node says it holds, and challenges that it answers with their bytes.
'use strict'
const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { after, before, beforeEach, afterEach, test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const tree = require('./tree.js')
const { start, done, refused, events, later, node, DAY, MCT } = require('./chain.js')

let world, snapshot
before(async () => { world = await start() }, { timeout: 120000 })
after(() => world && world.stop())
beforeEach(async () => { snapshot = await anvil.ask(world.chain.url, 'evm_snapshot') })
afterEach(() => anvil.ask(world.chain.url, 'evm_revert', [snapshot]))

// The same bytes each time; no two leaves are alike.
function blob(size, seed = 1) {
	const bytes = Buffer.alloc(size)
	for (let i = 0, x = seed; i < size; i++) {
		x = (Math.imul(x, 1103515245) + 12345) >>> 0
		bytes[i] = x >>> 16
	}
	return bytes
}
const cid = bytes => `0x${createHash('sha256').update(bytes).digest('hex')}`
const hold = (person, id, ...blobs) => done(world.relays.connect(person).holdFiles(id, blobs.map(cid), blobs.map(tree.root), blobs.map(b => b.length)))

async function challenge(person, id, bytes) {
	const receipt = await done(world.relays.connect(person).challengeNode(id, cid(bytes)))
	return events(world.relays, receipt, 'NodeChallenged')[0].id
}

test('the tree is that of the store: the vectors of tests/unit/store/plain.c, and RFC 6962\'s empty one', () => {
	assert.equal(tree.root(Buffer.alloc(0)), '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
	const one = blob(1024)
	assert.equal(tree.root(one), `0x${createHash('sha256').update(Buffer.of(0)).update(one).digest('hex')}`)
})

test('every leaf of blobs of many shapes is proven, and a changed byte, leaf, path or root is not', async () => {
	const { people: [, a, b], relays } = world
	const id = await node(world, a)
	await done(relays.setChallengeTerms(3600, 0, 16))
	for (const size of [1, 1023, 1024, 1025, 2048, 2049, 3072, 5000, 7 * 1024, 8 * 1024, 11 * 1024 + 5, 65 * 1024]) {
		const bytes = blob(size, size)
		await hold(a, id, bytes)
		const number = await challenge(b, id, bytes)
		for (let left = 16n; left > 0n; left--) {
			const [leaf, said] = await relays.leafToProve(number)
			assert.equal(said, left)
			const at = Number(leaf)
			const path = tree.path(bytes, at)
			if (left === 16n) {
				const wrong = Buffer.from(tree.leaf(bytes, at).slice(2), 'hex')
				wrong[wrong.length - 1] ^= 1
				await refused(relays.answerChallenge(number, wrong, path), 'LeafOrPathIsWrong')
				await refused(relays.answerChallenge(number, tree.leaf(bytes, at), [...path, path[0] || tree.root(bytes)]), 'LeafOrPathIsWrong')
				await refused(relays.answerChallenge(number, tree.leaf(bytes, at) + '00', path), 'LeafOrPathIsWrong')
				if (path.length) {
					await refused(relays.answerChallenge(number, tree.leaf(bytes, at), path.slice(1)), 'LeafOrPathIsWrong')
					const next = at ? at - 1 : 1
					await refused(relays.answerChallenge(number, tree.leaf(bytes, next), tree.path(bytes, next)), 'LeafOrPathIsWrong')
				}
			}
			await done(relays.answerChallenge(number, tree.leaf(bytes, at), path))
		}
		await refused(relays.leafToProve(number).catch(error => { throw error }), 'NoSuchOpenChallenge')
	}
	assert.equal(await relays.getOpenChallenges(id), 0n)
})

test('answered in time: the bond is the node\'s; the data fit into what a wallet signs', async () => {
	const { relays, token, people: [, a, b] } = world
	const id = await node(world, a)
	const bytes = blob(300 * 1024)
	await hold(a, id, bytes)
	await refused(relays.connect(a).challengeNode(id, cid(bytes)), 'YouCannotChallengeYourself')
	const number = await challenge(b, id, bytes)
	assert.equal(await relays.totalBonds(), MCT)
	await refused(relays.connect(b).challengeNode(id, cid(bytes)), 'FileHasAnOpenChallenge')
	await refused(relays.settleChallenge(number), 'DeadlineHasNotPassed')
	const [leaf] = await relays.leafToProve(number)
	const had = await token.balanceOf(a)
	const call = [number, tree.leaf(bytes, Number(leaf)), tree.path(bytes, Number(leaf))]
	assert.ok(relays.interface.encodeFunctionData('answerChallenge', call).length / 2 - 1 <= 3072) // WALLET_SIGN_TX in proto/wallet.h
	const receipt = await done(relays.connect(a).answerChallenge(...call))
	assert.equal(events(relays, receipt, 'ChallengeAnswered').length, 1)
	assert.equal(await token.balanceOf(a) - had, MCT)
	assert.equal(await relays.totalBonds(), 0n)
	assert.equal((await relays.getNodeByNodeId(id)).stakedAmount, 100n * MCT)
})

test('missed: 10 % of the stake, the bond back, and the stake waited for it', async () => {
	const { relays, token, people: [, a, b, c] } = world
	const id = await node(world, a, { tier: 1 })
	const bytes = blob(4096)
	await hold(a, id, bytes)
	const number = await challenge(b, id, bytes)
	const hadA = await token.balanceOf(a)
	const receipt = await done(relays.connect(a).deactivateNodeById(id)) // leaving does not escape it
	assert.equal(events(relays, receipt, 'StakeWaitsForChallenges')[0].openChallenges, 1n)
	assert.equal(await token.balanceOf(a), hadA)
	await refused(relays.connect(a).deactivateNodeById(id), 'AnswerOpenChallengesFirst')
	await refused(node(world, a, { tier: 1 }), 'AnswerOpenChallengesFirst')
	await refused(relays.connect(b).challengeNode(id, cid(bytes)), 'NodeIsNotActive')
	await later(world, 3601)
	const [leaf] = await relays.leafToProve(number)
	await refused(relays.answerChallenge(number, tree.leaf(bytes, Number(leaf)), tree.path(bytes, Number(leaf))), 'DeadlineHasPassed')
	const [hadB, pool] = [await token.balanceOf(b), await token.feePool()]
	await done(relays.connect(c).settleChallenge(number))
	await refused(relays.settleChallenge(number), 'NoSuchOpenChallenge')
	assert.equal(await token.balanceOf(b) - hadB, MCT)
	assert.equal(await token.feePool() - pool, 20n * MCT)
	await done(relays.connect(a).deactivateNodeById(id))
	assert.equal(await token.balanceOf(a) - hadA, 180n * MCT)
	assert.equal(await relays.totalOwed(), await relays.rewardReserve())
})

test('only what a node says it holds can be asked for, and until a day after it gave it up', async () => {
	const { relays, people: [, a, b] } = world
	const id = await node(world, a)
	const [one, two] = [blob(5000, 1), blob(5000, 2)]
	const ask = bytes => relays.connect(b).challengeNode(id, cid(bytes))
	await refused(ask(one), 'NodeDoesNotHoldThisFile')
	await refused(relays.connect(b).holdFiles(id, [cid(one)], [tree.root(one)], [5000]), 'OnlyTheNodesWalletMayCallThis')
	await refused(relays.connect(a).holdFiles(id, [cid(one)], [], [5000]), 'GiveOneRootAndSizePerFileAtMost64')
	await refused(relays.connect(a).holdFiles(id, [cid(one)], [tree.root(one)], [0]), 'FileHasNoBytesOrNoRoot')
	await hold(a, id, one, two)
	await refused(hold(a, id, one), 'FileIsAlreadyHeld')
	assert.equal((await relays.getFile(id, cid(one))).held, true)
	await done(relays.connect(a).releaseFile(id, cid(one)))
	await refused(relays.connect(a).releaseFile(id, cid(one)), 'FileIsAlreadyReleased')
	await refused(relays.connect(a).holdFiles(id, [cid(one)], [tree.root(two)], [5000]), 'FileIsAlreadyHeld') // no other root meanwhile
	await later(world, DAY - 10)
	await challenge(b, id, one)
	await later(world, 20)
	await refused(relays.connect(a).releaseFile(id, cid(one)), 'NodeDoesNotHoldThisFile')
	await challenge(b, id, two)
	assert.equal(await relays.getOpenChallenges(id), 2n)
})

test('a node has at most eight open challenges, so none drowns', async () => {
	const { relays, people: [, a, b] } = world
	const id = await node(world, a)
	const blobs = Array.from({ length: 9 }, (_, i) => blob(2000, i + 1))
	await hold(a, id, ...blobs)
	for (const bytes of blobs.slice(0, 8)) await challenge(b, id, bytes)
	await refused(relays.connect(b).challengeNode(id, cid(blobs[8])), 'NodeHasEnoughOpenChallenges')
})
