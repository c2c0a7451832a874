// The Merkle tree over a blob's bytes, written from RFC 6962, section 2.1, and not from the contract or the store: the third of
// three that must agree. The format is described in actors/base/proof/merkle.h.
'use strict'
const { createHash } = require('node:crypto')

const LEAF = 1024
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
const leaves = bytes => Array.from({ length: Math.ceil(bytes.length / LEAF) }, (_, i) => bytes.subarray(i * LEAF, (i + 1) * LEAF))

function split(count) { // the largest power of two below count
	let k = 1
	while (k * 2 < count) k *= 2
	return k
}

function head(list) { // MTH(D[n])
	if (list.length === 0) return sha256()
	if (list.length === 1) return sha256(Buffer.of(0), list[0])
	const k = split(list.length)
	return sha256(Buffer.of(1), head(list.slice(0, k)), head(list.slice(k)))
}

function audit(m, list) { // PATH(m, D[n]), from the leaf up
	if (list.length <= 1) return []
	const k = split(list.length)
	return m < k ? [...audit(m, list.slice(0, k)), head(list.slice(k))] : [...audit(m - k, list.slice(k)), head(list.slice(0, k))]
}

const hex = bytes => `0x${Buffer.from(bytes).toString('hex')}`

module.exports = {
	LEAF,
	root: bytes => hex(head(leaves(bytes))),
	path: (bytes, m) => audit(m, leaves(bytes)).map(hex),
	leaf: (bytes, m) => hex(leaves(bytes)[m]),
	hex
}
