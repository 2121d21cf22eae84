// Draws what bench.mjs has measured: nanoseconds of a look-up against how many are in a batch, and against how many streams there are. Readable
// in light and dark.

/** What is drawn, in this order: a class of the style sheet, its name, and the contenders of bench.mjs that are it. */
const series = [
  ['c', 'bare C', ['bare C']],
  ['addon', 'addon', ['addon']],
  ['facade', 'facade', ['facade', 'facade, prepared']],
  ['koffi', 'koffi', ['koffi', 'koffi, prepared']],
]

const light = {
  ink: '#1f2328',
  quiet: '#59636e',
  grid: '#d1d9e0',
  c: '#57606a',
  addon: '#0969da',
  facade: '#1a7f37',
  koffi: '#bc4c00',
}
const dark = {
  ink: '#f0f6fc',
  quiet: '#9198a1',
  grid: '#3d444d',
  c: '#b1bac4',
  addon: '#58a6ff',
  facade: '#56d364',
  koffi: '#ffa657',
}

const paint = ({ ink, quiet, grid, ...lines }) =>
  [
    `text { fill: ${quiet} } .title { fill: ${ink} } .grid { stroke: ${grid} }`,
    ...Object.entries(lines).map(([name, color]) => `.${name} { stroke: ${color} } .${name} circle { fill: ${color} }`),
  ].join(' ')

const style = `
    text { font: 12px system-ui, sans-serif }
    .title { font-weight: 600 }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round }
    .c path { stroke-dasharray: 5 4 }
    ${paint(light)}
    @media (prefers-color-scheme: dark) { ${paint(dark)} }`

const panel = { left: 64, top: 64, width: 330, height: 230, gap: 84 }
const width = 2 * (panel.left + panel.width) + panel.gap - panel.left + 24
const height = panel.top + panel.height + 56

/** Every look-up that was measured: `{ batch, streams, through, value }`. */
function selectLookups(rows) {
  return rows.flatMap(({ operation, through, value }) => {
    const [, size, streams] = /^(?:lookup into a buffer|batch of ([\d,]+)), ([\d,]+) streams$/.exec(operation) ?? []
    if (streams === undefined) return []
    const number = (text) => Number(text.replaceAll(',', ''))
    return [{ batch: size === undefined ? 1 : number(size), streams: number(streams), through, value }]
  })
}

/** The points of each series, by what stands on the axis. */
const select = (lookups, axis) =>
  series.map(([, , contenders]) =>
    lookups
      .filter(({ through }) => contenders.includes(through))
      .map((lookup) => [lookup[axis], lookup.value])
      .sort(([a], [b]) => a - b),
  )

/** A step of 1, 2 or 5 times a power of ten, of which at most five reach the value. */
function gridStep(value) {
  const power = 10 ** Math.floor(Math.log10(value / 5))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => value / step <= 5)
}

/** One panel: linear upwards from zero, logarithmic to the right. */
function drawPanel(index, title, axis, lines) {
  const points = lines.flat()
  const sizes = [...new Set(points.map(([size]) => size))].sort((a, b) => a - b)
  const step = gridStep(Math.max(...points.map(([, value]) => value)))
  const top = Math.ceil(Math.max(...points.map(([, value]) => value)) / step) * step
  const left = panel.left + index * (panel.width + panel.gap)
  const bottom = panel.top + panel.height
  const span = Math.log(sizes.at(-1) / sizes[0]) || 1
  const x = (size) => (left + 12 + (Math.log(size / sizes[0]) / span) * (panel.width - 24)).toFixed(1)
  const y = (value) => (bottom - (value / top) * panel.height).toFixed(1)

  const parts = [`<text class="title" x="${left}" y="${panel.top - 16}">${title}</text>`]
  for (let value = 0; value <= top; value += step) {
    parts.push(`<path class="grid" d="M${left} ${y(value)}h${panel.width}"/>`)
    parts.push(
      `<text x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value.toLocaleString('en')}</text>`,
    )
  }
  for (const size of sizes) {
    parts.push(`<text x="${x(size)}" y="${bottom + 18}" text-anchor="middle">${size.toLocaleString('en')}</text>`)
  }
  parts.push(`<text x="${left + panel.width / 2}" y="${bottom + 38}" text-anchor="middle">${axis}</text>`)
  lines.forEach((line, number) => {
    if (line.length === 0) return
    const [name] = series[number]
    const path = line.map(([size, value]) => `${x(size)} ${y(value)}`).join('L')
    const dots = line.map(([size, value]) => `<circle cx="${x(size)}" cy="${y(value)}" r="3"/>`).join('')
    parts.push(`<g class="line ${name}"><path d="M${path}"/>${dots}</g>`)
  })
  return parts.join('\n  ')
}

const legend = series
  .map(([name, title], index) => {
    const left = panel.left + index * 100
    return `<g class="line ${name}"><path d="M${left} 20h24"/></g><text x="${left + 30}" y="24">${title}</text>`
  })
  .join('\n  ')

/** An SVG of the rows of operations.json. */
export function draw(rows) {
  const lookups = selectLookups(rows)
  const least = Math.min(...lookups.map(({ streams }) => streams))
  const batches = lookups.filter(({ streams }) => streams === least)
  const singles = lookups.filter(({ batch }) => batch === 1)
  const label = `Nanoseconds of a look-up through ${series.map(([, title]) => title).join(', ')}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
  <style>${style}
  </style>
  ${legend}
  ${drawPanel(0, `ns per look-up, ${least.toLocaleString('en')} streams`, 'look-ups in a batch', select(batches, 'batch'))}
  ${drawPanel(1, 'ns per look-up, one at a time', 'streams with contexts', select(singles, 'streams'))}
</svg>
`
}
