// `npm run bench`: sets the machine up, builds, and measures; with `--write`, records that in docs/performance.* and README.md.
import { join } from 'node:path'

import { CommandError, root, run } from './run.mjs'
import { build, installDependencies, provide } from './setup.mjs'

try {
  const reasons = provide(['build', 'valgrind'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
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
