// The library's inner modules, which its bundle does not show: compiled from src when they are asked for.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'

import { buildSync } from 'esbuild'

import { root } from '../../scripts/run.mjs'

/** What a module of src exports, such as `codec/enumerate`; it has instances of its own of what it imports. */
export function requireSource(name) {
  const filename = join(root, 'src', `${name}.ts`)
  const options = { entryPoints: [filename], bundle: true, platform: 'node', format: 'cjs', write: false }
  const { text } = buildSync(options).outputFiles[0]
  const module = { exports: {} }
  const parameters = ['require', 'module', '__filename', '__dirname']
  const run = compileFunction(text, parameters, { filename })
  run(createRequire(filename), module, filename, join(filename, '..'))
  return module.exports
}
