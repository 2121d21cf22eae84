// `npm start`: sets the machine up, builds, and runs the main job.
import { join } from 'node:path'

import { CommandError, root, run } from './run.mjs'
import { build, installDependencies, provide } from './setup.mjs'

try {
  const reasons = provide(['build', 'ntfs'])
  if (reasons.has('build')) throw new CommandError(reasons.get('build'))
  installDependencies()
  build()
  run(process.execPath, [join(root, 'dist', 'demo.js')], {
    env: { ...process.env, PSCTX_NO_NTFS: reasons.get('ntfs') ?? '' },
  })
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
