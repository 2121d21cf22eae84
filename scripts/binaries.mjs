// The binaries that the package has beside the library.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { root } from './run.mjs'

const drivers = ['psctx-minifilter.sys', 'psctx-minifilter.inf', 'psctx.sys', 'psctx.inf']

/** Where each is put in a package, and where it was built. An addon's tag, which is node-gyp-build's, says which C library it needs. */
function placesOf({ linux, windows }) {
  return [
    ...linux.map((architecture) => [
      join('prebuilds', `linux-${architecture}`, 'psctx.glibc.node'),
      join('build', 'linux', architecture, 'psctx.node'),
    ]),
    ...windows.flatMap((architecture) => {
      const built = join('build', 'windows', architecture)
      return [
        [join('prebuilds', `win32-${architecture}`, 'psctx.node'), join(built, 'psctx.node')],
        ...drivers.map((name) => [join('drivers', architecture, name), join(built, name)]),
      ]
    }),
  ]
}

/** Puts those for these architectures of Linux and of Windows into a package's directory, instead of what is there. */
export function placeBinaries(directory, architectures) {
  for (const name of ['prebuilds', 'drivers']) rmSync(join(directory, name), { recursive: true, force: true })
  for (const [target, source] of placesOf(architectures)) {
    mkdirSync(dirname(join(directory, target)), { recursive: true })
    copyFileSync(join(root, source), join(directory, target))
  }
}
