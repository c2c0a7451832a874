// A flame graph as SVG: how wide a frame is, is how much of the processor's time it and what it calls took; who calls stands below whom it
// calls. Made of stacks with their counts; frames too narrow to be seen are left out, so that a picture stays small. No library.
'use strict'

const WIDTH = 1000, ROW = 15, TOP = 52, PIXEL = 5.5 // a letter
const COLOURS = { ours: '#8fb8de', library: '#e9c46a', kernel: '#cccccc', process: '#a8d5ba' }
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c]))

// stacks: [{ frames: [{ name, kind }] from the outermost on, count }]. The tree of them.
function tree(stacks) {
	const top = { name: 'all', kind: 'process', count: 0, below: new Map() }
	for (const { frames, count } of stacks) {
		let at = top
		at.count += count
		for (const { name, kind } of frames) {
			if (!at.below.has(name)) at.below.set(name, { name, kind, count: 0, below: new Map() })
			at = at.below.get(name)
			at.count += count
		}
	}
	return top
}

// What is drawn of it: { name, kind, count, row, left }, none narrower than this share of all.
function boxes(top, share) {
	const drawn = []
	const place = (node, row, left) => {
		if (node.count < top.count * share) return
		drawn.push({ name: node.name, kind: node.kind, count: node.count, row, left })
		for (const child of [...node.below.values()].sort((a, b) => b.count - a.count)) {
			place(child, row + 1, left)
			left += child.count
		}
	}
	place(top, 0, 0)
	return drawn
}

function flame({ title, note, stacks, share = 0.004 }) {
	const top = tree(stacks)
	if (!top.count) throw new Error('there is no sample to draw')
	const drawn = boxes(top, share), rows = Math.max(...drawn.map((box) => box.row)) + 1
	const height = TOP + rows * ROW + 8, x = (count) => count / top.count * (WIDTH - 20)
	const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="10" role="img">`,
		`<title>${escape(title)}</title>`, `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
		`<text x="10" y="18" font-size="13">${escape(title)}</text>`, `<text x="10" y="34">${escape(note)}</text>`]
	Object.entries(COLOURS).forEach(([kind, colour], i) => out.push(`<rect x="${WIDTH - 300 + i * 74}" y="25" width="10" height="10" fill="${colour}"/>`,
		`<text x="${WIDTH - 286 + i * 74}" y="34">${kind}</text>`))
	for (const { name, kind, count, row, left } of drawn) {
		const width = x(count), letters = Math.floor((width - 4) / PIXEL), y = height - 8 - (row + 1) * ROW
		const label = letters >= name.length ? name : letters >= 4 ? `${name.slice(0, letters - 1)}…` : ''
		out.push(`<g><title>${escape(name)} ${(count / top.count * 100).toFixed(1)} %</title>` +
			`<rect x="${(10 + x(left)).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[kind]}"/>` +
			(label ? `<text x="${(12 + x(left)).toFixed(1)}" y="${y + 11}">${escape(label)}</text>` : '') + '</g>')
	}
	return out.join('\n') + '\n</svg>\n'
}

module.exports = { flame }
