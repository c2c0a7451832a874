// The wall clock of every process of a machine jumps, together and one by one: an hour ahead, an hour back, into the year 2038 and past
// its nineteenth of January, forty years back, and right again. Nothing that expires by it expires all at once (trash, collector,
// budgets), nothing that is measured by another clock notices (rates, deadlines, beats), and whoever is served is served. RELIABILITY C1 row 16.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Machine, BUILD, sleep } = require('../system/machine.js')
const { Load } = require('./load.js')

const long = Boolean(process.env.WARREN_LONG)
const clock = path.join(BUILD, 'tests', 'chaos-clock')
const HOUR = 3600, TO_2038 = Math.floor(Date.UTC(2038, 0, 20) / 1000 - Date.now() / 1000)
const jumps = { 'an hour ahead': HOUR, 'an hour back': -HOUR, 'into 2038': TO_2038, 'forty years back': -40 * 365 * 24 * HOUR, 'right again': 0 }
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor
const PAYEE = '0x' + '35'.repeat(20)

const move = (pid, seconds) => {
	const done = spawnSync(clock, [String(pid), String(seconds)], { encoding: 'utf8' })
	assert.strictEqual(done.status, 0, done.stderr)
}
const skip = process.getuid() !== 0 ? 'needs root: it moves the clock of other processes' : process.arch !== 'x64' && 'the machine code of this processor is not known to chaos/clock.c'

const json = (machine, ...words) => JSON.parse(machine.warren(...words, '--json').out)
const pay = (machine, nonce) => machine.warrenFails('call', 'wallet@1', 'wallet_sign_tx', ...Object.entries({
	once: crypto.randomBytes(32).toString('hex'), type: 0, chain_id: 1, nonce, gas: 21000, max_fee: 20000000000, to: PAYEE, value: '1000000000000000000', data: '', purpose: 'test',
}).map(([key, value]) => `${key}=${value}`))

test('clocks jump', { skip, timeout: 1200000 }, async () => {
	const machine = await Machine.create({ nodes: 1, storage: 64, start: false, conf: 'trash_hours = 24;\ngc = "time";\ngc_days = 30;\nrate_limits = "all";' })
	fs.writeFileSync(path.join(machine.root, 'etc', 'policy.conf'), `chains = ({ id = 1; value_per_day = "3"; fee_per_day = "1"; rules = ({ name = "pay"; to = "${PAYEE}"; methods = ["pay"]; value_per_day = "2.5"; }); });\n`, { mode: 0o644 })
	machine.start()
	const load = new Load(machine, 1, { writers: 0 })
	const ask = (method, target, from, body) => machine.request(1, method, target, { from, body, headers: body ? { 'content-length': body.length } : {} })
	try {
		await machine.ready()
		const before = machine.status().processes, cids = []
		for (let i = 0; i < 10; i++) cids.push((await machine.put(1, crypto.randomBytes(3000))).json.cid)
		const kept = cids.slice(0, 5), trash = cids.slice(5)
		for (const cid of trash) machine.warren('call', 'store@1', 'store_delete', `cid=${cid}`)
		for (const nonce of [1, 2]) assert.strictEqual(pay(machine, nonce).code, 0, 'two of two and a half are signed')
		assert.match(pay(machine, 3).err, /refused/)
		for (let i = 0; i < 60; i++) await ask('POST', '/store', '127.0.3.1', Buffer.from(`number ${i}`))
		assert.strictEqual((await ask('POST', '/store', '127.0.3.1', Buffer.from('one too many'))).status, 429)
		const uploaded = Date.now()

		const everybody = () => [...machine.status().processes.map((p) => p.pid), machine.supervisor]
		const nothing = async (when) => {
			const seen = json(machine, 'status')
			assert.deepStrictEqual(seen.processes.map((p) => [name(p), p.pid]), before.map((p) => [name(p), p.pid]), `${when}: nobody died`)
			const plan = json(machine, 'gc', '1', '--dry-run')
			assert.strictEqual(plan.chosen.length, 0, `${when}: the collector would take ${plan.chosen.length}`)
			machine.warren('gc', '1')
			for (const cid of kept) assert.strictEqual((await ask('GET', `/retrieve/${cid}`, '127.0.3.2')).status, 200, when)
			assert.deepStrictEqual(json(machine, 'blobs', '1', '--trash').blobs.map((b) => b.cid).sort(), [...trash].sort(), `${when}: the trash`)
			assert.match(pay(machine, 3).err, /refused/, `${when}: the budget is spent`)
			if (Date.now() - uploaded < 45000) assert.strictEqual((await ask('POST', '/store', '127.0.3.1', Buffer.from('still one too many'))).status, 429, `${when}: its minute is not over`)
			const put = await ask('POST', '/store', '127.0.3.3', crypto.randomBytes(500))
			assert.strictEqual(put.status, 201, `${when}: ${put.body}`)
			const { cid } = JSON.parse(put.body)
			const proof = await ask('POST', '/proofs/generate', '127.0.3.3', Buffer.from(JSON.stringify({ cid, challenge: '5a'.repeat(32) })))
			assert.strictEqual(proof.status, 200, `${when}: ${proof.body}`)
			for (const of of ['/health', '/info', '/metrics']) assert.strictEqual((await ask('GET', of, '127.0.3.4')).status, 200, `${when}: ${of}`)
			assert.deepStrictEqual(json(machine, 'alerts').alerts.filter((alert) => alert.active && !['wallet-refused', 'clock-stepped'].includes(alert.code)), [], when)
		}
		await nothing('before')
		for (const [what, seconds] of Object.entries(jumps)) {
			for (const pid of everybody()) move(pid, seconds)
			await nothing(what)
			if (what === Object.keys(jumps)[0]) await machine.until('an operator is told', () => json(machine, 'alerts').alerts.some((alert) => alert.code === 'clock-stepped'), 60000)
			if (long) await sleep(75000) // the trash is looked at each minute
			if (long) await nothing(`${what}, a minute later`)
		}
		// One by one: the others' clocks are right. By its log the jump was there.
		for (const who of ['warrend', ...before.map(name)]) {
			const pid = who === 'warrend' ? machine.supervisor : machine.process(who).pid
			move(pid, TO_2038)
			if (long) await nothing(`${who} alone in 2038`)
			move(pid, 0)
		}
		await nothing('after all of them')
		const stamps = machine.log('wallet@1').split('\n').map((line) => line.slice(0, 4))
		assert.ok(stamps.includes('2038') && stamps.some((year) => year < '1990'), 'scribe wrote down what its clock said')

		// Born into 2038: it knows how long it was away, by the clock that does not jump. Its trash is looked at ten seconds after a birth.
		if (long) {
			const pid = machine.kill('store@1')
			await machine.until('it is born', () => { const now = machine.process('store@1'); if (!now.pid || now.pid === pid) return false; move(now.pid, TO_2038); return true })
			await machine.ready()
			await sleep(75000)
			assert.strictEqual(json(machine, 'gc', '1', '--dry-run').chosen.length, 0)
			assert.deepStrictEqual(json(machine, 'blobs', '1', '--trash').blobs.map((b) => b.cid).sort(), [...trash].sort(), 'the trash of one born in 2038')
		}
		assert.deepStrictEqual(await load.halves(), [])
	} finally { await machine.destroy() }
})
