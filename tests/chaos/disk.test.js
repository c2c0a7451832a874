// Trouble of a node's disk on a whole machine: it is filled by others, turns read-only under the store, is read-only at a start,
// and is not mounted. Puts get an honest status and a sentence, reads go on, nothing acknowledged is lost once it is mended, an
// unmounted folder never becomes an empty store, and the neighbour does not notice. The disk is an ext4 in a file, mounted in a
// mount namespace of this test's own.
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
const { Machine, BUILD } = require('../system/machine.js')

const DISK_MB = 96

function whyNot() {
	if (!rooted) return 'needs root: it mounts a disk of its own'
	if (spawnSync('losetup', ['-f']).status !== 0) return 'no loop device here'
	return false
}

function must(...words) {
	const done = spawnSync(words[0], words.slice(1), { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, `${words.join(' ')}: ${done.stderr}`)
}

// A machine of two nodes; the store of node 1 lies on a disk of its own.
class Troubled {
	static async create() {
		const trouble = new Troubled()
		const machine = trouble.machine = await Machine.create({ nodes: 2, start: false, conf: 'park_deaths = 0;' })
		trouble.image = path.join(machine.root, 'disk')
		trouble.folder = path.join(machine.root, 'node1', 'storage')
		const { uid, gid } = fs.statSync(trouble.folder)
		fs.closeSync(fs.openSync(trouble.image, 'wx'))
		fs.truncateSync(trouble.image, DISK_MB << 20)
		must('mkfs.ext4', '-q', '-F', '-m', '0', trouble.image)
		fs.renameSync(trouble.folder, trouble.folder + '.made')
		fs.mkdirSync(trouble.folder, { mode: 0o700 }) // what shows when it is not mounted
		fs.chownSync(trouble.folder, uid, gid)
		trouble.mount()
		fs.rmdirSync(path.join(trouble.folder, 'lost+found'))
		must('cp', '-a', '--sparse=never', `${trouble.folder}.made/.`, trouble.folder) // the arena keeps its place on the disk
		fs.chmodSync(trouble.folder, 0o700)
		fs.chownSync(trouble.folder, uid, gid)
		must('sync', '-f', trouble.folder) // as the store synced what it made
		machine.start()
		await machine.ready()
		trouble.kept = new Map()
		await trouble.put(20)
		return trouble
	}

	mount(...options) { must('mount', '-o', ['loop', 'errors=remount-ro', ...options].join(','), this.image, this.folder) }
	unmount() { must('umount', this.folder) }

	// So many puts; returns the statuses there were, and that each refusal came with a sentence is looked at.
	async put(count, size = 3000) {
		const seen = new Map()
		const one = async () => {
			while (count-- > 0) {
				const blob = crypto.randomBytes(size)
				const answer = await this.machine.put(1, blob)
				seen.set(answer.status, answer.json)
				if (answer.status === 201) this.kept.set(answer.json.cid, blob)
				else assert.ok(answer.json.message.length > 10, `${answer.status} says why: ${answer.body}`)
			}
		}
		await Promise.all(Array.from({ length: 8 }, one))
		return seen
	}

	async refused() {
		const seen = await this.put(3)
		for (const [status, json] of seen) {
			assert.ok(status === 503 || status === 507, `${status} ${JSON.stringify(json)}`)
			assert.match(json.message, /disk/)
		}
	}

	async allThere() {
		const rest = [...this.kept]
		const one = async () => {
			for (let next; (next = rest.pop());) {
				const [cid, blob] = next
				const answer = await this.machine.get(1, cid)
				assert.strictEqual(answer.status, 200, `${cid}: ${answer.body}`)
				assert.ok(answer.body.equals(blob), cid)
			}
		}
		await Promise.all(Array.from({ length: 8 }, one))
	}

	async stop() {
		this.machine.warren('stop', '1')
		await this.machine.until('node 1 has stopped', () => ['store', 'wallet', 'gateway'].every((actor) => this.machine.process(`${actor}@1`).state === 'stopped'))
	}

	async start() {
		this.machine.agents[1]?.destroy() // connections to a gateway that is no more
		delete this.machine.agents[1]
		this.machine.warren('start', '1')
		await this.machine.ready()
	}

	async neighbourWorks() {
		const answer = await this.machine.put(2, crypto.randomBytes(1000))
		assert.strictEqual(answer.status, 201, 'the neighbour does not notice')
	}

	async destroy() {
		this.machine.warrend('stop')
		spawnSync('umount', ['--lazy', this.folder])
		await this.machine.destroy()
	}
}

const trial = (name, body) => test(name, { skip: whyNot(), timeout: 240000 }, async () => {
	const trouble = await Troubled.create()
	try { await body(trouble, trouble.machine) } finally { await trouble.destroy() }
})

trial('a disk filled by others: what is promised is kept, reads and deletes go on, it recovers without a restart', async (trouble, machine) => {
	const pid = machine.process('store@1').pid
	const filler = path.join(trouble.folder, 'filler')
	const fd = fs.openSync(filler, 'wx')
	assert.throws(() => { for (;;) fs.writeSync(fd, Buffer.alloc(1 << 20)) }, { code: 'ENOSPC' })
	fs.closeSync(fd)
	const seen = await trouble.put(5000, 100) // more rows than the index has room for without its reserve
	console.log(`# on a full disk: ${[...seen.keys()].join(', ')}`)
	assert.deepStrictEqual([...seen.keys()], [201], 'the room for all of it was taken beforehand')
	await trouble.allThere()
	const [first] = trouble.kept.keys()
	machine.warren('call', 'store@1', 'store_delete', `cid=${first}`)
	assert.strictEqual((await machine.get(1, first)).status, 404)
	trouble.kept.delete(first)
	await trouble.neighbourWorks()
	fs.unlinkSync(filler)
	await machine.until('puts are taken again', async () => (await trouble.put(1)).has(201))
	await trouble.allThere()
	assert.strictEqual(machine.process('store@1').pid, pid, 'without a restart')
})

trial('a disk that turns read-only under the store: puts are refused, reads go on, nothing acknowledged is lost', async (trouble, machine) => {
	must('mount', '-o', 'remount,abort', trouble.folder) // as the kernel does on an error of the disk
	await machine.until('a put is refused for it', async () => {
		const answer = await machine.put(1, crypto.randomBytes(2000))
		assert.notStrictEqual(answer.status, 201, 'nothing is acknowledged that cannot be written')
		return /disk/.test(answer.json.message)
	}, 20000)
	await machine.ready()
	await trouble.refused()
	await trouble.allThere()
	await machine.until('/health says so', async () => JSON.parse((await machine.request(1, 'GET', '/health')).body).status === 'degraded')
	assert.match(machine.warrenFails('doctor').out, /store@1|node 1/)
	await trouble.neighbourWorks()
	machine.warrend('stop') // all of it: every jail has a copy of the mounts there were at its birth, and keeps the disk busy
	trouble.unmount()
	assert.ok(spawnSync('e2fsck', ['-fp', trouble.image]).status <= 1, 'the disk is mended')
	trouble.mount()
	machine.start()
	await machine.ready()
	await trouble.allThere()
	assert.ok((await trouble.put(5)).has(201), 'it stores again')
	await trouble.allThere()
})

trial('a disk that is read-only at the start: reads, and a sentence for a put; mended, it stores again by itself', async (trouble, machine) => {
	await trouble.stop()
	must('mount', '-o', 'remount,ro', trouble.folder)
	await trouble.start()
	await trouble.allThere()
	await trouble.refused()
	await trouble.neighbourWorks()
	const why = JSON.parse(machine.warren('why', 'store@1', '--json').out).reasons.find((reason) => reason.name === 'store-disk')
	assert.match(why.inputs, /read-only when it was opened; once that is mended it opens it anew/)
	assert.ok(why.next_ms > Date.now())
	const pid = machine.process('store@1').pid
	must('mount', '-o', 'remount,rw', trouble.folder)
	await machine.until('puts are taken again', async () => (await trouble.put(1)).has(201), 90000)
	assert.notStrictEqual(machine.process('store@1').pid, pid, 'by a birth of its own')
	assert.match(machine.log('store@1'), /store\.again mended=1/)
	await trouble.allThere()
	await trouble.neighbourWorks()
	await machine.until('nothing is against it any more', () => !JSON.parse(machine.warren('why', 'store@1', '--json').out).reasons.some((reason) => reason.name === 'store-disk' && !reason.over))
})

trial('a disk that is not mounted is not taken for an empty store; mounted again, everything is there', async (trouble, machine) => {
	await trouble.stop()
	trouble.unmount()
	machine.agents[1].destroy()
	delete machine.agents[1]
	assert.strictEqual(machine.warrenFails('start', '1').code, 1)
	await machine.until('store@1 waits for a change', () => machine.process('store@1').state === 'misconfigured')
	assert.deepStrictEqual(fs.readdirSync(trouble.folder), [], 'nothing was made anew')
	assert.match(machine.log('store@1'), /no marker file[^\n]*not mounted/)
	const answer = await machine.put(1, crypto.randomBytes(100))
	assert.strictEqual(answer.status, 503, `${answer.body}`)
	assert.ok(answer.json.message.length > 10)
	assert.notStrictEqual((await machine.get(1, [...trouble.kept.keys()][0])).status, 404, 'it does not say that the blob is not there')
	await trouble.neighbourWorks()
	trouble.mount()
	machine.warren('reload')
	await machine.ready()
	await trouble.allThere()
	assert.ok((await trouble.put(1)).has(201))
})

// The first line of its log that says so, by the store's own clock: when it noticed.
function noticed(machine, after) {
	for (const line of machine.log('store@1').split('\n')) {
		const at = Date.parse(line.split(' ')[0])
		if (at >= after && / error store@1\S* (store\.|commit)/.test(line)) return { at, line }
	}
}

for (const busy of [false, true]) {
	trial(`a disk that dies under ${busy ? 'a busy' : 'an idle'} store (EIO): nothing is taken after five seconds, an alert, nothing is made anew`, async (trouble, machine) => {
		const late = [] // acknowledged after the disk had died
		let died = 0, stop = false
		const writer = (async () => {
			while (busy && !stop) {
				const dead = died // what was under way may have been on the disk by then
				const answer = await machine.put(1, crypto.randomBytes(2000)).catch(() => ({ status: 'cut' }))
				if (answer.status === 201 && dead) late.push(answer.json.cid)
			}
		})()
		if (busy) await machine.until('it is busy', async () => JSON.parse(machine.warren('call', 'store@1', 'store_stat', '--json').out).puts > 50)
		const before = Date.now()
		must(path.join(BUILD, 'tests', 'tool-diskdies'), trouble.folder)
		died = Date.now()
		const { at, line } = await machine.until('it says that its disk refuses', () => noticed(machine, before), 60000)
		console.log(`# ${at - died} ms after it died: ${line.slice(0, 160)}`)
		assert.ok(at - died <= 5000, 'within five seconds, by its own clock')
		await machine.until('an alert stands for it', () => JSON.parse(machine.warren('alerts', '--json').out).alerts.some((row) => row.active && /store@1|node 1/.test(row.subject)), 60000)
		stop = true
		await writer
		assert.deepStrictEqual(late, [], 'nothing is acknowledged that is on no disk')
		await machine.until('puts are refused with a sentence', async () => {
			const answer = await machine.put(1, crypto.randomBytes(2000)).catch(() => null)
			assert.ok(!answer || answer.status !== 201)
			return answer && answer.status === 503 && answer.json.message.length > 10
		}, 30000)
		const read = await machine.get(1, [...trouble.kept.keys()][0]).catch(() => ({ status: 'cut' }))
		assert.notStrictEqual(read.status, 404, 'it does not say that the blob is not there')
		await trouble.neighbourWorks()
		machine.warrend('stop')
		trouble.unmount()
		assert.ok(spawnSync('e2fsck', ['-fp', trouble.image]).status <= 1, 'another disk, with the same on it')
		trouble.mount()
		machine.start()
		await machine.ready(60000)
		await trouble.allThere()
		assert.ok((await trouble.put(3)).has(201), 'it stores again')
		assert.match(fs.readdirSync(trouble.folder).join(), /marker/)
	})
}
