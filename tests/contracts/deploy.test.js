// contracts/build, contracts/deploy and the profile it writes, as an operator uses them; and the tree of the store's own C code.
'use strict'
const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const anvil = require('../../contracts/anvil.js')
const installed = require('../../contracts/installed.js')
const tree = require('./tree.js')

const ROOT = path.join(__dirname, '..', '..')
const KEY = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80' // anvil's first account, published

let chain, folder, keyFile
before(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-deploy-'))
	keyFile = path.join(folder, 'key')
	fs.writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 })
	installed.install(true)
	installed.build()
	chain = await anvil.start()
}, { timeout: 180000 })
after(async () => {
	if (chain) await chain.stop()
	fs.rmSync(folder, { recursive: true, force: true })
})

// Beside this process, so that anvil's death with it stays possible: { code, out, err }.
function run(...args) {
	return new Promise(resolve => {
		const child = spawn(path.join(ROOT, 'contracts/deploy'), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
		let out = ''
		let err = ''
		child.stdout.on('data', data => { out += data })
		child.stderr.on('data', data => { err += data })
		child.on('close', code => resolve({ code, out, err }))
	})
}
const given = (file, ...more) => ['--rpc', chain.url, '--chain-id', '1370', '--key-file', keyFile, '--out', path.join(folder, file), ...more]

test('a second build gives the same bytes', () => {
	const again = path.join(folder, 'again')
	installed.build(again)
	for (const name of fs.readdirSync(installed.OUT)) {
		assert.deepEqual(fs.readFileSync(path.join(again, name)), fs.readFileSync(path.join(installed.OUT, name)), name)
	}
	for (const artifact of Object.values(installed.artifacts())) assert.ok(artifact.size <= 24576, artifact.contract)
})

test('deploy writes a profile, and done again does nothing', async () => {
	const first = await run(...given('chain.json', '--name', 'dev', '--rewards', '250.5'))
	assert.equal(first.code, 0, first.err)
	assert.ok(!`${first.out}${first.err}`.includes(KEY))
	const profile = JSON.parse(fs.readFileSync(path.join(folder, 'chain.json'), 'utf8'))
	assert.deepEqual([profile.name, profile.id, profile.rpc], ['dev', 1370, [chain.url]])
	assert.deepEqual(Object.keys(profile.contracts), ['MCTToken', 'MumbleChatRegistry', 'RelayManager', 'VaultRegistry', 'NodeNexus'])
	for (const { address, block } of Object.values(profile.contracts)) {
		assert.ok(block > 0)
		assert.notEqual(await anvil.ask(chain.url, 'eth_getCode', [address, 'latest']), '0x')
	}
	const { Contract, JsonRpcProvider } = installed.ethers()
	const provider = new JsonRpcProvider(chain.url)
	const { MCTToken, RelayManager } = installed.artifacts()
	const token = new Contract(profile.contracts.MCTToken.address, MCTToken.abi, provider)
	const relays = new Contract(profile.contracts.RelayManager.address, RelayManager.abi, provider)
	assert.equal(await token.feeExempt(relays), true)
	assert.equal(await token.registryContract(), relays.target)
	assert.equal(await relays.rewardReserve(), 2505n * 10n ** 17n)
	provider.destroy()
	const height = await anvil.ask(chain.url, 'eth_blockNumber')
	const second = await run(...given('chain.json', '--rewards', '250.5'))
	assert.equal(second.code, 0, second.err)
	assert.equal(await anvil.ask(chain.url, 'eth_blockNumber'), height)
	assert.deepEqual(JSON.parse(fs.readFileSync(path.join(folder, 'chain.json'), 'utf8')), profile)
})

test('a deployment that was cut short goes on where it was', async () => {
	assert.equal((await run(...given('cut.json'))).code, 0)
	const file = path.join(folder, 'cut.json')
	const profile = JSON.parse(fs.readFileSync(file, 'utf8'))
	delete profile.contracts.NodeNexus
	delete profile.contracts.VaultRegistry
	fs.writeFileSync(file, JSON.stringify(profile))
	const { code, out } = await run(...given('cut.json'))
	assert.equal(code, 0)
	assert.deepEqual(out.match(/^\w+ at 0x/gm), ['VaultRegistry at 0x', 'NodeNexus at 0x'])
})

test('bad input is refused with a sentence, before anything is sent', async () => {
	const height = await anvil.ask(chain.url, 'eth_blockNumber')
	const open = path.join(folder, 'open')
	fs.writeFileSync(open, KEY, { mode: 0o644 })
	const short = path.join(folder, 'short')
	fs.writeFileSync(short, 'abc', { mode: 0o600 })
	const wiped = path.join(folder, 'wiped.json')
	fs.writeFileSync(wiped, JSON.stringify({ name: 'x', id: 1370, rpc: [], libraries: {}, contracts: { MCTToken: { address: `0x${'12'.repeat(20)}`, block: 1 } } }))
	const other = path.join(folder, 'other.json')
	fs.writeFileSync(other, JSON.stringify({ name: 'x', id: 1, rpc: [], libraries: {}, contracts: {} }))
	const rpc = ['--rpc', chain.url]
	for (const [args, wanted] of [
		[[], /--chain-id wants|--rpc wants/],
		[['--rpc', 'ftp://x', '--chain-id', '1370'], /--rpc wants the URL/],
		[[...rpc], /--chain-id wants a whole number/],
		[[...rpc, '--chain-id', '1371', '--key-file', keyFile], /is chain 1370, and --chain-id says 1371/],
		[[...rpc, '--chain-id', '1370', '--key-file', open], /others may read .*open; chmod 600/],
		[[...rpc, '--chain-id', '1370', '--key-file', short], /not a private key/],
		[[...rpc, '--chain-id', '1370'], /no terminal to ask for the key/],
		[[...rpc, '--chain-id', '1370', '--key', KEY], /usage: contracts\/deploy/],
		[['--rpc', 'http://127.0.0.1:9', '--chain-id', '1370', '--key-file', keyFile], /does not answer/],
		[[...rpc, '--chain-id', '1370', '--key-file', keyFile, '--out', wiped], /nothing is there on this chain/],
		[[...rpc, '--chain-id', '1370', '--key-file', keyFile, '--out', other], /is of chain 1, and this is chain 1370/],
		[[...rpc, '--chain-id', '1370', '--key-file', keyFile, '--rewards', 'many'], /--rewards wants an amount/]
	]) {
		const { code, err } = await run(...args)
		assert.equal(code, 1, args.join(' '))
		assert.match(err, wanted)
	}
	assert.equal(await anvil.ask(chain.url, 'eth_blockNumber'), height)
})

test('at a terminal the key is asked for, and not shown', async () => {
	const command = [path.join(ROOT, 'contracts/deploy'), '--rpc', chain.url, '--chain-id', '1370', '--out', path.join(folder, 'asked.json')].join(' ')
	const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
	let said = ''
	child.stdout.on('data', data => {
		const asked = said.includes('hex digits')
		said += data
		if (!asked && said.includes('hex digits')) child.stdin.write(`${KEY}x\u007f\r`)
	})
	const code = await new Promise(resolve => child.on('close', resolve))
	assert.equal(code, 0, said)
	assert.match(said, /profile in .*asked\.json/)
	assert.ok(!said.includes(KEY), 'the key was shown')
})

test('the tree of these tests is that of the store\'s own C code', () => {
	const main = path.join(folder, 'root.c')
	fs.writeFileSync(main, `
#include "actors/base/proof/merkle.h"
#include "actors/base/crypto/crypto.h"
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
void sha256(const void *bytes, size_t length, uint8_t digest[32]) { SHA256(bytes, length, digest); }
_Noreturn void bug_at(const char *what, const char *file, int line);
void bug_at(const char *what, const char *file, int line) { fprintf(stderr, "%s %s %d", what, file, line); abort(); }
int main(void)
{
	static uint8_t bytes[4096];
	struct merkle merkle = {0};
	struct hash root;
	size_t got;
	while ((got = fread(bytes, 1, sizeof bytes, stdin)))
		merkle_add(&merkle, bytes, got);
	merkle_end(&merkle, &root);
	for (int i = 0; i < 32; i++)
		printf("%02x", root.bytes[i]);
}
`)
	const program = path.join(folder, 'root')
	const cc = spawnSync('gcc', ['-std=gnu17', '-D_GNU_SOURCE', '-I', ROOT, '-o', program, main, path.join(ROOT, 'actors/base/proof/merkle.c'), '-lcrypto'], { encoding: 'utf8' })
	assert.equal(cc.status, 0, cc.stderr)
	for (const size of [0, 1, 1023, 1024, 1025, 2048, 2049, 3072, 5000, 7168, 8192, 11269, 66560, 71697]) {
		const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
		const { stdout, status } = spawnSync(program, { input: bytes, encoding: 'utf8' })
		assert.equal(status, 0)
		assert.equal(`0x${stdout}`, tree.root(bytes), `${size} bytes`)
	}
})
