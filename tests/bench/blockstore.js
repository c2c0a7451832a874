// helia's blockstore-fs, as a peer for large blobs: it stores and reads in this process, with no server before it, and syncs nothing.
//
//   blockstore.js put|get FOLDER CLIENTS SIZE COUNT     get: stores one blob first, then reads it; prints blobs a second
'use strict'
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

async function main([verb, folder, ...numbers]) {
	const [clients, size, count] = numbers.map(Number)
	const { FsBlockstore } = await import('blockstore-fs')
	const { CID } = await import('multiformats/cid')
	const { create } = await import('multiformats/hashes/digest')
	const name = (blob) => CID.createV1(0x55, create(0x12, crypto.createHash('sha256').update(blob).digest()))
	const place = fs.mkdtempSync(path.join(folder, 'blockstore-'))
	const store = new FsBlockstore(place)
	await store.open()
	const first = crypto.randomBytes(size), cid = name(first)
	await store.put(cid, first)
	let taken = 0
	const put = async () => {
		const blob = Buffer.from(first)
		while (taken++ < count) {
			crypto.randomFillSync(blob, 0, 8) // a new blob by its first bytes
			await store.put(name(blob), blob)
		}
	}
	const get = async () => {
		while (taken++ < count) {
			let bytes = 0
			for await (const part of store.get(cid)) bytes += part.length
			if (bytes !== size) throw new Error(`${bytes} bytes were read, not ${size}`)
		}
	}
	const began = process.hrtime.bigint()
	await Promise.all(Array.from({ length: clients }, verb === 'get' ? get : put))
	const took = Number(process.hrtime.bigint() - began) / 1e9
	fs.rmSync(place, { recursive: true, force: true })
	console.log((count / took).toFixed(1))
}
main(process.argv.slice(2)).catch((error) => { console.error(error.message); process.exit(1) })
