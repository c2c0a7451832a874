// Backup and restore of a real machine: under load, killed at its steps, on a full disk, by whom it must not be, with a file that lies.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, installPrograms, BUILD } = require('./machine.js')

const ROOT_USER = process.getuid() === 0
const STEPS = process.env.WARREN_LONG ? 40 : 4 // at which a verb is killed
const WORLD = path.resolve(BUILD, 'tests', 'libworld.so')
const KEY = '46'.repeat(32), ADDRESS = '0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F' // EIP-155's example
const PAYEE = '0x' + '35'.repeat(20), PASSPHRASE = 'quince marmalade 1771'
const POLICY = `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "1"; rules = ({ name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2.5"; }); });\n`

// Everything of one test in a folder beside the machine: the backup, the passphrase, the root it is restored to.
class Desk {
	static async create(nodes = 2, { start = true, key = false } = {}) {
		const desk = new Desk()
		const machine = desk.machine = await Machine.create({ nodes: key ? 0 : nodes, start: false })
		if (key) {
			desk.write(machine.root + '/key', KEY)
			const port = 61000 + process.pid % 4000
			machine.ports.push(port)
			machine.warrend('add', '--tier', 'bronze', '--storage', '16', '--port', String(port), '--import', machine.root + '/key')
			fs.unlinkSync(machine.root + '/key')
			for (let node = 2; node <= nodes; node++) machine.add()
			fs.writeFileSync(machine.root + '/etc/policy.conf', POLICY)
		}
		desk.folder = machine.root + '-desk'
		fs.mkdirSync(desk.folder, { mode: 0o755 })
		desk.pass = desk.write(desk.folder + '/passphrase', PASSPHRASE + '\n')
		desk.file = desk.folder + '/machine.backup'
		desk.root = desk.folder + '/new'
		if (start) { machine.start(); await machine.ready() }
		return desk
	}

	write(file, text, mode = 0o600) {
		fs.writeFileSync(file, text, { mode })
		fs.chmodSync(file, mode)
		return file
	}

	backup(...args) { return this.machine.run('warrend', ['backup', this.file, '--passphrase-file', this.pass, ...args], { fails: true }) }

	restore(args = [], { root = this.root, file = this.file, pass = this.pass, env = process.env } = {}) {
		const done = spawnSync(this.machine.root + '/bin/warrend', ['--root', root, 'restore', file, '--passphrase-file', pass, ...args],
			{ encoding: 'utf8', timeout: 120000, env })
		return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr }
	}

	// The restored machine, with programs and other ports.
	restored() {
		const machine = this.other = new Machine()
		machine.root = this.root
		machine.agents = []
		installPrograms(this.root)
		machine.ports = this.machine.ports.map((port) => port && port + 400)
		for (let node = 1; node < machine.ports.length; node++) {
			const conf = `${this.root}/etc/node${node}.conf`
			if (!fs.existsSync(conf)) continue // removed, and in the archive
			fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(/port = \d+/, `port = ${machine.ports[node]}`))
		}
		return machine
	}

	async destroy() {
		if (this.other) await this.other.destroy()
		new Machine().giveUidsBack.call({ root: this.root })
		await this.machine.destroy()
		fs.rmSync(this.folder, { recursive: true, force: true })
	}
}

const made_up = (world) => ({ ...process.env, LD_PRELOAD: WORLD, ...Object.fromEntries(Object.entries(world).map(([name, value]) => [`WARREN_WORLD_${name}`, String(value)])) })
const names = (folder) => fs.readdirSync(folder).sort()
const refused = (done, words, rule) => {
	assert.strictEqual(done.code, 1, done.out + done.err)
	const said = done.out.startsWith('{') ? JSON.parse(done.out) : null
	assert.match(said ? said.why : done.err, words)
	if (rule !== undefined) assert.strictEqual(said.rule, rule)
}

test('under load: the same ids, every blob that was acknowledged before, no key in the file, and no budget is renewed', { timeout: 300000 }, async () => {
	const desk = await Desk.create(2, { key: true })
	try {
		const { machine } = desk, blobs = new Map(), during = []
		const sign = (of) => of.run('warren', ['call', 'wallet@1', 'wallet_sign_tx', `once=${crypto.randomBytes(32).toString('hex')}`, 'type=0', 'chain_id=1',
			`nonce=${crypto.randomInt(1 << 30)}`, 'gas=21000', 'max_fee=20000000000', `to=${PAYEE}`, 'value=1000', 'data=', 'purpose=test', '--json'], { fails: true }).out
		for (const [index, size] of [0, 1, 4000, 65536, 65537, 1 << 20, 3 << 20].entries())
			for (const node of [1, 2]) {
				const bytes = crypto.randomBytes(size + index), put = await machine.put(node, bytes)
				assert.strictEqual(put.status, 201)
				blobs.set(`${node} ${put.json.cid}`, bytes)
			}
		assert.match(sign(machine), /"raw"/)
		let loading = true
		const load = (async () => {
			while (loading) {
				const bytes = crypto.randomBytes(20000), put = await machine.put(1 + during.length % 2, bytes)
				assert.strictEqual(put.status, 201)
				during.push(put.json.cid)
				if (during.length % 3 === 0) // deleted while it may be read
					remove_blob(machine, 1 + (during.length - 1) % 2, put.json.cid)
				if (during.length >= 150) break
			}
		})()
		const done = await new Promise((resolve) => {
			const child = spawn(machine.root + '/bin/warren', ['--root', machine.root, 'backup', desk.file, '--blobs', '--json', '--passphrase-file', desk.pass])
			let out = '', err = ''
			child.stdout.on('data', (part) => { out += part })
			child.stderr.on('data', (part) => { err += part })
			child.on('close', (code) => resolve({ code, out, err }))
		})
		loading = false
		await load
		assert.strictEqual(done.code, 0, done.out + done.err)
		const said = JSON.parse(done.out)
		assert.deepStrictEqual([said.ok, said.file, said.blobs, said.unlock_secret, said.nodes.length], [true, desk.file, true, 'file', 2])
		assert.strictEqual(said.nodes[0].wallet, ADDRESS)
		assert.ok(during.length > 3, 'there was load')
		assert.deepStrictEqual(names(machine.root + '/run').filter((name) => name.startsWith('verif')), [], 'the scratch folder is gone')
		assert.strictEqual(fs.statSync(desk.file).mode & 0o777, 0o600)
		assert.ok(!fs.existsSync(desk.file + '.part'))

		// Nobody finds a key, a secret, the passphrase or a blob in it; nor the passphrase anywhere in the machine's logs.
		const file = fs.readFileSync(desk.file), unlock = fs.readFileSync(machine.root + '/machine/unlock')
		const needles = { key: Buffer.from(KEY, 'hex'), 'key in hex': Buffer.from(KEY), unlock, 'unlock in hex': Buffer.from(unlock.toString('hex')), passphrase: Buffer.from(PASSPHRASE),
			'sealed keys': fs.readFileSync(machine.root + '/node1/keys/wallet.keys').subarray(12, 60), configuration: Buffer.from('quota_mb'), blob: [...blobs.values()][12].subarray(500, 532) }
		for (const [what, bytes] of Object.entries(needles)) assert.strictEqual(file.indexOf(bytes), -1, what)
		const logs = spawnSync('grep', ['-rlaF', '-e', PASSPHRASE, '-e', KEY, machine.root + '/logs']).stdout.toString()
		assert.strictEqual(logs, '')
		assert.ok(!done.err.includes(PASSPHRASE) && !done.out.includes(PASSPHRASE))

		// Restored beside the old one, which goes on.
		const restored = desk.restore(['--json'])
		assert.strictEqual(restored.code, 0, restored.out + restored.err)
		const answer = JSON.parse(restored.out)
		assert.deepStrictEqual(answer.nodes.map((node) => [node.node, node.wallet, node.peer, node.store]), said.nodes.map((node) => [node.node, node.wallet, node.peer, node.store]))
		assert.ok(answer.notes.some((note) => new RegExp(`node 1: port ${machine.ports[1]} .*in use`).test(note)), answer.notes.join('\n'))
		assert.ok(answer.notes.some((note) => /sign no transaction for 24 hours/.test(note)))
		const other = desk.restored()
		other.start()
		await other.ready()
		for (const [name, bytes] of blobs) {
			const [node, cid] = name.split(' '), got = await other.get(Number(node), cid)
			assert.strictEqual(got.status, 200, name)
			assert.ok(got.body.equals(bytes), name)
		}
		const who = (of, node) => ['wallet_address', 'wallet_node_key'].map((call) => JSON.parse(of.warren('call', `wallet@${node}`, call, '--json').out)).map((reply) => reply.text || reply.peer_id)
		for (const node of [1, 2]) assert.deepStrictEqual(who(other, node), who(machine, node))
		assert.strictEqual(fs.readFileSync(other.root + '/node2/storage/marker', 'utf8'), fs.readFileSync(machine.root + '/node2/storage/marker', 'utf8'))
		assert.strictEqual(fs.readFileSync(other.root + '/machine/id', 'utf8'), fs.readFileSync(machine.root + '/machine/id', 'utf8'))
		assert.deepStrictEqual(other.status().nodes.map((node) => [node.wallet, node.tier, node.quota]), machine.status().nodes.map((node) => [node.wallet, node.tier, node.quota]))
		if (ROOT_USER) assert.notStrictEqual(fs.readFileSync(other.root + '/machine/uids', 'utf8'), fs.readFileSync(machine.root + '/machine/uids', 'utf8'))

		// The old one signs, the new one does not, says why, and does after the books were moved away on purpose.
		assert.match(sign(machine), /"raw"/)
		assert.match(sign(other), /restored from a backup[^"]*signs no transaction for 8\d{4} s/)
		assert.match(other.warren('why', 'wallet@1').out, /came out of a backup[^]*24 h after the restore[^]*wallet\.spent/)
		other.warren('stop', '1')
		fs.renameSync(other.root + '/node1/keys/wallet.spent', other.root + '/node1/keys/old')
		other.warren('start', '1')
		await other.ready()
		assert.match(sign(other), /"raw"/)
	} finally { await desk.destroy() }
})

function remove_blob(machine, node, cid) {
	machine.warren('call', `store@${node}`, 'store_delete', `cid=${cid}`)
}

test('without blobs: the same ids, empty stores that say what they lost; the archive comes too; a stopped machine is backed up as well', { timeout: 300000 }, async () => {
	const desk = await Desk.create(3)
	try {
		const { machine } = desk, bytes = crypto.randomBytes(5000), { json: { cid } } = await machine.put(2, bytes)
		machine.warrend('remove', '--node', '3', '--yes', '--stop')
		const [archived] = names(machine.root + '/archive')
		machine.warrend('stop')
		const done = desk.backup('--json')
		assert.strictEqual(done.code, 0, done.out + done.err)
		assert.deepStrictEqual(JSON.parse(done.out).nodes.map((node) => [node.node, node.blobs, node.listed]), [[1, 0, 0], [2, 0, 1]])
		const verified = machine.run('warrend', ['backup', '--verify', desk.file, '--passphrase-file', desk.pass], { fails: true })
		assert.strictEqual(verified.code, 0, verified.err)
		assert.match(verified.out, /backup verified: /)
		const restored = desk.restore()
		assert.strictEqual(restored.code, 0, restored.err)
		assert.match(restored.out, /note: node 2: its 1 blobs are not in this backup\. It begins empty, under its old ids/)
		assert.match(fs.readFileSync(desk.root + '/node2/storage/lost', 'utf8'), new RegExp(`^${cid} 5000 \\d+\n$`))
		assert.deepStrictEqual(names(`${desk.root}/archive/${archived}`), ['keys', 'node3.conf'])
		assert.ok(fs.readFileSync(`${desk.root}/archive/${archived}/keys/wallet.keys`).equals(fs.readFileSync(`${machine.root}/archive/${archived}/keys/wallet.keys`)))
		const other = desk.restored()
		other.start()
		await other.ready()
		assert.strictEqual((await other.get(2, cid)).status, 404)
		assert.strictEqual((await other.put(2, bytes)).status, 201)
		assert.ok((await other.get(2, cid)).body.equals(bytes))
	} finally { await desk.destroy() }
})

test('what is refused, with a sentence, and nothing made: passphrases, files that lie, places that are taken, others', { timeout: 300000 }, async () => {
	const desk = await Desk.create(1, { start: false })
	try {
		fs.mkdirSync(desk.machine.root + '/machine/steward') // what makes the file longer than one chunk
		fs.writeFileSync(desk.machine.root + '/machine/steward/alerts', crypto.randomBytes(100000))
		const { machine, folder } = desk, clean = () => assert.deepStrictEqual(names(folder).filter((name) => name.startsWith('new')), [])
		const with_pass = (text, mode) => machine.run('warrend', ['backup', desk.file, '--json', '--passphrase-file', desk.write(folder + '/other', text, mode)], { fails: true })
		refused(with_pass('short\n'), /at least 12 characters/)
		refused(with_pass(PASSPHRASE, 0o644), /open to others \(mode 644\)/)
		refused(machine.run('warrend', ['backup', desk.file], { fails: true, input: '' }), /refused: /)
		assert.ok(!fs.existsSync(desk.file))
		assert.strictEqual(desk.backup().code, 0)
		const whole = fs.readFileSync(desk.file)
		refused(desk.backup('--json'), /is there already; give another name, or --replace it/, 'exists')
		assert.ok(fs.readFileSync(desk.file).equals(whole))
		fs.mkdirSync(machine.root + '/run/verifying') // what cannot be tried is no backup
		fs.writeFileSync(machine.root + '/run/verifying/mine', 'x')
		refused(desk.backup('--replace'), /no backup: what was written could not be restored, and was thrown away: .*is in the way/)
		assert.ok(fs.readFileSync(desk.file).equals(whole))
		assert.deepStrictEqual(names(machine.root + '/run/verifying'), ['mine'])
		fs.rmSync(machine.root + '/run/verifying', { recursive: true })
		assert.strictEqual(desk.backup('--replace').code, 0)
		assert.ok(!fs.readFileSync(desk.file).equals(whole), 'never the same twice')

		refused(desk.restore(['--json'], { pass: desk.write(folder + '/other', 'quince marmalade 1772') }), /the passphrase is another one, or the file was changed/, 'passphrase')
		clean()
		const lie = (change) => { const bytes = Buffer.from(whole), other = change(bytes) || bytes; return desk.write(folder + '/lie', other) }
		const flip = (at) => lie((bytes) => { bytes[at] ^= 1 })
		refused(desk.restore(['--json'], { file: flip(0) }), /no backup of warren/)
		refused(desk.restore(['--json'], { file: lie((bytes) => { bytes[8] = 2 }) }), /made by a newer warren/, 'damaged')
		refused(desk.restore(['--json'], { file: lie((bytes) => { bytes[9] = 63 }) }), /more memory than any backup/)
		for (const at of [12, 68]) refused(desk.restore(['--json'], { file: flip(at) }), /passphrase is another one, or the file was changed/)
		refused(desk.restore(['--json'], { file: flip(whole.length - 5) }), /damaged/, 'damaged')
		refused(machine.run('warrend', ['backup', '--verify', folder + '/lie', '--json', '--passphrase-file', desk.pass], { fails: true }), /damaged/, 'damaged')
		assert.ok(!fs.existsSync(machine.root + '/run/verifying'))
		for (const length of [30, whole.length - 1, 68 + 65553]) refused(desk.restore([], { file: lie((bytes) => bytes.subarray(0, length)) }), /(not restored|refused): /)
		refused(desk.restore([], { file: lie((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])) }), /damaged/)
		refused(desk.restore([], { file: folder }), /is not a file/)
		refused(desk.restore([], { file: folder + '/none' }), /No such file/)
		clean()
		refused(desk.restore([], { root: machine.root }), /is not empty: a machine is restored into a folder of its own/)
		refused(desk.restore([], { root: folder + '/none/new' }), /No such file/)
		refused(desk.restore([], { root: folder + '/' + 'n'.repeat(80) }), /too long a path/)
		fs.mkdirSync(desk.root + '.restoring')
		fs.writeFileSync(desk.root + '.restoring/mine', 'x')
		refused(desk.restore(), /is in the way, and no restore left it/)
		assert.deepStrictEqual(names(desk.root + '.restoring'), ['mine'])
		fs.rmSync(desk.root + '.restoring', { recursive: true })
		assert.strictEqual(machine.run('warrend', ['backup'], { fails: true }).code, 64)
		assert.strictEqual(machine.run('warrend', ['restore', desk.file, '--blobs'], { fails: true }).code, 64)
		if (ROOT_USER) {
			const as = (program, ...args) => spawnSync(machine.root + '/bin/' + program, ['--root', machine.root, ...args], { encoding: 'utf8', uid: 65534, gid: 65534 })
			const denied = as('warren', 'backup', folder + '/theirs')
			assert.notStrictEqual(denied.status, 0)
			assert.match(denied.stderr, /denied: only root, or whoever owns /)
			const direct = as('warrend', 'backup', '/tmp/warren-theirs')
			assert.notStrictEqual(direct.status, 0)
		}
		fs.mkdirSync(desk.root) // an empty folder is as good as none
		assert.strictEqual(desk.restore().code, 0)
	} finally { await desk.destroy() }
})

test('a restore that is killed leaves no machine, and the next one makes it', { timeout: 300000 }, async () => {
	const desk = await Desk.create(1, { start: false })
	try {
		const count = desk.folder + '/steps'
		assert.strictEqual(desk.backup().code, 0)
		assert.strictEqual(desk.restore([], { env: made_up({ COUNT: count }) }).code, 0)
		fs.rmSync(desk.root, { recursive: true })
		const steps = Number(fs.readFileSync(count, 'utf8'))
		assert.ok(steps > 40, `${steps}`)
		let killed = 0
		for (let i = 0; i < STEPS; i++) {
			const step = Math.min(steps, 1 + Math.floor((i + Math.random()) * steps / STEPS))
			const done = desk.restore([], { env: made_up({ HALT: step }) })
			assert.ok(done.signal === 'SIGKILL' || done.code === 0, `step ${step}: ${done.err}`)
			killed += done.signal === 'SIGKILL'
			if (fs.existsSync(desk.root)) { // its last steps: it has its name, and is whole
				assert.ok(fs.existsSync(desk.root + '/node1/storage/marker'), `step ${step}`)
				fs.rmSync(desk.root, { recursive: true })
			}
		}
		assert.ok(killed >= STEPS / 2)
		const broken = desk.restore([], { env: made_up({ BREAK: Math.floor(steps / 2) }) })
		refused(broken, /not restored: /)
		assert.strictEqual(desk.restore().code, 0)
		assert.deepStrictEqual(names(desk.folder).filter((name) => name.startsWith('new')), ['new'])
		const other = desk.restored()
		other.start()
		await other.ready()
	} finally { await desk.destroy() }
})

test('a backup that is killed, or whose helper is, leaves the old file and no half one', { timeout: 300000 }, async () => {
	const desk = await Desk.create(1)
	try {
		const { machine } = desk, count = desk.folder + '/steps'
		for (let i = 0; i < 3; i++) await machine.put(1, crypto.randomBytes(4 << 20))
		const run = (env, ...args) => spawnSync(machine.root + '/bin/warrend', ['--root', machine.root, 'backup', desk.file, '--passphrase-file', desk.pass, '--replace', ...args], { encoding: 'utf8', env, timeout: 120000 })
		assert.strictEqual(run(made_up({ COUNT: count })).status, 0)
		const old = fs.readFileSync(desk.file), steps = Number(fs.readFileSync(count, 'utf8'))
		for (let i = 0; i < STEPS; i++) {
			const step = Math.min(steps - 4, 1 + Math.floor((i + Math.random()) * steps / STEPS))
			const done = run(made_up({ HALT: step }))
			assert.strictEqual(done.signal, 'SIGKILL', `step ${step} of ${steps}: ${done.stderr}`)
			assert.ok(fs.readFileSync(desk.file).equals(old), `step ${step}`)
		}

		// The helper that reads the store dies: no backup. Its process is seen by its parent.
		const dies = async () => {
			const child = spawn(machine.root + '/bin/warrend', ['--root', machine.root, 'backup', desk.file, '--passphrase-file', desk.pass, '--replace', '--blobs'])
			let err = '', killed = false
			child.stderr.on('data', (part) => { err += part })
			const ended = new Promise((resolve) => child.on('close', resolve))
			let over = false
			ended.then(() => { over = true })
			while (!killed && !over) {
				for (const pid of children(child.pid))
					if (command(pid).startsWith('warren-store')) { process.kill(pid, 'SIGKILL'); killed = true }
				await new Promise(setImmediate)
			}
			return { code: await ended, err, killed }
		}
		let done
		do done = await dies(); while (!done.killed)
		assert.strictEqual(done.code, 1)
		assert.match(done.err, /no backup: [^]*node 1: warren-store --init: it ended by signal 9/)
		assert.deepStrictEqual(names(desk.folder).filter((name) => name.startsWith('machine')), ['machine.backup'])
		assert.ok(fs.readFileSync(desk.file).equals(old))

		// The store itself dies while it is backed up: the backup goes on, and it is whole.
		const child = spawn(machine.root + '/bin/warrend', ['--root', machine.root, 'backup', desk.file, '--passphrase-file', desk.pass, '--replace', '--blobs', '--json'])
		let out = ''
		child.stdout.on('data', (part) => { out += part })
		const ended = new Promise((resolve) => child.on('close', resolve))
		machine.kill('store@1')
		assert.strictEqual(await ended, 0, out)
		assert.strictEqual(JSON.parse(out).nodes[0].blobs, 3)
		assert.ok(!fs.readFileSync(desk.file).equals(old))
		await machine.ready()
	} finally { await desk.destroy() }
})

const children = (pid) => { try { return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number) } catch (error) { return [] } }
const command = (pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') } catch (error) { return '' } }

test('a full disk: no backup, and the old one as it was', { timeout: 120000, skip: !ROOT_USER && 'needs a disk of its own' }, async () => {
	const desk = await Desk.create(1)
	try {
		const { machine } = desk, disk = desk.folder + '/disk'
		await machine.put(1, crypto.randomBytes(4 << 20))
		fs.mkdirSync(disk)
		const script = `mount -t tmpfs -o size=2m none ${disk} && echo old > ${disk}/file || exit 77
			${machine.root}/bin/warrend --root ${machine.root} backup ${disk}/file --blobs --replace --passphrase-file ${desk.pass}; code=$?
			cat ${disk}/file; ls ${disk}; exit $code`
		const done = spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8', timeout: 60000 })
		assert.strictEqual(done.status, 1, done.stdout + done.stderr)
		assert.match(done.stderr, /no backup: [^]*No space left on device/)
		assert.strictEqual(done.stdout, 'old\nfile\n')
	} finally { await desk.destroy() }
})

test('a machine under a passphrase of its own: asked for both, restored locked', { timeout: 120000 }, async () => {
	const desk = await Desk.create(1, { start: false })
	try {
		const { machine } = desk, own = 'medlar and damson jam'
		machine.run('warrend', ['passphrase'], { input: own + '\n' })
		fs.appendFileSync(machine.root + '/etc/warren.conf', 'unlock = "ask";\n')
		const done = machine.run('warrend', ['backup', desk.file, '--json'], { fails: true, input: `${own}\n${PASSPHRASE}\n` })
		assert.strictEqual(done.code, 0, done.out + done.err)
		assert.strictEqual(JSON.parse(done.out).unlock_secret, 'sealed')
		const restored = spawnSync(machine.root + '/bin/warrend', ['--root', desk.root, 'restore', desk.file], { encoding: 'utf8', input: `${PASSPHRASE}\n${own}\n` })
		assert.strictEqual(restored.status, 0, restored.stderr)
		assert.deepStrictEqual([fs.existsSync(desk.root + '/machine/unlock'), fs.existsSync(desk.root + '/machine/unlock.sealed')], [false, true])
	} finally { await desk.destroy() }
})

test('an unlock secret that is a credential is not in the file, and a restore asks for it', { timeout: 120000 }, async () => {
	const desk = await Desk.create(1, { start: false })
	try {
		const { machine } = desk, folder = desk.folder + '/credentials', env = { ...process.env, CREDENTIALS_DIRECTORY: folder }
		const secret = fs.readFileSync(machine.root + '/machine/unlock')
		fs.mkdirSync(folder, { mode: 0o700 })
		fs.renameSync(machine.root + '/machine/unlock', folder + '/unlock')
		refused(desk.backup(), /unlock: No such file/)
		const done = spawnSync(machine.root + '/bin/warrend', ['--root', machine.root, 'backup', desk.file, '--json', '--passphrase-file', desk.pass], { encoding: 'utf8', env })
		assert.strictEqual(done.status, 0, done.stdout + done.stderr)
		assert.strictEqual(JSON.parse(done.stdout).unlock_secret, 'elsewhere')
		refused(desk.restore(), /was a systemd credential, and is not in the backup; give it/)
		assert.ok(!fs.existsSync(desk.root))
		fs.writeFileSync(folder + '/unlock', Buffer.alloc(32, 1))
		refused(desk.restore([], { env }), /not restored: node 1: /)
		fs.writeFileSync(folder + '/unlock', secret)
		assert.strictEqual(desk.restore([], { env }).code, 0)
		assert.ok(!fs.existsSync(desk.root + '/machine/unlock'))
	} finally { await desk.destroy() }
})
