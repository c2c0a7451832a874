// Line charts as SVG, for pages: logarithmic axes, a mark at each figure, its value beside it. No library: a chart is thirty lines.
'use strict'

const WIDTH = 640, HEIGHT = 300, LEFT = 70, RIGHT = 150, TOP = 34, BOTTOM = 44
const COLOURS = ['#1b6ca8', '#c0562b', '#3a7d44', '#7a4b9c', '#555555']
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c]))
const short = (value) => value >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : value >= 1e3 ? `${+(value / 1e3).toPrecision(3)}k` : `${+value.toPrecision(3)}`

function scale(values, from, to) {
	const low = Math.log10(Math.min(...values)), high = Math.log10(Math.max(...values)), span = high - low || 1
	return (value) => from + (Math.log10(value) - low) / span * (to - from)
}

// series: { name: [[x, y], …] }, all above 0.
function plot({ title, x, y, series }) {
	const points = Object.values(series).flat()
	const xs = [...new Set(points.map((p) => p[0]))].sort((a, b) => a - b), ys = points.map((p) => p[1])
	const at_x = scale(xs, LEFT, WIDTH - RIGHT)
	const at_y = scale([Math.min(...ys) / 1.5, Math.max(...ys) * 1.5], HEIGHT - BOTTOM, TOP)
	const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" role="img">`,
		`<title>${escape(title)}</title>`, `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
		`<text x="${LEFT}" y="18" font-size="13">${escape(title)}</text>`]
	for (const value of xs) out.push(`<line x1="${at_x(value).toFixed(1)}" y1="${TOP}" x2="${at_x(value).toFixed(1)}" y2="${HEIGHT - BOTTOM}" stroke="#dddddd"/>`,
		`<text x="${at_x(value).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${short(value)}</text>`)
	out.push(`<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escape(x)}</text>`,
		`<text x="14" y="${(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})">${escape(y)}</text>`)
	Object.entries(series).forEach(([name, line], i) => {
		const colour = COLOURS[i % COLOURS.length], where = line.map(([a, b]) => [at_x(a).toFixed(1), at_y(b).toFixed(1)])
		out.push(`<polyline fill="none" stroke="${colour}" stroke-width="1.6" points="${where.map((p) => p.join(',')).join(' ')}"/>`)
		where.forEach(([cx, cy], j) => out.push(`<circle cx="${cx}" cy="${cy}" r="2.6" fill="${colour}"/>`,
			`<text x="${cx}" y="${(cy - 6).toFixed(1)}" text-anchor="middle" fill="${colour}">${short(line[j][1])}</text>`))
		out.push(`<text x="${WIDTH - RIGHT + 12}" y="${where.at(-1)[1]}" fill="${colour}">${escape(name)}</text>`)
	})
	return out.join('\n') + '\n</svg>\n'
}

module.exports = { plot }
