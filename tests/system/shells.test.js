// Completion as a person has it: the real bash and the real zsh on a terminal, with the installed words, and the Tab key.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { Machine, BUILD } = require('./machine.js')
const { onTerminal } = require('./terminal.js')

const SHARE = path.resolve(BUILD, 'share')
let machine, home
test.before(async () => {
	machine = await Machine.create({ nodes: 2 })
	await machine.ready(30000)
	home = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-home-'))
})
test.after(async () => { await machine.destroy(); fs.rmSync(home, { recursive: true, force: true }) })

const without = (shell) => spawnSync(shell, ['-c', ':']).status !== 0 && `${shell} is not installed (scripts/packages test)`
const env = () => ({ HOME: home, ZDOTDIR: home, PATH: `${machine.root}/bin:${process.env.PATH}`, WARREN_ROOT: machine.root, TERM: 'xterm', COLUMNS: '200', PS1: 'READY> ' })
// Each pair: what is typed up to the Tab, and what must then be seen; Ctrl-U throws the line away.
async function types(command, begin, pairs) {
	const steps = [[/[$%#>] *$/, `${begin}\n`]]
	let seen = /READY> $/
	for (const [typed, shown] of pairs) {
		steps.push([seen, `\x15${typed}`])
		seen = shown
	}
	const done = await onTerminal(command, [...steps, [seen, '\x15exit 0\n']], env())
	assert.deepStrictEqual([done.left, done.code], [0, 0], done.seen)
}

// Several candidates are listed, one is put into the line, and what follows is looked up on the machine itself.
const PAIRS = (tab) => [
	[`warren sta${tab}`, /start +start-all +status/],
	[`warren logs gateway@${tab}`, /gateway@1 +gateway@2/],
	['warren call store@1 store_hea\t', /store_head /],
	['warren level store@1 deb\t', /debug /],
	[`warren drain ${tab}`, /1 +2 +all/],
	['warren drain 1 --wi\t', /--within /],
]

test('bash', { skip: without('bash') }, async () => {
	await types('bash --norc --noprofile -i', `bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; . ${SHARE}/bash-completion/completions/warren; PS1='READY''> '`, PAIRS('\t'))
})

test('zsh', { skip: without('zsh') }, async () => {
	await types('zsh -f -i', `unset zle_bracketed_paste; setopt no_always_last_prompt no_prompt_cr; fpath=(${SHARE}/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -d ${home}/dump; PS1='READY''> '`, PAIRS('\t'))
})
