// A JSON-RPC server between a machine and a real anvil, which does what bad ones do: hangs, refuses, lies, floods, loses what it is given.
// It is a process of its own, so that it answers while a test waits for a command.
'use strict'
const { fork } = require('node:child_process')
const http = require('node:http')

/* -- in the test ------------------------------------------------------------------------------- */

class Rpc {
	static start(upstream) {
		const rpc = new Rpc()
		rpc.child = fork(__filename, [upstream])
		rpc.waiting = []
		rpc.child.on('message', (said) => rpc.waiting.shift()(said))
		return new Promise((resolve) => rpc.waiting.push(({ port }) => resolve(Object.assign(rpc, { url: `http://127.0.0.1:${port}` }))))
	}

	ask(what) {
		this.child.send(what)
		return new Promise((resolve) => this.waiting.push(resolve))
	}

	// mode: how it fails; lie: what it says instead of the truth; lose: so many transactions it takes and does not pass on
	set({ mode = 'good', lie = '', lose = 0 } = {}) { return this.ask({ mode, lie, lose }) }

	// The methods that it was asked for, in order.
	async asked() { return (await this.ask({ tell: true })).asked }
	async times(method) { return (await this.asked()).filter((name) => name === method).length }

	async close() {
		const gone = new Promise((resolve) => this.child.once('exit', resolve))
		this.child.disconnect()
		await gone
	}
}

/* -- the process ------------------------------------------------------------------------------- */

const LIES = {
	'': (question, answer) => answer,
	'chain-id': (question, answer) => (question.method === 'eth_chainId' ? { ...answer, result: '0x1' } : answer),
	hash: (question, answer) => (question.method === 'eth_getBlockByNumber' && answer.result && Number(answer.result.number) > 0
		? { ...answer, result: { ...answer.result, hash: '0x' + 'bb'.repeat(32) } } : answer),
	receipt: (question, answer) => (question.method === 'eth_getTransactionReceipt' && !answer.result
		? { ...answer, result: { transactionHash: question.params[0], blockHash: '0x' + 'bb'.repeat(32), blockNumber: '0x1', gasUsed: '0x5208', status: '0x1', effectiveGasPrice: '0x1' } } : answer),
	nonce: (question, answer) => (question.method === 'eth_getTransactionCount' ? { ...answer, result: '0x63' } : answer),
}

function serve(upstream) {
	const is = { mode: 'good', lie: '', lose: 0, asked: [] }
	const pass = async (questions) => (questions.length ? (await fetch(upstream, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(questions) })).json() : [])

	async function truth(questions) {
		const lost = questions.filter((question) => question.method === 'eth_sendRawTransaction' && is.lose-- > 0)
		const answers = await pass(questions.filter((question) => !lost.includes(question)))
		for (const question of lost) answers.push({ jsonrpc: '2.0', id: question.id, result: '0x' + '00'.repeat(32) })
		return answers.map((answer) => LIES[is.lie](questions.find((one) => one.id === answer.id), answer))
	}

	async function answer(questions, response) {
		const say = (text, status = 200) => { response.writeHead(status, { 'content-type': 'application/json' }); response.end(text) }
		is.asked.push(...questions.map(({ method }) => method))
		if (is.mode === 'hang') return
		if (is.mode === '429') return say('{"error":"slow down"}', 429)
		if (is.mode === '500') return say('<html>oops</html>', 500)
		if (is.mode === 'html') return say('<html>welcome</html>')
		if (is.mode === 'deep') return say('['.repeat(100000))
		if (is.mode === 'short') return say('[]')
		if (is.mode === 'moved') { response.writeHead(307, { location: upstream }); return response.end() }
		if (is.mode === 'cut') { response.writeHead(200, { 'content-length': 1000 }); response.write('[{"jsonrpc"'); return setImmediate(() => response.destroy()) }
		if (is.mode === 'huge') { response.writeHead(200); response.write('['); return response.end('1,'.repeat(1 << 20)) }
		say(JSON.stringify(await truth(questions)))
	}

	const server = http.createServer((request, response) => {
		const parts = []
		request.on('data', (part) => parts.push(part)).on('end', () => answer(JSON.parse(Buffer.concat(parts)), response).catch(() => response.destroy()))
	})
	server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
	process.on('message', (wanted) => {
		if (wanted.tell) return process.send({ asked: is.asked })
		Object.assign(is, wanted)
		process.send({})
	})
	process.on('disconnect', () => process.exit(0))
}

if (require.main === module) serve(process.argv[2])
else module.exports = { Rpc }
