// `npm run soak -- [--minutes N] [--seed N] [--front legacy|minifilter]`: mixed load on the embedded kernel; fails if anything that it holds grows.
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { CommandError, root, run } from './run.mjs'

const build = join(root, 'build', 'native')

try {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      front: { type: 'string', default: 'legacy' },
    },
  })
  if (values.front !== 'legacy' && values.front !== 'minifilter') {
    throw new CommandError('--front takes legacy or minifilter')
  }
  const seconds = Number(values.minutes) * 60
  if (!(seconds >= 1) || !/^\d+$/.test(values.seed)) {
    throw new CommandError('--minutes takes a number of at least one second, --seed a whole number')
  }
  run('cmake', ['-S', '.', '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
  run('cmake', ['--build', build, '--parallel', '2', '--target', 'driver_soak'])
  run(
    join(build, 'test', 'driver', 'driver_soak'),
    [`--seconds=${String(Math.round(seconds))}`, `--seed=${values.seed}`],
    { env: { ...process.env, PSCTX_FRONT: values.front } },
  )
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
