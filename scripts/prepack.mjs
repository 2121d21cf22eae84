// Before `npm pack`: puts what the package ships where it looks for it: addons into prebuilds/, drivers into drivers/.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError, root } from './run.mjs'

const windows = (architecture, name) => join('build', 'windows', architecture, name)

/** Sources, by where they go. */
const files = {
  [`prebuilds/${process.platform}-${process.arch}/psctx.node`]: join('build', 'Release', 'psctx.node'),
  'prebuilds/win32-x64/psctx.node': windows('x64', 'psctx.node'),
  'prebuilds/win32-arm64/psctx.node': windows('arm64', 'psctx.node'),
  'drivers/x64/psctx.sys': windows('x64', 'psctx.sys'),
  'drivers/x64/psctx.inf': windows('x64', 'psctx.inf'),
  'drivers/arm64/psctx.sys': windows('arm64', 'psctx.sys'),
  'drivers/arm64/psctx.inf': windows('arm64', 'psctx.inf'),
}

const missing = [...Object.values(files), join('dist', 'index.js')].filter((path) => !existsSync(join(root, path)))
if (missing.length > 0) {
  throw new CommandError(`${missing.join(', ')}: not there. Run npm run build and npm run build:windows first.`)
}
for (const directory of ['prebuilds', 'drivers']) rmSync(join(root, directory), { recursive: true, force: true })
for (const [target, source] of Object.entries(files)) {
  mkdirSync(join(root, target, '..'), { recursive: true })
  copyFileSync(join(root, source), join(root, target))
}
