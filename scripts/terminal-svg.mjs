// Draws what a terminal shows as an SVG: a dark window of its own, which reads alike on light and dark pages.

const columnWidth = 8.4
const lineHeight = 18
const padding = 16
const barHeight = 30

/** Colours of the terminal, by the number that selects them (SGR). */
const colours = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#79c0ff', 90: '#8b949e' }

/** Spaces are made ones that no renderer folds. */
const escaped = { ' ': '\u00a0', '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text) => text.replace(/[ &<>"]/g, (character) => escaped[character])

/** A line's runs of characters that look alike: `{ text, column, style }`. */
function* runsOf(line) {
  let style = ''
  let column = 0
  // eslint-disable-next-line no-control-regex -- what selects a colour begins with ESC
  for (const [, codes, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (text !== undefined) {
      yield { text, column, style }
      column += text.length
      continue
    }
    for (const code of codes.split(';').map(Number)) {
      if (code === 1) style += ' font-weight="bold"'
      else if (code in colours) style += ` fill="${colours[code]}"`
      else style = ''
    }
  }
}

/** What the terminal shows, without the codes that select colours. */
export function plain(text) {
  // eslint-disable-next-line no-control-regex -- likewise
  return text.replace(/\x1b\[[\d;]*m/g, '')
}

/** An SVG of a terminal that shows `text`. Characters keep their columns whatever font the reader has. */
export function drawTerminal(text, title) {
  const lines = text.trimEnd().split('\n')
  const columns = Math.max(...lines.map((line) => plain(line).length))
  const width = Math.ceil(columns * columnWidth + 2 * padding)
  const height = lines.length * lineHeight + barHeight + padding
  const rows = lines.flatMap((line, row) =>
    Array.from(runsOf(line), ({ text, column, style }) => {
      const x = (padding + column * columnWidth).toFixed(1)
      const y = barHeight + (row + 1) * lineHeight - 5
      const length = (text.length * columnWidth).toFixed(1)
      return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${style}>${escape(text)}</text>`
    }),
  )
  const buttons = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, index) => `<circle cx="${padding + 6 + index * 18}" cy="${barHeight / 2}" r="5.5" fill="${fill}"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#0d1117" stroke="#484f58"/>
${buttons.join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace" font-size="14" fill="#e6edf3">
${rows.join('\n')}
</g>
</svg>
`
}
