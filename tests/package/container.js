// A Debian of its own for a test: unpacked, booted, driven by commands, ended, removed. Only what it started is signalled.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const HERE = path.join(__dirname, '..', '..')
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Runs a command of the tree to its end; its output, or an error with all it said.
function run(program, args, options = {}) {
	const done = spawnSync(program, args, { cwd: HERE, encoding: 'utf8', maxBuffer: 1 << 26, timeout: 900000, ...options })
	if (done.status !== 0)
		throw new Error(`${program} ${args.join(' ')}: exit ${done.status} ${done.signal || ''}\n${done.stdout}${done.stderr}`)
	return done.stdout.trim()
}

const hostDebian = () => fs.readFileSync('/etc/debian_version', 'utf8').split('.')[0]

// Why it cannot be tried here; null when it can.
function whyNot() {
	if (process.getuid() !== 0) return 'a system is booted, which needs root'
	for (const program of ['debootstrap', 'systemd-nspawn'])
		if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`
	return null
}

class Container {
	static unpack(tar, name) {
		const container = new this()
		container.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'warren-package-'))
		container.root = path.join(container.folder, 'root')
		container.name = `warren-${name}-${process.pid}`
		fs.mkdirSync(container.root)
		run('tar', ['--extract', '--numeric-owner', '--file', tar, '--directory', container.root])
		return container
	}

	async boot() {
		const log = fs.openSync(path.join(this.folder, 'console.log'), 'a')
		this.outer = spawn(path.join(__dirname, 'boot'), [this.root, this.name], { stdio: ['ignore', log, log], detached: true })
		this.ended = new Promise((resolve) => this.outer.on('exit', resolve))
		fs.closeSync(log)
		await this.until('systemd is up', () => {
			this.leader = this.findLeader()
			return this.leader && ['running', 'degraded'].includes(this.try('systemctl is-system-running --wait').out.trim())
		}, 90000)
		// Version 1 of control groups: nspawn leaves these two read-only; with them the limits of processes can be seen.
		this.try('for g in memory pids; do mount -o remount,bind,rw /sys/fs/cgroup/$g; done')
	}

	// The container's own pid 1: the child of nspawn that is the first in its process namespace.
	findLeader() {
		const mine = new Set([this.outer.pid])
		for (const entry of fs.readdirSync('/proc').filter((e) => /^\d+$/.test(e)).map(Number).sort((a, b) => a - b)) {
			try {
				const status = fs.readFileSync(`/proc/${entry}/status`, 'utf8')
				const parent = Number(/^PPid:\s+(\d+)/m.exec(status)[1])
				if (!mine.has(parent)) continue
				mine.add(entry)
				if (/^NSpid:\s+\d+\s+1$/m.exec(status)) return entry
			} catch { continue }
		}
		return 0
	}

	// A shell command inside: {code, out, err}.
	try(command, { input, timeout = 120000 } = {}) {
		const done = spawnSync('nsenter', ['--all', '--target', String(this.leader), '/usr/bin/env', '-i',
			'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive', '/bin/sh', '-c', command],
		{ encoding: input instanceof Buffer ? 'buffer' : 'utf8', input, timeout, maxBuffer: 1 << 26, cwd: '/' })
		return { code: done.status, out: String(done.stdout), err: String(done.stderr) }
	}

	// The same; throws unless it ends well.
	sh(command, options) {
		const done = this.try(command, options)
		if (done.code !== 0) throw new Error(`${command}: exit ${done.code}\n${done.out}${done.err}`)
		return done.out.trim()
	}

	async until(what, check, ms = 30000) {
		const end = Date.now() + ms
		for (;;) {
			let value
			try { value = await check() } catch (error) { value = false }
			if (value) return value
			if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}\n${this.console()}`)
			await sleep(50)
		}
	}

	console() {
		try { return fs.readFileSync(path.join(this.folder, 'console.log'), 'utf8').slice(-2000) } catch { return '' }
	}

	async destroy() {
		if (this.outer && this.outer.exitCode === null) {
			process.kill(this.outer.pid, 'SIGTERM') // nspawn asks its systemd to power off
			const late = setTimeout(() => { try { process.kill(-this.outer.pid, 'SIGKILL') } catch { /* it ended */ } }, 60000)
			await this.ended
			clearTimeout(late)
		}
		this.removeGroups()
		fs.rmSync(this.folder, { recursive: true, force: true })
	}

	// The control groups that `boot` made, deepest first: empty ones only, as the kernel removes no others.
	removeGroups() {
		for (const line of fs.readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
			const [, controllers, at] = line.split(':')
			const mounts = controllers ? [`/sys/fs/cgroup/${controllers.replace('name=', '')}`] : ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']
			for (const mount of mounts)
				spawnSync('find', [path.join(mount, at, this.name), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
		}
	}
}

module.exports = { Container, run, sleep, whyNot, hostDebian, HERE }
