/**
 * How much its tests run of the driver, of the addon and of the library: lines, and for the driver branches and conditions (MC/DC).
 *
 *     npm run coverage -- [--list] [driver] [library]
 *
 * Each room of the driver, and each of the others as a whole, has its thresholds in test/covered/thresholds.json: of all that there is, and
 * of what there is but for the excused. test/covered/uncovered.json excuses what no test runs, by what it says and with the reason: of the
 * driver every line that is not run, and such branches and conditions as none can. A place that is run and listed fails, and so does a
 * line of the driver that is neither. `--list` prints those that are neither in the file's form.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { driver, library } from './measure/suites.mjs'
import { oneOf, runScript } from './options.mjs'
import { root } from './run.mjs'
import { demand } from './setup.mjs'

const read = (name) => JSON.parse(readFileSync(join(root, 'test', 'covered', name), 'utf8'))
const thresholds = read('thresholds.json')
const listed = read('uncovered.json')
let failures = 0
const unlisted = []

const isListed = (place) =>
  listed.some(({ file, line, condition, never }) => {
    if (file !== place.file || line !== place.line || condition !== place.condition) return false
    return condition === undefined || never === place.never || (place.implied ?? []).includes(never)
  })

/** What is excused of a file: lines by themselves; branches and conditions also by the line that is not run. */
function excusedIn({ lines, branches, mcdc }) {
  const notRun = new Set(lines.filter(isListed).map(({ number }) => number))
  const isExcused = (place) => notRun.has(place.number) || isListed(place)
  unlisted.push(...[...lines, ...branches, ...mcdc].filter((place) => !isExcused(place)))
  return {
    lines: notRun.size,
    branches: branches.filter(isExcused).length,
    mcdc: mcdc.filter(isExcused).length,
  }
}

/** One line for a room: each figure of all that there is, and in brackets but for the excused. */
function tell(room, kinds) {
  const wanted = thresholds[room] ?? thresholds.default
  const figures = Object.entries(kinds).map(([kind, { covered, count, excused }]) => {
    const percent = (whole) => (whole <= 0 ? 100 : Math.min(100, (100 * covered) / whole))
    const [all, least] = [percent(count), percent(count - excused)]
    const [wantedOfAll, wantedOfLeast = 0] = [wanted[kind]].flat()
    const isBelow = all < wantedOfAll || least < wantedOfLeast
    if (isBelow) failures += 1
    const below = isBelow ? ` below ${[wanted[kind]].flat().join(' % and ')} %` : ''
    return `${kind} ${all.toFixed(1)} % (${least.toFixed(1)} % but for the excused; ${covered}/${count})${below}`
  })
  console.log(`${room.padEnd(10)} ${figures.join(', ')}`)
}

function report(files, roomsOf) {
  const rooms = new Map()
  for (const file of files) {
    const excused = excusedIn(file)
    for (const name of roomsOf(file.name)) {
      if (!rooms.has(name)) rooms.set(name, {})
      for (const [kind, [covered, count]] of Object.entries(file.figures)) {
        const sum = (rooms.get(name)[kind] ??= { covered: 0, count: 0, excused: 0 })
        sum.covered += covered
        sum.count += count
        sum.excused += excused[kind]
      }
    }
  }
  for (const [room, kinds] of rooms) tell(room, kinds)
}

const suites = {
  driver: () => {
    const files = driver()
    report(files, (name) => [name.split('/')[2], 'driver/src'])
    const places = files.flatMap(({ lines, branches, mcdc }) => [...lines, ...branches, ...mcdc])
    for (const { file, number, line } of files.flatMap(({ lines }) => lines).filter((place) => !isListed(place))) {
      console.log(`${file}:${number}: not run by any test, and not listed: ${line}`)
      failures += 1
    }
    const isOutdated = (entry) =>
      entry.file.startsWith('driver/') &&
      !/^(a lost race|by chance)\b/.test(entry.reason) && // which a run may win, or have
      !places.some(
        (place) =>
          place.file === entry.file &&
          place.line === entry.line &&
          place.condition === entry.condition &&
          place.never === entry.never,
      )
    for (const { file, line, condition } of listed.filter(isOutdated)) {
      console.log(`${file}: listed as not run, and is: ${condition ?? line}`)
      failures += 1
    }
  },
  library: () => {
    const { src, binding, passed } = library()
    report(src, () => ['src'])
    report(binding, () => ['binding'])
    if (!passed) {
      console.log('tests failed: see above')
      failures += 1
    }
  },
}

await runScript(() => {
  const { values, positionals } = parseArgs({
    options: { list: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const names = Object.keys(suites)
  const chosen = positionals.map((name) => oneOf('what is measured', names, name))
  demand(['build', 'coverage'])
  for (const name of chosen.length > 0 ? chosen : names) suites[name]()
  if (values.list) {
    console.log(
      JSON.stringify(
        unlisted.map(({ file, line, condition, never }) => ({ file, line, condition, never, reason: '' })),
        undefined,
        2,
      ),
    )
  }
  process.exitCode = failures === 0 ? 0 : 1
})
