// A development chain that this process owns: anvil on loopback, chain id 1370, gone when this process is gone.
'use strict'
const { spawn } = require('node:child_process')
const net = require('node:net')
const installed = require('./installed.js')

const CHAIN_ID = 1370 // seed 002's chain, so that what works here works there

// A port that nobody listens on; from the kernel, so that two runs at a time do not meet.
function freePort() {
	return new Promise((resolve, reject) => {
		const server = net.createServer()
		server.on('error', reject)
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address()
			server.close(() => resolve(port))
		})
	})
}

// One request to a JSON-RPC server; ethers is not needed for it.
async function ask(url, method, params = []) {
	const response = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
	})
	const answer = await response.json()
	if (answer.error) throw Object.assign(new Error(answer.error.message), { data: answer.error.data, code: answer.error.code })
	return answer.result
}

// Starts it and waits until it answers. { url, port, stop() }
async function start({ accounts = 16, extra = [] } = {}) {
	const port = await freePort()
	const args = ['--host', '127.0.0.1', '--port', port, '--chain-id', CHAIN_ID, '--hardfork', 'cancun', '--accounts', accounts, '--silent', ...extra]
	// setpriv: it dies with this process however that dies, kill -9 included
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', installed.anvil(), ...args.map(String)], { stdio: ['ignore', 'ignore', 'inherit'] })
	const ended = new Promise(resolve => child.once('exit', resolve).once('error', resolve))
	let dead = false
	ended.then(() => { dead = true })
	const stop = async () => {
		child.kill('SIGKILL') // it keeps nothing that has to be written
		await ended
	}
	const url = `http://127.0.0.1:${port}`
	const limit = Date.now() + 60000
	for (;;) {
		try {
			if (Number(await ask(url, 'eth_chainId')) === CHAIN_ID) return { url, port, stop }
			throw new Error(`another program answers on port ${port}`)
		} catch (error) {
			if (dead || Date.now() > limit) {
				await stop()
				throw new Error(`anvil did not start: ${error.message}`)
			}
			await new Promise(resolve => setTimeout(resolve, 20))
		}
	}
}

module.exports = { start, ask, CHAIN_ID }
