// `npm run build:windows [-- [--without-zig] DIRECTORY]`: builds the Windows binaries from Linux into build/windows, or into DIRECTORY; all of
// them, or all but the addon for arm64, for which Zig takes minutes the first time.
// `npm run build:windows -- --wdk KIT [--check]`: builds the driver alone into build/wdk, against a Windows Driver Kit's headers and libraries.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { CommandError, root } from './run.mjs'
import { demand, installDependencies } from './setup.mjs'
import { buildAddon } from './windows/addon.mjs'
import { architectures } from './windows/architectures.mjs'
import { emptied } from './windows/directories.mjs'
import { buildDriver, checkDriverWithGcc } from './windows/driver.mjs'
import { buildSelfTest } from './windows/selftest.mjs'
import { buildWithKit } from './windows/wdk.mjs'

/** Those that an addon is built for; there is no Node.js for 32-bit Windows any more. */
const addonsOf = (withoutZig) => (withoutZig ? ['x64'] : ['x64', 'arm64'])

/** Builds everything below `output`, all at a time; `output/<architecture>` has what is to be copied to a Windows machine. */
async function buildWindows(output, addonArchitectures) {
  const objects = emptied(join(output, 'objects'))
  const names = Object.keys(architectures)
  const directories = Object.fromEntries(names.map((name) => [name, emptied(join(output, name))]))
  const objectsOf = (name, part) => emptied(join(objects, name, part))
  await Promise.all([
    ...names.flatMap((name) => [
      buildDriver(architectures[name], objectsOf(name, 'driver'), directories[name]),
      buildSelfTest(architectures[name], objectsOf(name, 'selftest'), directories[name]),
    ]),
    checkDriverWithGcc(objectsOf('x64', 'driver-gcc')),
    ...addonArchitectures.map((name) => buildAddon(name, objectsOf(name, 'addon'), directories[name])),
  ])
}

try {
  const { values, positionals } = parseArgs({
    options: {
      wdk: { type: 'string' },
      check: { type: 'boolean', default: false },
      'without-zig': { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  demand(['build', 'windows'])
  installDependencies()
  if (values.wdk === undefined) {
    await buildWindows(resolve(positionals[0] ?? join(root, 'build', 'windows')), addonsOf(values['without-zig']))
  } else {
    buildWithKit(resolve(values.wdk), resolve(positionals[0] ?? join(root, 'build', 'wdk')), values.check)
  }
} catch (error) {
  if (!(error instanceof CommandError) && error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error
  console.error(error.message)
  process.exitCode = 1
}
