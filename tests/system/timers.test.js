// What the timers start (systemd/): the daily backup's script, with a `warren` that stands in for the real one, as its days pass here
// in a second. That the units run it, and with which rights, tests/package sees.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')

const SCRIPT = path.join(__dirname, '..', '..', 'systemd', 'backup-daily')
// It writes what it was told into FILE, and fails after that when it is to.
const WARREN = `#!/bin/sh
[ "$1 $3 $5" = "--root backup --passphrase-file" ] || exit 64
printf '%s %s %s' "$2" "$(cat "$6")" "$7" >"$4"
exit "\${WARREN_FAILS:-0}"
`

function scratch() {
	const at = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-daily-'))
	for (const folder of ['bin', 'credentials', 'kept']) fs.mkdirSync(path.join(at, folder))
	fs.writeFileSync(path.join(at, 'bin', 'warren'), WARREN, { mode: 0o755 })
	fs.writeFileSync(path.join(at, 'credentials', 'passphrase'), 'a long passphrase\n', { mode: 0o600 })
	const put = (name) => fs.writeFileSync(path.join(at, 'kept', name), name)
	const daily = (env = {}, ...options) => {
		const done = spawnSync('sh', [SCRIPT, '/var/lib/warren/nodes', path.join(at, 'kept'), ...options], { encoding: 'utf8',
			env: { PATH: `${path.join(at, 'bin')}:${process.env.PATH}`, CREDENTIALS_DIRECTORY: path.join(at, 'credentials'), ...env } })
		return { code: done.status, out: done.stdout, err: done.stderr }
	}
	return { at, put, daily, kept: () => fs.readdirSync(path.join(at, 'kept')).sort() }
}

const DAY = /^nodes-\d{8}T\d{6}Z\.backup$/

test('a backup has its name when it was read back, root alone reads it, and seven are kept of this machine', () => {
	const { at, put, daily, kept } = scratch()
	try {
		const days = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((day) => `nodes-2020010${day}T000000Z.backup`)
		const others = ['nodes-2-20200101T000000Z.backup', 'nodes-before-the-move.backup', 'notes.txt']
		for (const name of [...days, ...others, '.nodes-20200109T000001Z.backup.part', '.nodes-20200109T000001Z.backup.part.part']) put(name)
		const done = daily({}, '--blobs')
		assert.strictEqual(done.code, 0, done.err)
		const made = kept().find((name) => DAY.test(name) && !days.includes(name))
		assert.deepStrictEqual(kept(), [...days.slice(3), made, ...others].sort(), done.out)
		const file = path.join(at, 'kept', made)
		assert.strictEqual(fs.readFileSync(file, 'utf8'), '/var/lib/warren/nodes a long passphrase --blobs')
		assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
		assert.strictEqual(fs.statSync(path.join(at, 'kept')).mode & 0o777, 0o700)
		assert.match(done.out, /nodes-20200101T000000Z\.backup is removed, as 7 later ones are there/)
	} finally { fs.rmSync(at, { recursive: true }) }
})

test('one that fails leaves nothing of itself, and every older one', () => {
	const { at, put, daily, kept } = scratch()
	try {
		const days = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((day) => `nodes-2020010${day}T000000Z.backup`)
		days.forEach(put)
		const done = daily({ WARREN_FAILS: '1' })
		assert.strictEqual(done.code, 1)
		assert.match(done.err, /nodes was not backed up; the older backups in .*kept stay/)
		assert.deepStrictEqual(kept(), days)
	} finally { fs.rmSync(at, { recursive: true }) }
})

test('without a passphrase nothing is done, and it says where to put one', () => {
	const { at, daily, kept } = scratch()
	try {
		fs.writeFileSync(path.join(at, 'credentials', 'passphrase'), '')
		for (const env of [{}, { CREDENTIALS_DIRECTORY: '' }]) {
			const done = daily(env)
			assert.strictEqual(done.code, 1)
			assert.match(done.err, /nothing was done: there is no passphrase in \/etc\/credstore\/warren\.nodes\.backup/)
		}
		assert.deepStrictEqual(kept(), [])
	} finally { fs.rmSync(at, { recursive: true }) }
})
