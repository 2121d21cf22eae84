// Emits the public entries' declarations, without what is internal, and without the modules that are then needed no more.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { root, run } from '../run.mjs'

const emitted = join(root, 'build', 'declarations')
const dist = join(root, 'dist')

/** The declarations that one of them imports. */
function importsOf(path) {
  const text = readFileSync(path, 'utf8')
  return Array.from(text.matchAll(/(?:from |import\(|import )['"](\.[^'"]*)['"]/g), ([, request]) => {
    const module = join(dirname(path), request.replace(/\.js$/, ''))
    return [`${module}.d.ts`, join(module, 'index.d.ts')].find((candidate) => existsSync(candidate))
  })
}

function collect(path, found) {
  if (found.has(path)) return
  found.add(path)
  for (const imported of importsOf(path)) collect(imported, found)
}

export function writeDeclarations(entries) {
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc')
  run(process.execPath, [compiler, '--project', 'tsconfig.build.json', '--outDir', emitted])
  const found = new Set()
  for (const name of entries) {
    collect(join(emitted, `${name}.d.ts`), found)
    if (existsSync(join(emitted, `${name}.d.mts`))) found.add(join(emitted, `${name}.d.mts`))
  }
  for (const path of found) {
    const target = join(dist, relative(emitted, path))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(path, target)
  }
}
