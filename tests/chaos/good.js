// Good clients: they read and now and then store, each from an address of its own, at a pace that nobody would mind. How many of their
// requests went well, and how long they took, before a flood and during it.
'use strict'
const crypto = require('node:crypto')
const { sleep } = require('../system/machine.js')
const { percentile } = require('./load.js')

class Good {
	constructor(machine, node, { clients = 8, pauseMs = 50, puts = 0 } = {}) { Object.assign(this, { machine, node, clients, pauseMs, puts, over: false }); this.forget() }

	forget() { this.well = 0; this.ill = {}; this.took = [] }

	async begin() {
		const body = crypto.randomBytes(4000), put = await this.machine.put(this.node, body)
		if (put.status !== 201) throw new Error(`put: ${put.status} ${put.body}`)
		this.cid = put.json.cid
		this.body = body
		this.running = Promise.all(Array.from({ length: this.clients }, (_, i) => this.client(`127.0.9.${i + 1}`)))
		return this
	}

	async client(from) {
		while (!this.over) {
			const began = performance.now()
			try {
				const put = Math.random() < this.puts, body = put ? crypto.randomBytes(1000) : undefined
				const answer = put ? await this.machine.request(this.node, 'POST', '/store', { from, body, headers: { 'content-length': body.length } })
					: await this.machine.request(this.node, 'GET', `/retrieve/${this.cid}`, { from })
				if (put ? answer.status === 201 : answer.status === 200 && answer.body.equals(this.body)) this.well++
				else this.ill[answer.status] = (this.ill[answer.status] || 0) + 1
			} catch (error) { this.ill[error.code || error.message] = (this.ill[error.code || error.message] || 0) + 1 }
			this.took.push(performance.now() - began)
			await sleep(this.pauseMs)
		}
	}

	// So far, since it was last asked.
	tally() {
		const bad = Object.values(this.ill).reduce((sum, count) => sum + count, 0)
		const told = { well: this.well, ill: this.ill, share: this.well / (this.well + bad), p50: percentile(this.took, 0.5), p99: percentile(this.took, 0.99) }
		this.forget()
		return told
	}

	async end() { this.over = true; await this.running }
}

const say = ({ well, ill, share, p50, p99 }) => `${well} well${Object.keys(ill).length ? `, ill ${JSON.stringify(ill)}` : ''} (${(100 * share).toFixed(1)} %), p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`

module.exports = { Good, say }
