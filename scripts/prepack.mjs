// Before `npm pack`: sets the machine up, builds everything, and puts addons into prebuilds/ and drivers into drivers/. Quick when nothing has
// changed. With --windows-only, what only Linux needs is left out.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError, root } from './run.mjs'
import { build, buildLinux, buildWindows, installDependencies, provide } from './setup.mjs'

const isWhole = !process.argv.includes('--windows-only')
const windows = (architecture, name) => join('build', 'windows', architecture, name)

/** Sources, by where they go. An addon's tag, which is node-gyp-build's, says which C library it needs. */
const files = {
  ...(isWhole && {
    'prebuilds/linux-x64/psctx.glibc.node': join('build', 'linux', 'x64', 'psctx.node'),
    'prebuilds/linux-arm64/psctx.glibc.node': join('build', 'linux', 'arm64', 'psctx.node'),
  }),
  'prebuilds/win32-x64/psctx.node': windows('x64', 'psctx.node'),
  'prebuilds/win32-arm64/psctx.node': windows('arm64', 'psctx.node'),
  'drivers/x64/psctx-minifilter.sys': windows('x64', 'psctx-minifilter.sys'),
  'drivers/x64/psctx-minifilter.inf': windows('x64', 'psctx-minifilter.inf'),
  'drivers/x64/psctx.sys': windows('x64', 'psctx.sys'),
  'drivers/x64/psctx.inf': windows('x64', 'psctx.inf'),
  'drivers/arm64/psctx-minifilter.sys': windows('arm64', 'psctx-minifilter.sys'),
  'drivers/arm64/psctx-minifilter.inf': windows('arm64', 'psctx-minifilter.inf'),
  'drivers/arm64/psctx.sys': windows('arm64', 'psctx.sys'),
  'drivers/arm64/psctx.inf': windows('arm64', 'psctx.inf'),
}

try {
  const reasons = provide(['build', 'windows'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
  installDependencies()
  build()
  buildWindows()
  if (isWhole) buildLinux()
  for (const directory of ['prebuilds', 'drivers']) rmSync(join(root, directory), { recursive: true, force: true })
  for (const [target, source] of Object.entries(files)) {
    mkdirSync(join(root, target, '..'), { recursive: true })
    copyFileSync(join(root, source), join(root, target))
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
