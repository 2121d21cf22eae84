// `npm run bench`: how many lines of the cache a look-up touches that none of the last ones has, where there are 100,000 streams. Counted as
// misses of a simulated cache, which is the same everywhere: in the driver with the memory routines that it calls, and with the embedded
// kernel's share.
import { buildPrograms, count } from './callgrind.mjs'
import { atMost, Report } from './report.mjs'

const streams = 100_000
const lookups = 20_000
const cache = ['--cache-sim=yes', '--I1=32768,8,64', '--D1=32768,8,64', '--LL=8388608,16,64']

/**
 * Misses of the first and of the last level before contexts were laid out by lines. Made by this script in a checkout of commit 6eb1730 (`git worktree
 * add build/before 6eb1730`) with this directory, and with the target lookup_bench of test/driver/core.cmake.
 */
const before = { driver: [9.85, 8.71], all: [43.94, 15.17] }
const share = 0.75 // that is to be left of the driver's

buildPrograms('lookup_bench')
const counted = count('lookup_bench', ['lookup', String(streams)], lookups, cache)
const misses = ({ D1mr, D1mw, DLmr, DLmw }) => [D1mr + D1mw, DLmr + DLmw]
const report = new Report('lines', 'lines')
for (const [what, title] of [
  ['driver', 'the driver'],
  ['all', 'the driver and the embedded kernel'],
]) {
  misses(counted[what]).forEach((value, level) => {
    const former = before[what][level]
    report.compare(`look-up, ${level === 0 ? 'first' : 'last'} level's misses, ${title}`, [
      ['before', [former]],
      [
        'now',
        [value],
        ...(what === 'driver'
          ? [atMost(share, 'what is left is what the request names: its stream, its list, its context')]
          : []),
      ],
    ])
  })
}
report.finish()
