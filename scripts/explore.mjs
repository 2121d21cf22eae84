/**
 * `npm run explore -- [--sanitized] [--front legacy|minifilter] …`: builds the explorer of schedules, with sanitizers if asked, and runs it on the
 * driver with that front; the other options are its own: see test/explore/explore.c.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { sanitized } from './compilers.mjs'
import { frontOf, runScript } from './options.mjs'
import { capture, CommandError, root } from './run.mjs'
import { demand } from './setup.mjs'

const parameters = process.argv.slice(2)
const isSanitized = parameters[0] === '--sanitized'
if (isSanitized) parameters.shift()
const given = parameters[0] === '--front' ? parameters.splice(0, 2)[1] : 'legacy'
const directory = join(root, 'build', isSanitized ? 'asan' : 'native')

/** Says nothing unless it fails: the explorer's output is what was asked for. */
function quietly(args) {
  const { status, output } = capture('cmake', args)
  if (status !== 0) {
    console.error(output)
    throw new CommandError(`cmake ${args.join(' ')} ended with ${status}`)
  }
}

await runScript(() => {
  const front = frontOf(given)
  demand(['build', ...(isSanitized ? ['clang'] : [])])
  const options = isSanitized ? sanitized('address,undefined') : ['-DCMAKE_BUILD_TYPE=Release']
  quietly(['-S', root, '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', ...options])
  quietly(['--build', directory, '--parallel', String(availableParallelism()), '--target', 'explore'])
  const { status, error } = spawnSync(join(directory, 'test', 'explore', 'explore'), parameters, {
    stdio: 'inherit',
    env: { ...process.env, PSCTX_FRONT: front },
  })
  if (error) throw new CommandError(`explore: ${error.message}`)
  process.exitCode = status ?? 1
}, 2)
