// `npm run bench`, fourth part: what it takes to be rid of very many contexts, the worst way they can lie included, beside the bound that the
// driver is to keep.
import { join } from 'node:path'

import Table from 'cli-table3'

import { capture, CommandError, root, run } from '../../scripts/run.mjs'

const directory = join('build', 'native')
const program = join(root, directory, 'test', 'driver', 'ending_bench')
const contexts = 400_000
const bound = 1000

run('cmake', ['-S', '.', '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
run('cmake', ['--build', directory, '--target', 'ending_bench'])
const { status, output } = capture(program, [String(contexts)])
const times = new Map(Array.from(output.matchAll(/^(\S+) (\d+)$/gm), ([, name, time]) => [name, Number(time)]))
if (status !== 0 || times.size !== 4) throw new CommandError(`${program}: ${output}`)

const table = new Table({
  head: [`${contexts.toLocaleString('en')} contexts go`, 'ms of the processor', 'bound'],
  style: { head: [], border: [] },
})
table.push(
  ['with their session', times.get('session'), bound],
  ['with their session, each behind as many of another on a full stream', times.get('session-behind'), bound],
  ['by remove-all', times.get('remove-all'), bound],
  ['with their streams', times.get('teardown'), ''],
)
console.log(table.toString())
if (['session', 'session-behind', 'remove-all'].some((name) => times.get(name) > bound)) {
  throw new CommandError(`removing ${contexts} contexts took more than ${bound} ms`)
}
