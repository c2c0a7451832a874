// Random sequences of calls by users, strangers to each other, and the owner, with the clock moved between them; after each call
// the invariants are looked at. 2,000 calls, with --long 100,000. WARREN_SEED=N repeats a run.
'use strict'
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const tree = require('./tree.js')
const { start, MCT } = require('./chain.js')

const CALLS = process.env.WARREN_LONG ? 100000 : 2000
const SEED = Number(process.env.WARREN_SEED || Date.now() % 1000000007)
const USERS = 7
const MNEMONIC = 'test test test test test test test test test test test junk' // anvil's own

function dice(seed) { // mulberry32
	let a = seed >>> 0
	const next = () => {
		a = (a + 0x6d2b79f5) >>> 0
		let t = Math.imul(a ^ (a >>> 15), a | 1)
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
		return (t ^ (t >>> 14)) >>> 0
	}
	const below = n => next() % n
	return { below, chance: n => below(n) === 0, one: list => list[below(list.length)], amount: most => BigInt(below(1000000)) * most / 1000000n }
}

function probe(ethers) {
	const { input, compile } = require('../../contracts/compile.js')
	const what = input([])
	what.sources['Probe.sol'] = { content: fs.readFileSync(path.join(__dirname, 'Probe.sol'), 'utf8') }
	what.settings = { ...what.settings, viaIR: true } // thirteen values at once are too many for the other way
	const { abi, bytecode } = compile(what).Probe
	return { face: new ethers.Interface(abi), bytecode }
}

// What can happen. Each gives [who, contract, method, arguments], or nothing when there is nothing to do it with.
function deeds(world, random) {
	const { ethers, people, token, relays, registry } = world
	const [owner, ...users] = people
	const keys = people.map((_, i) => ethers.HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${i}`))
	const blobs = Array.from({ length: 4 }, (_, i) => Buffer.from(Array.from({ length: 700 + 1500 * i }, (_byte, k) => (k >> 10) * 16 + i)))
	const hashes = blobs.map((_, i) => ethers.id(`file ${i}`))
	const machines = [ethers.id('m1'), ethers.id('m2')]
	const ids = users.flatMap(user => machines.map(hash => [user, hash, ethers.solidityPackedSha256(['string', 'address', 'bytes32', 'uint32', 'bytes32'], ['node', user.address, hash, 1, ethers.ZeroHash])]))
	const anyId = () => random.one(ids)[2]
	const user = () => random.one(users)
	const own = () => random.chance(12) ? [user(), anyId()] : (([who, , id]) => [who, id])(random.one(ids)) // now and then another's
	const on = async () => { // mostly a node that is on, by its owner
		const [list, wallets] = await relays.getActiveNodeIds()
		if (!list.length || random.chance(10)) return own()
		const i = random.below(list.length)
		return [people.find(person => person.address === wallets[i]), list[i]]
	}
	const open = new Set() // challenges
	const reports = { next: 1 }
	const fresh = { node: null } // that beat last
	const relayed = [] // who and on which day
	return {
		open, reports, ids, fresh, relayed,
		transfer: () => [user(), token, 'transfer', [random.one(people).address, random.amount(50n * MCT)]],
		transferFrom: () => [owner, token, 'transferFrom', [user().address, user().address, random.amount(MCT)]],
		mistake: () => [user(), token, 'transfer', [relays.target, random.amount(MCT)]],
		burn: () => [user(), token, 'burn', [random.amount(MCT)]],
		mint: () => [random.chance(4) ? user() : owner, token, 'mint', [user().address, random.amount(random.chance(9) ? 10n ** 25n : 200n * MCT)]],
		mintReward: () => [owner, token, 'mintRelayReward', [user().address, 1 + random.below(100)]],
		fee: () => [owner, token, 'setTransferFeeBps', [random.below(120)]],
		exempt: () => [owner, token, 'setFeeExempt', [user().address, random.chance(2)]],
		exemptRelays: () => [owner, token, 'setFeeExempt', [relays.target, !random.chance(9)]],
		exemptRegistry: () => [owner, token, 'setFeeExempt', [registry.target, !random.chance(4)]],
		feeShare: () => [user(), token, 'claimFeePoolReward', []],
		feeGift: () => [user(), token, 'addToFeePool', [random.amount(MCT)]],
		register: () => {
			const [who, hash, id] = random.one(ids)
			const tier = random.below(4)
			return [random.chance(12) ? user() : who, relays, 'registerNodeWithId', [id, hash, hash, 'here', 1024 << tier, tier]]
		},
		heartbeat: async () => { const [who, id] = await on(); return [who, relays, 'heartbeatByNodeId', [id]] },
		deactivate: () => { const [who, id] = own(); return [who, relays, 'deactivateNodeById', [id]] },
		endpoint: () => { const [who, id] = own(); return [who, relays, 'updateEndpoint', [id, 'there']] },
		relay: async () => {
			const [who, id] = fresh.node && !random.chance(4) ? fresh.node : await on()
			const sender = 1 + random.below(users.length)
			const hash = ethers.toBeHex(random.below(1 << 30), 32)
			const nonce = await relays.getRelayProofNonce(who)
			const digest = ethers.solidityPackedKeccak256(['bytes32', 'bytes32', 'uint256', 'uint256'], [hash, id, world.time, nonce])
			const { serialized } = keys[sender].signingKey.sign(ethers.hashMessage(ethers.getBytes(digest)))
			return [who, relays, 'submitRelayProof', [id, hash, people[sender].address, user().address, world.time, serialized]]
		},
		claim: () => {
			const [who, then] = relayed.length && !random.chance(4) ? random.one(relayed) : [user(), Math.floor(world.time / 86400) - random.below(3)]
			return [who, relays, 'claimDailyPoolReward', [then]]
		},
		fund: () => [random.one(people), relays, 'fundRewards', [random.amount(MCT / 1000n)]],
		excess: () => [random.chance(3) ? user() : owner, relays, 'withdrawExcessMCT', [random.amount(MCT)]],
		pool: () => [owner, relays, 'setDailyPoolAmount', [random.amount(random.chance(2) ? 10n ** 13n : 101n * MCT)]],
		rate: () => [owner, relays, 'setRelayRewardPerMessage', [random.amount(random.chance(2) ? 10n ** 13n : MCT)]],
		report: async () => [user(), relays, 'reportViolation', [(await on())[1], 'a reason']],
		judge: () => [random.chance(9) ? user() : owner, relays, 'judgeReport', [1 + random.below(reports.next), !random.chance(4)]],
		withdrawReport: async () => {
			const id = 1 + random.below(reports.next)
			const { reporter } = await relays.getReport(id)
			return [people.find(person => person.address === reporter && !random.chance(4)) || user(), relays, 'withdrawReport', [id]]
		},
		slash: async () => [random.chance(4) ? user() : owner, relays, 'slashNode', [(await on())[1], 'a reason']],
		blacklist: () => [random.chance(4) ? user() : owner, relays, 'blacklistNode', [user().address, 'a reason']],
		pardon: () => [owner, relays, 'removeFromBlacklist', [user().address]],
		hold: async () => {
			const [who, id] = await on()
			const i = random.below(blobs.length)
			return [who, relays, 'holdFiles', [id, [hashes[i]], [tree.root(blobs[i])], [blobs[i].length]]]
		},
		release: async () => { const [who, id] = await on(); return [who, relays, 'releaseFile', [id, random.one(hashes)]] },
		challenge: async () => [user(), relays, 'challengeNode', [(await on())[1], random.one(hashes)]],
		answer: async () => {
			if (!open.size) return null
			const id = random.one([...open])
			const { fileHash } = await relays.getChallenge(id)
			const i = hashes.indexOf(fileHash)
			if (i < 0) return open.delete(id), null
			const leaf = Number((await relays.leafToProve(id)).leaf)
			const sent = random.chance(4) ? 0 : leaf // sometimes the wrong one
			return [user(), relays, 'answerChallenge', [id, tree.leaf(blobs[i], sent), tree.path(blobs[i], sent)]]
		},
		settle: () => open.size ? [user(), relays, 'settleChallenge', [random.one([...open])]] : null,
		terms: () => [owner, relays, 'setChallengeTerms', [600 + random.below(90000), random.amount(3n * MCT), random.below(5)]],
		bond: () => [owner, relays, 'setReportBond', [random.amount(5n * MCT)]],
		leave: () => [user(), registry, 'deactivate', []],
		join: () => [user(), registry, 'register(bytes32,string)', [ethers.id('k'), 'name']],
		legacyOn: () => [user(), registry, 'registerAsRelay(string)', ['here']],
		legacyOff: () => [user(), registry, 'deactivateRelay', []],
		legacyStake: () => [owner, registry, 'setMinRelayStake', [random.amount(20n * MCT)]]
	}
}

// How often each is drawn; what is not named here, once.
const WEIGHT = { register: 16, heartbeat: 16, deactivate: 4, relay: 16, claim: 14, report: 6, judge: 4, withdrawReport: 10, slash: 2, hold: 10, release: 2, challenge: 8, answer: 12, settle: 12, transfer: 3, mistake: 2, excess: 2, feeShare: 4, join: 8, exemptRelays: 3, pardon: 8 }

// Whose calls may change whose stake, and how.
function stakeMayChange(before, after, [who, , method], owner) {
	if (after < before) { // slashed by a tenth, or returned to its owner
		if (before - after === before / 10n) return method === 'slashNode' || method === 'judgeReport' || method === 'settleChallenge'
		return after === 0n && method === 'deactivateNodeById' && who.address === owner.address
	}
	return before === 0n && method === 'registerNodeWithId' && who.address === owner.address
}

test(`${CALLS} random calls, seed ${SEED}: stakes are held, the cap holds, a day pays at most its pool, nobody moves another's stake`, async () => {
	const world = await start({ users: USERS, extra: ['--prune-history'] })
	try {
		await run(world, dice(SEED))
	} finally {
		await world.stop()
	}
})

async function run(world, random) {
	const { chain, ethers, people, token, relays, registry } = world
	const eye = probe(ethers)
	const ask = (method, params) => anvil.ask(chain.url, method, params)
	const all = deeds(world, random)
	const names = Object.keys(all).filter(name => typeof all[name] === 'function')
	const bag = names.flatMap(name => Array(WEIGHT[name] || 1).fill(name))
	const went = Object.fromEntries(names.map(name => [name, 0]))
	const place = '0x00000000000000000000000000000000000abcde'
	const code = await ask('eth_call', [{ data: eye.bytecode }, 'latest']) // what its constructor returns is its code
	const question = eye.face.encodeFunctionData('look', [token.target, relays.target, registry.target, people.map(person => person.address)])
	const look = async () => eye.face.decodeFunctionResult('look', await ask('eth_call', [{ to: place, data: question }, 'latest', { [place]: { code } }]))[0]
	const ownerOf = new Map(all.ids.map(([user, , id]) => [id, user]))
	for (const person of people) await ask('eth_sendTransactionSync', [{ from: person.address, to: token.target, gas: '0x186a0', data: token.interface.encodeFunctionData('approve', [people[0].address, ethers.MaxUint256]) }])
	world.time = Number((await ask('eth_getBlockByNumber', ['latest', false])).timestamp)
	let before = await look()
	for (let step = 0; step < CALLS; step++) {
		const name = random.one(bag)
		world.time += random.chance(50) ? 43200 + random.below(50000) : random.chance(25) ? 3600 : 1 + random.below(60)
		await ask('evm_setNextBlockTimestamp', [world.time])
		const deed = await all[name]()
		if (!deed) continue
		const [who, contract, method, given] = deed
		const receipt = await ask('eth_sendTransactionSync', [{ from: who.address, to: contract.target, gas: '0x2dc6c0', data: contract.interface.encodeFunctionData(method, given) }])
		const seen = await look()
		const said = `seed ${SEED}, step ${step}: ${name} by ${who.address}: `
		if (receipt.status === '0x1') went[name]++
		if (receipt.status === '0x1' && name === 'challenge') all.open.add(await relays.challengeCount())
		if (receipt.status === '0x1' && name === 'report') all.reports.next++
		if (receipt.status === '0x1' && (name === 'heartbeat' || name === 'register')) all.fresh.node = [who, given[0]]
		if (receipt.status === '0x1' && name === 'relay') all.relayed.push([who, Math.floor(world.time / 86400)])
		check(seen, said)
		for (const [i, id] of seen.ids.entries()) {
			if (id === ethers.ZeroHash || seen.stakes[i] === before.stakes[i]) continue
			assert.equal(receipt.status, '0x1', `${said}a call that failed changed a stake`)
			assert.ok(stakeMayChange(before.stakes[i], seen.stakes[i], deed, ownerOf.get(id)), `${said}the stake of ${ownerOf.get(id).address} went from ${before.stakes[i]} to ${seen.stakes[i]}`)
		}
		before = seen
	}
	console.log(names.map(name => `${name} ${went[name]}`).join(', '))
	const must = process.env.WARREN_LONG ? names : ['register', 'deactivate', 'heartbeat', 'relay', 'claim', 'challenge', 'answer', 'slash', 'report']
	for (const name of must) assert.ok(went[name] > 0, `seed ${SEED}: no ${name} went through; the run tried too little`)
}

function check(seen, said) {
	const [held, staked, bonds, reserve, supply, cap, tokensOwn, feePool, legacyHeld, legacyStaked, everybody] = seen.sums
	assert.ok(held >= staked + bonds + reserve, `${said}RelayManager holds ${held} and owes ${staked} + ${bonds} + ${reserve}`)
	assert.equal(seen.stakes.reduce((sum, stake) => sum + stake, 0n), staked, `${said}the stakes do not add up`)
	assert.ok(supply <= cap, `${said}supply ${supply} is above the cap ${cap}`)
	assert.equal(everybody, supply, `${said}tokens are with nobody`)
	assert.ok(tokensOwn >= feePool, `${said}the fee pool is not there`)
	assert.ok(legacyHeld >= legacyStaked, `${said}the registry holds ${legacyHeld} and owes ${legacyStaked}`)
	const [paidToday, poolToday, paidYesterday, poolYesterday] = seen.paidAndPool
	assert.equal(paidToday, 0n, `${said}today was paid today`)
	assert.ok(paidToday <= poolToday && paidYesterday <= poolYesterday, `${said}${paidYesterday} was paid of a pool of ${poolYesterday}`)
}
