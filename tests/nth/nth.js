// The page of nth.h, from outside: what is to fail in a program that libnth.so is preloaded into, or that was linked with nth.c.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const FAMILIES = ['memory', 'map', 'open', 'read', 'write', 'sync', 'change', 'room', 'fd', 'process', 'pipe', 'look']
const ERRORS = { EIO: 5, EINTR: 4, EAGAIN: 11, ENOMEM: 12, ENOSPC: 28, EMFILE: 24, SHORT: -1 }
const SIZE = 4096

// What is tried with everything: [family, error, and all after it].
const TROUBLES = [
	['memory', 'ENOMEM', 0], ['memory', 'ENOMEM', 1], ['map', 'ENOMEM', 0], ['open', 'EMFILE', 0], ['open', 'EIO', 1], ['read', 'EIO', 0], ['read', 'EIO', 1],
	['read', 'EINTR', 0], ['read', 'SHORT', 1], ['write', 'EIO', 0], ['write', 'ENOSPC', 1], ['write', 'EINTR', 0], ['write', 'SHORT', 1], ['sync', 'EIO', 0],
	['sync', 'EIO', 1], ['change', 'EIO', 0], ['change', 'EIO', 1], ['room', 'ENOSPC', 0], ['fd', 'EMFILE', 0], ['fd', 'EMFILE', 1], ['process', 'EAGAIN', 0],
	['look', 'EIO', 0],
].map(([family, error, onwards]) => ({ family, error, onwards, name: `${family} ${error}${onwards ? ' from' : ''}` }))

class Page {
	constructor(file) {
		this.file = file
		fs.writeFileSync(file, Buffer.alloc(SIZE), { mode: 0o600 })
	}

	// at 0: only count. From now on; `families` is written last.
	plan({ family, error, onwards = 0, at, pid = 0 }) {
		const page = Buffer.alloc(SIZE)
		page.writeUInt32LE(pid, 4)
		page.writeBigUInt64LE(BigInt(at), 8)
		page.writeUInt32LE(onwards, 16)
		page.writeInt32LE(ERRORS[error], 20)
		const fd = fs.openSync(this.file, 'r+')
		fs.writeSync(fd, page, 0, 72, 0)
		const families = Buffer.alloc(4)
		families.writeUInt32LE(1 << FAMILIES.indexOf(family))
		fs.writeSync(fd, families, 0, 4, 0)
		fs.closeSync(fd)
	}

	off() {
		const fd = fs.openSync(this.file, 'r+')
		fs.writeSync(fd, Buffer.alloc(4), 0, 4, 0)
		fs.closeSync(fd)
	}

	seen() {
		const page = fs.readFileSync(this.file)
		const name = page.subarray(40, 64)
		return { calls: Number(page.readBigUInt64LE(24)), fired: page.readUInt32LE(32), name: name.subarray(0, name.indexOf(0)).toString(), mapped: page.readUInt32LE(72) }
	}
}

const library = (build) => path.resolve(build, 'tests', 'libnth.so')

module.exports = { Page, TROUBLES, library }
