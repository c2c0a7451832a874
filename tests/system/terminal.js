// A program on a terminal of its own (script(1) makes one), typed to by a test.
'use strict'
const { spawn } = require('node:child_process')
const fs = require('node:fs')

const WAIT = 60000

// What was said, without colours and cursor movements.
const plain = (text) => text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x07/g, '').replaceAll('\r', '')

// `steps`: [what must be seen since the last one, what is then typed, and maybe what is looked at before that]. Resolves when the
// program has ended: its exit code, all that was on the screen, and how many steps were left.
function onTerminal(command, steps, env = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm', ...env } })
		let seen = '', from = 0
		const fail = (error) => { child.kill('SIGKILL'); reject(error) }
		const limit = setTimeout(() => fail(new Error(`it waits for ${steps[0] && steps[0][0]}; seen:\n${plain(seen)}`)), WAIT)
		const look = () => {
			while (steps.length && steps[0][0].test(plain(seen.slice(from)))) {
				from = seen.length
				const [, typed, first] = steps.shift()
				try { if (first) first(child.pid) } catch (error) { clearTimeout(limit); return fail(error) }
				child.stdin.write(typed)
			}
		}
		child.stdout.on('data', (part) => { seen += part; look() })
		child.on('exit', (code) => { clearTimeout(limit); resolve({ code, seen: plain(seen), left: steps.length }) })
	})
}

// The pids of a process and of all below it.
function family(pid) {
	const parents = new Map()
	for (const entry of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		try { parents.set(Number(entry), Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${entry}/status`, 'utf8'))[1])) } catch { /* it ended */ }
	}
	const mine = new Set([pid])
	for (let before = 0; before !== mine.size;) {
		before = mine.size
		for (const [child, parent] of parents) if (mine.has(parent)) mine.add(child)
	}
	return [...mine]
}

module.exports = { onTerminal, family, WAIT }
