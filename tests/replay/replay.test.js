// Write orders, replayed: what real code asked of its disk is noted, the disk is put into the states that a power cut may leave, and
// the code that starts in life must make of each what had been told by then. Two negative controls, in which syncs of files, or of
// folders, count for nothing, must find losses. Some hundreds of states; 10,000 and every prefix with WARREN_LONG=1.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { BUILD } = require('../system/machine.js')

const LONG = Boolean(process.env.WARREN_LONG)
const replay = path.join(BUILD, 'tests', 'replay'), recorder = path.join(BUILD, 'tests', 'librecorder.so')

function run(...args) {
	const child = spawn(replay, args, { stdio: ['ignore', 'pipe', 'pipe'] }), said = { out: '', err: '' }
	child.stdout.on('data', (part) => { said.out += part })
	child.stderr.on('data', (part) => { said.err += part })
	return new Promise((resolve) => child.on('exit', (code) => {
		assert.strictEqual(code, 0, said.err)
		console.log(`# ${args[0]}${args[3] ? `, ${args[3]} not kept` : ''}: ${said.out.trim()}`)
		const tally = Object.fromEntries(said.out.trim().split(' ').map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
		resolve({ ...tally, bad: tally.lost + tally.wrong + tally.unopened, states: tally.prefixes + tally.subsets, why: said.err })
	}))
}

// states: sampled, long (half of them prefixes at most); controls: states of each, and the share of subsets that must be lossy. The
// machine's own files see a hundred orders, and so few states that they come again.
const TRIALS = {
	store: { what: 'a store of blobs', states: [300, 20000], control: [60, 1000], lossy: { syncs: 0.25, folders: 0.1 }, distinct: 0.9 },
	books: { what: "a wallet's books", states: [80, 2000], control: [30, 400], lossy: { syncs: 0.25, folders: 0.1 }, distinct: 0.9 },
	machine: { what: "a machine's own files", states: [400, 2000], control: [200, 400], lossy: { syncs: 0.25, folders: 0.25 }, distinct: 0.1 },
}

for (const [name, { what, states, control, lossy, distinct }] of Object.entries(TRIALS)) {
	test(`${what}: ${states[Number(LONG)]} states after a power cut keep what was told`, { timeout: LONG ? 3600000 : 240000 }, async () => {
		const tally = await run(name, recorder, String(states[Number(LONG)]))
		assert.strictEqual(tally.bad, 0, tally.why)
		assert.strictEqual(tally.states, states[Number(LONG)])
		assert.ok(tally.distinct > tally.states * distinct, 'they are not the same ones again and again')
		if (LONG) assert.ok(tally.prefixes > tally.orders || tally.prefixes >= tally.states / 2, 'every prefix, or half of the states')
	})
	for (const lie of ['syncs', 'folders'])
		test(`negative control: ${what}, when ${lie === 'syncs' ? 'no sync is kept' : 'no sync of a folder is kept'}`, { timeout: LONG ? 1200000 : 240000 }, async () => {
			const tally = await run(name, recorder, String(control[Number(LONG)]), lie)
			assert.ok(tally.bad >= tally.subsets * lossy[lie], `only ${tally.bad} of ${tally.subsets} lost something`)
		})
}
