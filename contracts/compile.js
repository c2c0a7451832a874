// Compiles a folder with the pinned solc: for each contract its ABI, bytecode and what it is linked with. The same sources give
// the same bytes. Pure: it writes nothing.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

// cancun: OpenZeppelin 5.7 uses MCOPY. No metadata in the code: comments and paths do not change the bytes.
const SETTINGS = {
	evmVersion: 'cancun',
	optimizer: { enabled: true, runs: 200 },
	metadata: { bytecodeHash: 'none', appendCBOR: false },
	outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences', 'evm.deployedBytecode.object', 'evm.methodIdentifiers'] } }
}
const CODE_LIMIT = 24576 // EIP-170

// All .sol files below root, by their names from there.
function sources(root, folder = '') {
	return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
		const name = path.posix.join(folder, entry.name)
		return entry.isDirectory() ? sources(root, name) : name.endsWith('.sol') ? [name] : []
	}).sort()
}

// Everything that the outcome depends on, as one object.
function input(roots) {
	const content = roots.flatMap(root => sources(root).map(name => [name, { content: fs.readFileSync(path.join(root, name), 'utf8') }]))
	return { language: 'Solidity', sources: Object.fromEntries(content), settings: SETTINGS }
}

function packaged(name) {
	const file = path.join(__dirname, 'node_modules', name)
	return name.startsWith('@openzeppelin/') && fs.existsSync(file) ? { contents: fs.readFileSync(file, 'utf8') } : { error: `${name} is not installed` }
}

const signature = entry => `${entry.type} ${entry.name}(${(entry.inputs || []).map(field => field.type).join()})`

// A contract also says what the libraries that it is linked with say for it: their events and errors.
function spoken(abi, libraries) {
	const known = new Set(abi.map(signature))
	const more = libraries.flat().filter(entry => (entry.type === 'event' || entry.type === 'error') && !known.has(signature(entry)) && known.add(signature(entry)))
	return [...abi, ...more]
}

// Throws with the compiler's own words; warnings are errors here. Abstract contracts and internal libraries give nothing.
function compile(what) {
	const solc = require('solc')
	const output = JSON.parse(solc.compile(JSON.stringify(what), { import: packaged }))
	if (output.errors) throw new Error(output.errors.map(error => error.formattedMessage).join('\n'))
	const made = {}
	for (const source of Object.keys(what.sources)) {
		for (const [contract, { abi, evm }] of Object.entries(output.contracts[source] || {})) {
			if (!evm.bytecode.object || !Object.keys(evm.methodIdentifiers).length) continue
			const links = {}
			const libraries = []
			for (const [file, names] of Object.entries(evm.bytecode.linkReferences)) {
				for (const [name, places] of Object.entries(names)) {
					links[name] = places.map(place => place.start)
					libraries.push(output.contracts[file][name].abi)
				}
			}
			const size = evm.deployedBytecode.object.length / 2
			if (size > CODE_LIMIT) throw new Error(`${contract} has ${size} bytes of code; a chain takes ${CODE_LIMIT} (EIP-170)`)
			const external = Object.fromEntries(Object.entries(evm.methodIdentifiers).filter(([name]) => !name.includes('storage')))
			made[contract] = {
				contract,
				source,
				compiler: solc.version(),
				size,
				links,
				selectors: external,
				abi: spoken(abi, libraries),
				bytecode: '0x' + evm.bytecode.object
			}
		}
	}
	return made
}

// The creation code with the libraries' addresses in it.
function linked(artifact, addresses) {
	let code = artifact.bytecode
	for (const [library, places] of Object.entries(artifact.links)) {
		if (!addresses[library]) throw new Error(`${artifact.contract} needs the library ${library}`)
		const address = addresses[library].slice(2).toLowerCase()
		for (const start of places) code = code.slice(0, 2 + 2 * start) + address + code.slice(2 + 2 * start + 40)
	}
	return code
}

module.exports = { input, compile, linked, CODE_LIMIT }
