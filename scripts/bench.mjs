// `npm run bench`: sets the machine up, builds, and measures; with `--write`, records that in docs/performance.* and README.md.
import { join } from 'node:path'

import { CommandError, root, run } from './run.mjs'
import { build, demand, installDependencies } from './setup.mjs'

try {
  demand(['build', 'valgrind'])
  installDependencies()
  build()
  for (const name of [
    'bench.mjs',
    'iterators.mjs',
    'lookup.mjs',
    'passthrough.mjs',
    'tracking.mjs',
    'ending.mjs',
    'start.mjs',
    ...(process.argv.includes('--write') ? ['write.mjs'] : []),
  ])
    run(process.execPath, [join(root, 'test', 'bench', name)])
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
