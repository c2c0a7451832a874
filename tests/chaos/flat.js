// What a process holds, again and again, and whether it grows: memory by a slope that single jumps do not bend, descriptors and
// threads by what they come down to. RELIABILITY C1 row 22.
'use strict'
const fs = require('node:fs')

const HOUR = 3600e3

// KiB of one process, its descriptors and threads; null once it is gone. `own` is what it has written and nobody else holds: the
// kernel drops and shares pages of programs and files as it likes, so neither RSS nor PSS stands still in a process that does.
function look(pid) {
	try {
		const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
		const kib = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)[1])
		return {
			rss: kib('Rss'), pss: kib('Pss'), own: kib('Anonymous') + kib('Pss_Shmem'),
			fds: fs.readdirSync(`/proc/${pid}/fd`).length, threads: fs.readdirSync(`/proc/${pid}/task`).length,
		}
	} catch (error) {
		if (error.code === 'ENOENT' || error.code === 'ESRCH') return null
		throw error
	}
}

const median = (values) => {
	const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1
	return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

// KiB an hour by Theil and Sen: the median of the slopes between all pairs. Up to 29 % of the samples may lie anywhere.
function slope(samples, what = 'own') {
	const slopes = []
	for (let i = 0; i < samples.length; i++)
		for (let j = i + 1; j < samples.length; j++)
			slopes.push((samples[j][what] - samples[i][what]) / (samples[j].at - samples[i].at))
	return slopes.length ? median(slopes) * HOUR : 0
}

// Of samples {at: ms, rss, pss, own, fds, threads} of one process: what it holds, how it grows, and what is said against it.
function judge(samples, { percent = 1, chanceKib = 64 } = {}) { // one connection more at once than ever before costs some 40 KiB, and that may come late
	const third = Math.max(1, Math.floor(samples.length / 3)), first = samples.slice(0, third), last = samples.slice(-third)
	const least = (part, what) => Math.min(...part.map((sample) => sample[what]))
	const tally = {
		samples: samples.length, own: median(samples.map((s) => s.own)), pss: median(samples.map((s) => s.pss)), rss: median(samples.map((s) => s.rss)),
		perHour: slope(samples), fds: [least(first, 'fds'), least(last, 'fds')], threads: [least(first, 'threads'), least(last, 'threads')],
	}
	tally.percent = 100 * tally.perHour / tally.rss // RELIABILITY counts in RSS; what the kernel drops of it does not hide a leak
	tally.ownPercent = 100 * tally.perHour / tally.own
	tally.against = []
	if (tally.perHour > tally.rss * percent / 100 + chanceKib) tally.against.push(`its memory grows by ${tally.percent.toFixed(2)} % (${Math.round(tally.perHour)} KiB) an hour, of ${Math.round(tally.rss)}`)
	for (const what of ['fds', 'threads'])
		if (tally[what][1] > tally[what][0]) tally.against.push(`${what}: never fewer than ${tally[what][0]}, at the end than ${tally[what][1]}`)
	return tally
}

module.exports = { look, judge, slope, median }
