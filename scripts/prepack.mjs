// Before `npm pack`: sets the machine up, builds everything, and puts addons into prebuilds/ and drivers into drivers/. Quick when nothing has
// changed. With --windows ARCHITECTURE, of Windows on such machines alone.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { CommandError, root } from './run.mjs'
import { build, buildLinux, buildWindows, installDependencies, provide } from './setup.mjs'

const { values } = parseArgs({ options: { windows: { type: 'string' } } })
const isWhole = values.windows === undefined
const architectures = isWhole ? ['x64', 'arm64'] : [values.windows]

/** What goes where: its path below the top level, and where it is built. An addon's tag, node-gyp-build's, says which C library it needs. */
const files = [
  ...(isWhole ? architectures : []).map((architecture) => [
    join('prebuilds', `linux-${architecture}`, 'psctx.glibc.node'),
    join('build', 'linux', architecture, 'psctx.node'),
  ]),
  ...architectures.flatMap((architecture) => {
    const built = join('build', 'windows', architecture)
    const drivers = ['psctx-minifilter.sys', 'psctx-minifilter.inf', 'psctx.sys', 'psctx.inf']
    return [
      [join('prebuilds', `win32-${architecture}`, 'psctx.node'), join(built, 'psctx.node')],
      ...drivers.map((name) => [join('drivers', architecture, name), join(built, name)]),
    ]
  }),
]

try {
  const reasons = provide(['build', 'windows'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
  installDependencies()
  build()
  buildWindows({ withoutZig: !architectures.includes('arm64') })
  if (isWhole) buildLinux()
  for (const directory of ['prebuilds', 'drivers']) rmSync(join(root, directory), { recursive: true, force: true })
  for (const [target, source] of files) {
    mkdirSync(join(root, target, '..'), { recursive: true })
    copyFileSync(join(root, source), join(root, target))
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
