// `npm run build:windows [-- DIRECTORY]`: builds the Windows binaries from Linux into build/windows, or into DIRECTORY.
import { join, resolve } from 'node:path'

import { CommandError, root } from './run.mjs'
import { installDependencies, provide } from './setup.mjs'
import { buildAddon } from './windows/addon.mjs'
import { architectures } from './windows/architectures.mjs'
import { emptied } from './windows/directories.mjs'
import { buildDriver, checkDriverWithGcc } from './windows/driver.mjs'
import { buildSelfTest } from './windows/selftest.mjs'

/** There is no Node.js for 32-bit Windows any more. */
const addonArchitectures = ['x64', 'arm64']

/** Builds everything below `output`; `output/<architecture>` has what is to be copied to a Windows machine. */
function buildWindows(output) {
  const reasons = provide(['build', 'windows'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
  installDependencies()
  const objects = join(output, 'objects')
  for (const [name, architecture] of Object.entries(architectures)) {
    const directory = emptied(join(output, name))
    buildDriver(architecture, emptied(join(objects, name, 'driver')), directory)
    buildSelfTest(architecture, emptied(join(objects, name, 'selftest')), directory)
  }
  checkDriverWithGcc(join(objects, 'x64', 'driver-gcc'))
  for (const name of addonArchitectures) buildAddon(name, emptied(join(objects, name, 'addon')), join(output, name))
}

try {
  buildWindows(resolve(process.argv[2] ?? join(root, 'build', 'windows')))
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
