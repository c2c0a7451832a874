// The wallet against ethers, which nobody here wrote: the same keys, the same fields, the same bytes. Seeded, so that a failure comes
// again: WARREN_SEED=<number>.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { ethers } = require('./installed.js')

const BUILD = process.env.WARREN_BUILD || path.join(__dirname, '..', '..', 'build', 'release')
const COUNT = process.env.WARREN_LONG ? 5000 : 200

const seed = process.env.WARREN_SEED || String(crypto.randomInt(1e9))
console.log(`# WARREN_SEED=${seed}`)
let drawn = 0
const bytes = (length) => {
	let all = Buffer.alloc(0)
	while (all.length < length) all = Buffer.concat([all, crypto.createHash('sha256').update(`${seed} ${drawn++}`).digest()])
	return all.subarray(0, length)
}
const below = (n) => Number(BigInt('0x' + bytes(7).toString('hex')) % BigInt(n))
const hex = (length) => bytes(length).toString('hex')
// Of any length up to `most` bytes, so that forms that depend on length are all met.
const big = (most) => { const length = below(most + 1); return length ? BigInt('0x' + hex(length)) : 0n }

function sign(lines) {
	const done = spawnSync(path.join(BUILD, 'tests', 'tool-sign'), { input: lines.join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28 })
	assert.strictEqual(done.status, 0, done.stderr)
	const answers = done.stdout.trimEnd().split('\n')
	assert.strictEqual(answers.length, lines.length)
	return answers.map((answer) => answer.split(' '))
}

async function transactions(type) {
	const asked = []
	for (let i = 0; i < COUNT; i++) {
		const maxFee = big(20)
		asked.push({
			secret: hex(32), type, chainId: 1 + below(i % 2 ? 255 : 0xffffffff), nonce: Number(big(6)), gasLimit: 21000n + big(5),
			maxFee, priority: type === 2 ? maxFee / BigInt(1 + below(9)) : 0n, to: hex(20), value: big(30),
			data: hex([0, 1, 4, 36, 55, 56, 255, 256, 3072][below(9)]),
		})
	}
	const ours = sign(asked.map((tx) => `tx ${tx.secret} ${type} ${tx.chainId} ${tx.nonce} ${tx.gasLimit} ${tx.maxFee} ${tx.priority} ${tx.to} ${tx.value} ${tx.data || '-'}`))
	for (const [i, tx] of asked.entries()) {
		const fees = type === 2 ? { maxFeePerGas: tx.maxFee, maxPriorityFeePerGas: tx.priority } : { gasPrice: tx.maxFee }
		const theirs = await new ethers.Wallet('0x' + tx.secret).signTransaction({
			type, chainId: tx.chainId, nonce: tx.nonce, gasLimit: tx.gasLimit, to: ethers.getAddress('0x' + tx.to), value: tx.value, data: '0x' + tx.data, ...fees,
		})
		assert.strictEqual('0x' + ours[i][0], theirs, `transaction ${i} of seed ${seed}`)
		assert.strictEqual('0x' + ours[i][1], ethers.keccak256(theirs))
		assert.strictEqual(ethers.Transaction.from('0x' + ours[i][0]).from, new ethers.Wallet('0x' + tx.secret).address)
	}
}

test(`${COUNT} legacy transactions (EIP-155) are ethers' bytes`, () => transactions(0))
test(`${COUNT} fee market transactions (EIP-1559) are ethers' bytes`, () => transactions(2))

test(`${COUNT} statements of each kind are what ethers signs`, async () => {
	const asked = []
	for (let i = 0; i < COUNT; i++) {
		const secret = hex(32), wallet = new ethers.Wallet('0x' + secret), time = below(2 ** 33)
		const node = ethers.keccak256(wallet.address).slice(2, 42)
		asked.push({ wallet, line: `peer ${secret} ${time}`, message: `mumblechat:peer:${node}:${time}` })

		const hub = `hub-${below(1000)}.example.org`, challenge = hex(32), session = below(2) ? hex(32) : 'none'
		asked.push({ wallet, line: `hub ${secret} ${hub} ${challenge} ${session} ${time}`,
			message: `Warren hub challenge\nversion 1\nhub ${hub}\nwallet ${wallet.address}\nchallenge ${challenge}\nsession ${session}\nexpires ${time}\n` })

		const hash = hex(32), id = hex(32), nonce = big(32)
		asked.push({ wallet, line: `relay ${secret} ${hash} ${id} ${time} ${nonce}`,
			message: ethers.getBytes(ethers.solidityPackedKeccak256(['bytes32', 'bytes32', 'uint256', 'uint256'], ['0x' + hash, '0x' + id, time, nonce])) })
	}
	const ours = sign(asked.map((one) => one.line))
	for (const [i, one] of asked.entries()) {
		assert.strictEqual(ours[i][1], Buffer.from(one.message).toString('hex'))
		assert.strictEqual('0x' + ours[i][0], await one.wallet.signMessage(one.message), `statement ${i} of seed ${seed}`)
	}
})

// A control: a comparison that cannot fail would say nothing.
test('another key, or one bit of a field, gives other bytes', async () => {
	const line = (secret, nonce) => `tx ${secret} 2 1 ${nonce} 21000 2 1 ${'35'.repeat(20)} 1 -`
	const [[one], [other], [next]] = sign([line('46'.repeat(32), 1), line('47'.repeat(32), 1), line('46'.repeat(32), 2)])
	assert.notStrictEqual(one, other)
	assert.notStrictEqual(one, next)
})
