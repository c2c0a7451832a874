// The package on a booted Debian: installed, started by systemd, attacked, upgraded, removed, purged. One container, and what
// follows stands on what came before; so one test with steps, and after a failed step the rest is not tried.
//
//   node tests/package/package.test.js [--long | --debian 12|13]     --long: both; else that of this machine
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { Container, run, whyNot, hostDebian, HERE } = require('./container.js')

const UNIT = 'warrend@nodes'
// DESIGN 10. Numbers as capabilities(7).
const CAPABILITIES = { CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8, NET_ADMIN: 12, SYS_ADMIN: 21, SYS_RESOURCE: 24 }
const LISTED = Object.values(CAPABILITIES).reduce((mask, bit) => mask | 1n << BigInt(bit), 0n)

const why = whyNot()
if (why) {
	console.log(why)
	process.exit(77)
}
const long = process.argv.includes('--long') || process.env.WARREN_LONG
const host = hostDebian()
const one = process.argv.indexOf('--debian') + 1
const debians = one ? [process.argv[one]] : long ? ['12', '13'] : [host]

// The package for that Debian: built here when this is one, else in a bootstrapped one.
function build(debian) {
	if (process.env.WARREN_DEB) return process.env.WARREN_DEB // one that is there already
	if (debian === host) return run('scripts/package', []).split('\n')[0]
	const tar = run('tests/package/base', [debian, 'build'])
	const out = path.join(HERE, 'build', 'package', `for-${debian}`)
	return run('tests/package/build', [tar, out]).split('\n')[0]
}

// The same with a higher version, and one more file to know it by.
function higher(deb, version, into) {
	const folder = fs.mkdtempSync(path.join(into, 'deb-'))
	run('dpkg-deb', ['--raw-extract', deb, folder])
	const control = path.join(folder, 'DEBIAN', 'control')
	fs.writeFileSync(control, fs.readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`))
	fs.writeFileSync(path.join(folder, 'usr/share/doc/warren/higher'), version)
	const made = path.join(into, `warren_${version}.deb`)
	run('dpkg-deb', ['--root-owner-group', '--build', folder, made])
	return made
}

// What processes of a machine are called (proto/actors.def).
const OURS = '^(warren|(broker|scribe|steward|herald|meter|chain|anvil)$|(store|wallet|gateway)@)'

// A stranger's upload of /opt/body that stays in the middle of its body until /run/go is there; the answer is in /run/answer.
const UPLOAD = `exec 3<>/dev/tcp/127.0.0.1/5001
printf 'POST /store HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Type: application/octet-stream\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s /opt/body)" >&3
head -c 100000 /opt/body >&3
while [ ! -e /run/go ]; do sleep 0.1; done
tail -c +100001 /opt/body >&3
cat <&3 >/run/answer
`

class Host {
	constructor(box) { this.box = box }
	main(unit = UNIT) { return Number(this.box.sh(`systemctl show -P MainPID ${unit}`)) }
	show(property, unit = UNIT) { return this.box.sh(`systemctl show -P ${property} ${unit}`) }
	status(root = '/var/lib/warren/nodes') { return JSON.parse(this.box.try(`warren --root ${root} status --json`).out) }
	process(who) {
		const [actor, node] = who.split('@')
		return this.status().processes.find((p) => p.actor === actor && p.node === Number(node || 0))
	}
	ready(root) { return this.box.until('every process is ready', () => this.status(root).processes.every((p) => p.state === 'ready')) }
	pids() { return this.box.try(`pgrep "${OURS}"`).out.trim().split('\n').filter(Boolean).map(Number) }
	put(port, bytes) {
		return JSON.parse(this.box.sh(`curl --silent --show-error --fail --data-binary @- http://127.0.0.1:${port}/store`, { input: bytes })).cid
	}
	get(port, cid) { return this.box.sh(`curl --silent --show-error --fail http://127.0.0.1:${port}/retrieve/${cid} | sha256sum`) }
	code(port, cid) { return this.box.sh(`curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:${port}/retrieve/${cid}`) }
	proc(pid, name) { return new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(this.box.sh(`cat /proc/${pid}/status`))[1] }
	// Begins an upload, and waits until node 1 says that it is under way.
	async upload() {
		this.box.sh('rm -f /run/go /run/answer; setsid bash /opt/upload >/dev/null 2>&1 </dev/null &')
		await this.box.until('it is under way', () => JSON.parse(this.box.sh('warren call gateway@1 actor_duties --json')).duties.some((duty) => duty.what === 'upload'))
	}
	set(file, line) { this.box.sh(`f=/var/lib/warren/nodes/etc/${file}; sed -i '/^${line.split(' ')[0]} /d' $f; echo '${line}' >>$f`) }
	stop() { this.box.sh(`systemctl stop --no-block ${UNIT}`) }
	stopped() { return this.box.until('the unit has stopped', () => this.show('ActiveState') === 'inactive', 60000) }
	mask(pid, name) { return BigInt('0x' + this.proc(pid, name)) }
}

for (const debian of debians) {
	test(`Debian ${debian}`, async (t) => {
		const deb = build(debian)
		const box = Container.unpack(run('tests/package/base', [debian]), `package-${debian}`)
		const at = new Host(box)
		let cid, sum, wallets, failed = false
		const step = (name, body) => t.test(name, async (s) => {
			if (failed) return s.skip('a step before it failed')
			try { await body() } catch (error) { failed = true; throw error }
		})
		try {
			fs.mkdirSync(path.join(box.root, 'opt/debs'), { recursive: true })
			fs.copyFileSync(deb, path.join(box.root, 'opt/debs/warren.deb'))
			fs.copyFileSync(higher(deb, '99.1', box.folder), path.join(box.root, 'opt/debs/higher.deb'))
			fs.copyFileSync(higher(deb, '99.2', box.folder), path.join(box.root, 'opt/debs/highest.deb'))
			await box.boot()

			await step('installing makes the groups, and neither a machine nor a process', () => {
				box.sh('dpkg --install /opt/debs/warren.deb')
				assert.match(box.sh('getent group'), /^warren:x:\d+:\n(.*\n)*?warren-admin:x:\d+:/m)
				assert.strictEqual(box.sh('ls /var/lib/warren'), '')
				assert.deepStrictEqual(at.pids(), [])
				assert.strictEqual(box.try('systemctl list-unit-files --state=enabled --no-legend "warren*"').out, '')
				assert.strictEqual(box.sh("stat -c '%a %U:%G' /usr/lib/warren/warren-*  /usr/lib/warren/warrend | sort -u"), '711 root:root')
				assert.strictEqual(box.sh("stat -c '%a %U:%G' /var/backups/warren"), '700 root:root')
				const files = box.sh('dpkg --listfiles warren')
				for (const file of ['man/man1/warren.1.gz', 'man/man5/warren.conf.5.gz', 'man/man8/warrend.8.gz', 'bash-completion/completions/warren', 'zsh/vendor-completions/_warren'])
					assert.ok(files.includes(`/usr/share/${file}\n`), file)
			})

			await step('systemd finds no fault in the units', () => {
				const said = box.try('systemd-analyze verify warrend@nodes.service warren.target warren.slice warren-selftest.timer warren-backup@nodes.timer warren-backup@nodes.service warren-scan@nodes.timer warren-scan@nodes.service')
				assert.strictEqual(said.code + said.out + said.err, '0')
			})

			await step('without a machine the unit refuses to start', () => {
				assert.notStrictEqual(box.try(`systemctl start ${UNIT}`).code, 0)
				assert.deepStrictEqual(at.pids(), [])
			})

			await step('a machine of three nodes is made, and started by systemd', async () => {
				box.sh('warrend create --operators warren-admin --readers warren')
				for (let node = 1; node <= 3; node++) box.sh('warren add --tier bronze --storage 64')
				box.sh(`systemctl enable --now ${UNIT}`)
				assert.strictEqual(at.show('ActiveState'), 'active')
				await at.ready()
				assert.strictEqual(at.status().processes.length, 12)
				wallets = at.status().nodes.map((n) => n.wallet)
				assert.strictEqual(new Set(wallets).size, 3)
			})

			await step('a blob is stored on node 1, read back, and is on no other', () => {
				const bytes = Buffer.alloc(300000, 'warren')
				cid = at.put(5001, bytes)
				sum = box.sh('sha256sum', { input: bytes })
				assert.strictEqual(at.get(5001, cid), sum)
				assert.strictEqual(at.code(5101, cid), '404')
				assert.strictEqual(at.code(5201, cid), '404')
			})

			await step('the supervisor has exactly the listed capabilities, the processes none', () => {
				const had = at.mask(1, 'CapBnd') // what this container has at all
				for (const name of ['CapBnd', 'CapPrm', 'CapEff']) assert.strictEqual(at.mask(at.main(), name), LISTED & had, name)
				assert.strictEqual(at.mask(at.main(), 'CapAmb'), 0n)
				// nspawn gives its first process an inheritable set, which systemd of Debian 13 hands on as far as the unit allows.
				assert.strictEqual(at.mask(at.main(), 'CapInh') & ~LISTED, 0n)
				for (const { pid } of at.status().processes) {
					for (const name of ['CapBnd', 'CapPrm', 'CapEff', 'CapInh', 'CapAmb']) assert.strictEqual(at.mask(pid, name), 0n, `${name} of ${pid}`)
					assert.strictEqual(at.proc(pid, 'NoNewPrivs'), '1')
				}
			})

			await step('all walls stand that the kernel can build', () => {
				const said = box.try('warren doctor').out
				assert.match(said, /12 of 12 processes are ready/)
				assert.deepStrictEqual((said.match(/wall "\w+" is missing/g) || []).filter((m) => !m.includes('secrets')), [])
			})

			await step('memory and tasks are limited by control groups', () => {
				const { pid } = at.process('wallet@1')
				const own = (kind) => box.sh(`sed -n 's/^[0-9]*:${kind}:\\(.*\\)/\\1/p' /proc/${pid}/cgroup`)
				assert.match(own('memory'), /\/warren-\d+\/node1\/wallet$/)
				assert.strictEqual(box.sh(`cat /sys/fs/cgroup/memory${own('memory')}/memory.limit_in_bytes`), String(64 << 20))
				assert.strictEqual(box.sh(`cat /sys/fs/cgroup/pids${own('pids')}/pids.max`), '64')
			})

			await step('a node has a group of its own, with a limit on all of it', async () => {
				at.set('node1.conf', 'memory_mb = 512;')
				box.sh('warren reload; warren restart 1')
				await at.ready()
				const groups = box.sh(`find /sys/fs/cgroup/memory -path '*/warren-*/node1*' -name memory.limit_in_bytes -printf '%p ' -exec cat {} ';'`)
				const limits = Object.fromEntries([...groups.matchAll(/\/warren-\d+\/(\S+)\/memory\.limit_in_bytes (\d+)/g)].map((m) => [m[1], Number(m[2]) / (1 << 20)]))
				assert.deepStrictEqual(limits, { node1: 512, 'node1/gateway': 256, 'node1/store': 256, 'node1/wallet': 64 }, groups)
				at.set('node1.conf', 'memory_mb = 0;')
				box.sh('warren reload; warren restart 1')
				await at.ready()
				assert.ok(Number(box.sh(`cat "$(find /sys/fs/cgroup/memory -path '*/warren-*/node1/memory.limit_in_bytes')"`)) > 2 ** 50, 'none again')
			})

			await step('the journal has each process by its name, with the priorities of its levels', async () => {
				await box.until('lines of store@1', () => /store@1\[\d+\] store\.opened/.test(box.sh(`journalctl -u ${UNIT} -t store@1 -o cat`)))
				for (const who of ['broker', 'gateway@3', 'wallet@2'])
					assert.ok(box.sh(`journalctl -u ${UNIT} -t ${who} -o cat`).includes(`${who}[`), who)
				const { pid } = at.process('gateway@1')
				box.sh(`kill -STOP ${pid}`)
				await box.until('the kill is in the journal', () => box.sh(`journalctl -u ${UNIT} -t warrend -o cat`).includes(`pid=${pid}`))
				assert.ok(box.sh('warren logs store@1').includes('store.opened'), 'and `warren logs` has it too')
				await at.ready()
			})

			await step('a process that hangs is replaced, and the unit goes on', async () => {
				const main = at.main(), { pid } = at.process('store@1')
				box.sh(`kill -STOP ${pid}`)
				await box.until('store@1 is replaced', () => { const p = at.process('store@1'); return p.state === 'ready' && p.pid !== pid })
				assert.strictEqual(at.main(), main)
				assert.strictEqual(at.get(5001, cid), sum)
			})

			await step('a supervisor that hangs is killed by systemd and started again', async () => {
				const main = at.main(), before = at.pids()
				box.sh(`kill -STOP ${main}`)
				await box.until('there is another', () => { const now = at.main(); return now && now !== main && at.show('ActiveState') === 'active' }, 60000)
				assert.strictEqual(at.show('NRestarts'), '1')
				assert.ok(box.sh(`journalctl -u ${UNIT} -o cat`).includes('Watchdog timeout'))
				await at.ready()
				assert.ok(at.pids().every((pid) => !before.includes(pid)), 'somebody is left of before')
				assert.strictEqual(at.get(5001, cid), sum)
			})

			await step('a supervisor that is killed leaves no process', async () => {
				const before = at.pids()
				box.sh(`mkdir -p /run/systemd/system/${UNIT}.service.d; printf '[Service]\\nRestart=no\\n' > /run/systemd/system/${UNIT}.service.d/x.conf; systemctl daemon-reload`)
				box.sh(`kill -KILL ${at.main()}`)
				await box.until('the unit has failed', () => at.show('ActiveState') === 'failed')
				await box.until('all are gone', () => at.pids().length === 0, 5000)
				assert.ok(before.length >= 13)
				box.sh(`rm -r /run/systemd/system/${UNIT}.service.d; systemctl daemon-reload; systemctl reset-failed ${UNIT}; systemctl start ${UNIT}`)
				await at.ready()
				assert.strictEqual(at.get(5001, cid), sum)
			})

			await step('systemctl stop waits for an upload under way, says so, and what was acknowledged is there', async () => {
				fs.writeFileSync(path.join(box.root, 'opt/body'), Buffer.alloc(3 << 20, 'drained '))
				fs.writeFileSync(path.join(box.root, 'opt/upload'), UPLOAD)
				const [, minutes, seconds] = /^(?:(\d+)min)? ?(?:(\d+)s)?$/.exec(at.show('TimeoutStopUSec'))
				assert.ok(Number(minutes || 0) * 60 + Number(seconds || 0) > 90 + 10, 'longer than the longest stop_drain_s and the end')
				at.set('warren.conf', 'stop_drain_s = 90;')
				box.sh('warren reload')
				await at.upload()
				at.stop()
				await box.until('systemd knows what is waited for', () => /Draining: waits for the work of gateway@1; \d+ s more at most/.test(at.show('StatusText')))
				assert.strictEqual(at.show('ActiveState'), 'deactivating')
				assert.strictEqual(box.sh("curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:5001/health"), '503')
				box.sh('touch /run/go')
				await at.stopped()
				assert.strictEqual(at.show('Result'), 'success')
				const answer = box.sh('cat /run/answer')
				assert.match(answer, /^HTTP\/1\.1 201 /)
				box.sh(`systemctl start ${UNIT}`)
				await at.ready()
				assert.strictEqual(at.get(5001, /"cid":"(\w+)"/.exec(answer)[1]), box.sh('sha256sum </opt/body'))
			})

			await step('an endless one is cut at the limit, with a sentence in the journal; a second SIGTERM does not wait for that', async () => {
				const said = (words) => box.sh(`journalctl -u ${UNIT} -t warrend -o cat`).includes(words)
				at.set('warren.conf', 'stop_drain_s = 2;')
				box.sh('warren reload')
				await at.upload()
				at.stop()
				await at.stopped()
				assert.strictEqual(at.show('Result'), 'success')
				await box.until('it is said', () => said('why="the time was up; what gateway@1 had under way is cut"'))
				assert.strictEqual(box.try('grep -c 201 /run/answer').out.trim() || '0', '0')
				at.set('warren.conf', 'stop_drain_s = 90;')
				box.sh(`systemctl start ${UNIT}`)
				await at.ready()
				await at.upload()
				at.stop()
				await box.until('it drains', () => /Draining/.test(at.show('StatusText')))
				box.sh(`systemctl kill --kill-whom=main --signal=TERM ${UNIT}`)
				await at.stopped()
				await box.until('it is said', () => said('stop.hurried'))
				box.sh(`systemctl start ${UNIT}`)
				await at.ready()
				assert.strictEqual(at.get(5001, cid), sum)
			})

			await step('the daily backup: skipped until there is a passphrase, then a file that root alone reads', () => {
				const journal = () => box.sh('journalctl -u warren-backup@nodes.service -o cat')
				box.sh('systemctl enable --now warren-backup@nodes.timer; systemctl start warren-backup@nodes.service')
				assert.match(box.sh('systemctl list-timers --all --no-legend'), /warren-backup@nodes\.timer/)
				assert.match(journal(), /\/etc\/credstore\/warren\.nodes\.backup[^]*skipped/)
				assert.strictEqual(box.sh('ls -A /var/backups/warren'), '')
				box.sh("install -d -m 0700 /etc/credstore; umask 077; echo 'a long passphrase' >/etc/credstore/warren.nodes.backup")
				box.sh('systemctl start warren-backup@nodes.service || { journalctl -u warren-backup@nodes.service -o cat; exit 1; }', { timeout: 600000 })
				const file = /backup: (\/var\/backups\/warren\/nodes-\d{8}T\d{6}Z\.backup)/.exec(journal())[1]
				assert.strictEqual(box.sh('ls -A /var/backups/warren'), path.basename(file))
				assert.strictEqual(box.sh(`stat -c '%a %U' ${file}; [ -s ${file} ] || echo empty`), '600 root')
			})

			await step('the selftest of the weekly timer finds every wall standing', () => {
				box.sh('systemctl start warren-selftest.service', { timeout: 600000 })
				assert.match(box.sh('journalctl -u warren-selftest.service -o cat'), /held|passed|ok/)
				assert.strictEqual(at.show('ActiveState'), 'active')
			})

			await step('the unlock secret may be a credential of the unit', async () => {
				box.sh(`systemctl stop ${UNIT}`)
				assert.strictEqual(at.show('Result'), 'success')
				box.sh('install -d -m 0700 /etc/credstore; mv /var/lib/warren/nodes/machine/unlock /etc/credstore/warren.nodes.unlock')
				box.sh(`systemctl start ${UNIT}`)
				await at.ready()
				assert.strictEqual(at.get(5001, cid), sum)
				assert.deepStrictEqual(at.status().nodes.map((n) => n.wallet), wallets)
				const jailed = box.sh(`cat /proc/${at.process('wallet@1').pid}/environ | tr '\\0' '\\n'`)
				assert.ok(!jailed.includes('CREDENTIALS_DIRECTORY'), jailed)
			})

			await step('an upgrade restarts the machines one after the other; data and wallets stay', async () => {
				box.sh('warrend --root /var/lib/warren/second create --name second')
				box.sh('warrend --root /var/lib/warren/second add --tier bronze --storage 64 --port 6001')
				box.sh('systemctl start warrend@second')
				const before = [at.main(), at.main('warrend@second')]
				box.sh('dpkg --install /opt/debs/higher.deb')
				const after = [at.main(), at.main('warrend@second')]
				assert.ok(after[0] && after[1] && after[0] !== before[0] && after[1] !== before[1])
				const down = Number(at.show('InactiveExitTimestampMonotonic', 'warrend@second'))
				assert.ok(down >= Number(at.show('ActiveEnterTimestampMonotonic')), 'the second began when the first was ready')
				await at.ready()
				assert.strictEqual(at.get(5001, cid), sum)
				assert.deepStrictEqual(at.status().nodes.map((n) => n.wallet), wallets)
			})

			await step('with restart-by-hand an upgrade touches no machine and says what to type', () => {
				const before = at.pids()
				box.sh('mkdir -p /etc/warren; touch /etc/warren/restart-by-hand')
				assert.match(box.sh('dpkg --install /opt/debs/highest.deb'), /systemctl restart warrend@nodes\.service/)
				assert.deepStrictEqual(at.pids(), before)
			})

			await step('removing stops everything in order and keeps every byte', () => {
				box.sh('dpkg --remove warren')
				assert.deepStrictEqual(at.pids(), [])
				for (const file of ['etc/warren.conf', 'node1/storage', 'node1/keys', 'machine/uids'])
					box.sh(`test -e /var/lib/warren/nodes/${file}`)
				assert.notStrictEqual(box.try(`systemctl start ${UNIT}`).code, 0)
			})

			await step('purging keeps the keys and says where they are; installed again, the machine is what it was', async () => {
				assert.match(box.sh('dpkg --purge warren 2>&1'), /\/var\/lib\/warren stay, with their keys[^]*the backups in \/var\/backups\/warren stay too/)
				assert.strictEqual(box.sh('ls /etc/systemd/system/timers.target.wants 2>/dev/null | grep -c warren || true'), '0')
				assert.strictEqual(box.sh('ls /etc/systemd/system/multi-user.target.wants | grep -c warrend || true'), '0')
				box.sh('dpkg --install /opt/debs/warren.deb')
				box.sh(`systemctl start ${UNIT}`)
				await at.ready()
				assert.strictEqual(at.get(5001, cid), sum)
				assert.deepStrictEqual(at.status().nodes.map((n) => n.wallet), wallets)
			})

			await step('purging where no machine is leaves nothing', () => {
				box.sh('systemctl stop warren.target warrend@*; rm -r /var/lib/warren/nodes /var/lib/warren/second /etc/credstore/warren.*; rm /var/backups/warren/*')
				box.sh('dpkg --purge warren')
				assert.strictEqual(box.sh('find / -xdev -path /opt -prune -o -path /var/log -prune -o -path /var/lib/systemd -prune -o -name "*warren*" -print'), '')
			})
		} finally { await box.destroy() }
	})
}
