// A second verifier of proofs, written from the text of actors/base/proof/proof.h and merkle.h and with none of their code: Node's own
// SHA-256 and Ed25519.
'use strict'
const crypto = require('node:crypto')

const LEAF = 1024
const sha = (...parts) => parts.reduce((sum, part) => sum.update(part), crypto.createHash('sha256')).digest()
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b }
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b }

// RFC 6962, 2.1, by its recursive definition.
function tree(leaves) {
	if (leaves.length === 0) return sha('')
	if (leaves.length === 1) return sha(Buffer.of(0), leaves[0])
	let k = 1
	while (k * 2 < leaves.length) k *= 2
	return sha(Buffer.of(1), tree(leaves.slice(0, k)), tree(leaves.slice(k)))
}
const cut = (bytes) => { const out = []; for (let at = 0; at < bytes.length; at += LEAF) out.push(bytes.subarray(at, at + LEAF)); return out }
const rootOf = (bytes) => sha(Buffer.of(2), u64(bytes.length), tree(cut(bytes)))

// The root that leaf `index` of `count` and its path give, by recursion from the top: which side is it on, who is the sibling.
function climb(index, count, leafHash, path) {
	if (count === 1) return path.length === 0 ? leafHash : null
	if (path.length === 0) return null
	let k = 1
	while (k * 2 < count) k *= 2
	const sibling = path[path.length - 1], rest = path.slice(0, -1)
	const inner = index < k ? climb(index, k, leafHash, rest) : climb(index - k, count - k, leafHash, rest)
	if (!inner) return null
	return index < k ? sha(Buffer.of(1), inner, sibling) : sha(Buffer.of(1), sibling, inner)
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
function cidDigest(text) {
	let bits = 0, value = 0
	const out = []
	for (const letter of text.slice(1)) {
		value = ((value << 5) | BASE32.indexOf(letter)) & 0xffff
		bits += 5
		if (bits >= 8) { bits -= 8; out.push((value >> bits) & 255) }
	}
	return Buffer.from(out).subarray(4)
}

const hex = (text) => Buffer.from(text, 'hex')

// Returns '' when it holds, else what is wrong.
function judge(proof, { cid, root, key, challenge }) {
	if (proof.version !== 1 || proof.cid !== cid || proof.publicKey !== key || proof.challenge !== challenge) return 'about something else'
	if (!sha(Buffer.of(2), u64(proof.size), hex(proof.tree)).equals(hex(root))) return 'other root'
	const count = Math.ceil(proof.size / LEAF)
	const draw = sha('warren proof draw 1\n', hex(challenge), hex(key), cidDigest(cid))
	const answer = crypto.createHash('sha256')
	for (const [i, sample] of proof.samples.entries()) {
		const bytes = Buffer.from(sample.bytes, 'base64'), path = sample.path.map(hex)
		const drawn = Number(sha(draw, u32(i)).readBigUInt64BE() % BigInt(count))
		if (sample.leaf !== drawn) return `sample ${i} is leaf ${sample.leaf}, not ${drawn}`
		const climbed = climb(sample.leaf, count, sha(Buffer.of(0), bytes), path)
		if (!climbed || !climbed.equals(hex(proof.tree))) return `sample ${i} does not lead to the tree`
		answer.update(u64(sample.leaf)).update(u32(bytes.length)).update(bytes).update(u32(path.length))
		for (const step of path) answer.update(step)
	}
	const statement = 'Warren storage proof\nversion 1\n' + `node ${proof.nodeId}\ncid ${cid}\nsize ${proof.size}\nroot ${root}\n` +
		`challenge ${challenge}\nanswer ${answer.digest('hex')}\ntime ${proof.timestamp}\n`
	const publicKey = crypto.createPublicKey({ key: Buffer.concat([hex('302a300506032b6570032100'), hex(key)]), format: 'der', type: 'spki' })
	return crypto.verify(null, Buffer.from(statement), publicKey, hex(proof.proof)) ? '' : 'not signed by the key'
}

module.exports = { judge, rootOf, cut, tree }
