// The gas table of contracts/README.md is what a chain says.
'use strict'
const assert = require('node:assert/strict')
const { test } = require('node:test')
const { measure, written } = require('./gas.js')

test('the gas table of contracts/README.md is true to 3 % (`node tests/contracts/gas.js --write` makes it so)', async () => {
	const table = new Map(written())
	const rows = await measure()
	assert.deepEqual([...table.keys()], rows.map(([what]) => what))
	for (const [what, gas] of rows) {
		assert.ok(Math.abs(table.get(what) - gas) <= gas * 0.03, `${what}: ${gas}, and the table says ${table.get(what)}`)
	}
})
