// Impostors that know every routing id that was and every open ask claim wallet@1's routing id while wallet@1 is killed fifty times and somebody asks
// it for its address without a pause. They are given nothing and no lie of theirs gets through; the asker sees the right
// address or an honest end. The control: the same strangers at a ROUTER that believes routing ids are asked, and believed.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Machine, BUILD } = require('../system/machine.js')

const kills = process.env.WARREN_LONG ? 500 : 50
const impostor = path.join(BUILD, 'tests', 'chaos-impostor')
const needsRoot = process.getuid() !== 0 && 'needs root: strangers of other uids, and a look into the memory of the broker'

const counts = (line) => Object.fromEntries(line.trim().split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))

test('control: whoever believes routing ids asks the impostor, and takes its answer', { skip: needsRoot, timeout: 60000 }, () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-test-'))
	fs.chmodSync(folder, 0o755)
	try {
		const { stdin, ...done } = spawnSync(impostor, ['control', folder], { encoding: 'utf8', timeout: 50000, stdio: ['pipe', 'pipe', 'pipe'] })
		assert.strictEqual(done.status, 0, done.stderr)
		console.log(`# control: ${done.stdout.trim()}`)
		const { asks, fooled } = counts(done.stdout)
		assert.ok(asks > 0, 'it is asked')
		assert.ok(fooled > 0, 'and its answer is taken')
	} finally { fs.rmSync(folder, { recursive: true }) }
})

// Strangers: one with the uid of another node's gateway, one with wallet@1's own uid (both in the bus's group, so that the
// kernel lets them in), and one that the kernel must not let in.
function setOn(machine, know) {
	const status = machine.status()
	const uid = (who) => machine.process(who, status).uid
	const bus = fs.statSync(path.join(machine.root, 'run', 'bus.sock')).gid
	const nobody = 65534
	const child = spawn(impostor, [know, machine.root, machine.process('broker', status).pid, machine.process('wallet@1', status).pid,
		uid('gateway@2'), bus, uid('wallet@1'), bus, nobody, nobody].map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
	const told = { text: '' }
	child.stdout.on('data', (part) => { told.text += part })
	const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
	return { told, child, end: async () => { child.stdin.end(); assert.strictEqual(await ended, 0, told.text); return counts(told.text.trim().split('\n').at(-1)) } }
}

// What they know: only the ids of the dead; or also that of the wallet that lives, which is 128 random bits that root alone can
// read. With that, one of them has the id before the supervisor has said that its owner is dead, and an ask or two of that moment
// (a millisecond or so) may go to it: seen, and never answered. Who knows only the dead is given nothing at all.
for (const [know, times] of [['dead', kills], ['alive', kills / 2]])
	test(`wallet@1 is killed ${times} times among impostors who know the ids of the ${know}`, { skip: needsRoot, timeout: 240000 }, async () => {
		const machine = await Machine.create({ nodes: 2, conf: 'park_deaths = 0;' })
		let strangers
		try {
			const right = machine.warren('call', 'wallet@1', 'wallet_address').out
			const broker = machine.process('broker').pid
			strangers = setOn(machine, know)
			await machine.until('they have begun', () => strangers.told.text.startsWith('begun'))
			for (let i = 0; i < times; i++) {
				const killed = machine.kill('wallet@1')
				const during = machine.warrenFails('call', 'wallet@1', 'wallet_address')
				if (during.code === 0) assert.strictEqual(during.out, right)
				else assert.match(during.out + during.err, /gone|late|busy/)
				await machine.until('wallet@1 is back', () => {
					const now = machine.process('wallet@1')
					return now.state === 'ready' && now.pid && now.pid !== killed
				})
				assert.strictEqual(machine.warren('call', 'wallet@1', 'wallet_address').out, right, `after kill ${i + 1}`)
			}
			const tally = await strangers.end()
			console.log(`# ${know}: ${Object.entries(tally).map(([key, value]) => `${key} ${value}`).join(', ')}`)
			assert.strictEqual(machine.process('broker').pid, broker, 'the broker is the one that was there')
			assert.ok(tally.ids >= times, `the impostors knew every id (${tally.ids})`)
			assert.ok(tally.connected > 0 && tally.claims > times * 10, 'they were there, and claimed it')
			assert.ok(tally.forged > 0, 'they answered asks that were under way')
			assert.ok(tally.refused > 0, 'who is not in the group of the bus is not let in')
			assert.ok(know === 'dead' ? tally.given === 0 : tally.given <= times / 5, `given to them: ${tally.given}, of it asks ${tally.asks}`)
			assert.ok(tally.right > times, 'the asker was answered')
			assert.ok(tally.gone > 0, 'and felt the kills')
			for (const bad of ['wrong', 'other', 'never']) assert.strictEqual(tally[bad], 0, `${bad}: the asker saw the right address or an honest end`)
		} finally {
			if (strangers) strangers.child.stdin.end()
			await machine.destroy()
		}
	})
