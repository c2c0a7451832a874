// The mutations: read from the .rows files of this folder, found in a source, put into it. Touches nothing but those files.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const WORDS = ['file', 'after', 'find', 'put', 'test', 'why']

// A name in brackets, then lines "word value"; a line that begins with blanks goes on with the value before it.
function parse(text, from) {
	const rows = []
	let row, word
	text.split('\n').forEach((line, index) => {
		const at = `${from}:${index + 1}`
		const name = /^\[([a-z0-9-]+)\]$/.exec(line)
		const field = /^(\w+)\s+(\S.*)$/.exec(line)
		if (name) {
			rows.push(row = { name: name[1], at })
		} else if (/^\s+\S/.test(line) && row && word) {
			row[word] += '\n' + line.trim()
		} else if (field && row && WORDS.includes(field[1]) && !(field[1] in row)) {
			row[word = field[1]] = field[2]
		} else if (line.trim() && line[0] !== '#') {
			throw new Error(`${at}: neither a [name], a word of a row (${WORDS.join(', ')}), nor a line that goes on`)
		}
		if (!/\S/.test(line) || name) word = undefined
	})
	return rows
}

function read(folder) {
	const rows = []
	for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.rows')).sort())
		rows.push(...parse(fs.readFileSync(path.join(folder, file), 'utf8'), `tests/mutate/${file}`))
	return rows
}

// Blanks of one kind are as good as any other, so a row outlives the formatter.
function pattern(text) {
	const words = text.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
	return new RegExp(words.join('\\s+'), 'g')
}

// The source with the row in it. Throws when its line is not there, or is not the only one of its kind.
function apply(row, source) {
	let from = 0
	if (row.after) {
		const places = [...source.matchAll(pattern(row.after))]
		if (places.length !== 1) throw new Error(`"${row.after}" is in ${row.file} ${places.length} times, and must be once`)
		from = places[0].index + places[0][0].length
	}
	const places = [...source.slice(from).matchAll(pattern(row.find))]
	if (!places.length) throw new Error(`its line is no longer in ${row.file}: ${row.find}`)
	if (places.length > 1 && !row.after)
		throw new Error(`its line is in ${row.file} ${places.length} times; say after which text: ${row.find}`)
	const at = from + places[0].index
	const mutated = source.slice(0, at) + row.put + source.slice(at + places[0][0].length)
	if (mutated === source) throw new Error('it changes nothing')
	return mutated
}

// What is wrong with a row of this tree, as a sentence; nothing when it is fine.
function wrong(row, root) {
	const missing = WORDS.filter((word) => word !== 'after' && !row[word])
	if (missing.length) return `it does not say ${missing.join(', ')}`
	try {
		apply(row, fs.readFileSync(path.join(root, row.file), 'utf8'))
	} catch (error) {
		return error.message
	}
	const [program, ...filter] = row.test.split(' ')
	if (!filter.length) return 'its test must be named whole: a program or a file, and which tests of it'
	if (program.endsWith('.test.js')) {
		const file = path.join(root, 'tests', program)
		if (!fs.existsSync(file)) return `there is no tests/${program}`
		if (!fs.readFileSync(file, 'utf8').includes(filter.join(' '))) return `tests/${program} has no test "${filter.join(' ')}"`
	}
}

module.exports = { parse, read, apply, wrong }
