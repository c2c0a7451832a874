// The gas of each call, measured on a chain of its own: `node tests/contracts/gas.js` prints the table of contracts/README.md, and
// with --write puts it there.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { ask } = require('../../contracts/anvil.js')
const tree = require('./tree.js')
const { start, person, done, later, tomorrow, node, relay, now } = require('./chain.js')

const README = path.join(__dirname, '..', '..', 'contracts', 'README.md')
const SEED = { 'RelayManager registerNodeWithId': 150000, 'MumbleChatRegistry register': 80000, 'MumbleChatRegistry sendMessage, 100 bytes': 50000 } // seed 002

// [what, gas] of one call after the other, in a life of a node.
async function measure() {
	const world = await start()
	try {
		await ask(world.chain.url, 'anvil_setBlockTimestampInterval', [7]) // in the same second some calls write less
		const rows = []
		const took = async (what, sent) => { rows.push([what, Number((await done(sent)).gasUsed)]) }
		await money(world, took)
		await people(world, took)
		await nodes(world, took)
		await others(world, took)
		return rows
	} finally {
		await world.stop()
	}
}

async function money({ token, people: [, a, b], relays }, took) {
	await took('MCTToken transfer, with the fee', token.connect(a).transfer(b, 10n ** 18n))
	await took('MCTToken transfer, exempt', token.connect(a).transfer(relays, 1n))
	await took('MCTToken approve', token.connect(a).approve(relays, 10n ** 24n))
}

async function people(world, took) {
	const { registry, ethers, people: [, a, b] } = world
	const fresh = person(world, '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720') // anvil's tenth account
	await took('MumbleChatRegistry register', registry.connect(fresh)['register(bytes32,string)'](ethers.id('k'), 'Alice'))
	await took('MumbleChatRegistry updatePublicKey', registry.connect(a).updatePublicKey(ethers.id('l')))
	await took('MumbleChatRegistry blockUser', registry.connect(a).blockUser(ethers.ZeroAddress.replace(/0$/, '9')))
	await took('MumbleChatRegistry sendMessage, 100 bytes', registry.connect(b).sendMessage(a, `0x${'ab'.repeat(100)}`))
	await took('MumbleChatRegistry markMessageRead', registry.connect(a).markMessageRead(1))
	await took('MumbleChatRegistry deleteMessage', registry.connect(a).deleteMessage(1))
}

async function nodes(world, took) {
	const { relays, token, ethers, people: [, a, b, c] } = world
	await tomorrow(world, 3600)
	const hash = ethers.id('machine')
	const id = await relays.nodeIdOf(a, hash, 1, ethers.ZeroHash)
	await took('RelayManager registerNodeWithId', relays.connect(a).registerNodeWithId(id, hash, hash, '/ip4/127.0.0.1/tcp/5011', 1024, 0))
	const second = await node(world, c)
	await later(world, 240)
	await took('RelayManager heartbeatByNodeId, first of a day', relays.connect(a).heartbeatByNodeId(id))
	await later(world, 240)
	await took('RelayManager heartbeatByNodeId', relays.connect(a).heartbeatByNodeId(id))
	await took('RelayManager updateEndpoint', relays.connect(a).updateEndpoint(id, '/ip4/127.0.0.1/tcp/5012'))
	rowOf(took, 'RelayManager submitRelayProof, first of a day', await relay(world, a, id, b, c, 'one'))
	await later(world, 10)
	rowOf(took, 'RelayManager submitRelayProof', await relay(world, a, id, b, c, 'two'))
	const day = Math.floor(await now(world) / 86400)
	await tomorrow(world, 60)
	await took('RelayManager claimDailyPoolReward', relays.connect(a).claimDailyPoolReward(day))
	await done(relays.connect(a).heartbeatByNodeId(id))
	await took('MCTToken claimFeePoolReward', token.connect(a).claimFeePoolReward())
	await files(world, took, id)
	await took('RelayManager reportViolation', relays.connect(b).reportViolation(id, 'does not answer'))
	await took('RelayManager judgeReport, upheld', relays.judgeReport(1, true))
	await took('RelayManager deactivateNodeById', relays.connect(a).deactivateNodeById(id))
	await done(relays.connect(c).deactivateNodeById(second))
	await took('RelayManager registerNodeWithId, an id of before', relays.connect(a).registerNodeWithId(id, hash, hash, '/ip4/127.0.0.1/tcp/5011', 1024, 0))
}

async function files({ relays, ethers, ...world }, took, id) {
	const { people: [, a, b] } = world
	const bytes = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 10)) & 0xff))
	const many = Array.from({ length: 16 }, (_, i) => ethers.id(`file ${i}`))
	await took('RelayManager holdFiles, one', relays.connect(a).holdFiles(id, [ethers.id('file')], [tree.root(bytes)], [bytes.length]))
	await took('RelayManager holdFiles, sixteen', relays.connect(a).holdFiles(id, many, many, many.map(() => 1024)))
	await took('RelayManager challengeNode', relays.connect(b).challengeNode(id, ethers.id('file')))
	const leaf = Number((await relays.leafToProve(1)).leaf)
	await took('RelayManager answerChallenge, blob of 1 MiB', relays.connect(a).answerChallenge(1, tree.leaf(bytes, leaf), tree.path(bytes, leaf)))
	await took('RelayManager releaseFile', relays.connect(a).releaseFile(id, many[0]))
	await done(relays.connect(b).challengeNode(id, many[1]))
	await later({ ...world, relays, ethers }, 3601)
	await took('RelayManager settleChallenge, missed and forced off', relays.settleChallenge(2))
	await done(relays.connect(a).deactivateNodeById(id))
	const hash = ethers.id('machine')
	await done(relays.connect(a).registerNodeWithId(id, hash, hash, 'here', 1024, 0))
}

async function others({ vault, nexus, ethers, people: [, a] }, took) {
	await took('VaultRegistry registerNode', vault.connect(a).registerNode(ethers.id('key'), 'http://127.0.0.1:5001', ethers.id('meta')))
	await took('VaultRegistry updateNode', vault.connect(a).updateNode('http://127.0.0.1:5101', ethers.id('meta')))
	const peer = `0x${'ab'.repeat(20)}`
	await took('NodeNexus registerNode, public', nexus.connect(a)['registerNode(bytes20,uint8,string)'](peer, 2, 'europe', { value: await nexus.publicStake() }))
	await took('NodeNexus heartbeat', nexus.connect(a).heartbeat(peer))
	await took('NodeNexus unregisterNode', nexus.connect(a).unregisterNode(peer))
}

const rowOf = (took, what, receipt) => took(what, receipt) // that of what is done already

function table(rows) {
	const line = ([what, gas]) => {
		const [contract, ...call] = what.split(' ')
		return `| ${contract} | ${call.join(' ')} | ${gas.toLocaleString('en-US')} | ${SEED[what] ? `~${SEED[what].toLocaleString('en-US')}` : ''} |`
	}
	return ['| contract | call | gas | seed 002 says |', '|---|---|---|---|', ...rows.map(line)].join('\n')
}

// The table that stands in the README, as [what, gas].
function written() {
	const text = fs.readFileSync(README, 'utf8')
	return [...text.matchAll(/^\| (\w+) \| ([^|]+) \| ([0-9,]+) \| /gm)].map(([, contract, call, gas]) => [`${contract} ${call}`, Number(gas.replaceAll(',', ''))])
}

async function main() {
	const made = table(await measure())
	if (!process.argv.includes('--write')) return console.log(made)
	const text = fs.readFileSync(README, 'utf8')
	fs.writeFileSync(README, text.replace(/\| contract \| call \| gas \|[^]*?\n(?=\n)/, `${made}\n`))
}

module.exports = { measure, written }
if (require.main === module) main().catch(error => { console.error(error); process.exitCode = 1 })
