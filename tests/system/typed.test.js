// Secrets that a person types: a key, a passphrase. On a terminal, nothing of them is shown, and afterwards they are nowhere but
// where they belong. (tests/unit/prompt has the prompt alone; wallet.test.js searches the memory of every process.)
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { Machine } = require('./machine.js')
const { onTerminal, family, WAIT } = require('./terminal.js')

// The key of EIP-155's example, whose address is public.
const KEY = '46'.repeat(32), ADDRESS = '0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F'
const PASSPHRASE = 'correct horse battery staple'
let nextPort = 18000 + process.pid % 2000

function* filesBelow(folder) {
	for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
		const name = path.join(folder, entry.name)
		if (entry.isDirectory()) yield* filesBelow(name)
		else if (entry.isFile()) yield name
	}
}

// Where a secret is below a folder, as it was typed or as bytes.
function found(folder, secret) {
	const needles = [Buffer.from(secret), Buffer.from(secret.toUpperCase())]
	if (/^([0-9a-f]{2})+$/.test(secret)) needles.push(Buffer.from(secret, 'hex'))
	return [...filesBelow(folder)].filter((name) => { const bytes = fs.readFileSync(name); return needles.some((needle) => bytes.includes(needle)) })
}

// What every process on the terminal shows of itself to others.
function shown(pid) {
	const pages = family(pid).map((one) => {
		try { return ['cmdline', 'environ'].map((page) => fs.readFileSync(`/proc/${one}/${page}`, 'utf8')).join('\n') } catch { return '' }
	})
	return pages.join('\n')
}

// The machine, and a home with a history that the live console keeps.
async function seat(options) {
	const machine = await Machine.create(options)
	const home = path.join(machine.root, 'home')
	fs.mkdirSync(home)
	const warren = `${machine.root}/bin/warren --root ${machine.root}`
	return { machine, home, warren, env: { HOME: home, HISTFILE: path.join(home, '.bash_history') } }
}

test('a key that is typed at the live console is not shown, and is in no file, argument, environment or history', async () => {
	const { machine, home, warren, env } = await seat({ nodes: 1 })
	try {
		await machine.ready(WAIT)
		const add = `add --tier bronze --storage 16 --port ${nextPort++} --import -`
		let looks = 0, leaks = 0, watch
		const look = (pid) => { looks++; leaks += shown(pid).includes(KEY) }
		const right = (pid) => assert.ok(shown(pid).includes(machine.root), 'it looks at the right ones')
		const done = await onTerminal(warren, [
			[/warren> $/, `${add}\n`, right],
			[/64 hex digits \(not shown\): $/, `${KEY}\n`, (pid) => { watch = setInterval(look, 5, pid) }],
			[/address 0x9d8A62f6[^]*warren> $/, 'exit\n', look],
		], env)
		clearInterval(watch)
		assert.deepStrictEqual([done.left, leaks], [0, 0], done.seen)
		assert.ok(looks > 1)
		assert.match(done.seen, new RegExp(`address ${ADDRESS}`))
		assert.ok(!done.seen.includes(KEY.slice(0, 8)), done.seen)
		assert.strictEqual(JSON.parse(machine.warren('list', '--json').out).nodes[1].wallet, ADDRESS)
		assert.ok(fs.readFileSync(path.join(home, '.warren_history'), 'utf8')
			.replaceAll('\\040', ' ').includes(add), 'what was typed as a command is remembered')
		machine.warrend('stop')
		assert.deepStrictEqual(found(machine.root, KEY), [])
		const planted = path.join(home, 'planted')
		fs.writeFileSync(planted, KEY)
		assert.deepStrictEqual(found(machine.root, KEY), [planted], 'a control: the search finds it where it is')
	} finally { await machine.destroy() }
})

test('at a terminal a wrong key is corrected by keys, a key that is none is refused, and Ctrl-C leaves nothing', async () => {
	const { machine, warren, env } = await seat({ nodes: 0, start: false })
	const add = () => `${warren} add --tier bronze --storage 16 --port ${nextPort++} --import -`
	const prompt = /64 hex digits \(not shown\): $/
	const none = () => assert.deepStrictEqual(fs.readdirSync(machine.root).filter((name) => name.startsWith('node')), [])
	try {
		const short = await onTerminal(add(), [[prompt, `${KEY.slice(2)}\n`]], env)
		assert.notStrictEqual(short.code, 0)
		assert.match(short.seen, /64 hex digits/)
		assert.ok(!short.seen.includes(KEY.slice(0, 8)))
		none()
		const stopped = await onTerminal(add(), [[prompt, `${KEY}\x03`]], env)
		assert.notStrictEqual(stopped.code, 0)
		assert.ok(!stopped.seen.includes(KEY.slice(0, 8)))
		none()
		const typed = await onTerminal(add(), [[prompt, `nonsense\x15${KEY}ab\x7f\x7f\n`]], env)
		assert.strictEqual(typed.code, 0, typed.seen)
		assert.match(typed.seen, new RegExp(`address ${ADDRESS}`))
	} finally { await machine.destroy() }
})

test('the passphrase of a locked machine is typed unseen; a wrong one opens nothing', async () => {
	const { machine, warren, env } = await seat({ nodes: 1, start: false })
	const warrend = `${machine.root}/bin/warrend --root ${machine.root}`
	const unseen = (done) => assert.ok(!done.seen.includes('horse'), done.seen)
	const prompt = /\(not shown\): $/
	try {
		const made = await onTerminal(`${warrend} passphrase`, [[prompt, `${PASSPHRASE}\n`], [/again[^:]*: $/, `${PASSPHRASE}\n`]], env)
		assert.deepStrictEqual([made.code, made.left], [0, 0], made.seen)
		unseen(made)
		fs.appendFileSync(path.join(machine.root, 'etc', 'warren.conf'), 'unlock = "ask";\n')
		machine.warrend('start')
		assert.strictEqual(machine.process('wallet@1').state, 'locked')
		const wrong = await onTerminal(`${warren} unlock`, [[prompt, `${PASSPHRASE}r\n`]], env)
		assert.strictEqual(wrong.code, 1, wrong.seen)
		assert.match(wrong.seen, /not the passphrase/)
		unseen(wrong)
		assert.strictEqual(machine.process('wallet@1').state, 'locked')
		const right = await onTerminal(`${warren} unlock`, [[prompt, `${PASSPHRASE}\n`, (pid) => assert.ok(!shown(pid).includes('horse'))]], env)
		assert.strictEqual(right.code, 0, right.seen)
		unseen(right)
		await machine.ready(WAIT)
		assert.deepStrictEqual(found(machine.root, PASSPHRASE), [])
	} finally { await machine.destroy() }
})
