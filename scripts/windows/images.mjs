// The driver's images, one for each front: what each is made of.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { driverDirectory } from './directories.mjs'

const source = join(driverDirectory, 'src')
const fronts = ['legacy', 'minifilter']

/** In an order that does not depend on the file system. No two have the same name: each object has its source's. */
const names = readdirSync(source, { recursive: true })
  .filter((name) => name.endsWith('.c'))
  .sort()

/** The sources of every image: a front's are in its own room, and in its own entry. */
function sourcesOf(front) {
  const others = fronts.filter((other) => other !== front)
  return names
    .filter((name) => !others.includes(dirname(name)) && !others.some((other) => name === join('driver', `${other}.c`)))
    .map((name) => join(source, name))
}

/** All of them, each once. */
export const driverSources = names.map((name) => join(source, name))

/**
 * - sources: those that are linked
 * - definitions: of its version resource
 * - filterManager: whether it has routines of Filter Manager's
 * - oldestVersion: of Windows, where that is later than the oldest one of the architecture
 */
export const images = [
  { name: 'psctx', sources: sourcesOf('legacy'), definitions: [], filterManager: false, oldestVersion: '5.2' },
  {
    name: 'psctx-minifilter',
    sources: sourcesOf('minifilter'),
    definitions: ['-DPSCTX_MINIFILTER'],
    filterManager: true,
    oldestVersion: '6.1',
  },
]

/** The subsystem version of an image, as `5.2`. */
export function subsystemVersionOf(image, architecture) {
  const byVersion = new Intl.Collator('en', { numeric: true })
  return [image.oldestVersion, architecture.subsystemVersion].sort(byVersion.compare).at(-1)
}
