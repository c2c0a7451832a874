// Power cuts: what was acknowledged is there, byte for byte, and the store opens. Two negative controls must fail: without
// fdatasync, and without syncing the folder after a rename. 60 cuts, and 20 and 10 of the controls; 1,000 and 100 with WARREN_LONG=1.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { BUILD } = require('../system/machine.js')

const LONG = Boolean(process.env.WARREN_LONG)
const cuts = LONG ? 1000 : 60, minutes = LONG ? 60 : 10
const power = path.join(BUILD, 'tests', 'chaos-power')

function why_not() {
	if (process.getuid() !== 0) return 'needs root: it mounts a file system of its own'
	if (spawnSync('losetup', ['-f']).status !== 0) return 'no loop device here'
	return false
}

function run(verb, count, preload) {
	const done = spawnSync(power, preload ? [verb, String(count), preload] : [verb, String(count)], { encoding: 'utf8', timeout: minutes * 60000, maxBuffer: 1 << 26 })
	assert.strictEqual(done.status, 0, done.stderr)
	const tally = Object.fromEntries(done.stdout.trim().split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
	console.log(`# ${verb}${preload ? ' with ' + path.basename(preload) : ''}: ${done.stdout.trim()}, ${Math.round(100 * tally.lossy / tally.cuts)} % of the cuts lost something`)
	return tally
}

test(`${cuts} power cuts under load lose nothing`, { skip: why_not(), timeout: minutes * 60000 + 60000 }, () => {
	const tally = run('cut', cuts)
	assert.strictEqual(tally.cuts, cuts)
	assert.ok(tally.acknowledged > cuts, 'there was a load')
	assert.strictEqual(tally.lost, 0)
	assert.strictEqual(tally.wrong, 0)
	assert.strictEqual(tally.unopened, 0)
})

test('a store just made survives a power cut', { skip: why_not(), timeout: minutes * 60000 }, () => {
	const tally = run('init', LONG ? 100 : 10)
	assert.strictEqual(tally.unopened, 0)
})

// Libraries that take the promise away. Each is a few lines, so that what is taken away is plain to see.
for (const [name, verb, count, share] of [['nosync', 'cut', LONG ? 100 : 20, 0.25], ['nofoldersync', 'init', LONG ? 100 : 10, 0.25]])
	test(`negative control: with ${name} the same test must find losses`, { skip: why_not(), timeout: minutes * 60000 }, () => {
		const library = path.join(BUILD, 'tests', `lib${name}.so`)
		assert.ok(fs.existsSync(library), library)
		const tally = run(verb, count, library)
		assert.ok(tally.lossy >= count * share, `only ${tally.lossy} of ${tally.cuts} cuts lost something`)
	})
