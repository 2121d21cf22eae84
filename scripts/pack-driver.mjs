// `npm run pack:driver`: makes build/packages/psctx-driver-VERSION-ARCHITECTURE.zip of the driver's images, its self-test and what signs them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError, root } from './run.mjs'
import { buildWindows, demand, installDependencies } from './setup.mjs'
import { architectures } from './windows/architectures.mjs'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What an archive holds, in the order of the names: the same input makes the same bytes. */
function collect(architecture) {
  const read = (...path) => readFileSync(join(root, ...path))
  const built = (name) => read('build', 'windows', architecture, name)
  const release = (name) => read('driver', 'release', name)
  const forWindows = (text) => Buffer.from(text.toString().replaceAll('\n', '\r\n'))
  const readme = release('README.txt').toString().replace('@VERSION@', version).replace('@ARCHITECTURE@', architecture)
  return {
    'LICENSE.txt': forWindows(read('LICENSE')),
    'README.txt': forWindows(readme),
    'psctx-minifilter.inf': built('psctx-minifilter.inf'),
    'psctx-minifilter.pdb': built('psctx-minifilter.pdb'),
    'psctx-minifilter.sys': built('psctx-minifilter.sys'),
    'psctx-selftest.exe': built('psctx-selftest.exe'),
    'psctx.inf': built('psctx.inf'),
    'psctx.pdb': built('psctx.pdb'),
    'psctx.sys': built('psctx.sys'),
    'sign.ps1': forWindows(release('sign.ps1')),
    'sign.sh': release('sign.sh'),
  }
}

try {
  demand(['build', 'windows'])
  installDependencies()
  buildWindows()
  const { zipSync } = await import('fflate')
  const packages = join(root, 'build', 'packages')
  mkdirSync(packages, { recursive: true })
  for (const architecture of Object.keys(architectures)) {
    const name = `psctx-driver-${version}-${architecture}`
    // An archive's dates have no time zone: this is the same everywhere.
    const archive = zipSync({ [name]: collect(architecture) }, { level: 9, mtime: new Date(1980, 0, 1) })
    writeFileSync(join(packages, `${name}.zip`), archive)
    console.log(`build/packages/${name}.zip`)
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
