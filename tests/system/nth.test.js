// The Nth call of the world of `warrend` and `warren` fails (tests/nth): in each verb that makes, changes or reads files, at the command
// itself and in the children it forks, up to their exec. Whatever fails: no death but an abort for want of memory, no report of a
// sanitizer, a sentence and a right exit code, nothing half, and the next try succeeds.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const { Machine, BUILD } = require('./machine.js')
const { Page, TROUBLES, library } = require('../nth/nth.js')

const LONG = Boolean(process.env.WARREN_LONG)
const CHANCE = LONG ? process.pid : 12 // which calls are sampled: the same ones each time, all or others with --long
const DEV = path.join(__dirname, '..', '..', 'build', 'dev') // what is tried has sanitizers; what it starts in a jail cannot have them
const SANITIZED = fs.existsSync(path.join(DEV, 'warrend'))
const COPY = ['warrend', 'warren', 'warren-layout']
process.env.ASAN_OPTIONS = 'verify_asan_link_order=0:detect_leaks=0:allocator_may_return_null=1'
const PASSPHRASE = 'a passphrase for tests'
let page

function run(machine, program, args, { trouble, at = 0, input } = {}) {
	const env = { ...process.env, LD_PRELOAD: library(BUILD), NTH_FILE: page.file }
	page.plan({ ...trouble, at })
	const done = spawnSync(path.join(machine.bin ?? path.join(machine.root, 'bin'), program), ['--root', machine.root, ...args], { encoding: 'utf8', env, timeout: 60000, input })
	page.off()
	return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr, ...page.seen() }
}

// What holds of every verb.
function judge(done, trouble, what) {
	const said = `${what} (${done.name}): exit ${done.code} ${done.signal ?? ''}\n${done.out}${done.err}`
	if (trouble.family === 'memory' && done.fired && /SEGV on unknown address 0x0000000[^]*(in libconfig_yyparse|#0 \S+ in config_init )/.test(done.err)) return // libconfig does not look what it is given
	assert.ok(!/Sanitizer|runtime error/.test(done.err.replace(/AddressSanitizer: CHECK failed: sanitizer_|==\d+==ERROR: AddressSanitizer (failed|out of memory)[^]*/g, '')), said)
	if (done.signal === 'SIGABRT' && trouble.family === 'memory' && done.fired) return
	if (done.signal === 'SIGABRT' && done.fired && /\(src\/\w+\.cpp:\d+\)/.test(done.err)) return // libzmq ends whoever it cannot serve
	assert.strictEqual(done.signal, null, said)
	if (SANITIZED && done.code === 1 && /AddressSanitizer/.test(done.err)) return // the tool's own want of memory
	assert.ok([0, 1, 2, 3, 5, 75, 78].includes(done.code), said)
	if (done.code !== 0) {
		assert.ok(done.fired, `nothing failed, and ${said}`)
		// Where what it says has nowhere to go it cannot say it; the exit code does.
		if (!(trouble.family === 'write' || trouble.family === 'memory')) assert.match(done.err + done.out, /[a-z]{2,} [a-z]{2,}/, said)
	}
}

// verb: { args, program, input, before(), after(done, what) }
function trial(machine, name, verb) {
	let tries = 0, fired = 0, failed = 0
	const counted = {}
	const met = (trouble, index) => {
		const once = (at) => {
			const what = `${name}: ${trouble.name} ${at}`
			verb.before?.()
			const done = run(machine, verb.program ?? 'warrend', verb.args, { trouble, at, input: verb.input })
			judge(done, trouble, what)
			verb.after?.(done, `${what} (${done.name}): exit ${done.code}: ${done.out}${done.err}`)
			tries++
			fired += done.fired ? 1 : 0
			failed += done.code !== 0 ? 1 : 0
			return done
		}
		if (LONG && !verb.slow) {
			for (let at = 1; once(at).fired; at++);
			return
		}
		const calls = counted[trouble.family] ??= once(0).calls
		if (calls) once(1 + (CHANCE * 7919 + index * 104729) % calls)
		if (calls && !fired) once(1) // a call that is not made each time, by chance: the first one is
	}
	const sampled = (index) => !verb.slow || LONG || (index + CHANCE) % 7 === 0
	for (const [index, trouble] of TROUBLES.entries()) if (sampled(index)) met(trouble, index)
	for (const [index, trouble] of TROUBLES.entries()) if (!fired) met(trouble, index)
	console.log(`# ${name}: ${tries} tries, in ${fired} a call failed, ${failed} ended with an error`)
	assert.ok(fired > (verb.slow ? 0 : 5), `${name}: ${fired}`)
}

const json = (machine, ...args) => JSON.parse(machine.warrend(...args, '--json').out)
const exists = (machine, ...names) => fs.existsSync(path.join(machine.root, ...names))
const scratch = (machine, name) => path.join(machine.root, name)

function whole(machine, node, what) {
	const found = machine.run('warrend', ['verify', '--node', String(node), '--json'], { fails: true })
	assert.ok(found.code === 0 && JSON.parse(found.out).nodes[0].valid, `${what}\n${found.out}${found.err}`)
	assert.ok(exists(machine, `node${node}/keys/wallet.keys`) && exists(machine, `node${node}/storage/marker`), what)
}

async function on_a_machine(nodes, body) {
	const machine = await Machine.create({ nodes: 0, start: false })
	page = new Page(path.join(machine.root, 'nth'))
	for (const name of SANITIZED ? COPY : []) fs.copyFileSync(path.join(DEV, name), path.join(machine.root, 'bin', name))
	for (let node = 0; node < nodes; node++) machine.add(8)
	try { await body(machine) } finally { await machine.destroy() }
}

test('what only looks: check, list, info, verify, tiers', { timeout: 3000000 }, () => on_a_machine(1, (machine) => {
	fs.writeFileSync(scratch(machine, 'etc/policy.conf'), 'chains = ( { id = 1; value_per_day = "1"; fee_per_day = "1"; } );\n', { mode: 0o644 })
	const checks = machine.run('warrend', ['check'], { fails: true })
	if (checks.code !== 0) fs.unlinkSync(scratch(machine, 'etc/policy.conf'))
	const right = { list: json(machine, 'list').nodes.length }
	trial(machine, 'check', { args: ['check'], after: (done, what) => done.code === 0 && assert.match(done.out, /no mistakes, 1 nodes/, what) })
	trial(machine, 'list', { args: ['list', '--json'], after: (done, what) => done.code === 0 && assert.strictEqual(JSON.parse(done.out).nodes.length, right.list, what) })
	trial(machine, 'info', { args: ['info'] })
	trial(machine, 'verify', { args: ['verify'] })
	whole(machine, 1, 'at the end')
}))

test('create', { timeout: 3000000 }, () => on_a_machine(0, (machine) => {
	const root = scratch(machine, 'other')
	const clear = () => {
		new Machine().giveUidsBack.call({ root })
		for (const name of ['etc', 'machine', 'logs', 'run', 'archive']) fs.rmSync(path.join(root, name), { recursive: true, force: true })
	}
	fs.mkdirSync(root, { mode: 0o755 })
	fs.cpSync(path.join(machine.root, 'bin'), path.join(root, 'bin'), { recursive: true })
	const there = { root, run: machine.run, warrend: machine.warrend }
	const other = (args) => spawnSync(path.join(machine.root, 'bin', 'warrend'), ['--root', root, ...args], { encoding: 'utf8' })
	trial(there, 'create', {
		args: ['create', '--name', 'other'], before: clear,
		after(done, what) {
			if (done.code === 0) assert.strictEqual(other(['check']).status, 0, what)
			const again = other(['create', '--name', 'other']) // what was left half is no hindrance
			assert.ok(again.status === 0 || /is a machine already|exists/.test(again.stderr), `${what}\nagain: ${again.stderr}`)
			assert.strictEqual(other(['check']).status, 0, `${what}\nagain: ${other(['check']).stderr}`)
		},
	})
	clear()
}))

test('add and remove', { timeout: 3000000 }, () => on_a_machine(0, (machine) => {
	const add = ['add', '--tier', 'bronze', '--storage', '8', '--port', '20999']
	const gone = () => {
		const node = json(machine, 'list').nodes[0]
		if (node) machine.warrend('remove', '--node', '1', '--yes', '--destroy-keys', node.wallet)
	}
	trial(machine, 'add', {
		args: add, before: gone,
		after(done, what) {
			assert.ok(done.code !== 0 || exists(machine, 'etc/node1.conf'), what)
			if (!exists(machine, 'etc/node1.conf')) machine.warrend(...add)
			whole(machine, 1, what)
		},
	})
	trial(machine, 'remove', {
		args: ['remove', '--node', '1', '--yes'],
		before() {
			fs.rmSync(scratch(machine, 'archive'), { recursive: true, force: true })
			if (!exists(machine, 'etc/node1.conf')) machine.warrend(...add)
		},
		after(done, what) {
			if (exists(machine, 'etc/node1.conf')) {
				assert.notStrictEqual(done.code, 0, what)
				whole(machine, 1, what)
				machine.warrend('remove', '--node', '1', '--yes')
			} else {
				machine.run('warrend', ['remove', '--node', '1', '--yes'], { fails: true }) // ends what a mark began
			}
			const kept = fs.readdirSync(scratch(machine, 'archive')).filter((name) => exists(machine, 'archive', name, 'keys', 'wallet.keys'))
			assert.strictEqual(kept.length, 1, `the keys are kept: ${what}`)
			assert.ok(!exists(machine, 'node1') && !exists(machine, 'machine/removing'), what)
		},
	})
}))

// `add` died when all was done but its mark: the node is whole, and no look that fails may make it seem half.
test('a mark beside a whole node: whatever cannot be looked at, its keys stay', { timeout: 3000000 }, () => on_a_machine(1, (machine) => {
	const mark = scratch(machine, 'machine/adding'), second = ['add', '--tier', 'bronze', '--storage', '8', '--port', '20997']
	const keys = fs.readFileSync(scratch(machine, 'node1/keys/wallet.keys'))
	let fired = 0
	for (const [index, family] of ['look', 'open', 'read'].entries())
		for (let at = LONG || !index ? 1 : 1 + (CHANCE + index) % 4; at <= (index ? 45 : 15); at += LONG || !index ? 1 : 4) {
			const trouble = { family, error: 'EIO', onwards: 0 }, what = `${family} ${at}`
			fs.writeFileSync(mark, '1\n')
			const done = run(machine, 'warrend', second, { trouble, at })
			judge(done, trouble, what)
			fired += done.fired ? 1 : 0
			assert.ok(keys.equals(fs.readFileSync(scratch(machine, 'node1/keys/wallet.keys'))), `${what} (${done.name}): ${done.err}`)
			if (done.code !== 0) continue
			assert.ok(exists(machine, 'etc/node2.conf'), `${what} (${done.name}): ${done.out}${done.err}${fs.readdirSync(scratch(machine, 'etc'))}`)
			machine.warrend('remove', '--node', '2', '--yes', '--destroy-keys', json(machine, 'list').nodes.find((node) => node.node === 2).wallet)
			assert.ok(!fs.existsSync(mark), what) // one that could not be read after the work was done is the next verb's
		}
	assert.ok(fired > 10, `${fired}`)
	fs.rmSync(mark, { force: true })
	fs.mkdirSync(mark) // a mark that nobody can read
	const refused = machine.run('warrend', second, { fails: true })
	assert.strictEqual(refused.code, 1)
	assert.match(refused.err, /machine\/adding: Is a directory/)
	fs.rmdirSync(mark)
	whole(machine, 1, 'at the end')
}))

test('backup and restore', { timeout: 3000000 }, () => on_a_machine(1, (machine) => {
	const pass = scratch(machine, 'pass'), file = scratch(machine, 'backup'), root = scratch(machine, 'restored')
	fs.writeFileSync(pass, PASSPHRASE + '\n', { mode: 0o600 })
	const wallet = json(machine, 'list').nodes[0].wallet
	const clear = () => {
		new Machine().giveUidsBack.call({ root })
		fs.rmSync(root, { recursive: true, force: true })
	}
	trial(machine, 'backup', {
		slow: true, args: ['backup', file, '--blobs', '--passphrase-file', pass],
		before: () => fs.rmSync(file, { force: true }),
		after(done, what) {
			assert.strictEqual(done.code === 0, fs.existsSync(file), what)
			if (!/ from \d+ /.test(what)) assert.deepStrictEqual(fs.readdirSync(scratch(machine, 'run')).filter((name) => name.startsWith('verif')), [], what)
			whole(machine, 1, what)
		},
	})
	fs.rmSync(file, { force: true })
	machine.warrend('backup', file, '--blobs', '--passphrase-file', pass)
	trial({ root, bin: path.join(machine.root, 'bin') }, 'restore', {
		slow: true, args: ['restore', file, '--passphrase-file', pass],
		before() {
			clear()
		},
		after(done, what) {
			fs.cpSync(path.join(machine.root, 'bin'), path.join(root, 'bin'), { recursive: true })
			const listed = spawnSync(path.join(machine.root, 'bin', 'warrend'), ['--root', root, 'list', '--json'], { encoding: 'utf8' })
			if (done.code === 0) assert.strictEqual(JSON.parse(listed.stdout).nodes[0].wallet, wallet, what)
			else assert.ok(!listed.stdout.startsWith('{"ok": true') || JSON.parse(listed.stdout).nodes.length === 0, `half a machine: ${what}\n${listed.stdout}`)
		},
	})
	clear()
}))

test('what the console writes: bundle, export-blobs, import-blobs', { timeout: 3000000 }, () => on_a_machine(1, async (machine) => {
	machine.start()
	await machine.until('it is ready', () => machine.status().processes.every((p) => p.state === 'ready'), 60000)
	const cids = []
	for (let i = 0; i < 3; i++) cids.push((await machine.put(1, Buffer.alloc(3000 + i * 70000, i))).json.cid)
	const file = scratch(machine, 'bundle.tar.gz'), folder = scratch(machine, 'out')
	trial(machine, 'bundle', {
		program: 'warren', slow: true, args: ['bundle', file],
		before: () => fs.rmSync(file, { force: true }),
		after(done, what) {
			if (done.code === 0) assert.strictEqual(spawnSync('tar', ['-tzf', file]).status, 0, `a whole archive: ${what}`)
		},
	})
	trial(machine, 'export-blobs', {
		program: 'warren', slow: true, args: ['export-blobs', '1', folder],
		before: () => { fs.rmSync(folder, { recursive: true, force: true }); fs.mkdirSync(folder, { mode: 0o700 }) },
		after(done, what) {
			machine.warren('export-blobs', '1', folder) // goes on where it stopped
			for (const cid of cids) assert.ok(fs.existsSync(path.join(folder, 'blobs', cid, 'meta.json')), what)
		},
	})
	trial(machine, 'import-blobs', {
		program: 'warren', slow: true, args: ['import-blobs', '1', folder],
		after: (done, what) => { if (done.fired && done.code) machine.warren('import-blobs', '1', folder); void what },
	})
	machine.agents[1].destroy() // the gateway has closed what was idle that long
	delete machine.agents[1]
	for (const cid of cids) assert.strictEqual((await machine.get(1, cid)).status, 200)
}))
