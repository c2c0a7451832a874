// What the wallet of a node may sign on a chain with these contracts: a file for ROOT/etc (supervisor/policy_file.h has every word).
'use strict'
const crypto = require('node:crypto')

// Budgets of a day. Gas as contracts/README.md has it, with room, at 3 gwei: a heartbeat 0.0002, a registration 0.002.
const RULES = (at, stake) => [
	['stake', at.MCTToken, ['approve(address,uint256)'], { fee: '0.05', count: 16, only: [[1, at.RelayManager], [2, stake]] }],
	['identity', at.MumbleChatRegistry, ['register(string,bytes32)', 'register(bytes32,string)'], { fee: '0.05', count: 16 }],
	['register', at.RelayManager, ['registerNodeWithId(bytes32,bytes32,bytes32,string,uint256,uint8)', 'registerNodeWithSalt(bytes32,uint32,bytes32,bytes32,string,uint256,uint8)'], { fee: '0.1', count: 16 }],
	['heartbeat', at.RelayManager, ['heartbeatByNodeId(bytes32)'], { fee: '1', count: 1440, spacing: 10 }],
	['endpoint', at.RelayManager, ['updateEndpoint(bytes32,string)'], { fee: '0.1', count: 48 }],
	['leave', at.RelayManager, ['deactivateNodeById(bytes32)'], { fee: '0.05', count: 16 }],
	['claim', at.RelayManager, ['claimDailyPoolReward(uint256)'], { fee: '0.1', count: 64 }],
	['claim-fees', at.MCTToken, ['claimFeePoolReward()'], { fee: '0.05', count: 16 }],
	['relay', at.RelayManager, ['submitRelayProof(bytes32,bytes32,address,address,uint256,bytes)'], { fee: '2', count: 8640 }],
	['files', at.RelayManager, ['holdFiles(bytes32,bytes32[],bytes32[],uint64[])', 'releaseFile(bytes32,bytes32)', 'answerChallenge(uint256,bytes,bytes32[])'], { fee: '0.5', count: 512 }],
	['vault', at.VaultRegistry, ['registerNode(bytes,string,bytes32)', 'updateNode(string,bytes32)', 'unregisterNode()'], { fee: '0.05', count: 24 }]
]

const word = value => '0x' + (typeof value === 'bigint' ? value.toString(16) : value.slice(2).toLowerCase()).padStart(64, '0')

function rule([name, to, methods, { fee, count, spacing, only = [] }]) {
	const lines = [
		`name = "${name}";`, `to = "${to}";`, `methods = [${methods.map(method => `"${method}"`).join(', ')}];`,
		`fee_per_day = "${fee}";`, `count_per_day = ${count};`
	]
	if (spacing) lines.push(`spacing = ${spacing};`)
	if (only.length) lines.push(`only = (${only.map(([at, is]) => `{ word = ${at}; is = "${word(is)}"; }`).join(', ')});`)
	return `\t\t{\n${lines.map(line => `\t\t\t${line}\n`).join('')}\t\t}`
}

const MARK = '// Written by scripts/up, and written again by it while it is as it was: change anything, and it is yours. '
const sum = text => crypto.createHash('sha256').update(text).digest('hex')

// stake: wei of MCT of the node's tier, which is all that it may approve.
function text(chain, at, stake) {
	const body = `version = 1;\nchains = ({\n\tid = ${chain};\n\tvalue_per_day = "0";\n\tfee_per_day = "4";\n\trules = (\n` +
		`${RULES(at, stake).map(rule).join(',\n')}\n\t);\n});\nstatements = ["peer-proof", "relay-proof"];\n`
	return `${MARK}${sum(body)}\n${body}`
}

// Whether nobody but us wrote in it.
function isOurs(file) {
	const end = file.indexOf('\n')
	return file.startsWith(MARK) && file.slice(0, end) === MARK + sum(file.slice(end + 1))
}

module.exports = { text, isOurs, RULES }
