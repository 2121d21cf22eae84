// `npm run bench`, last part: how long a program waits before it can do anything, each time in a process of its own; and how much C++ there is.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, root } from '../../scripts/run.mjs'

import { atMost, median, Report } from './report.mjs'

const processes = 15
/** Lines of C++ that an addon takes which encodes and decodes by itself: a transport is to do with two thirds of them. */
const codecLines = 4052

/** Node.js has its loader of modules ready when the time begins. */
const program = `
  import('node:path').then(async () => {
    const start = process.hrtime.bigint()
    const { openFilter } = await import(process.argv[1])
    const imported = process.hrtime.bigint()
    const filter = openFilter()
    console.log(Number(imported - start) / 1e6, Number(process.hrtime.bigint() - imported) / 1e6)
    filter.close()
  })
`

function startOnce() {
  const { status, output } = capture(process.execPath, ['-e', program, join(root, 'dist', 'index.mjs')])
  if (status !== 0) throw new CommandError(output)
  return output.trim().split(' ').map(Number)
}

const report = new Report('start', 'value')
const times = Array.from({ length: processes }, startOnce)
report.measure(
  'import of the package, ms',
  median(times.map(([imported]) => imported)),
  atMost(
    15,
    'most of it is V8 compiling the one file that the library is, then Node.js finding that and the addon',
    '15',
  ),
)
report.measure(
  'first openFilter(), ms',
  median(times.map(([, opened]) => opened)),
  atMost(3, 'the embedded kernel boots, and loads the driver', '3'),
)

const binding = join(root, 'binding')
const lines = readdirSync(binding)
  .filter((name) => /\.(cc|h)$/.test(name))
  .reduce((sum, name) => sum + readFileSync(join(binding, name), 'utf8').split('\n').length - 1, 0)
report.measure(
  'lines of C++ in binding/',
  lines,
  atMost(
    Math.floor((codecLines * 2) / 3),
    "also in it: what the command line asks Windows about the driver's service and the system, and what acts on files, which no request passes through",
    '2/3 of 4052',
  ),
)
report.finish()
