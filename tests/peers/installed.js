// What package.json and its lock name, installed here on first use.
'use strict'
const { spawnSync } = require('node:child_process')

function load() {
	try { return require('ethers') } catch (error) {
		if (error.code !== 'MODULE_NOT_FOUND') throw error
		// Behind a lock, as two tests may run side by side: whoever comes second finds it done.
		const words = `node -e "require('ethers')" 2>/dev/null || npm ci --ignore-scripts --no-audit --no-fund`
		const npm = spawnSync('flock', ['package-lock.json', 'sh', '-c', words], { cwd: __dirname, encoding: 'utf8', timeout: 240000 })
		if (npm.status !== 0) throw new Error(`npm ci in tests/peers: ${npm.stdout}${npm.stderr}${npm.error || ''}`)
		return require('ethers')
	}
}

module.exports = { ethers: load() }
