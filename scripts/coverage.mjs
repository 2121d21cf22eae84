/**
 * How much of the driver its C tests run: clang's source-based coverage of driver/src, in lines, branches and conditions (MC/DC), by room.
 *
 *     npm run coverage -- [--list]
 *
 * Each room has its thresholds in test/covered/thresholds.json. Each line that no test runs stands in test/covered/uncovered.json, with the
 * reason, by what it says: a line that is run and listed fails, and so does one that is neither. `--list` prints those in the file's form.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

import { capture, root, run } from './run.mjs'

const directory = join(root, 'build', 'coverage')
const profiles = join(directory, 'profiles')
const thresholds = JSON.parse(readFileSync(join(root, 'test', 'covered', 'thresholds.json'), 'utf8'))
const listed = JSON.parse(readFileSync(join(root, 'test', 'covered', 'uncovered.json'), 'utf8'))
const { values } = parseArgs({ options: { list: { type: 'boolean', default: false } } })
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }

const options = '-fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc'
run(
  'cmake',
  [
    ...[
      '-S',
      '.',
      '-B',
      directory,
      '-DPSCTX_ADDON=OFF',
      '-DPSCTX_TESTS=ON',
      '-DCMAKE_BUILD_TYPE=Debug',
      '--log-level=WARNING',
    ],
    ...[
      '-DCMAKE_C_COMPILER=clang-19',
      '-DCMAKE_CXX_COMPILER=clang++-19',
      `-DCMAKE_C_FLAGS=${options} -O1 -Wno-error`,
      `-DCMAKE_EXE_LINKER_FLAGS=${options}`,
    ],
  ],
  quiet,
)
run('nice', ['-n', '10', 'cmake', '--build', directory, '--parallel', '2'], quiet)
rmSync(profiles, { recursive: true, force: true })
mkdirSync(profiles, { recursive: true })
run(
  'nice',
  ['-n', '10', 'ctest', '--test-dir', directory, '--timeout', '600', '--output-on-failure', '-R', 'driver|filter'],
  {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LLVM_PROFILE_FILE: join(profiles, '%p-%m.profraw') },
  },
)
const merged = join(directory, 'merged.profdata')
run('llvm-profdata-19', [
  'merge',
  '--sparse',
  '-o',
  merged,
  ...readdirSync(profiles).map((name) => join(profiles, name)),
])
const programs = readdirSync(join(directory, 'test', 'driver'))
  .filter((name) => /^(driver_[a-z]+|filter_tests)$/.test(name))
  .map((name) => join(directory, 'test', 'driver', name))
const objects = programs.flatMap((program, index) => (index === 0 ? [program] : ['-object', program]))
const { status, output } = capture('llvm-cov-19', [
  'export',
  `-instr-profile=${merged}`,
  ...objects,
  join(root, 'driver', 'src'),
])
if (status !== 0) throw new Error('llvm-cov found nothing to tell')
const files = JSON.parse(output).data[0].files

/** The lines of a file that hold code which no test has run. */
function uncoveredLines({ filename, segments }) {
  const lines = readFileSync(filename, 'utf8').split('\n')
  const uncovered = new Set()
  segments.forEach(([line, column, count, hasCount, , isGap], index) => {
    if (!hasCount || isGap || count > 0) return
    const [lastLine, lastColumn] = segments[index + 1] ?? [line, column]
    for (let number = line; number <= lastLine; number += 1) {
      const from = number === line ? column - 1 : 0
      const to = number === lastLine ? lastColumn - 1 : undefined
      if (/\w/.test(lines[number - 1].slice(from, to))) uncovered.add(number)
    }
  })
  return [...uncovered].map((number) => ({ file: relative(root, filename), number, line: lines[number - 1].trim() }))
}

const rooms = new Map()
for (const { filename, summary } of files) {
  const room = relative(join(root, 'driver', 'src'), filename).split('/')[0]
  for (const name of [room, 'all']) {
    if (!rooms.has(name)) rooms.set(name, { lines: [0, 0], branches: [0, 0], mcdc: [0, 0] })
    for (const [kind, sum] of Object.entries(rooms.get(name))) {
      sum[0] += summary[kind].covered
      sum[1] += summary[kind].count
    }
  }
}
let failures = 0
for (const [room, kinds] of rooms) {
  const wanted = thresholds[room] ?? thresholds.default
  const figures = Object.entries(kinds).map(([kind, [covered, count]]) => {
    const percent = count === 0 ? 100 : (100 * covered) / count
    if (percent < wanted[kind]) failures += 1
    return `${kind} ${percent.toFixed(1)} % (${covered}/${count})${percent < wanted[kind] ? ` below ${wanted[kind]} %` : ''}`
  })
  console.log(`${room.padEnd(10)} ${figures.join(', ')}`)
}

const places = files.flatMap(uncoveredLines)
const same = (one, other) => one.file === other.file && one.line === other.line
const unlisted = places.filter((place) => !listed.some((entry) => same(entry, place)))
const outdated = listed.filter((entry) => !places.some((place) => same(entry, place)))
if (values.list)
  console.log(
    JSON.stringify(
      places.map(({ file, line }) => ({ file, line, reason: '' })),
      undefined,
      2,
    ),
  )
for (const { file, number, line } of unlisted)
  console.log(`${file}:${number}: not run by any test, and not listed: ${line}`)
for (const { file, line } of outdated) console.log(`${file}: listed as not run, and is: ${line}`)
process.exitCode = failures + unlisted.length + outdated.length === 0 ? 0 : 1
