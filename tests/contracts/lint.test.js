// What solhint finds in the contracts, and what the lock file must not have.
'use strict'
const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const installed = require('../../contracts/installed.js')

const ROOM = path.join(__dirname, '..', '..', 'contracts')

test('solhint finds nothing', () => {
	installed.install(true)
	const { status, stdout, stderr } = spawnSync('node', [require.resolve('../../contracts/node_modules/solhint/solhint.js'), '-c', '.solhint.json', '--max-warnings', '0', 'src/**/*.sol'], { cwd: ROOM, encoding: 'utf8' })
	assert.equal(`${status} ${stdout}${stderr}`.trim(), '0')
})

test('what is installed is pinned by digest, and by no place it comes from', () => {
	const lock = JSON.parse(fs.readFileSync(path.join(ROOM, 'package-lock.json'), 'utf8'))
	for (const [name, entry] of Object.entries(lock.packages)) {
		if (!name) continue
		assert.match(entry.integrity || '', /^sha512-/, name)
		assert.equal(entry.resolved, undefined, name)
	}
	for (const version of Object.values(require(path.join(ROOM, 'package.json')).dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/)
})
