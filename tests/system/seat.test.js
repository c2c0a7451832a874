// The operator's seat, as a person sits in it: the live console and top on a terminal, completion, manual pages, trace; and that a
// picture is drawn while somebody hangs.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { spawn, spawnSync } = require('node:child_process')
const { Machine, sleep, BUILD } = require('./machine.js')

const SOURCE = path.join(__dirname, '..', '..')
const WAIT = 30000
let machine
test.before(async () => { machine = await Machine.create({ nodes: 2 }); await machine.ready(WAIT) })
test.after(async () => { await machine.destroy() })

// A program on a terminal of its own (script(1) makes one). `steps`: [what must be seen, what is then typed].
function onTerminal(args, steps, env = {}) {
	const command = [path.join(machine.root, 'bin', 'warren'), '--root', machine.root, ...args].join(' ')
	return new Promise((resolve, reject) => {
		const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm', ...env } })
		let seen = '', from = 0
		const limit = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`it waits for ${steps[0] && steps[0][0]}; seen:\n${seen}`)) }, WAIT)
		const look = () => {
			while (steps.length && steps[0][0].test(seen.slice(from))) {
				from = seen.length
				child.stdin.write(steps.shift()[1])
			}
		}
		child.stdout.on('data', (part) => { seen += part; look() })
		child.on('exit', (code) => { clearTimeout(limit); resolve({ code, seen, left: steps.length }) })
	})
}

test('the live console: completion from the rows, history, each line in a child of its own', async () => {
	const home = fs.mkdtempSync(path.join(machine.root, 'home-'))
	try {
		const first = await onTerminal([], [
			[/warren> /, 'statu\t\n'], [/all well[^]*warren> /, 'call wal\t1 wallet_add\t\n'], [/0x[0-9a-fA-F]{40}[^]*warren> /, "call store@1 'unclosed\n"],
			[/a quote is left open[^]*warren> /, 'nonsense\n'], [/no command[^]*warren> /, 'logs store@1 -f\n'], [/store\.opened[^]*/, '\x03'],
			[/warren> $/, 'exit\n'],
		], { HOME: home })
		assert.strictEqual(first.left, 0, first.seen)
		const history = fs.readFileSync(path.join(home, '.warren_history'), 'utf8')
		assert.match(history, /status/)
		assert.match(history, /wallet_address/)
		assert.strictEqual(fs.statSync(path.join(home, '.warren_history')).mode & 0o777, 0o600)
		const again = await onTerminal([], [[/warren> /, '\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\n'], [/0x[0-9a-fA-F]{40}[^]*warren> /, '\x04']], { HOME: home })
		assert.strictEqual(again.left, 0, again.seen)
	} finally { fs.rmSync(home, { recursive: true, force: true }) }
})

test('without a terminal there is no live console, but the help', () => {
	const bare = machine.warrenFails()
	assert.strictEqual(bare.code, 2)
	assert.match(bare.err, /warren COMMAND/)
})

test('top: once in words and JSON, and drawn until q', async () => {
	const { processes } = JSON.parse(machine.warren('top', '--once', '--json').out)
	assert.strictEqual(processes.length, 9)
	for (const row of processes) {
		for (const key of ['who', 'pid', 'uid', 'cpu_permille', 'pss', 'fds', 'calls_per_s', 'asks_per_s', 'queue', 'queue_limit', 'p50_us', 'p99_us', 'restarts', 'state'])
			assert.ok(key in row, key)
		assert.strictEqual(row.pid, machine.process(row.who).pid)
		assert.strictEqual(fs.readlinkSync(`/proc/${row.pid}/ns/pid`).length > 0, true)
	}
	assert.ok(processes.find((row) => row.who === 'wallet@1').p50_us >= 1, 'it answered our own looks')
	assert.match(machine.warren('top', '--once').out, /process +pid +uid +cpu +mem\(pss\) +fds +in\/s +out\/s +queue +p50\/p99 ms +restarts +state[^]*store@1/)
	const drawn = await onTerminal(['top', '--every', '300ms'], [[/q quits[^]*gateway@2/, 's'], [/cpu/, 'jj'], [/./, '\n'], [/life\.start[^]*enter: back/, '\n'], [/./, 'q']])
	assert.strictEqual(drawn.left, 0, drawn.seen)
	assert.strictEqual(drawn.code, 0)
})

test('trace shows the ask that an ask causes, and nobody else\'s', async () => {
	const stranger = setInterval(() => machine.put(2, Buffer.from(String(Math.random()))).catch(() => {}), 5)
	try {
		const trace = JSON.parse(machine.warren('trace', 'gateway@1', 'gateway_probe', '--json').out)
		assert.deepStrictEqual(trace.spans.map(({ from, to, call, depth, end }) => [from, to, call, depth, end]), [
			['operator', 'gateway@1', 'gateway_probe', 0, 'ok'], ['gateway@1', 'store@1', 'store_stat', 1, 'ok']])
		assert.ok(trace.spans[1].ms <= trace.spans[0].ms && trace.reply.writable === true)
		assert.match(machine.warren('trace', 'gateway@1', 'gateway_probe').out, /operator → gateway@1 {2}gateway_probe.*ok\n {3}gateway@1 → store@1 {2}store_stat.*ok/)
	} finally { clearInterval(stranger) }
})

test('bash completes from the tables and the machine', () => {
	const script = path.join(BUILD, 'share', 'bash-completion', 'completions', 'warren')
	const ask = (...words) => spawnSync('bash', ['-c', `
		PATH=${machine.root}/bin:$PATH; export WARREN_ROOT=${machine.root}; . ${script}
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _warren; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', 'warren', ...words], { encoding: 'utf8' }).stdout.trim().split('\n')
	assert.deepStrictEqual(ask('sta'), ['start', 'start-all', 'status'])
	assert.deepStrictEqual(ask('drain', ''), ['1', '2', 'all'])
	assert.ok(ask('logs', '').includes('gateway@2'))
	assert.deepStrictEqual(ask('call', 'store@1', 'store_h'), ['store_head'])
	assert.deepStrictEqual(ask('level', 'store@1', 'd'), ['debug'])
	assert.deepStrictEqual(ask('logs', '--fo'), ['--follow', '--for'].filter((o) => o.startsWith('--fo')))
})

test('the manual pages name every command, option, setting and verb', () => {
	const page = (name, section) => fs.readFileSync(path.join(BUILD, 'share', 'man', `man${section}`, `${name}.${section}`), 'utf8').replace(/\\-/g, '-')
	const warren = page('warren', 1), conf = page('warren.conf', 5), warrend = page('warrend', 8)
	for (const command of JSON.parse(machine.warren('help', '--json').out)) {
		assert.match(warren, new RegExp(`^\\.B ${command.command}\\b`, 'm'), command.command)
		for (const { option } of command.options) assert.ok(warren.includes(`--${option}`), `${command.command} --${option}`)
	}
	for (const [, name] of fs.readFileSync(path.join(SOURCE, 'proto', 'settings.def'), 'utf8').matchAll(/^SETTING\((\w+),/gm))
		assert.match(conf, new RegExp(`^\\.B ${name}$`, 'm'), name)
	const usage = machine.run('warrend', ['nonsense'], { fails: true })
	const verbs = [...(usage.out + usage.err).matchAll(/^ {2}(\w+)[ ,]/gm)].map(([, verb]) => verb)
	assert.ok(verbs.length >= 11, usage.out + usage.err)
	for (const verb of verbs) assert.match(warrend, new RegExp(`^\\.B ${verb}\\b`, 'm'), verb)
	for (const [, option] of (usage.out + usage.err).matchAll(/--(\w+)/g)) assert.ok(warrend.includes(`--${option}`), option)
})

test('every command has --json', () => {
	const quick = { status: [], doctor: [], logs: ['broker'], call: ['store@1', 'store_stat'], trace: ['store@1', 'store_stat'], calls: [], why: [], map: [], limits: [],
		level: ['store@1', 'info'], restart: ['gateway@2'], reload: [], top: [], help: [], start: ['2'], tap: ['--events', '--for', '100ms'], stop: ['gateway@2'], drain: ['2'],
		complete: ['st'], up: [], add: ['--tier', 'nonsense'], info: [], list: [], tiers: [], verify: [], remove: ['9', '--yes'], alerts: [], metrics: [],
		unlock: [], export: ['1', 'x'], 'start-all': [] }
	for (const [command, words] of Object.entries(quick)) {
		const done = machine.warrenFails(command, ...words, '--json')
		for (const line of ['logs', 'tap', 'drain'].includes(command) ? done.out.trim().split('\n').filter(Boolean) : [done.out]) assert.doesNotThrow(() => JSON.parse(line), `${command}: ${done.out}`)
	}
	machine.warren('start', '2')
})

// Each in turn is stopped by a signal; the supervisor kills it after three seconds of silence. `doctor` asks a store three things, with
// deadlines of four seconds together: when it has ended and the process hangs still, it did not wait for it. A machine so busy that
// this takes three seconds anyway has five tries.
for (const who of ['store@1', 'wallet@2', 'gateway@1', 'scribe'])
	test(`while ${who} hangs the console says what it has, and names it`, async () => {
		for (let tries = 5; ; tries--) {
			assert.ok(tries, 'the console waited for the one that hangs')
			await machine.ready(WAIT)
			const pid = machine.kill(who, 'SIGSTOP')
			const doctor = machine.warrenFails('doctor')
			let still = 'gone'
			try { still = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] } catch (error) { /* it was killed meanwhile */ }
			if (still !== 'T') continue
			assert.match(doctor.out, new RegExp(`${who} .*(did not answer|silent|late)`), doctor.out)
			assert.match(doctor.out, /clock/)
			const status = JSON.parse(machine.warren('status', '--json').out)
			assert.strictEqual(status.processes.length, 9)
			break
		}
		await machine.ready(WAIT)
	})

for (const who of ['steward', 'broker'])
	test(`while ${who}, who carries the answers, hangs, that is said at once`, async () => {
		await machine.ready(WAIT)
		machine.kill(who, 'SIGSTOP')
		const child = spawn(path.join(machine.root, 'bin', 'warren'), ['--root', machine.root, 'status'])
		let err = '', saidFirst = false
		child.stderr.on('data', (part) => { err += part; saidFirst = saidFirst || child.exitCode === null })
		await new Promise((resolve) => child.on('exit', resolve))
		assert.match(err, new RegExp(`${who} is silent; waiting for it`))
		assert.ok(saidFirst, 'while it waits, not after')
		await machine.ready(WAIT)
	})
