// What package.json and its lock name, installed here on first use; and the contracts, compiled on first use.
'use strict'
const { spawnSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const OUT = path.join(__dirname, '..', 'build', 'contracts')
const INSTALLED = path.join(__dirname, 'node_modules', '.warren-installed'), LOCK = path.join(__dirname, 'package-lock.json')
const digest = text => crypto.createHash('sha256').update(text).digest('hex')

// One at a time, in a process of its own: whoever comes second, or runs beside it, finds the work done.
function alone(...words) {
	fs.mkdirSync(path.dirname(OUT), { recursive: true })
	const done = spawnSync('flock', [`${OUT}.lock`, process.execPath, __filename, ...words], { encoding: 'utf8', timeout: 300000 })
	if (done.status !== 0) throw new Error(`${words.join(' ')} in contracts: ${done.stdout}${done.stderr}${done.error || ''}`)
}

// Whether what is there is what the lock says.
function is_installed(lock, dev) {
	const have = fs.existsSync(INSTALLED) ? fs.readFileSync(INSTALLED, 'utf8').split(' ') : []
	return have[0] === lock && (!dev || have[1] === 'dev')
}

// dev: with what only the checks need (solhint). Installs when the lock is not the one that was installed last.
function install(dev) {
	if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the anvil that contracts/package.json pins runs on x86-64 Linux only')
	if (!is_installed(digest(fs.readFileSync(LOCK)), dev)) alone('install', dev ? 'dev' : 'run')
}

function install_now(dev) {
	const lock = digest(fs.readFileSync(LOCK))
	if (is_installed(lock, dev)) return
	const more = dev ? [] : ['--omit=dev']
	const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...more], { cwd: __dirname, encoding: 'utf8', timeout: 240000 })
	if (npm.status !== 0) throw new Error(`npm ci: ${npm.stdout}${npm.stderr}${npm.error || ''}`)
	fs.writeFileSync(INSTALLED, `${lock} ${dev ? 'dev' : 'run'}`)
}

function ethers() {
	install(false)
	return require('ethers').ethers
}

// The anvil of the pinned package.
function anvil() {
	install(false)
	return require.resolve('@foundry-rs/anvil-linux-amd64/bin/anvil')
}

// Compiles into out what has changed; the artifacts by name. roots: src, and whatever a test adds.
function build(out = OUT, roots = [path.join(__dirname, 'src')], locked = false) {
	install(false)
	const { input, compile } = require('./compile.js')
	const what = input(roots)
	const solc = require('solc/package.json').version
	const openzeppelin = require('@openzeppelin/contracts/package.json').version
	const stamp = digest(JSON.stringify([what, solc, openzeppelin, fs.readFileSync(path.join(__dirname, 'compile.js'), 'utf8')]))
	const mark = path.join(out, 'stamp')
	if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === stamp) return artifacts(out)
	if (!locked && out === OUT) { // what all use
		alone('build', ...roots)
		return artifacts(out)
	}
	const made = compile(what)
	fs.rmSync(out, { recursive: true, force: true })
	fs.mkdirSync(out, { recursive: true })
	for (const artifact of Object.values(made)) {
		fs.writeFileSync(path.join(out, `${artifact.contract}.json`), JSON.stringify(artifact, null, '\t') + '\n')
	}
	fs.writeFileSync(mark, stamp) // last: a build that was cut short is done again
	return artifacts(out)
}

function artifacts(out = OUT) {
	const names = fs.readdirSync(out).filter(name => name.endsWith('.json')).sort()
	return Object.fromEntries(names.map(name => [name.slice(0, -5), JSON.parse(fs.readFileSync(path.join(out, name), 'utf8'))]))
}

module.exports = { install, ethers, anvil, build, artifacts, OUT }

if (require.main === module) { // behind the lock
	const [verb, ...words] = process.argv.slice(2)
	if (verb === 'install') install_now(words[0] === 'dev')
	else build(OUT, words, true)
}
