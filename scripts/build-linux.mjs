// `npm run build:linux`: builds the addons for Linux that the package ships, by Zig against glibc 2.28, into build/linux/<architecture>.
import { copyFileSync, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { CommandError, root, run } from './run.mjs'
import { demand, installDependencies } from './setup.mjs'
import { zigEnvironment } from './tools.mjs'

/** The processors, by the name that Node.js has for the architecture. */
const processors = { x64: 'x86_64', arm64: 'aarch64' }

function buildAddon(architecture, processor, environment) {
  const directory = join(root, 'build', 'linux', architecture)
  const objects = join(root, 'build', 'linux', 'objects', architecture)
  const options = [
    `-DCMAKE_TOOLCHAIN_FILE=${join(root, 'binding', 'zig-linux.cmake')}`,
    '-DCMAKE_BUILD_TYPE=Release',
    '-DPSCTX_TESTS=OFF',
  ]
  const env = { ...environment, PSCTX_ZIG_PROCESSOR: processor, PSCTX_ZIG_TARGET: `${processor}-linux-gnu.2.28` }
  run('cmake', ['-S', root, '-B', objects, ...options], { env })
  run('cmake', ['--build', objects, '--target', 'psctx_addon', '--parallel', String(availableParallelism())], { env })
  mkdirSync(directory, { recursive: true })
  copyFileSync(join(objects, 'Release', 'psctx.node'), join(directory, 'psctx.node'))
}

try {
  demand(['build'])
  installDependencies()
  const environment = zigEnvironment()
  for (const [architecture, processor] of Object.entries(processors)) buildAddon(architecture, processor, environment)
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
