// A load with a memory: writers that note what was acknowledged, so that afterwards every acknowledgement can be held against
// the machine. Bounded in count and time.
'use strict'
const crypto = require('node:crypto')
const { sleep } = require('../system/machine.js')

class Load {
	constructor(machine, node, { writers = 4, size = () => 1000 + Math.floor(Math.random() * 60000) } = {}) {
		Object.assign(this, { machine, node, writers, size })
		this.acknowledged = new Map() // cid → sha256 of what was sent
		this.failed = 0
		this.failures = []
		this.stopped = false
	}

	start() {
		this.running = Promise.all(Array.from({ length: this.writers }, () => this.write()))
		return this
	}

	// Only then its gateway has its stream: before, a request waits for the store no longer than 2 s.
	begun() { return this.machine.until('the load has begun', () => this.acknowledged.size > 0) }

	async write() {
		while (!this.stopped) {
			const blob = crypto.randomBytes(this.size())
			try {
				const answer = await this.machine.put(this.node, blob)
				if (answer.status === 201 || answer.status === 200)
					this.acknowledged.set(answer.json.cid, crypto.createHash('sha256').update(blob).digest('hex'))
				else this.note(`${answer.status} ${answer.body}`)
				if (answer.status === 507) this.full = true
			} catch (error) { this.note(error.message) }
			await sleep(this.full ? 50 : 2)
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

	// What was acknowledged and is not there, or not the same: both must be none.
	async verify() {
		const lost = [], wrong = []
		for (const [cid, digest] of this.acknowledged) {
			const answer = await this.machine.get(this.node, cid)
			if (answer.status !== 200) lost.push(`${cid} ${answer.status}`)
			else if (crypto.createHash('sha256').update(answer.body).digest('hex') !== digest) wrong.push(cid)
		}
		return { lost, wrong }
	}

	// Blobs that the store lists but cannot give whole: half blobs.
	async halves() {
		const halves = []
		let after = []
		for (;;) {
			const page = JSON.parse(this.machine.warren('call', `store@${this.node}`, 'store_list', 'most=500', ...after, '--json').out)
			for (const { cid, size } of page.blobs) {
				const answer = await this.machine.get(this.node, cid)
				const digest = crypto.createHash('sha256').update(answer.body).digest()
				const expected = `b${base32(Buffer.concat([Buffer.from([1, 0x55, 0x12, 0x20]), digest]))}`
				if (answer.status !== 200 || answer.body.length !== size || cid !== expected) halves.push(cid)
			}
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

module.exports = { Load, percentile }
