// Keystores between ethers and a real machine: what ethers writes is imported, what we export is opened there.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { ethers } = require('./installed.js')
const { Machine } = require('../system/machine.js')

let port = 57000 + process.pid % 4000

test('what ethers seals opens here, what we seal opens there', async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	const file = path.join(machine.root, 'keystore.json'), out = path.join(machine.root, 'out.json')
	try {
		for (const [node, { N, r, p }] of [{ N: 131072, r: 8, p: 1 }, { N: 4096, r: 8, p: 6 }, { N: 1024, r: 1, p: 8 }].entries()) {
			const wallet = ethers.Wallet.createRandom(), passphrase = `pass phrase ${node} ü`
			fs.writeFileSync(file, await ethers.encryptKeystoreJson({ address: wallet.address, privateKey: wallet.privateKey }, passphrase, { scrypt: { N, r, p } }), { mode: 0o600 })
			const added = machine.run('warrend', ['add', '--tier', 'bronze', '--storage', '16', '--port', String(port++), '--import', file],
				{ fails: true, input: passphrase + '\n' })
			assert.strictEqual(added.code, 0, added.err)
			assert.match(added.out, new RegExp(`address ${wallet.address}`), 'the same wallet')
			fs.unlinkSync(file)

			machine.run('warrend', ['export', String(node + 1), out], { input: `another ${passphrase}\n` })
			const opened = await ethers.Wallet.fromEncryptedJson(fs.readFileSync(out, 'utf8'), `another ${passphrase}`)
			assert.strictEqual(opened.privateKey, wallet.privateKey)
			await assert.rejects(ethers.Wallet.fromEncryptedJson(fs.readFileSync(out, 'utf8'), passphrase), /password/)
			fs.unlinkSync(out)
		}
	} finally { await machine.destroy() }
})
