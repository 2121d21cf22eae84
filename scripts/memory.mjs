// `npm run memory -- [--front legacy|minifilter]`: replays the contract suite with memory failing, at every call stack and at every pair of the session and stream paths.
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { CommandError, root, run } from './run.mjs'

const build = join(root, 'build', 'native')

try {
  const { front } = parseArgs({ options: { front: { type: 'string', default: 'legacy' } } }).values
  if (front !== 'legacy' && front !== 'minifilter') throw new CommandError('--front takes legacy or minifilter')
  run('cmake', ['-S', '.', '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'driver_memory'])
  run(join(build, 'test', 'driver', 'driver_memory'), ['--pairs'], {
    env: { ...process.env, PSCTX_FRONT: front },
  })
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
