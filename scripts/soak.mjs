// `npm run soak -- [--minutes N] [--seed N] [--front legacy|minifilter]`: mixed load on the embedded kernel; fails if anything that it holds grows.
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { frontOf, runScript, wholeNumber } from './options.mjs'
import { CommandError, root, run } from './run.mjs'
import { demand } from './setup.mjs'

const build = join(root, 'build', 'native')
const week = 7 * 24 * 3600

await runScript(() => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      front: { type: 'string', default: 'legacy' },
    },
  })
  const front = frontOf(values.front)
  const seed = wholeNumber('seed', values.seed)
  const seconds = Number(values.minutes) * 60
  if (!(seconds >= 1 && seconds <= week)) throw new CommandError('--minutes takes a number, of a second to a week')
  demand(['build'])
  run('cmake', ['-S', '.', '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'driver_soak'])
  run(join(build, 'test', 'driver', 'driver_soak'), [`--seconds=${Math.round(seconds)}`, `--seed=${seed}`], {
    env: { ...process.env, PSCTX_FRONT: front },
  })
})
