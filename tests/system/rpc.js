// A JSON-RPC server between a machine and a real anvil, which does what bad ones do: hangs, refuses, lies, floods, loses what it is given.
'use strict'
const http = require('node:http')

const read = (stream) => new Promise((resolve, reject) => {
	const parts = []
	stream.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts).toString())).on('error', reject)
})

class Rpc {
	// twist(question, answer): what it says instead of the answer to one question; loses(question): it says what is right and does nothing
	static async start(upstream) {
		const rpc = new Rpc()
		Object.assign(rpc, { upstream, mode: 'good', twist: null, loses: null, asked: [], sockets: new Set() })
		rpc.server = http.createServer((request, response) => rpc.answer(request, response).catch(() => response.destroy()))
		rpc.server.on('connection', (socket) => { rpc.sockets.add(socket); socket.on('close', () => rpc.sockets.delete(socket)) })
		await new Promise((resolve) => rpc.server.listen(0, '127.0.0.1', resolve))
		rpc.port = rpc.server.address().port
		rpc.url = `http://127.0.0.1:${rpc.port}`
		return rpc
	}

	// How often a method was asked for.
	times(method) { return this.asked.filter((name) => name === method).length }

	async answer(request, response) {
		const questions = JSON.parse(await read(request))
		for (const question of questions) this.asked.push(question.method)
		const json = (text, status = 200) => { response.writeHead(status, { 'content-type': 'application/json' }); response.end(text) }
		if (this.mode === 'hang') return
		if (this.mode === '429') return json('{"error":"slow down"}', 429)
		if (this.mode === '500') return json('<html>oops</html>', 500)
		if (this.mode === 'html') return json('<html>welcome</html>')
		if (this.mode === 'deep') return json('['.repeat(100000))
		if (this.mode === 'short') return json('[]')
		if (this.mode === 'cut') { response.writeHead(200, { 'content-length': 1000 }); response.write('[{"jsonrpc"'); return response.destroy() }
		if (this.mode === 'huge') {
			response.writeHead(200)
			for (let i = 0; i < 64 && !response.destroyed; i++) response.write('[' + '1,'.repeat(32768))
			return response.end()
		}
		json(JSON.stringify(await this.true(questions)))
	}

	async true(questions) {
		const lost = questions.filter((question) => this.loses && this.loses(question))
		const kept = questions.filter((question) => !lost.includes(question))
		const upstream = kept.length ? await (await fetch(this.upstream, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(kept) })).json() : []
		for (const question of lost) upstream.push({ jsonrpc: '2.0', id: question.id, result: '0x' + '00'.repeat(32) })
		return upstream.map((answer) => {
			const question = questions.find((one) => one.id === answer.id)
			return this.twist ? { jsonrpc: '2.0', id: answer.id, ...this.twist(question, answer) } : answer
		})
	}

	async close() {
		for (const socket of this.sockets) socket.destroy()
		await new Promise((resolve) => this.server.close(resolve))
	}
}

module.exports = { Rpc }
