// `npm run memory -- [--front legacy|minifilter]`: replays the contract suite with memory failing, at every call stack and at every pair of the session and stream paths.
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { frontOf, runScript } from './options.mjs'
import { root, run } from './run.mjs'
import { demand } from './setup.mjs'

const build = join(root, 'build', 'native')

await runScript(() => {
  const { values } = parseArgs({ options: { front: { type: 'string', default: 'legacy' } } })
  const front = frontOf(values.front)
  demand(['build'])
  run('cmake', ['-S', '.', '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'driver_memory'])
  run(join(build, 'test', 'driver', 'driver_memory'), ['--pairs'], {
    env: { ...process.env, PSCTX_FRONT: front },
  })
})
