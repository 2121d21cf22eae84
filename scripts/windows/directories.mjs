// Where the Windows build finds and puts things.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../run.mjs'

export const driverDirectory = join(root, 'driver')

/** The headers that all of Debian's mingw-w64 compilers share. */
export const mingwHeaders = '/usr/share/mingw-w64/include'

/** An empty directory at this path. */
export function emptied(directory) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  return directory
}
