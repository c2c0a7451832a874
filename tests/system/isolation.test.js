// The selftest that an operator can run, run here: no attempt from inside any jail may get through, every attempt from outside
// must.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { BUILD } = require('./machine.js')

test('a burglar in every jail gets nowhere; root from outside gets everywhere', {
	skip: process.getuid() !== 0 && 'needs root: it builds a scratch machine in /var/lib', timeout: 240000,
}, () => {
	const done = spawnSync(path.join(BUILD, 'warren-selftest'), [], { encoding: 'utf8', timeout: 230000 })
	console.log(done.stdout.trim().replace(/^/gm, '# '))
	assert.strictEqual(done.status, 0, done.stdout + done.stderr)
	for (const kind of ['broker', 'scribe', 'steward', 'store', 'wallet', 'gateway'])
		assert.match(done.stdout, new RegExp(`^ok +${kind} +(2[0-9]|3[0-9]) attempts, 0 got through`, 'm'))
	assert.match(done.stdout, /^ok +control: /m)
})
