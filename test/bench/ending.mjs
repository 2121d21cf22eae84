// `npm run bench`, fourth part: what it takes to be rid of very many contexts, the worst way they can lie included, beside the bound that the
// driver is to keep.
import { join } from 'node:path'

import { capture, CommandError, root, run } from '../../scripts/run.mjs'

import { atMost, Report } from './report.mjs'

const directory = join('build', 'native')
const program = join(root, directory, 'test', 'driver', 'ending_bench')
const contexts = 400_000
const bound = 1000

run('cmake', ['-S', '.', '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
run('cmake', ['--build', directory, '--target', 'ending_bench'])
const { status, output } = capture(program, [String(contexts)])
const times = new Map(Array.from(output.matchAll(/^(\S+) (\d+)$/gm), ([, name, time]) => [name, Number(time)]))
if (status !== 0 || times.size !== 4) throw new CommandError(`${program}: ${output}`)

const report = new Report('ending', 'ms of the processor')
const size = `${contexts.toLocaleString('en')} contexts go`
const limit = atMost(bound, 'contexts are removed stream by stream, each under the lock of its list', String(bound))
const isQuick = [
  ['with their session', 'session'],
  ['with their session, each behind as many of another on a full stream', 'session-behind'],
  ['by remove-all', 'remove-all'],
].map(([way, name]) => report.measure(`${size} ${way}`, times.get(name), limit))
report.measure(`${size} with their streams`, times.get('teardown'))
report.finish()
if (isQuick.includes(false)) throw new CommandError(`removing ${contexts} contexts took more than ${bound} ms`)
