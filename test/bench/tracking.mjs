// `npm run bench`, third part: the instructions that tracking rules cost requests which pass through the filter, counted by callgrind, so
// that they are the same on every run. The baseline is the same request without a rule.
import { join } from 'node:path'

import Table from 'cli-table3'

import { capture, CommandError, root, run } from '../../scripts/run.mjs'

const directory = join('build', 'native')
const program = join(root, directory, 'test', 'driver', 'tracking_bench')
const few = 100
const many = 1100

/** Instructions of a whole run, as callgrind's last lines tell. */
function count(operation, rule, times) {
  const options = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--log-fd=1']
  const { status, output } = capture('valgrind', [...options, program, operation, rule, String(times)])
  const [, instructions] = /Collected : (\d+)/.exec(output) ?? []
  if (status !== 0 || instructions === undefined) throw new CommandError(`${program}: ${output}`)
  return Number(instructions)
}

/** Instructions of one operation: what starting takes is in both runs. */
const each = (operation, rule) => (count(operation, rule, many) - count(operation, rule, few)) / (many - few)

run('cmake', ['-S', '.', '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
run('cmake', ['--build', directory, '--target', 'tracking_bench'])
const table = new Table({ head: ['request', 'rule', 'instructions', 'ratio'], style: { head: [], border: [] } })
const requests = [
  ['open and close', 'open', ['none', 'unmatched', 'named', 'counted']],
  ['read', 'read', ['none', 'counted']],
  ['write', 'write', ['none', 'counted']],
  ['read of a stream without a counted context', 'read-other', ['none', 'counted']],
]
for (const [title, operation, rules] of requests) {
  const instructions = rules.map((rule) => each(operation, rule))
  rules.forEach((rule, index) => {
    const ratio = instructions[index] / instructions[0]
    table.push([index === 0 ? title : '', rule, instructions[index].toFixed(0), ratio.toFixed(3)])
  })
}
console.log(table.toString())
