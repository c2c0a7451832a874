// The embedded chain of a machine: anvil as a foreign row, with contracts, funded wallets and their policies. What was in a block is
// in it after any death; what stands where anvil would can do nothing but serve its port.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { BUILD, WITHOUT } = require('./machine.js')
const { chainMachine, furnishChain, chainOf, anvilOf, signed } = require('./chain.js')
const installed = require('../../contracts/installed.js')

const DEV = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80' // anvil's first account, which everybody knows
const KILLS = process.env.WARREN_LONG ? 25 : 2

const word = (value) => BigInt(value).toString(16).padStart(64, '0')
const approve = (spender, amount) => `095ea7b3${word(spender)}${word(amount)}`
const once = () => crypto.randomBytes(32).toString('hex')

const block = (machine, number = 'latest') => machine.rpc('eth_getBlockByNumber', number, false)

async function answers(machine) {
	return machine.until('the chain answers', async () => await machine.rpc('eth_chainId') === '0x55a', 30000)
}

// Transactions one after the other from a wallet that nobody else uses; each is in a block when it is returned.
function sender(machine) {
	const { Wallet, keccak256 } = installed.ethers()
	const wallet = new Wallet(DEV)
	let nonce = -1
	return async () => {
		if (nonce < 0) nonce = Number(await machine.rpc('eth_getTransactionCount', wallet.address, 'latest'))
		const raw = await wallet.signTransaction({
			type: 2, chainId: 1370, nonce, to: '0x00000000000000000000000000000000000000aa', value: 1n, gasLimit: 21000n,
			maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n,
		})
		await machine.rpc('eth_sendRawTransaction', raw)
		const receipt = await machine.until('a receipt', () => machine.rpc('eth_getTransactionReceipt', keccak256(raw)), 30000)
		nonce++
		return { hash: receipt.transactionHash, block: receipt.blockHash }
	}
}

// Every one of them is in the block in which it was seen.
async function allThere(machine, seen) {
	for (const { hash, block: was } of seen) {
		const receipt = await machine.rpc('eth_getTransactionReceipt', hash)
		assert.ok(receipt, `${hash} is gone`)
		assert.strictEqual(receipt.blockHash, was, `${hash} is in another block`)
	}
}

test('a furnished chain: contracts, coins, tokens, policies, and all of it after any death', { timeout: process.env.WARREN_LONG ? 900000 : 300000 }, async (t) => {
	const machine = await chainMachine({ nodes: 2 })
	try {
		const chain = chainOf(machine)
		const nodes = machine.status().nodes
		await t.test('it answers as chain 1370, where warren chain says', async () => {
			assert.strictEqual(chain.name, 'dev')
			assert.strictEqual(chain.id, 1370)
			assert.strictEqual(chain.rpc, `http://127.0.0.1:${machine.chainPort}`)
			assert.strictEqual(Number(await machine.rpc('eth_chainId')), 1370)
			for (const name of ['MCTToken', 'RelayManager', 'MumbleChatRegistry', 'VaultRegistry', 'NodeNexus'])
				assert.ok((await machine.rpc('eth_getCode', chain.contracts[name], 'latest')).length > 1000, name)
			assert.match(machine.warren('chain').out, new RegExp(`dev: chain 1370[^]*RelayManager +${chain.contracts.RelayManager}`))
			assert.match(machine.warrend('check').out, /no mistakes/)
		})
		await t.test('wallets have coins and the stake of their tier', async () => {
			for (const { wallet } of nodes) {
				assert.ok(BigInt(await machine.rpc('eth_getBalance', wallet, 'latest')) >= 10n ** 19n)
				const data = `0x70a08231${word(wallet)}` // balanceOf(address)
				assert.ok(BigInt(await machine.rpc('eth_call', { to: chain.contracts.MCTToken, data }, 'latest')) >= 100n * 10n ** 18n)
			}
		})
		await t.test('a wallet signs exactly its stake, and what it signed is taken', async () => {
			const tx = {
				type: 2, chain_id: 1370, nonce: 0, gas: 90000, max_fee: 3e9, max_priority: 1e9, to: chain.contracts.MCTToken, value: 0, purpose: 'stake',
			}
			const stake = 100n * 10n ** 18n
			for (const data of [approve(chain.contracts.RelayManager, stake + 1n), approve(nodes[0].wallet, stake)])
				assert.throws(() => signed(machine, 1, { ...tx, once: once(), data: `0x${data}` }), /refused/)
			assert.throws(() => signed(machine, 1, { ...tx, once: once(), chain_id: 1371, data: `0x${approve(chain.contracts.RelayManager, stake)}` }), /refused/)
			const { raw, tx_hash: hash } = signed(machine, 1, { ...tx, once: once(), data: `0x${approve(chain.contracts.RelayManager, stake)}` })
			await machine.rpc('eth_sendRawTransaction', raw)
			const receipt = await machine.until('a receipt', () => machine.rpc('eth_getTransactionReceipt', hash))
			assert.strictEqual(Number(receipt.status), 1)
		})
		await t.test('furnished again, nothing happens', async () => {
			const before = await block(machine)
			assert.strictEqual(furnishChain(machine), '')
			assert.strictEqual((await block(machine)).hash, before.hash)
			assert.deepStrictEqual(chainOf(machine), chain)
		})
		const send = sender(machine)
		const seen = []
		await t.test(`${KILLS} times kill -9 of anvil, of its keeper and of warrend: every block is there, to the hash`, async () => {
			for (let i = 0; i < KILLS; i++) {
				for (let j = 0; j < 3; j++) seen.push(await send())
				process.kill(anvilOf(machine), 'SIGKILL')
				await machine.until('anvil is born again', () => machine.process('anvil').restarts === 2 * i + 1 && machine.process('anvil').state === 'ready', 60000)
				await answers(machine)
				await allThere(machine, seen)
				seen.push(await send())
				machine.kill('anvil')
				await machine.until('its keeper is born again', () => machine.process('anvil').restarts === 2 * i + 2 && machine.process('anvil').state === 'ready', 60000)
				await answers(machine)
				await allThere(machine, seen)
			}
			seen.push(await send())
			process.kill(machine.supervisor, 'SIGKILL')
			await machine.until('all are gone', () => { try { process.kill(machine.supervisor, 0) } catch { return true } })
			machine.start()
			await answers(machine)
			await allThere(machine, seen)
			assert.deepStrictEqual(chainOf(machine), chain)
		})
		await t.test('one that is stopped is replaced', { skip: !process.env.WARREN_LONG }, async () => { // ten seconds of patience
			const before = machine.process('anvil').restarts
			process.kill(anvilOf(machine), 'SIGSTOP')
			await machine.until('it is born again', () => machine.process('anvil').restarts > before && machine.process('anvil').state === 'ready', 60000)
			await answers(machine)
			await allThere(machine, seen)
		})
		await t.test('one that was told to end keeps it, too, without a journal to go through', async () => {
			machine.warrend('stop')
			assert.strictEqual(fs.statSync(path.join(machine.root, 'machine', 'anvil', 'blocks')).size, 0)
			machine.start()
			await answers(machine)
			await allThere(machine, seen)
		})
		await t.test('somebody\'s own policy stays; a chain that is lost is furnished anew', async () => {
			const own = path.join(machine.root, 'etc', 'policy2.conf'), ours = path.join(machine.root, 'etc', 'policy1.conf')
			fs.appendFileSync(own, '// mine\n')
			const text = fs.readFileSync(own, 'utf8'), before = fs.readFileSync(ours, 'utf8')
			machine.warrend('stop')
			for (const name of fs.readdirSync(path.join(machine.root, 'machine', 'anvil'))) fs.rmSync(path.join(machine.root, 'machine', 'anvil', name))
			machine.start()
			await answers(machine)
			assert.strictEqual(Number((await block(machine)).number), 0)
			await sender(machine)() // so that the addresses come out otherwise
			const said = furnishChain(machine)
			assert.match(said, /begun anew/)
			assert.match(said, /policy2\.conf is yours and stays/)
			const now = chainOf(machine)
			assert.notStrictEqual(now.contracts.RelayManager, chain.contracts.RelayManager)
			assert.ok((await machine.rpc('eth_getCode', now.contracts.RelayManager, 'latest')).length > 1000)
			assert.strictEqual(fs.readFileSync(own, 'utf8'), text)
			assert.notStrictEqual(fs.readFileSync(ours, 'utf8'), before)
			assert.ok(fs.readFileSync(ours, 'utf8').includes(now.contracts.RelayManager))
		})
	} finally {
		await machine.destroy()
	}
})

test('a machine without a chain says so; one without anvil runs; a reload brings both', { timeout: 120000 }, async () => {
	const machine = await chainMachine({ furnish: false, before: (made) => fs.renameSync(path.join(made.root, 'etc', 'chain.conf'), path.join(made.root, 'chain.conf')) })
	try {
		const none = machine.warrenFails('chain', '--json')
		assert.strictEqual(none.code, 1)
		assert.strictEqual(JSON.parse(none.out).error, 'no-chain')
		assert.strictEqual(machine.process('anvil'), undefined)
		const conf = path.join(machine.root, 'etc', 'chain.conf')
		fs.writeFileSync(conf, 'profile = "nowhere";\n')
		const wrong = machine.warrenFails('reload')
		assert.match(wrong.out + wrong.err, /chain\.conf:1: there is no chain "nowhere"/)
		// without its program the machine is there, ready for its manager, and says what is missing
		const anvil = path.join(machine.root, 'bin', 'anvil')
		fs.renameSync(anvil, `${anvil}.away`)
		fs.copyFileSync(path.join(machine.root, 'chain.conf'), conf)
		machine.warrend('stop')
		const ready = () => machine.log('warrend').split('warrend.ready').length
		const before = ready()
		const started = machine.run('warrend', ['start'], { fails: true })
		assert.strictEqual(started.code, 1)
		assert.match(started.out + started.err, /anvil is misconfigured/)
		await machine.until('warrend is ready all the same', () => ready() > before)
		assert.match(machine.log('warrend'), /bin\/anvil: No such file or directory; scripts\/up fetches it/)
		assert.ok(machine.status().processes.every(({ actor, state }) => state === (actor === 'anvil' ? 'misconfigured' : 'ready')))
		fs.renameSync(`${anvil}.away`, anvil)
		machine.warren('reload')
		await machine.until('anvil is ready', () => machine.process('anvil')?.state === 'ready', 30000)
		await answers(machine)
		assert.strictEqual(chainOf(machine).id, 1370)
	} finally {
		await machine.destroy()
	}
})

test('what stands where anvil would can serve its port, and nothing else', { timeout: 120000, skip: process.getuid() !== 0 || WITHOUT.length > 0 }, async () => {
	const machine = await chainMachine({
		program: path.join(BUILD, 'tests', 'tool-foreign'),
		before: (made) => {
			fs.mkdirSync(path.join(made.root, 'machine', 'anvil'), { mode: 0o755 })
			fs.writeFileSync(path.join(made.root, 'machine', 'anvil', 'root'), `${made.root} ${made.ports[1]}\n`)
		},
	})
	try {
		const folder = path.join(machine.root, 'machine', 'anvil')
		// warrend chowns what it makes; this folder was there
		const uid = Number(fs.readFileSync(path.join(machine.root, 'machine', 'uids'), 'utf8').match(/\d+/)[0]) + 22
		for (const at of [folder, path.join(folder, 'root')]) fs.chownSync(at, uid, uid)
		fs.chmodSync(folder, 0o700)
		// it never answers as a chain does, so not all is ready: nobody waits for that
		spawn(path.join(machine.root, 'bin', 'warrend'), ['--root', machine.root, 'start'], { stdio: 'ignore' }).unref()
		const file = path.join(folder, 'tried')
		await machine.until('it has tried everything', () => fs.existsSync(file), 30000)
		const tried = Object.fromEntries(fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' ')).map(([name, error]) => [name, Number(error)]))
		const { files, ...attempts } = tried
		assert.strictEqual(files, 256)
		assert.strictEqual(Object.keys(attempts).length, 22, JSON.stringify(attempts))
		for (const [name, error] of Object.entries(attempts)) {
			if (name === 'bind-own') assert.strictEqual(error, 0, 'its own port is its own')
			else assert.notStrictEqual(error, 0, `${name} worked`)
		}
		await machine.until('nobody else is disturbed', () => machine.status().processes.every(({ actor, state }) => actor === 'anvil' || state === 'ready'))
		const limit = fs.readFileSync(`/proc/${machine.process('anvil').pid}/cgroup`, 'utf8')
		if (!(machine.process('anvil').missing || []).includes('memory')) assert.match(limit, /warren-\d+\/anvil/)
	} finally {
		await machine.destroy()
	}
})
