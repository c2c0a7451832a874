// The contracts' ABI as rows of actors/chain/abi.def, from which the C structs, tables and selectors expand. Pure.
'use strict'
const path = require('node:path')
const { ethers, build } = require('./installed.js')

const ABI = path.join(__dirname, '..', 'actors', 'chain', 'abi.def')
const CONTRACTS = ['MCTToken', 'MumbleChatRegistry', 'RelayManager', 'VaultRegistry', 'NodeNexus']

const HEAD = `/* Made by contracts/abi from the compiled contracts; do not edit. How it expands: actors/chain/abi.h.
 *
 *   CONTRACT(name)
 *   METHOD(contract, name, selector, VIEW | WRITE | PAYABLE), then IN(method, kind, name) and OUT(method, kind, name), END_METHOD
 *   EVENT(contract, name, topic in four words), then TOPIC(event, kind, name) and DATA(event, kind, name), END_EVENT
 *   LEFT_OUT(contract, name, why): the codec does not know its types */
`

// "uint32" of a C struct is a uint64_t, like each that fits; kinds are those of actors/chain/abi.h.
function kind(type) {
	const list = /^(.*)\[(\d*)\]$/.exec(type)
	if (list) {
		const inner = kind(list[1])
		if (inner === null || /^(string|bytes|many.*|four.*)$/.test(inner)) return null
		return list[2] === '' ? `many(${inner})` : list[2] === '4' ? `four(${inner})` : null
	}
	return /^(bool|address|string|bytes|bytes20|bytes32|uint(8|32|40|64|128|256))$/.test(type) ? type : null
}

const dynamic = field => field.type === 'string' || field.type === 'bytes' || field.type.endsWith('[]') ||
	(field.type === 'tuple' && field.components.some(dynamic))

// A tuple lies flat where it is when nothing in it is dynamic; else an offset leads to it: INTO … OUT_OF.
function fields(word, owner, list) {
	const lines = []
	for (const [place, field] of list.entries()) {
		const name = field.name || `value${place}`
		if (field.type !== 'tuple') {
			const found = kind(field.type)
			if (found === null) return null
			lines.push(`\t${word}(${owner}, ${found}, ${name})`)
			continue
		}
		const inner = fields(word, owner, field.components)
		if (inner === null) return null
		if (dynamic(field)) lines.push(`\t${word}(${owner}, into, ${name})`, ...inner, `\t${word}(${owner}, back, ${name}_end)`)
		else lines.push(...inner)
	}
	return lines
}

const MUTABILITY = { view: 'VIEW', pure: 'VIEW', nonpayable: 'WRITE', payable: 'PAYABLE' }

function method(contract, entry, overloaded) {
	const { id, FunctionFragment } = ethers()
	const signature = FunctionFragment.from(entry).format('sighash')
	const selector = id(signature).slice(0, 10)
	const name = overloaded ? `${entry.name}_${selector.slice(2)}` : entry.name
	const inputs = fields('IN', `${contract}_${name}`, entry.inputs)
	const outputs = fields('OUT', `${contract}_${name}`, entry.outputs)
	if (!inputs || !outputs) return [`LEFT_OUT(${contract}, ${name}, "${signature}: lists of lists, or of tuples")`]
	return [`METHOD(${contract}, ${name}, ${selector}, ${MUTABILITY[entry.stateMutability]})`, ...inputs, ...outputs,
		`END_METHOD(${contract}, ${name})`]
}

// What is indexed and has no fixed size is there as its hash.
function event(contract, entry) {
	const { id, EventFragment } = ethers()
	const topic = id(EventFragment.from(entry).format('sighash')).slice(2)
	const words = [0, 16, 32, 48].map(at => `0x${topic.slice(at, at + 16)}`).join(', ')
	const topics = entry.inputs.filter(field => field.indexed).map(field => `\tTOPIC(${contract}_${entry.name}, ${dynamic(field) ? 'bytes32' : kind(field.type)}, ${field.name})`)
	const data = fields('DATA', `${contract}_${entry.name}`, entry.inputs.filter(field => !field.indexed))
	if (!data) return [`LEFT_OUT(${contract}, ${entry.name}, "an event of lists of lists, or of tuples")`]
	return [`EVENT(${contract}, ${entry.name}, ${words})`, ...topics, ...data, `END_EVENT(${contract}, ${entry.name})`]
}

function contractRows(name, abi) {
	const methods = abi.filter(entry => entry.type === 'function')
	const times = methods.reduce((map, entry) => map.set(entry.name, (map.get(entry.name) || 0) + 1), new Map())
	return [`CONTRACT(${name})`,
		...methods.flatMap(entry => method(name, entry, times.get(entry.name) > 1)),
		...abi.filter(entry => entry.type === 'event').flatMap(entry => event(name, entry))]
}

function rows() {
	const artifacts = build()
	return HEAD + CONTRACTS.flatMap(name => ['', ...contractRows(name, artifacts[name].abi)]).join('\n') + '\n'
}

module.exports = { ABI, rows }
