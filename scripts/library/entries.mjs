// The entries of dist: what the package's manifest names, and what the checkout's own scripts and several bundles load.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../run.mjs'

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** `./dist/json/index.js` is made from `json/index` in src. */
const nameOf = (path) => path.match(/^(?:\.\/)?dist\/(.*)\.js$/)[1]

/** What programs import: `.` and its like. */
export const publicEntries = Object.values(manifest.exports)
  .filter((target) => typeof target === 'object')
  .map((target) => nameOf(target.require.default))

/**
 * The programs, the demonstration, the addon's place, which the command line needs to know where the library does not load, and what runs
 * in a thread of its own.
 */
export const entries = [
  ...publicEntries,
  ...Object.values(manifest.bin).map(nameOf),
  'demo',
  'addon',
  'conformance/load-worker',
]
