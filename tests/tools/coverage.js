// Which lines the tests run through: builds with gcc's counters, runs tests of plain files, of messages, of single processes and of
// whole machines, adds up by room. What did not run is listed in build/coverage/not-run.txt. Of whole machines, which are without
// walls for this, only what runs as whoever runs this is counted: nobody else may write the counters. Run by scripts/test --coverage.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const ROOT = path.join(__dirname, '..', '..')
const BUILD = path.join(ROOT, 'build', 'coverage')
const LIMIT_MS = 600000

function counters(end) {
	return fs.readdirSync(BUILD, { recursive: true }).filter((name) => name.endsWith(end)).map((name) => path.join(BUILD, name))
}

// Those that mind neither missing walls nor a slow build.
const MACHINES = ['backup', 'console', 'drain', 'nodes', 'proofs', 'ready', 'seat', 'store', 'supervisor', 'typed']

function without() {
	const walls = fs.readFileSync(path.join(ROOT, 'proto', 'walls.def'), 'utf8').matchAll(/^WALL\([A-Z]*, ([a-z]*),/gm)
	return [...walls].map((row) => row[1]).filter((wall) => wall !== 'uid').join(' ')
}

// Program and words of everything that is run.
function commands() {
	const programs = fs.readdirSync(path.join(BUILD, 'tests')).filter((name) => /^(test|actor)-[a-z]+$/.test(name)).sort()
	return [
		...programs.map((name) => [path.join(BUILD, 'tests', name), ...name.startsWith('actor-') ? ['', ''] : ['--quiet', '-j2']]),
		...MACHINES.map((name) => [process.execPath, '--test', path.join('tests', 'system', `${name}.test.js`)]),
	]
}

// A test that is red here would be red in its own stage; what it ran counts all the same, and it is said.
function runAll() {
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-coverage-'))
	fs.chmodSync(scratch, 0o755)
	const env = { ...process.env, TMPDIR: scratch, WARREN_BUILD: BUILD, WARREN_WITHOUT: without() }
	let red = 0
	for (const [program, ...words] of commands()) {
		const done = spawnSync(program, words, { cwd: ROOT, env, timeout: LIMIT_MS, encoding: 'utf8', maxBuffer: 1 << 28 })
		if (done.status === 0) continue
		red++
		const bad = (done.stdout + done.stderr).split('\n').filter((line) => /^not ok|\[FAIL\]|\[----\]/.test(line))
		console.log(`${path.basename(program)} ${words.join(' ')} ended with ${done.signal || done.status}\n${bad.slice(0, 8).join('\n')}`)
	}
	fs.rmSync(scratch, { recursive: true, force: true })
	return red
}

// file -> line -> how often it ran, in whatever program.
function add(files, report) {
	for (const file of report.files) {
		const name = path.relative(ROOT, path.resolve(report.current_working_directory, file.file))
		if (!/^(actors|auditor|broker|proto|supervisor)\/.*\.c$/.test(name)) continue
		const lines = files.get(name) || new Map()
		files.set(name, lines)
		for (const line of file.lines) lines.set(line.line_number, (lines.get(line.line_number) || 0) + line.count)
	}
}

function read() {
	const files = new Map()
	for (const notes of counters('.gcno')) {
		if (/\/tests\//.test(path.relative(BUILD, notes))) continue
		const said = spawnSync('gcov', ['--json-format', '--stdout', notes], { cwd: BUILD, encoding: 'utf8', maxBuffer: 1 << 28 })
		for (const line of said.stdout.split('\n').filter((text) => text.startsWith('{'))) add(files, JSON.parse(line))
	}
	return files
}

// actors/store, actors/base, supervisor/backup …
function room(name) {
	const folders = path.dirname(name).split('/')
	return folders.slice(0, folders[1] === 'base' ? 3 : 2).join('/')
}

function table(files) {
	const rooms = new Map(), all = { lines: 0, ran: 0, never: 0 }, not = []
	for (const [name, lines] of [...files].sort()) {
		const sum = rooms.get(room(name)) || { lines: 0, ran: 0, never: 0 }
		rooms.set(room(name), sum)
		const ran = [...lines.values()].filter((count) => count > 0).length
		for (const one of [sum, all]) {
			one.lines += lines.size
			one.ran += ran
			one.never += ran === 0
		}
		for (const [line, count] of [...lines].sort((a, b) => a[0] - b[0])) if (!count) not.push(`${name}:${line}`)
	}
	const percent = (sum) => (100 * sum.ran / sum.lines).toFixed(1)
	const row = (name, sum) => `| ${name} | ${sum.lines} | ${percent(sum)} % | ${sum.never || ''} |`
	fs.writeFileSync(path.join(BUILD, 'not-run.txt'), not.join('\n') + '\n')
	console.log('| room | lines | ran | files of which nothing ran |\n|---|---|---|---|')
	for (const [name, sum] of [...rooms].sort()) console.log(row(`\`${name}\``, sum))
	console.log(row('all', all))
	console.log(`\nwhat did not run, line by line: ${path.relative(ROOT, path.join(BUILD, 'not-run.txt'))}`)
	return all.ran > 0
}

const built = spawnSync(path.join(ROOT, 'scripts', 'build'), ['coverage'], { stdio: ['ignore', 'ignore', 'inherit'] })
if (built.status !== 0) process.exit(1)
for (const old of counters('.gcda')) fs.unlinkSync(old)
const red = runAll()
process.exitCode = table(read()) && red === 0 ? 0 : 1
