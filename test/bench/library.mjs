// What the benchmark measures: the package as it is built; the addon beneath it; and, for requests that are encoded by hand, the package's own
// modules of that, bundled.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { buildSync } from 'esbuild'

import { root } from '../../scripts/run.mjs'

const outfile = join(root, 'build', 'bench', 'codec.mjs')
const contents = `
  export * as abi from './abi'
  export { begin, decodePage, encodeEnumerate } from './codec/enumerate'
  export { Memory } from './codec/memory'
`
buildSync({
  stdin: { contents, resolveDir: join(root, 'src') },
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
})

const require = createRequire(import.meta.url)

export const { openFilter } = require(join(root, 'dist', 'index.js'))
export const addon = require(join(root, 'dist', 'addon.js')).loadAddon()
export const { abi, begin, decodePage, encodeEnumerate, Memory } = await import(pathToFileURL(outfile).href)
