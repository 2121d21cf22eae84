// Before `npm pack`: sets the machine up, builds everything, and puts addons into prebuilds/ and drivers into drivers/. Quick when nothing has
// changed.
import { placeBinaries } from './binaries.mjs'
import { CommandError, root } from './run.mjs'
import { build, buildLinux, buildWindows, demand, installDependencies } from './setup.mjs'

try {
  demand(['build', 'windows'])
  installDependencies()
  build()
  buildWindows()
  buildLinux()
  placeBinaries(root, { linux: ['x64', 'arm64'], windows: ['x64', 'arm64'] })
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
