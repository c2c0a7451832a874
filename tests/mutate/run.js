// Breaks one line of the tree at a time, in a copy of it below build/, and wants the test that the row names to turn red.
// usage: tests/mutate/run [--check | --self | --list] [NAME...]; README.md says how a row is written.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const rows = require('./rows.js')

const ROOT = path.join(__dirname, '..', '..')
const TREE = path.join(ROOT, 'build', 'mutate', 'tree')
const BUILD = path.join(TREE, 'build', 'mutate')
const LEAST_MS = 30000 // how long a test may take that a mutation makes hang: this, and ten times what it takes without
const MOST_MS = 900000 // and without any

const seconds = (since) => ((Date.now() - since) / 1000).toFixed(1).padStart(6)

// -- the copy --------------------------------------------------------------------------------------------------------

// Files of the tree, also new ones. Only what differs is written, so that the copy is built anew in parts.
function copyTree() {
	const git = spawnSync('git', ['-c', `safe.directory=${ROOT}`, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
		{ cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 })
	if (git.status !== 0) throw new Error(`git ls-files: ${git.stderr}`)
	const files = new Set(git.stdout.split('\0').filter((name) => name && fs.existsSync(path.join(ROOT, name))))
	for (const name of files) {
		const from = path.join(ROOT, name), to = path.join(TREE, name), stat = fs.lstatSync(from)
		if (!stat.isFile()) continue
		const bytes = fs.readFileSync(from)
		if (!fs.existsSync(to) || !fs.readFileSync(to).equals(bytes)) {
			fs.mkdirSync(path.dirname(to), { recursive: true })
			fs.writeFileSync(to, bytes)
		}
		fs.chmodSync(to, stat.mode & 0o777)
	}
	for (const name of fs.readdirSync(TREE, { recursive: true, withFileTypes: true })) {
		const file = path.relative(TREE, path.join(name.parentPath || name.path, name.name))
		if (name.isFile() && !file.startsWith('build/') && !files.has(file)) fs.unlinkSync(path.join(TREE, file))
	}
}

function build(targets) {
	const built = spawnSync(path.join(TREE, 'scripts', 'build'), ['mutate', ...targets],
		{ cwd: TREE, encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] })
	const said = built.stdout + built.stderr
	return built.status === 0 ? undefined : (said.split('\n').find((line) => /error:|undefined symbol/.test(line)) || said.slice(-400))
}

// -- one test --------------------------------------------------------------------------------------------------------

// What is built and run for "test-store quota/*", "actor-broker ends.late", "system/store.test.js a full node answers 507".
function plan(test) {
	const [program, ...rest] = test.split(' ')
	const filter = rest.join(' ')
	if (program.endsWith('.test.js'))
		return { targets: ['all'], command: [process.execPath, '--test-name-pattern', filter.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), `tests/${program}`] }
	const binary = path.join(BUILD, 'tests', program)
	if (program.startsWith('actor-')) return { targets: [program], command: [binary, '', filter] }
	return { targets: [program], command: [binary, '--filter', filter, '--tap=-', '-j2'] }
}

// How many passed and failed, by what it printed: TAP, or the sum that actor tests end with.
function counted(said) {
	const sum = /^(\d+) passed, (\d+) failed$/m.exec(said)
	if (sum) return { passed: Number(sum[1]), failed: Number(sum[2]) }
	const node = /^\D*\bpass (\d+)$/m.exec(said), failed = /^\D*\bfail (\d+)$/m.exec(said)
	const cancelled = /^\D*\bcancelled (\d+)$/m.exec(said)
	if (node && failed) return { passed: Number(node[1]), failed: Number(failed[1]) + Number(cancelled ? cancelled[1] : 0) }
	const lines = said.split('\n')
	return {
		passed: lines.filter((line) => /^ok - (?!.*# SKIP)/.test(line)).length,
		failed: lines.filter((line) => /^not ok - /.test(line)).length,
	}
}

// A machine that a test left running below the scratch folder is stopped.
function sweep(scratch) {
	for (const name of fs.readdirSync(scratch)) {
		const root = path.join(scratch, name), pid = path.join(root, 'run', 'warrend.pid')
		if (!fs.existsSync(pid)) continue
		spawnSync(path.join(root, 'bin', 'warrend'), ['--root', root, 'stop'], { timeout: 30000, stdio: 'ignore' })
		const left = Number(fs.existsSync(pid) && fs.readFileSync(pid, 'utf8'))
		try {
			if (left > 1 && fs.readlinkSync(`/proc/${left}/exe`).startsWith(root)) process.kill(left, 'SIGKILL')
		} catch {} // it is gone
	}
	fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}

async function run(test, limit) {
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-mutate-'))
	fs.chmodSync(scratch, 0o755) // processes of other uids pass through
	const began = Date.now(), [program, ...words] = plan(test).command
	const env = { ...process.env, TMPDIR: scratch, WARREN_BUILD: BUILD }
	delete env.NODE_TEST_CONTEXT // of a stage of scripts/test
	const child = spawn(program, words, { cwd: TREE, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
	let said = '', late = false
	for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (piece) => { if (said.length < 1 << 24) said += piece })
	const timer = setTimeout(() => {
		late = true
		try { process.kill(-child.pid, 'SIGKILL') } catch {} // its group: itself and what it started
	}, limit)
	const code = await new Promise((done) => child.on('exit', (status, signal) => done(signal || status)))
	clearTimeout(timer)
	child.stdout.destroy()
	child.stderr.destroy()
	sweep(scratch)
	const ended = { code, late, ms: Date.now() - began, said, ...counted(said) }
	ended.green = code === 0 && !late && ended.passed > 0 && ended.failed === 0
	ended.how = late ? 'it did not end' : ended.failed ? `${ended.failed} of ${ended.passed + ended.failed} failed` : `it ended with ${code}`
	return ended
}

// -- a mutation ------------------------------------------------------------------------------------------------------

const sound = new Map() // a test that a row names, as it runs on the tree as it is

// What became of it: caught, survived, or at fault (it does not apply, does not build, its test is red or empty without it).
async function mutate(row) {
	const file = path.join(TREE, row.file)
	const fault = (why) => ({ end: 'FAULT', why })
	const bad = rows.wrong(row, TREE)
	if (bad) return fault(bad)
	const { targets } = plan(row.test)
	if (!sound.has(row.test)) {
		const broken = build(targets)
		if (broken) return fault(`the tree does not build: ${broken}`)
		sound.set(row.test, await run(row.test, MOST_MS))
	}
	const before = sound.get(row.test)
	if (!before.green)
		return fault(`without it, ${row.test} is not green: ${before.passed} passed, ${before.how}\n${before.said.slice(-2000)}`)
	const source = fs.readFileSync(file, 'utf8')
	try {
		fs.writeFileSync(file, rows.apply(row, source))
		const broken = build(targets)
		if (broken) return fault(`it does not build, so it proves nothing: ${broken}`)
		const after = await run(row.test, LEAST_MS + 10 * before.ms)
		return after.green ? { end: 'survived', why: `${after.passed} passed` } : { end: 'caught', why: after.how }
	} finally {
		fs.writeFileSync(file, source)
	}
}

async function all(chosen) {
	const sums = { caught: 0, survived: 0, FAULT: 0 }
	const began = Date.now()
	for (const row of chosen) {
		const since = Date.now()
		const { end, why } = await mutate(row)
		sums[end]++
		console.log(`${end.padEnd(8)} ${seconds(since)} s  ${row.name.padEnd(34)} ${row.test}: ${why}`)
		if (end === 'survived') console.log(`         ${row.at} ${row.why}`)
	}
	console.log(`${chosen.length} mutations in ${seconds(began).trim()} s`)
	console.log(`${sums.caught} caught, ${sums.survived} survived${sums.FAULT ? `, ${sums.FAULT} at fault` : ''}`)
	return sums.caught === chosen.length
}

// -- the runner itself -----------------------------------------------------------------------------------------------

// One that is known to be caught, one that nothing can notice, one whose line is not there, one that does not build.
async function self(known) {
	const caught = known.find((row) => row.name === 'migrated-old-not-kept')
	const said = `if (!clean(folder, &names))`
	const harmless = { ...caught, name: 'harmless', find: said, put: `if ((!clean(folder, &names)))` }
	const wanted = [
		['a mutation is caught', caught, 'caught'],
		['one that changes nothing survives, and is red', harmless, 'survived'],
		['one whose line is gone is a fault', { ...caught, find: 'a line that nobody wrote' }, 'FAULT'],
		['one that does not build is a fault', { ...caught, put: 'no C at all' }, 'FAULT'],
		['one whose test tries nothing is a fault', { ...caught, test: 'test-migrate nothing/*' }, 'FAULT'],
	]
	let failed = 0
	for (const [what, row, want] of wanted) {
		const { end, why } = await mutate(row)
		if (end !== want) failed++
		console.log(`${end === want ? 'ok' : 'not ok'} - ${what} (${end}: ${why.split('\n')[0]})`)
	}
	const same = fs.readFileSync(path.join(TREE, caught.file)).equals(fs.readFileSync(path.join(ROOT, caught.file)))
	if (!same) failed++
	console.log(`${same ? 'ok' : 'not ok'} - the line is as it was afterwards`)
	console.log(`${wanted.length + 1 - failed} passed, ${failed} failed`)
	return failed === 0
}

// Without a build: every row says all it must, and its line is in the tree, once.
function check(known) {
	const names = new Set()
	let bad = 0
	for (const row of known) {
		const why = names.has(row.name) ? 'another one has its name' : rows.wrong(row, ROOT)
		names.add(row.name)
		if (!why) continue
		bad++
		console.log(`${row.at} [${row.name}] ${why}`)
	}
	return bad === 0
}

async function main(words) {
	const known = rows.read(__dirname)
	const names = words.filter((word) => !word.startsWith('-')), flag = words.find((word) => word.startsWith('-'))
	const chosen = names.length ? known.filter((row) => names.some((name) => row.name.includes(name))) : known
	if (flag && !['--check', '--self', '--list'].includes(flag)) throw new Error(`there is no ${flag}: --check, --self, --list`)
	if (!chosen.length) throw new Error('no mutation has such a name; --list names them')
	if (flag === '--check') return check(known)
	if (flag === '--list') {
		for (const row of chosen) console.log(`${row.name.padEnd(34)} ${row.test.padEnd(50)} ${row.why.split('\n').join(' ')}`)
		return true
	}
	fs.mkdirSync(TREE, { recursive: true })
	copyTree()
	return flag === '--self' ? self(known) : all(chosen)
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130)) // the next run copies the tree again
main(process.argv.slice(2)).then((fine) => { process.exitCode = fine ? 0 : 1 }, (error) => {
	console.error(`mutate: ${error.message}`)
	process.exitCode = 2
})
