// The Containerfile and the compose file of container/, without a container engine: their steps are carried out in a
// bootstrapped folder, and what they start runs under exactly Docker's default capabilities (tests/package/docker).
//
// With --long every RUN is run as it is written, with the network. Without, the one of the last stage installs the package that
// was built here, into a Debian that has its libraries.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Container, run, whyNot, hostDebian, HERE } = require('./container.js')

const why = whyNot() || (hostDebian() !== '12' && !process.env.WARREN_LONG && 'the Containerfile is of Debian 12, and this is another')
if (why) {
	console.log(why)
	process.exit(77)
}
const long = process.argv.includes('--long') || process.env.WARREN_LONG
// chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap
const DOCKER = 0xa80425fbn

// [[WORD, rest], …] of a Containerfile; comments and blank lines left out.
function steps(file) {
	return fs.readFileSync(file, 'utf8').split('\n').filter((line) => /^[A-Z]/.test(line))
		.map((line) => /^([A-Z]+)\s+(.*)$/.exec(line).slice(1))
}

// The environment that the compose file gives.
function composed(file) {
	const lines = fs.readFileSync(file, 'utf8').split('\n')
	const from = lines.findIndex((line) => /^\s+environment:$/.test(line)) + 1
	const pairs = []
	for (let at = from; /^\s+- \w+=/.test(lines[at] || ''); at++) pairs.push(/- (\w+)=(.*)$/.exec(lines[at]).slice(1))
	return Object.fromEntries(pairs)
}

class Docker extends Container {
	// One stage, with those before it by name. What an image keeps is in this.image.
	carryOut(stage, before) {
		this.image = { env: {}, workdir: '/' }
		for (const [word, rest] of stage) {
			if (word === 'COPY') this.copy(rest, before)
			else if (word === 'RUN') this.runStep(rest)
			else if (word === 'ENV') this.image.env[rest.split('=')[0]] = rest.split('=').slice(1).join('=')
			else if (word === 'WORKDIR') fs.mkdirSync(path.join(this.root, this.image.workdir = rest), { recursive: true })
			else if (word === 'VOLUME') fs.mkdirSync(path.join(this.root, rest), { recursive: true })
			else if (word === 'ENTRYPOINT') this.image.entrypoint = JSON.parse(rest)
			else if (word !== 'EXPOSE') throw new Error(`the test does not know ${word}`)
		}
	}

	copy(rest, before) {
		const words = rest.split(' '), from = words[0].startsWith('--from=') ? before[words.shift().slice(7)].root : HERE
		const target = path.join(this.root, words[1])
		fs.mkdirSync(words[1].endsWith('/') ? target : path.dirname(target), { recursive: true })
		if (words[0] !== '.') {
			const source = path.join(from, words[0])
			return run('cp', ['-a', fs.statSync(source).isDirectory() ? `${source}/.` : source, target])
		}
		run('sh', ['-c', 'git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$0" --no-same-owner', target])
	}

	runStep(command) {
		fs.copyFileSync('/etc/resolv.conf', path.join(this.root, 'etc/resolv.conf'))
		run('unshare', ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child=KILL', 'sh', '-c',
			'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive sh -c "cd $1 && $2"',
			this.root, this.image.workdir, command])
	}

	// Starts the entrypoint; what the compose file would give is `env`.
	async start(env) {
		const log = fs.openSync(path.join(this.folder, 'console.log'), 'a')
		this.outer = spawn(path.join(__dirname, 'docker'), [this.root, ...this.image.entrypoint], {
			stdio: ['ignore', log, log], detached: true, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...this.image.env, ...env },
		})
		this.ended = new Promise((resolve) => this.outer.on('exit', (code, signal) => resolve(signal || code)))
		fs.closeSync(log)
		await this.until('warrend is the first process and all is ready', () => {
			if (this.outer.exitCode !== null) throw new Error('it ended')
			this.leader = this.findLeader()
			return this.leader && this.status().processes.every((p) => p.state === 'ready')
		}, 60000)
	}

	status() { return JSON.parse(this.sh(`warren --root ${this.image.env.DATA_DIR} status --json`)) }

	// As `docker stop` does; resolves to the exit code of the first process.
	async stop() {
		process.kill(this.leader, 'SIGTERM')
		const end = await this.ended
		return end
	}

	async destroy() {
		if (this.outer && this.outer.exitCode === null && this.outer.signalCode === null) {
			process.kill(this.outer.pid, 'SIGKILL') // and with it everything in there: --kill-child
			await this.ended
		}
		fs.rmSync(this.folder, { recursive: true, force: true })
	}
}

function images() {
	const stages = []
	for (const [word, rest] of steps(path.join(HERE, 'container/Containerfile')))
		if (word === 'FROM') stages.push({ from: rest.split(' ')[0], as: rest.split(' ')[2], steps: [] })
		else stages[stages.length - 1].steps.push([word, rest])
	return stages
}

// The last image, made whole or from the package that was built here.
function build(made) {
	const stages = images()
	assert.deepStrictEqual(stages.map((s) => s.from), ['debian:12', 'debian:12-slim'])
	const before = {}
	if (long) {
		before.build = Docker.unpack(run('tests/package/base', ['12', 'build']), 'build')
		made.push(before.build)
		before.build.carryOut(stages[0].steps, {})
	} else {
		before.build = { root: fs.mkdtempSync(path.join(HERE, 'build/package/stage-')), destroy() { fs.rmSync(this.root, { recursive: true }) } }
		made.push(before.build)
		fs.mkdirSync(path.join(before.build.root, 'out'))
		const deb = process.env.WARREN_DEB || run('scripts/package', []).split('\n')[0]
		fs.copyFileSync(deb, path.join(before.build.root, 'out/warren_1_amd64.deb'))
	}
	const last = Docker.unpack(run('tests/package/base', ['12', long ? 'slim' : 'run']), 'docker')
	made.push(last)
	last.carryOut(stages[1].steps.map(([word, rest]) => word === 'RUN' && !long ? [word, 'dpkg --install /tmp/warren/warren_*.deb'] : [word, rest]), before)
	return last
}

test('what the Containerfile makes runs under Docker\'s default capabilities', async (t) => {
	const made = []
	try {
		const box = build(made)
		const env = { ...composed(path.join(HERE, 'container/compose.yaml')), MAX_STORAGE_MB: '64', NODE_SHARDS: '[{"start":0,"end":511},{"start":512,"end":1023}]' }
		assert.deepStrictEqual(Object.keys(env).sort(), ['MAX_STORAGE_MB', 'NODE_SHARDS', 'SHARD_COUNT'])
		let cid, wallet
		const bytes = Buffer.alloc(200000, 'docker')
		const sum = run('sha256sum', [], { input: bytes })
		const get = () => box.sh(`curl --silent --show-error --fail http://127.0.0.1:5001/retrieve/${cid} | sha256sum`)

		await t.test('it starts, stores and gives back, with the environment of seed 003', async () => {
			await box.start(env)
			cid = JSON.parse(box.sh('curl --silent --show-error --fail --data-binary @- http://127.0.0.1:5001/store', { input: bytes })).cid
			assert.strictEqual(get(), sum)
			const [node] = box.status().nodes
			wallet = node.wallet
			assert.strictEqual(node.quota, 64 << 20)
			assert.deepStrictEqual(JSON.parse(box.sh('curl --silent http://127.0.0.1:5001/info')).shards, [{ start: 0, end: 511 }, { start: 512, end: 1023 }])
			assert.match(box.sh('grep -o "00000000:1389 " /proc/net/tcp'), /1389/, 'it listens for others too')
		})

		await t.test('with no capability beyond them, its processes with none', () => {
			const mask = (pid, name) => BigInt('0x' + new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(box.sh(`cat /proc/${pid}/status`))[1])
			for (const name of ['CapBnd', 'CapPrm', 'CapEff']) assert.strictEqual(mask(1, name), DOCKER, name)
			for (const { pid, actor } of box.status().processes)
				for (const name of ['CapBnd', 'CapPrm', 'CapEff']) assert.strictEqual(mask(pid, name), 0n, `${name} of ${actor}`)
		})

		await t.test('`warren doctor` says which walls are missing there, and no others are', () => {
			const said = box.try('warren --root /data doctor').out
			const missing = new Set((said.match(/wall "\w+" is missing/g) || []).map((m) => m.split('"')[1]))
			missing.delete('secrets') // as the kernel has it
			assert.deepStrictEqual([...missing].sort(), ['memory', 'mounts', 'network', 'pids'], said)
		})

		await t.test('told to stop it ends well; started again it has the same wallet and the blob', async () => {
			assert.strictEqual(await box.stop(), 0)
			await box.start(env)
			assert.strictEqual(box.status().nodes[0].wallet, wallet)
			assert.strictEqual(get(), sum)
		})
	} finally { for (const box of made.reverse()) await box.destroy() }
})
