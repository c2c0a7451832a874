// MumbleChatRegistry, VaultRegistry, NodeNexus: each by the names of its seed and the selectors that are deployed.
'use strict'
const assert = require('node:assert/strict')
const { after, before, beforeEach, afterEach, test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const { start, done, refused, events, now, at, later, DAY, MCT } = require('./chain.js')

let world, snapshot
before(async () => { world = await start() }, { timeout: 120000 })
after(() => world && world.stop())
beforeEach(async () => { snapshot = await anvil.ask(world.chain.url, 'evm_snapshot') })
afterEach(() => anvil.ask(world.chain.url, 'evm_revert', [snapshot]))

const DEPLOYED = { // FEATURES 1.3, 1.5, 1.6
	MCTToken: '4b9276b7 914d58b2 c6a84c03 ff3a8689 331d17c1 d9c80108 ae2e933b ee2923d9 c8be015e f7330a71 a9059cbb 23b872dd 095ea7b3 dd62ed3e 70a08231 18160ddd 313ce567',
	MumbleChatRegistry: 'cf2d31fb 99b06454 401d3518 51b42b00 c3c5a547 857cdbb8 2fea7b81 3da01325 39d319e5 86c58d3e 949327d9 10f0f5a5 df5d864d 127ad8ed 657a4107 3defb962 a12d2773 a684b230',
	RelayManager: 'd92517e2 1248ab2b da1f3be2 e914c9de 3adff1df 9f122dc1 5cfe49b9 8233a706 6022879d 99c69c01 ca84c5c6 eb6cc010 e9cfbc99 ac680eab ffc3cec5 5f347db9 6a720da9 22ef64fe 34a1ff0b 0b55b348 c5171a30 a2d811cf c8aff12f 71d7faab 0b646ce6 8e44bb7b 630ec81c 9007f643 91f52abc 46fca171 de04aa77',
	VaultRegistry: 'ca22d773 6b51e919 84073330',
	NodeNexus: 'b920dbd9 56ca7aaa 66141274'
}
const SEEDS = { // names that the seeds print and that the deployed code lacks
	MCTToken: '1eede21b 18333827 f9f8bdb7 cbf57fc2 a2309ff8 e93a6c90',
	MumbleChatRegistry: '656afdee bb5ddb0f b2f71322 bff3530f c96cea70 ce43c032 eae4a388 cb33cb4b b45aae52 16123c6b 4b84219e affd24fb',
	RelayManager: '0640ae09 35b971f6'
}

test('each contract answers the deployed selectors and the seeds\' names, in its bytecode too', async () => {
	for (const list of [DEPLOYED, SEEDS]) {
		for (const [name, wanted] of Object.entries(list)) {
			const have = new Set(Object.values(world.artifacts[name].selectors))
			const code = await world.provider.getCode(world.profile.contracts[name].address)
			for (const selector of wanted.split(' ')) {
				assert.ok(have.has(selector), `${name} lacks ${selector}`)
				assert.ok(code.includes(`63${selector}`), `${name} has no PUSH4 ${selector}, which a probe looks for`)
			}
		}
	}
})

test('names have 3 to 32 characters, in UTF-8, and none that garbles a terminal', async () => {
	const { registry, ethers, people: [, a] } = world
	const name = text => registry.connect(a).updateUsername(text)
	for (const good of ['abc', 'a'.repeat(32), 'äöü', '木'.repeat(32), '🐇🐇🐇']) {
		await done(name(good))
		assert.equal(await registry.getUsername(a), good)
	}
	for (const bad of ['', 'ab', 'a'.repeat(33), 'äö', '木'.repeat(33)]) await refused(name(bad), 'NameMustHave3To32Characters')
	for (const bad of ['abc\n', 'a\u001b[2J', 'abc\u007f', 'abc\u009b2J']) await refused(name(bad), 'NameIsNotPlainUtf8')
	const raw = bytes => a.sendTransaction({ to: registry.getAddress(), data: ethers.concat([registry.interface.getFunction('updateUsername').selector, ethers.AbiCoder.defaultAbiCoder().encode(['bytes'], [bytes])]) })
	for (const bad of ['0x616161ff', '0x616161c3', '0x616161c080', '0x61616180', '0x616161e28261']) await refused(raw(bad), 'NameIsNotPlainUtf8')
	const receipt = await done(registry.connect(a).updateDisplayName('Alice'))
	assert.equal(events(registry, receipt, 'DisplayNameUpdated')[0].newDisplayName, 'Alice')
})

test('identity: register in both orders, keys, leaving and coming back', async () => {
	const { registry, ethers, provider, people: [, a] } = world
	const key = ethers.id('key')
	await refused(registry.connect(a)['register(string,bytes32)']('Alice', key), 'AlreadyRegistered')
	const users = await registry.totalUsers()
	await done(registry.connect(a).deactivate())
	assert.equal(await registry.totalUsers(), users - 1n)
	await assert.rejects(registry.getPublicKey(a), error => error.revert.name === 'NotRegistered')
	await refused(registry.connect(a).updatePublicKey(key), 'RegisterYourIdentityFirst')
	await refused(registry.connect(a)['register(string,bytes32)']('Alice', ethers.ZeroHash), 'PublicKeyMustNotBeZero')
	const receipt = await done(registry.connect(a)['register(string,bytes32)']('Alice', key))
	assert.equal(events(registry, receipt, 'UserRegistered')[0].username, 'Alice')
	assert.equal(events(registry, receipt, 'IdentityRegistered')[0].publicKeyX, key)
	await done(registry.connect(a).updatePublicKey(ethers.id('other')))
	const identity = await registry.getIdentity(a)
	assert.deepEqual([identity.publicKeyX, identity.isActive, identity.displayName], [ethers.id('other'), true, 'Alice'])
	assert.ok(identity.lastUpdated <= BigInt((await provider.getBlock('latest')).timestamp))
})

test('blocking: the blocked one cannot write, and all of the list stays right', async () => {
	const { registry, people: [, a, b, c, d] } = world
	await refused(registry.connect(a).blockUser(a), 'YouCannotBlockYourselfOrNobody')
	for (const who of [b, c, d]) await done(registry.connect(a).blockUser(who))
	await refused(registry.connect(a).blockUser(b), 'AlreadyBlocked')
	assert.equal(await registry.canSendMessage(b, a), false)
	assert.equal(await registry.canSendMessage(a, b), true)
	await refused(registry.connect(b).sendMessage(a, `0x${'00'.repeat(28)}`), 'RecipientDoesNotTakeMessagesFromYou')
	await done(registry.connect(a).unblockUser(b))
	await refused(registry.connect(a).unblockUser(b), 'NotBlocked')
	assert.deepEqual(new Set(await registry.getBlockedUsers(a)), new Set([c.address, d.address]))
	await done(registry.connect(a).unblockUser(d))
	assert.deepEqual([...await registry.getBlockedUsers(a)], [c.address])
	assert.equal(await registry.getBlockedUsersCount(a), 1n)
})

test('messages: sent, listed, read, deleted; 50 unread of one sender and no more', async () => {
	const { registry, people: [, a, b, c] } = world
	const text = `0x${'ab'.repeat(60)}`
	await refused(registry.connect(b).sendMessage(a, `0x${'00'.repeat(27)}`), 'CiphertextMustBe28To4096Bytes')
	const receipt = await done(registry.connect(b).sendMessage(a, text))
	assert.deepEqual([...events(registry, receipt, 'MessageSent')[0]], [b.address, a.address, 1n])
	await done(registry.connect(c).sendMessage(a, text))
	const [first] = await registry.getMessages(a)
	assert.deepEqual([first.id, first.from, first.to, first.read, first.ciphertext], [1n, b.address, a.address, false, text])
	await refused(registry.connect(b).markMessageRead(1), 'MessageIsNotYours')
	await done(registry.connect(a).markMessageRead(1))
	await refused(registry.connect(a).markMessageRead(1), 'MessageWasReadBefore')
	assert.equal(await registry.unreadFrom(b, a), 0n)
	await done(registry.connect(a).deleteMessage(1))
	await refused(registry.connect(a).deleteMessage(1), 'MessageIsNotYours')
	assert.deepEqual((await registry.getMessages(a)).map(message => message.id), [2n])
	for (let i = 0; i < 50; i++) await done(registry.connect(b).sendMessage(a, `0x${'00'.repeat(28)}`))
	await refused(registry.connect(b).sendMessage(a, text), 'WaitUntilTheRecipientHasRead')
	await done(registry.connect(c).sendMessage(a, text))
	assert.deepEqual((await registry.getMessagesFrom(a, 50, 10)).map(message => message.id), [52n, 53n])
	await done(registry.connect(a).deleteMessage(52)) // unread: the sender gets room again
	await done(registry.connect(b).sendMessage(a, text))
	assert.equal(await registry.getInboxSize(a), 52n)
})

test('legacy relays: a stake that comes back, uptime with gaps of up to 6 hours', async () => {
	const { registry, token, people: [, a, b] } = world
	await done(registry.connect(a)['registerAsRelay(string,uint256)']('here', 1024))
	await done(registry.connect(b)['registerAsRelay(uint256)'](2))
	await refused(registry.connect(a)['registerAsRelay(string)']('here'), 'AlreadyARelay')
	assert.deepEqual([...await registry.getActiveRelays()], [a.address, b.address])
	assert.equal((await registry.getRelayNode(b)).storageMB, 2048n)
	assert.equal((await registry.getRelayNode(b)).length, 11)
	assert.equal((await registry.getRelayInfo(a)).endpoint, 'here')
	const time = await now(world)
	await at(world, time - time % DAY + DAY + 100)
	await done(registry.connect(a).heartbeat())
	await at(world, time - time % DAY + DAY + 100 + 21600)
	await done(registry.connect(a).recordUptime())
	assert.equal((await registry.getRelayNode(a)).dailyUptimeSeconds % 21600n, (await registry.getRelayNode(a)).dailyUptimeSeconds - 21600n)
	await later(world, 21601)
	assert.equal(await registry.isNodeOnline(a), false)
	await done(registry.blacklistAddress(a))
	const had = await token.balanceOf(a)
	await done(registry.connect(a).deactivateRelay())
	assert.equal(await token.balanceOf(a) - had, 100n * MCT)
	await refused(registry.connect(a)['registerAsRelay(string)']('here'), 'WalletIsBlacklisted')
	await refused(registry.connect(a).heartbeat(), 'NotARelay')
	assert.deepEqual([...await registry.getActiveRelayNodes()], [b.address])
	await done(token.setFeeExempt(registry, false))
	await refused(registry['registerAsRelay(string)']('here'), 'ArrivedShortAskTheTokenOwnerForFeeExemption')
	assert.ok(await token.balanceOf(registry) >= await registry.totalStaked())
})

test('vaults: one node an owner, an id nobody else can take, a minimum version', async () => {
	const { vault, ethers, people: [, a, b] } = world
	const key = ethers.id('ed25519')
	const meta = ethers.id('meta')
	await done(vault.connect(b).registerNode(key, 'http://thief', meta)) // with ids of the key alone, a's would be gone
	const receipt = await done(vault.connect(a).registerNode(key, 'http://a', meta))
	const { nodeId, owner } = events(vault, receipt, 'NodeRegistered')[0]
	assert.deepEqual([owner, nodeId], [a.address, ethers.solidityPackedKeccak256(['bytes', 'address'], [key, a.address])])
	assert.deepEqual([...await vault.getNode(nodeId)].slice(0, 4), [a.address, key, 'http://a', meta])
	assert.equal(await vault.getNodeByOwner(a), nodeId)
	await refused(vault.connect(a).registerNode(meta, 'http://b', meta), 'UnregisterYourOtherNodeFirst')
	await refused(vault.connect(a).updateNode('', meta), 'UrlMustBe1To512Bytes')
	await done(vault.connect(a).updateNode('http://c', meta))
	assert.equal((await vault.getNode(nodeId)).url, 'http://c')
	assert.deepEqual([...await vault.getNodeCount()], [2n, 2n])
	await done(vault.connect(b).unregisterNode())
	assert.deepEqual([[...await vault.getActiveNodes()], await vault.isNodeActive(nodeId)], [[nodeId], true])
	assert.equal((await vault.getAllNodes(0, 10)).length, 2)
	await refused(vault.connect(b).unregisterNode(), 'YouHaveNoActiveNode')
	await refused(vault.connect(a).deregisterNode(nodeId), 'OwnableUnauthorizedAccount')
	await done(vault.deregisterNode(nodeId))
	assert.equal(await vault.isNodeActive(nodeId), false)
	await done(vault.connect(a).registerNode(key, 'http://a', meta))
	assert.deepEqual([...await vault.getNodeCount()], [2n, 1n])
	await done(vault.setMinVersion('1.4.10'))
	assert.equal(await vault.minVersion(), '1.4.10')
	for (const bad of ['', '1', '1.2', '1.2.', '1..2', '1.2.3.4', '1.2.x', 'v1.2.3', '1.2.3 ']) await refused(vault.setMinVersion(bad), 'VersionMustBeThreeNumbersWithDots')
	assert.equal(await vault.incentivesEnabled(), false)
	await refused(vault.setReplicationFactor(33), 'FactorMustBe1To32')
})

test('nexus: backbone by approval, public by stake, lists by region and freshness', async () => {
	const { nexus, provider, people: [, a, b, c] } = world
	const id = n => `0x${n.toString(16).padStart(2, '0').repeat(20)}`
	const seed = 'registerNode(bytes20,uint8,string)'
	await refused(nexus.connect(a)[seed](id(1), 0, 'europe'), 'OnlyApprovedOperatorsRunABackbone')
	await done(nexus.setBackboneOperator(a, true))
	await done(nexus.connect(a)[seed](id(1), 0, 'europe'))
	await refused(nexus.connect(b)[seed](id(2), 2, 'europe'), 'SendExactlyTheStake')
	const stake = await nexus.publicStake()
	await done(nexus.connect(b)[seed](id(2), 2, 'europe', { value: stake }))
	await done(nexus.connect(c)[seed](id(2), 2, 'europe', { value: stake })) // the same peer id under another operator harms nobody
	await done(nexus.connect(c)['registerNode(bytes20,uint8,string,uint256)'](id(3), 2, 'europe', 100, { value: stake }))
	await done(nexus.connect(c)[seed](id(4), 1, 'europe'))
	await refused(nexus.connect(c)[seed](id(4), 1, 'europe'), 'AlreadyRegisteredUnregisterFirst')
	for (const bad of ['', 'Europe', 'a b', 'x'.repeat(33)]) await refused(nexus.connect(c)[seed](id(5), 1, bad), 'RegionMustBe1To32LettersDigitsOrUnderscores')
	await refused(nexus.connect(c)[seed](`0x${'00'.repeat(20)}`, 1, 'europe'), 'PeerIdMustNotBeZero')
	assert.deepEqual([...await nexus.getBackboneNodes('europe')], [id(1)])
	assert.deepEqual([...await nexus.getBackboneNodes('atlantis')], [])
	assert.deepEqual([...await nexus.getPublicLightNodes('europe', 2)], [id(2), id(2)])
	assert.deepEqual([...await nexus.getPublicLightNodes('europe', 99)], [id(2), id(2), id(3)])
	assert.deepEqual([...await nexus.getPublicLightNodes('europe', 0)], [])
	assert.equal(await provider.getBalance(nexus), 3n * stake)
	await refused(nexus.connect(a).unregisterNode(id(2)), 'NotRegisteredByYou')
	await done(nexus.connect(b).unregisterNode(id(2)))
	assert.equal(await provider.getBalance(nexus), await nexus.totalStaked())
	await later(world, DAY + 1)
	await done(nexus.connect(c).heartbeat(id(3)))
	assert.deepEqual([...await nexus.getPublicLightNodes('europe', 99)], [id(3)])
	await done(nexus.setBackboneOperator(a, false))
	assert.deepEqual([...await nexus.getBackboneNodes('europe')], [])
	await done(nexus.connect(c).setBandwidth(id(3), 7))
	assert.equal((await nexus.getNode(id(3), c)).bandwidthMbps, 7n)
})
