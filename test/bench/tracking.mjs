// `npm run bench`: the instructions that tracking rules cost requests which pass through the filter. The baseline is the same request
// without a rule.
import { buildPrograms, count } from './callgrind.mjs'
import { Report } from './report.mjs'

const times = 1000

buildPrograms('tracking_bench')
const report = new Report('tracking', 'instr/op')
const requests = [
  ['open and close', 'open', ['none', 'unmatched', 'named', 'counted']],
  ['read', 'read', ['none', 'counted']],
  ['write', 'write', ['none', 'counted']],
  ['read of a stream without a counted context', 'read-other', ['none', 'counted']],
]
for (const [title, operation, rules] of requests) {
  report.compare(
    title,
    rules.map((rule) => [rule, [count('tracking_bench', [operation, rule], times).all.Ir]]),
  )
}
report.finish()
