// Control groups of version 2, and every capability of the unit: in a virtual machine with Debian's own kernel, as neither can
// be had in a container of a machine that has version 1. Minutes, as its processor is emulated: only with --long.
'use strict'
const test = require('node:test')
const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Container, run, whyNot, hostDebian } = require('./container.js')

const asked = process.argv.includes('--long') || process.env.WARREN_LONG
const tools = ['qemu-system-x86_64', 'cpio'].filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
const why = whyNot() || (!asked && 'minutes in an emulated processor: only with --long') ||
	(tools.length && `${tools.join(' and ')} not installed (scripts/packages virtual)`) ||
	(process.arch !== 'x64' && 'it is written for amd64')
if (why) {
	console.log(why)
	process.exit(77)
}

// Each line of what it prints is a name, "=" and a value; the last of a name counts.
const TRY = `
unit=warrend@nodes
group=/sys/fs/cgroup/warren.slice/$unit.service
main() { systemctl show -P MainPID $unit; }
ready() { for i in $(seq 300); do warren status --json 2>/dev/null | grep -q '"state"' &&
	! warren status --json | tr ',' '\\n' | grep '"state"' | grep -qv ready && return; sleep 1; done; warren status; }
limits() { find $group/warren-*/ -mindepth 1 -type d | while read -r g; do printf '%s.%s=%s %s %s\\n' "$1" "\${g#$group/warren-*/}" "$(cat $g/memory.max)" "$(cat $g/pids.max)" "$(wc -l <$g/cgroup.procs)"; done; }
dpkg --install /opt/warren.deb >/dev/null 2>&1; echo installed=$?
warrend create >/dev/null
warren add --tier bronze --storage 16 >/dev/null
echo 'memory_mb = 512;' >>/var/lib/warren/nodes/etc/node1.conf
systemctl start $unit; echo started=$?
ready
limits first
for c in CapBnd CapPrm CapEff CapAmb; do echo $c=$(sed -n "s/^$c:.//p" /proc/$(main)/status); done
echo missing=$(warren doctor | grep -o 'wall "[a-z]*"' | tr -d '\\n')
was=$(main)
echo 65536 >$group/warren-$was/node1/gateway/memory.max
for i in $(seq 120); do warren logs warrend >/dev/null 2>&1; [ "$(journalctl -k -o cat | grep -c 'Memory cgroup out of memory.*(gateway@1)')" != 0 ] && break; sleep 1; done
echo oom=$(journalctl -k -o cat | grep -c 'Memory cgroup out of memory.*(gateway@1)')
sleep 2; ready
echo same=$([ "$was" = "$(main)" ] && echo yes)
kill -KILL $was
for i in $(seq 120); do now=$(main); [ "$now" != 0 ] && [ "$now" != $was ] && [ "$(systemctl is-active $unit)" = active ] && break; sleep 1; done
ready
echo again=$([ "$now" != $was ] && systemctl is-active $unit)
limits second
echo trees=$(ls -d $group/warren-* | wc -l)
systemctl stop $unit; echo stopped=$? result=$(systemctl show -P Result $unit)
echo left=$(pgrep -c '^(warren|(broker|scribe|steward|herald|meter|chain|anvil)$|(store|wallet|gateway)@)')
`

test('under version 2 of control groups', () => {
	const deb = process.env.WARREN_DEB || (hostDebian() === '12' ? run('scripts/package', []) :
		run('tests/package/build', [run('tests/package/base', ['12', 'build']), 'build/package/for-12'])).split('\n')[0]
	const box = Container.unpack(run('tests/package/base', ['12', 'vm']), 'virtual')
	try {
		fs.copyFileSync(deb, path.join(box.root, 'opt/warren.deb'))
		fs.writeFileSync(path.join(box.root, 'opt/try'), TRY)
		const said = run('tests/package/virtual', [box.root])
		// The serial line is a terminal, so the console shows on it what it waits for, and clears that (CSI K) before it goes on.
		const is = Object.fromEntries(said.split('\n').map((line) => line.replace(/^.*\x1b\[K/, '')).map((line) => /^([\w./-]+)=(.*)$/.exec(line)).filter(Boolean).map((m) => [m[1], m[2]]))
		assert.deepStrictEqual([is.installed, is.started], ['0', '0'], said)
		for (const when of ['first', 'second'])
			assert.deepStrictEqual(Object.entries(is).filter(([name]) => name.startsWith(`${when}.`)).map(([name, value]) => [name.slice(when.length + 1), value]).sort(), [
				['broker', `${256 << 20} 64 1`], ['node1', `${512 << 20} max 0`], ['node1/gateway', `${256 << 20} 64 1`], ['node1/store', `${256 << 20} 64 1`],
				['node1/wallet', `${64 << 20} 64 1`], ['scribe', `${64 << 20} 64 1`], ['steward', `${64 << 20} 64 1`]], said)
		for (const name of ['CapBnd', 'CapPrm', 'CapEff']) assert.strictEqual(is[name], '00000000012011eb', name)
		assert.strictEqual(is.CapAmb, '0000000000000000')
		// Debian 12's kernel: Landlock without ports and scopes, no memfd_secret unless the command line asks for it.
		assert.match(is.missing, /^wall "ports"wall "scopes"(wall "secrets")?$/)
		assert.ok(Number(is.oom) >= 1, 'the process over its limit was killed by the kernel')
		assert.strictEqual(is.same, 'yes', 'and the unit went on')
		assert.deepStrictEqual([is.again, is.trees], ['active', '1'], said)
		assert.deepStrictEqual([is.stopped, is.left], ['0 result=success', '0'], said)
	} finally { fs.rmSync(box.folder, { recursive: true }) }
})
