// `npm run bench`: instructions that requests take without the driver, and with its filter in the stack: one that cannot be unloaded, as on
// production machines, and one that can. What the filter adds is the driver's own and, more, the embedded kernel's checks of one more call
// and one more stack location, which any other filter's costs, too.
import { buildPrograms, count } from './callgrind.mjs'
import { atMost, Report } from './report.mjs'

const times = 500
const reason = "the embedded kernel's own second call of a driver: a filter that does nothing costs as much"

buildPrograms('passthrough_bench')
const report = new Report('passthrough', 'instr/op')
for (const [title, operation, presences] of [
  ['read', 'read', { resident: 1.03, unloadable: 1.03 }],
  ['write', 'write', { resident: 1.03, unloadable: 1.03 }],
  ['open and close', 'open', { resident: 1.05, unloadable: 1.05, unmatched: 1.08 }],
]) {
  const take = (presence) => count('passthrough_bench', [operation, presence], times)
  report.compare(`${title}: what the driver itself does`, [
    ['the legacy filter', [take('resident').driver.Ir]],
    [
      'the minifilter',
      [take('minifilter').driver.Ir],
      atMost(1, 'Filter Manager asks before each request, and the front must answer'),
    ],
  ])
  const contenders = Object.entries(presences).flatMap(([presence, bound]) => {
    const { all, driver } = take(presence)
    const name = presence === 'unmatched' ? 'with a rule that does not match' : presence
    return [
      [name, [all.Ir], atMost(bound, reason)],
      [`${name}: the driver itself`, [driver.Ir]],
    ]
  })
  report.compare(title, [
    ['without the driver', [take('absent').all.Ir]],
    ['another filter, which does nothing', [take('another').all.Ir]],
    ...contenders,
  ])
}
report.finish()
