// SIGSTOP of one of each kind, under load: it is replaced, nobody else is, the neighbour node does not notice, and its own node
// only when the hung one is its store or its gateway. Nothing acknowledged is lost. RELIABILITY C1 row 8.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const { Machine } = require('../system/machine.js')
const { Load } = require('./load.js')

const times = process.env.WARREN_LONG ? 20 : 1
const name = (process_) => process_.node ? `${process_.actor}@${process_.node}` : process_.actor
const stopped = (pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] === 'T'

for (const who of ['broker', 'scribe', 'steward', 'wallet@1', 'store@1', 'gateway@1'])
	test(`${who} hangs${times > 1 ? ` ${times} times` : ''} under load and is replaced`, { timeout: 60000 * times }, async () => {
		const machine = await Machine.create({ nodes: 2, storage: 256 * times, conf: 'park_deaths = 0;' })
		const own = new Load(machine, 1, { writers: 2, size: () => 2000 }).start()
		const neighbour = new Load(machine, 2, { writers: 1, size: () => 1000 }).start()
		try {
			await own.begun()
			await neighbour.begun()
			for (let i = 0; i < times; i++) {
				const before = machine.status().processes
				const pid = machine.kill(who, 'SIGSTOP')
				await machine.until('it hangs', () => stopped(pid))
				const then = neighbour.acknowledged.size
				await machine.until('the neighbour goes on storing', () => neighbour.acknowledged.size > then + 5, 20000)
				await machine.until(`${who} is replaced`, () => {
					const now = machine.process(who)
					return now.state === 'ready' && now.pid && now.pid !== pid
				}, 20000)
				await machine.ready()
				for (const was of before)
					if (was.pid !== pid) assert.strictEqual(machine.process(name(was)).pid, was.pid, `${name(was)} when ${who} hung`)
			}
			const since = own.acknowledged.size
			await machine.until('its node stores again', () => own.acknowledged.size > since)
			await own.stop()
			await neighbour.stop()
			assert.strictEqual(neighbour.failed, 0, `the neighbour noticed: ${neighbour.failures}`)
			if (who !== 'gateway@1' && who !== 'store@1') assert.strictEqual(own.failed, 0, `its own node noticed: ${own.failures}`)
			for (const load of [own, neighbour]) assert.deepStrictEqual(await load.verify(), { lost: [], wrong: [] })
			assert.match(machine.log('warrend'), new RegExp(`process.killed .*process=${who} .*silent`))
		} finally {
			own.stopped = neighbour.stopped = true
			await machine.destroy()
		}
	})
