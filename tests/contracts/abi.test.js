// What the C side knows of the contracts is what they say.
'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const { ABI, rows } = require('../../contracts/rows.js')
const { artifacts } = require('../../contracts/installed.js')

test('actors/chain/abi.def is what contracts/abi makes of the compiled contracts', () => {
	assert.equal(fs.readFileSync(ABI, 'utf8'), rows(), 'contracts/abi, and look at the diff')
})

test('each selector that solc gives is there, or is named as left out', () => {
	const text = rows()
	for (const name of ['MCTToken', 'MumbleChatRegistry', 'RelayManager', 'VaultRegistry', 'NodeNexus']) {
		for (const [signature, selector] of Object.entries(artifacts()[name].selectors)) {
			const method = signature.slice(0, signature.indexOf('('))
			assert.ok(new RegExp(`METHOD\\(${name}, ${method}(_${selector})?, 0x${selector},`).test(text) || text.includes(`LEFT_OUT(${name}, ${method}, "${signature}:`), `${name}.${signature}`)
		}
	}
})
