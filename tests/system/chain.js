// A machine with the embedded chain, for a test: anvil and ethers as contracts/ pins them, a port of its own, furnished as scripts/up
// furnishes it.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine } = require('./machine.js')
const installed = require('../../contracts/installed.js')
const { ask } = require('../../contracts/anvil.js')

const FURNISH = path.join(__dirname, '..', '..', 'contracts', 'furnish')

// program: what stands where anvil would
async function chainMachine({ nodes = 1, furnish = true, program, before = () => {} } = {}) {
	installed.install(false)
	const machine = await Machine.create({ nodes, start: false })
	try {
		fs.copyFileSync(program || installed.anvil(), path.join(machine.root, 'bin', 'anvil'))
		fs.chmodSync(path.join(machine.root, 'bin', 'anvil'), 0o711)
		// beside the nodes' ports, which no other test of this run has
		machine.chainPort = Math.max(...machine.ports) + 20
		fs.writeFileSync(path.join(machine.root, 'etc', 'chain.conf'), `profile = "dev";\nport = ${machine.chainPort};\n`)
		await before(machine)
		if (!program) {
			machine.start()
			if (furnish) furnishChain(machine)
		}
		machine.rpc = (method, ...params) => ask(`http://127.0.0.1:${machine.chainPort}`, method, params)
		return machine
	} catch (error) {
		await machine.destroy()
		throw error
	}
}

function furnishChain(machine) {
	const done = spawnSync(FURNISH, ['--root', machine.root], { encoding: 'utf8', timeout: 120000 })
	if (done.status !== 0) throw new Error(`contracts/furnish: ${done.status}\n${done.stdout}${done.stderr}`)
	return done.stdout
}

const chainOf = (machine) => JSON.parse(machine.warren('chain', '--json').out)

// The one child of the keeper.
function anvilOf(machine) {
	const { pid } = machine.process('anvil')
	return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
}

// What the wallet of a node signs; throws with its sentence when it refuses.
function signed(machine, node, fields) {
	const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
	const done = machine.run('warren', ['call', `wallet@${node}`, 'wallet_sign_tx', ...words, '--json'], { fails: true })
	if (done.code !== 0) throw new Error(done.out + done.err)
	return JSON.parse(done.out)
}

module.exports = { chainMachine, furnishChain, chainOf, anvilOf, signed }
