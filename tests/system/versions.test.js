// Files of other versions: an older one is brought to ours and kept; a newer one is refused by both versions, and says so in status,
// why and an alert, while the other nodes do not notice.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { Machine } = require('./machine.js')

// PRAGMA user_version and meta's shape live in SQLite's own format (sqlite.org/fileformat2.html): bytes 60 to 63, big-endian.
function userVersion(file, to) {
	const fd = fs.openSync(file, 'r+')
	const bytes = Buffer.alloc(4)
	fs.readSync(fd, bytes, 0, 4, 60)
	if (to !== undefined) {
		const now = Buffer.alloc(4)
		now.writeUInt32BE(to)
		fs.writeSync(fd, now, 0, 4, 60)
	}
	fs.closeSync(fd)
	return bytes.readUInt32BE()
}

function poke(file, at, bytes) {
	const fd = fs.openSync(file, 'r+')
	const was = Buffer.alloc(bytes.length)
	fs.readSync(fd, was, 0, was.length, at)
	fs.writeSync(fd, bytes, 0, bytes.length, at)
	fs.closeSync(fd)
	return was
}

// What lies in a folder, by its bytes: unchanged means nothing was written, made or taken away.
const tree = (folder) => fs.readdirSync(folder).sort().map((name) => `${name} ${crypto.createHash('sha256').update(fs.readFileSync(path.join(folder, name))).digest('hex')}`)

const misconfigured = (machine, who) => machine.until(`${who} is refused`, () => machine.process(who).state === 'misconfigured', 20000)

test('an index from before versions were counted: migrated at the first start, the old one kept, every blob there', { timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		await machine.ready()
		const bodies = [1, 5000, 300000].map((length) => crypto.randomBytes(length)), cids = []
		for (const body of bodies) cids.push((await machine.put(1, body)).json.cid)
		machine.warren('stop', 'store@1')
		const index = path.join(machine.root, 'node1', 'storage', 'index.db')
		assert.ok(!fs.existsSync(`${index}-wal`))
		assert.strictEqual(userVersion(index, 1), 3) // what the program before this one wrote, but for the number
		const inode = fs.statSync(index).ino
		machine.warren('start', 'store@1')
		await machine.ready()
		for (const [i, cid] of cids.entries()) assert.deepStrictEqual((await machine.get(1, cid)).body, bodies[i])
		assert.strictEqual(fs.statSync(`${index}.v1`).ino, inode)
		assert.match(machine.log('store@1'), /store\.migrated file=index\.db version=3 kept=index\.db\.v1/)
		assert.doesNotMatch(machine.log('store@1'), /store\.rebuil/)
		assert.ok(!machine.log('store@2').includes('store.migrated'))
		machine.kill('store@1')
		await machine.until('it is back', () => machine.process('store@1').state === 'ready')
		assert.strictEqual(machine.log('store@1').match(/store\.migrated/g).length, 1)
	} finally { await machine.destroy() }
})

test('newer files are refused with both versions and left alone; status, why and an alert say it; others do not notice', { timeout: 240000 }, async () => {
	const machine = await Machine.create({ nodes: 2 })
	try {
		await machine.ready()
		const { json: { cid } } = await machine.put(2, Buffer.from('another node'))
		const pids = ['store@2', 'wallet@2', 'gateway@2'].map((who) => machine.process(who).pid)
		const node = path.join(machine.root, 'node1')
		const sealed = path.join(node, 'keys', 'wallet.keys')
		const newKeys = fs.readFileSync(sealed)
		newKeys[9] = 4
		crypto.createHash('sha256').update(newKeys.subarray(0, 124)).digest().copy(newKeys, 124)
		for (const [who, file, at, bytes, name, theirs, ours, reason, alert] of [
			['store@1', 'storage/index.db', 60, Buffer.from([0, 0, 0, 9]), 'index.db', 9, 3, 'store-newer', 'process-misconfigured'],
			['store@1', 'storage/marker', 13, Buffer.from('7'), 'marker', 7, 1, 'store-newer', 'process-misconfigured'],
			['wallet@1', 'keys/wallet.keys', 0, newKeys, 'wallet.keys', 4, 1, 'key-newer', 'wallet-key'],
			['wallet@1', 'keys/wallet.spent', 0, Buffer.from('WSPENT3\n'), 'wallet.spent', 3, 1, 'books-newer', 'wallet-key'],
		]) {
			machine.warren('stop', who)
			const was = poke(path.join(node, file), at, bytes)
			const folder = path.join(node, path.dirname(file)), before = tree(folder)
			machine.warrenFails('start', who)
			await misconfigured(machine, who)
			assert.deepStrictEqual(tree(folder), before, `${who} has written`)
			assert.strictEqual(machine.process(who).last_end, 78)
			const sentence = `${name} is of version ${theirs}, and this warren knows ${ours}: install the warren that wrote it`
			const why = machine.warrenFails('why', who).out
			assert.ok(why.includes(sentence), why)
			assert.match(why, /install/)
			const status = machine.warrenFails('status').out
			assert.match(status, new RegExp(`${who} does not start \\(${reason}\\): .*later version.*warren why ${who}`))
			const all = () => JSON.parse(machine.warren('alerts', '--json').out).alerts
			const raised = await machine.until('an alert', () => all().find((one) => one.code === alert && one.subject === who && one.active), 20000)
			assert.match(raised.detail, new RegExp(`code 78: ${reason}: .*later version`))
			poke(path.join(node, file), at, was)
			machine.warren('reload')
			await machine.until(`${who} goes on`, () => machine.process(who).state === 'ready', 20000)
			await machine.until('the alert is over', () => !all().some((one) => one.code === alert && one.subject === who && one.active), 20000)
		}
		assert.deepStrictEqual(['store@2', 'wallet@2', 'gateway@2'].map((who) => machine.process(who).pid), pids)
		assert.strictEqual((await machine.get(2, cid)).body.toString(), 'another node')
	} finally { await machine.destroy() }
})

test('alerts of a later version are put aside, and the steward goes on', { timeout: 60000 }, async () => {
	const machine = await Machine.create({ nodes: 1 })
	try {
		await machine.ready()
		const file = path.join(machine.root, 'machine', 'steward', 'alerts')
		await machine.until('there are some', () => fs.existsSync(file) && fs.statSync(file).size >= 8)
		machine.warrend('stop')
		const head = Buffer.from('WALT....')
		head.writeUInt32LE(5, 4)
		poke(file, 0, head)
		const inode = fs.statSync(file).ino
		machine.start()
		await machine.ready()
		assert.strictEqual(fs.statSync(`${file}.v5`).ino, inode)
		assert.match(machine.log('steward'), /alerts\.newer version=5 ours=1 kept=alerts\.v5/)
	} finally { await machine.destroy() }
})

test('configuration: older words are read as ours and can be written so; a newer file is refused, and the old one stays in force', { timeout: 120000 }, async () => {
	const machine = await Machine.create({ nodes: 1, start: false })
	const etc = path.join(machine.root, 'etc'), conf = path.join(etc, 'warren.conf')
	const warrend = (...args) => spawnSync(path.join(machine.root, 'bin', 'warrend'), ['--root', machine.root, ...args], { encoding: 'utf8', timeout: 30000 })
	try {
		const own = fs.readFileSync(conf, 'utf8')
		assert.match(own, /^version = 2;$/m)
		const older = own.replace('version = 2;\n', '# mine\nram_rule = "seed"; # as it was\n')
		fs.writeFileSync(conf, older)
		const check = warrend('check')
		assert.strictEqual(check.status, 0, check.stderr)
		assert.match(check.stdout, /warren\.conf:\d+: ram_rule = "seed" is "on" since version 2\n.*migrate writes it so/)
		machine.start()
		await machine.ready()
		assert.match(machine.log('warrend'), /config\.older at=".*ram_rule/)
		assert.strictEqual(fs.readFileSync(conf, 'utf8'), older)
		const inode = fs.statSync(conf).ino
		const migrated = warrend('migrate')
		assert.strictEqual(migrated.status, 0, migrated.stderr)
		assert.match(migrated.stdout, /warren\.conf is of version 2 now; what it was is warren\.conf\.v1\n.*node1\.conf is of version 2 already/)
		assert.strictEqual(fs.statSync(`${conf}.v1`).ino, inode)
		const now = fs.readFileSync(conf, 'utf8')
		assert.match(now, /^version = 2;\n[^]*# mine\nram_rule = "on"; # as it was\n/)
		assert.strictEqual(fs.statSync(conf).mode, fs.statSync(`${conf}.v1`).mode)
		assert.match(warrend('check').stdout, /^[^\n]*no mistakes, 1 nodes\n$/)
		assert.deepStrictEqual(fs.readdirSync(etc).sort(), ['node1.conf', 'warren.conf', 'warren.conf.v1'])
		// What cannot be rewritten line by line stays as it is.
		const odd = own.replace('version = 2;\n', 'ram_rule =\n  "seed";\n')
		fs.writeFileSync(conf, odd)
		const refused = warrend('migrate')
		assert.strictEqual(refused.status, 78)
		assert.match(refused.stderr, /warren\.conf stays as it is: write it by hand: .*ram_rule/)
		assert.strictEqual(fs.readFileSync(conf, 'utf8'), odd)
		for (const [file, text, ours] of [['warren.conf', 'version = 3;', 2], ['node1.conf', 'version = 9;\nwhat_comes = 1;', 2], ['policy.conf', 'version = 2;', 1]]) {
			const was = fs.existsSync(path.join(etc, file)) ? fs.readFileSync(path.join(etc, file), 'utf8') : null
			fs.writeFileSync(path.join(etc, file), text)
			const sentence = new RegExp(`${file}:1: the file is of version ${text.match(/\d/)[0]}, and this warren knows ${ours}: install the warren that wrote it`)
			assert.match(warrend('check').stderr, sentence)
			assert.strictEqual(warrend('check').status, 78)
			const reload = machine.warrenFails('reload')
			assert.strictEqual(reload.code, 1)
			assert.match(machine.warrenFails('why', 'config-mistake').out, sentence)
			assert.ok(machine.status().processes.every((one) => one.state === 'ready'))
			was === null ? fs.unlinkSync(path.join(etc, file)) : fs.writeFileSync(path.join(etc, file), was)
		}
		machine.warrend('stop')
		fs.writeFileSync(conf, 'version = 3;')
		const run = warrend('run')
		assert.strictEqual(run.status, 78)
		assert.match(run.stderr, /is of version 3, and this warren knows 2/)
		fs.writeFileSync(conf, own)
	} finally { await machine.destroy() }
})
