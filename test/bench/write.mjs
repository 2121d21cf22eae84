// `node test/bench/write.mjs`: records the last run of `npm run bench` in docs/performance.json, and makes docs/performance.md, the plot and
// README's line about speed of that. `--check [DIRECTORY]` changes nothing, and tells what is not as it would be made.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../../scripts/run.mjs'

import { makeDocument, makeHeadline } from './document.mjs'
import { draw } from './plot.mjs'

const names = ['operations', 'iterators', 'start', 'lines', 'passthrough', 'tracking', 'ending']
const isCheck = process.argv[2] === '--check'
const home = (isCheck && process.argv[3]) || root
const record = join(home, 'docs', 'performance.json')
const read = (path) => readFileSync(path, 'utf8')

function recordRun() {
  const load = (name) => JSON.parse(read(join(root, 'build', 'bench', `${name}.json`)))
  const parts = Object.fromEntries(names.map((name) => [name, load(name)]))
  mkdirSync(join(home, 'docs'), { recursive: true })
  const run = { date: new Date().toISOString().slice(0, 10), parts }
  writeFileSync(record, `${JSON.stringify(run, null, 2)}\n`)
}

/** README with its line between the marks. */
const replaceHeadline = (readme, headline) =>
  readme.replace(
    /(<!-- performance -->\n)[\s\S]*?(\n<!-- \/performance -->)/,
    (_, start, end) => start + headline + end,
  )

if (!isCheck) recordRun()
const run = JSON.parse(read(record))
const readme = join(home, 'README.md')
const made = [
  [join(home, 'docs', 'performance.md'), makeDocument(run)],
  [join(home, 'docs', 'performance.svg'), draw(run.parts.operations.rows)],
  [readme, replaceHeadline(read(readme), makeHeadline(run))],
]
for (const [path, text] of made) {
  if (!isCheck) writeFileSync(path, text)
  else if (read(path) !== text) {
    console.error(`${path} is not what test/bench/write.mjs makes of docs/performance.json`)
    process.exitCode = 1
  }
}
