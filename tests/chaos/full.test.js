// A node on the smallest disk that it fits on, all of it (storage and keys), filled to the brim: by uploads, and by somebody else. Uploads
// are refused with 507 and leave no part, reads and deletes go on, the wallet signs and keeps its books, and room that comes back is used
// without a restart. On an ext4 in a file and on a tmpfs. A disk of 16 MiB carries no node: the least quota is 8 MiB (supervisor/add.c)
// and the reserve of the index 32 MiB (actors/store/ballast.c); the first test says so.
'use strict'
const { spawnSync } = require('node:child_process')
const rooted = process.getuid() === 0
if (rooted && !process.env.WARREN_OWN_MOUNTS) {
	const env = { ...process.env, WARREN_OWN_MOUNTS: '1' }
	process.exit(spawnSync('unshare', ['--mount', '--propagation', 'private', process.execPath, __filename], { stdio: 'inherit', env }).status ?? 1)
}

const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { Machine } = require('../system/machine.js')

const LEAST = { ext4: 56, tmpfs: 48 }, TOO_SMALL = 16 // MiB: the store takes 40.4, the books 4, an ext4 its journal and tables
const PAYEE = '0x' + '35'.repeat(20)
const POLICY = `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "1"; rules = ({ name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2.5"; }); });\n`
const skip = !rooted ? 'needs root: it mounts a disk of its own' : spawnSync('losetup', ['-f']).status !== 0 ? 'no loop device here' : false

function must(...words) {
	const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, `${words.join(' ')}: ${done.stderr}`)
}

// Mounts a disk of so many MiB.
function mount(kind, mib, folder, image) {
	if (kind === 'tmpfs') return must('mount', '-t', 'tmpfs', '-o', `size=${mib}m,mode=755`, 'tmpfs', folder)
	fs.closeSync(fs.openSync(image, 'wx'))
	fs.truncateSync(image, mib << 20)
	must('mkfs.ext4', '-q', '-F', '-m', '0', image)
	must('mount', '-o', 'loop', image, folder)
	fs.rmdirSync(path.join(folder, 'lost+found'))
}

class Small {
	static async create(kind) {
		const small = new Small()
		const machine = small.machine = await Machine.create({ nodes: 0, start: false })
		machine.add(8)
		machine.add(8)
		fs.writeFileSync(path.join(machine.root, 'etc', 'policy.conf'), POLICY)
		small.folder = path.join(machine.root, 'node1')
		const made = small.folder + '.made', { uid, gid, mode } = fs.statSync(small.folder)
		fs.renameSync(small.folder, made)
		fs.mkdirSync(small.folder)
		mount(kind, LEAST[kind], small.folder, path.join(machine.root, 'disk'))
		must('cp', '-a', '--sparse=never', `${made}/.`, small.folder)
		fs.chownSync(small.folder, uid, gid)
		fs.chmodSync(small.folder, mode & 0o7777)
		must('sync', '-f', small.folder)
		fs.rmSync(made, { recursive: true })
		machine.start()
		await machine.ready()
		small.kept = new Map()
		small.nonce = 0
		small.pid = machine.process('store@1').pid
		return small
	}

	async put(size) {
		const blob = crypto.randomBytes(size), answer = await this.machine.put(1, blob)
		if (answer.status === 201) this.kept.set(answer.json.cid, blob)
		else assert.ok(answer.json.message.length > 10, `${answer.status} says why: ${answer.body}`)
		return answer.status
	}

	async allThere() {
		for (const [cid, blob] of this.kept) {
			const answer = await this.machine.get(1, cid)
			assert.strictEqual(answer.status, 200, `${cid}: ${answer.body}`)
			assert.ok(answer.body.equals(blob), cid)
		}
	}

	remove() {
		const [cid] = this.kept.keys()
		this.machine.warren('call', 'store@1', 'store_delete', `cid=${cid}`)
		this.kept.delete(cid)
		return cid
	}

	figures() { return JSON.parse(this.machine.warren('call', 'store@1', 'store_stat', '--json').out) }

	// What is listed is what was acknowledged: no part of a refused upload is there.
	noPart() {
		const figures = this.figures()
		assert.strictEqual(Number(figures.blobs), this.kept.size, JSON.stringify(figures))
		assert.strictEqual(Number(figures.bytes), [...this.kept.values()].reduce((sum, blob) => sum + blob.length, 0))
	}

	// A signature, whose charge must be on the disk first.
	signs() {
		const signed = this.machine.warren('call', 'wallet@1', 'wallet_sign_tx', `once=${crypto.randomBytes(32).toString('hex')}`, 'type=0', 'chain_id=1',
			`nonce=${this.nonce++}`, 'gas=21000', 'max_fee=20000000000', `to=${PAYEE}`, 'value=1000', 'data=', 'purpose=test', '--json')
		assert.match(signed.out, /"raw"/)
	}

	async neighbourWorks() { assert.strictEqual((await this.machine.put(2, crypto.randomBytes(1000))).status, 201, 'the neighbour does not notice') }
	sameProcess() { assert.strictEqual(this.machine.process('store@1').pid, this.pid, 'without a restart') }

	async destroy() {
		this.machine.warrend('stop')
		spawnSync('umount', ['--lazy', this.folder])
		await this.machine.destroy()
	}
}

test('a disk of 16 MiB carries no node, and it is said which rule forbids it', { skip }, async () => {
	const machine = await Machine.create({ nodes: 0, start: false })
	try {
		const less = machine.run('warrend', ['add', '--tier', 'bronze', '--storage', '4', '--port', '20998'], { fails: true })
		assert.strictEqual(less.code, 1)
		assert.match(less.err, /storage is 4 MiB; it must be 8 to/)
		machine.add(8)
		const held = spawnSync('du', ['-sm', path.join(machine.root, 'node1')], { encoding: 'utf8' })
		assert.ok(parseInt(held.stdout) > 2 * TOO_SMALL, `the least node takes ${held.stdout}`)
	} finally { await machine.destroy() }
})

for (const kind of ['ext4', 'tmpfs'])
	test(`${LEAST[kind]} MiB of ${kind}, filled by uploads and by somebody else`, { skip, timeout: 240000 }, async () => {
		const small = await Small.create(kind)
		try {
			// By uploads, to the last one that fits.
			let status
			for (const size of [1000000, 200000, 30000, 3000, 500])
				while ((status = await small.put(size)) === 201);
			assert.strictEqual(status, 507)
			const { used, quota } = small.figures()
			assert.ok(Number(quota) - Number(used) < 2048, `${used} of ${quota}`)
			small.noPart()
			await small.allThere()
			small.signs()
			small.remove() // the first is one of the largest
			assert.strictEqual(await small.put(900000), 201, 'the room that a delete gives is used at once')
			assert.strictEqual(await small.put(900000), 507)
			small.noPart()

			// By somebody else, to the last byte, beside uploads that are refused.
			const filler = path.join(small.folder, 'filler'), fd = fs.openSync(filler, 'wx')
			assert.throws(() => { for (;;) fs.writeSync(fd, Buffer.alloc(4096)) }, { code: 'ENOSPC' })
			fs.closeSync(fd)
			for (let i = 0; i < 3; i++) small.remove()
			const seen = new Map()
			for (let i = 0; i < 800; i++) { const code = await small.put(300); seen.set(code, (seen.get(code) ?? 0) + 1) }
			console.log(`# ${kind}: on a full disk ${[...seen].map(([code, count]) => `${count} × ${code}`).join(', ')}`)
			assert.ok([...seen.keys()].every((code) => code === 201 || code === 507), `${[...seen.keys()]}`)
			small.noPart()
			await small.allThere()
			const gone = small.remove()
			assert.strictEqual((await small.machine.get(1, gone)).status, 404)
			for (let i = 0; i < 20; i++) small.signs() // the books' room was taken when they were made
			assert.strictEqual(small.machine.process('wallet@1').restarts, 0)
			await small.neighbourWorks()

			fs.unlinkSync(filler)
			await small.machine.until('puts are taken again', async () => (await small.put(200)) === 201)
			await small.allThere()
			small.noPart()
			small.sameProcess()

			// What was signed is in the books of the next birth.
			const before = small.machine.warren('call', 'wallet@1', 'wallet_policy', '--json').out
			const killed = small.machine.kill('wallet@1')
			await small.machine.until('another wallet', () => { const now = small.machine.process('wallet@1'); return now.pid !== killed && now.state === 'ready' })
			assert.strictEqual(small.machine.warren('call', 'wallet@1', 'wallet_policy', '--json').out, before)
		} finally { await small.destroy() }
	})
