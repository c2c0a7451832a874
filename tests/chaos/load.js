// A load with a memory: writers that note what was acknowledged, and one who deletes and notes that, so that afterwards every
// acknowledgement can be held against the machine. Bounded in count and time.
'use strict'
const crypto = require('node:crypto')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { sleep } = require('../system/machine.js')

// A console, while the load goes on: resolves to {code, out, err}.
const ask = (machine, ...args) => new Promise((resolve) => {
	execFile(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, ...args], { timeout: 60000, maxBuffer: 1 << 26 },
		(error, out, err) => resolve({ code: error ? error.code ?? -1 : 0, out, err }))
})

class Load {
	// rest: ms between two puts of a writer; deletes: between two deletes; 0: none
	constructor(machine, node, { writers = 4, size = () => 1000 + Math.floor(Math.random() * 60000), rest = 2, deletes = 0 } = {}) {
		Object.assign(this, { machine, node, writers, size, rest, deletes })
		this.acknowledged = new Map() // cid → sha256 of what was sent
		this.deleted = []
		this.done = 0 // acknowledgements
		this.failed = 0
		this.failures = []
		this.stopped = false
	}

	start() {
		const all = Array.from({ length: this.writers }, () => this.write())
		if (this.deletes) all.push(this.delete())
		this.running = Promise.all(all)
		return this
	}

	// Whose delete did not end well is neither there nor gone: it is held against nothing.
	async delete() {
		while (!this.stopped) {
			await sleep(this.deletes)
			const [cid] = this.acknowledged.keys()
			if (!cid) continue
			this.acknowledged.delete(cid)
			const { code } = await ask(this.machine, 'call', `store@${this.node}`, 'store_delete', `cid=${cid}`)
			if (code === 0) this.deleted.push(cid)
		}
	}

	// Only then its gateway has its stream: before, a request waits for the store no longer than 2 s.
	begun() { return this.machine.until('the load has begun', () => this.acknowledged.size > 0) }

	async write() {
		while (!this.stopped) {
			const blob = crypto.randomBytes(this.size())
			try {
				const answer = await this.machine.put(this.node, blob)
				if (answer.status === 201 || answer.status === 200) {
					this.acknowledged.set(answer.json.cid, crypto.createHash('sha256').update(blob).digest('hex'))
					this.done++
				} else this.note(`${answer.status} ${answer.body}`)
				if (answer.status === 507) this.full = true
			} catch (error) { this.note(error.message) }
			await sleep(this.full ? 50 : this.rest)
		}
	}

	note(what) {
		this.failed++
		if (this.failures.length < 5) this.failures.push(what)
	}

	async stop() {
		this.stopped = true
		await this.running
	}

	// What was acknowledged and is not there, or not the same, or there though it was deleted: all must be none.
	async verify() {
		const lost = [], wrong = [], rest = [...this.acknowledged]
		for (const cid of this.deleted)
			if ((await this.machine.get(this.node, cid)).status !== 404) wrong.push(`${cid} was deleted`)
		const one = async () => {
			for (let next; (next = rest.pop());) {
				const [cid, digest] = next
				const answer = await this.machine.get(this.node, cid)
				if (answer.status !== 200) lost.push(`${cid} ${answer.status}`)
				else if (crypto.createHash('sha256').update(answer.body).digest('hex') !== digest) wrong.push(cid)
			}
		}
		await Promise.all(Array.from({ length: 8 }, one))
		return { lost, wrong }
	}

	// Blobs that the store lists but cannot give whole: half blobs.
	async halves() {
		const halves = []
		let after = []
		for (;;) {
			const page = JSON.parse(this.machine.warren('call', `store@${this.node}`, 'store_list', 'most=500', ...after, '--json').out)
			const rest = [...page.blobs]
			const one = async () => {
				for (let next; (next = rest.pop());) {
					const answer = await this.machine.get(this.node, next.cid)
					const digest = crypto.createHash('sha256').update(answer.body).digest()
					const expected = `b${base32(Buffer.concat([Buffer.from([1, 0x55, 0x12, 0x20]), digest]))}`
					if (answer.status !== 200 || answer.body.length !== next.size || next.cid !== expected) halves.push(next.cid)
				}
			}
			await Promise.all(Array.from({ length: 8 }, one))
			if (page.blobs.length < 500) return halves
			after = [`after=${page.blobs.at(-1).cid}`]
		}
	}
}

function base32(bytes) {
	const letters = 'abcdefghijklmnopqrstuvwxyz234567'
	let text = '', window = 0, bits = 0
	for (const byte of bytes) {
		window = (window << 8) | byte
		for (bits += 8; bits >= 5; bits -= 5) text += letters[(window >> (bits - 5)) & 31]
		window &= (1 << bits) - 1
	}
	return bits ? text + letters[(window << (5 - bits)) & 31] : text
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]

module.exports = { Load, ask, percentile }
