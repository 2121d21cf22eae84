// `npm run build:ts`: builds dist from src: bundles by esbuild, declarations by TypeScript, a wrapper for ES modules for each public entry,
// and the notices of what is bundled.
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { exportsOf, writeBundles } from './library/bundles.mjs'
import { writeDeclarations } from './library/declarations.mjs'
import { entries, manifest, publicEntries } from './library/entries.mjs'
import { notices } from './library/notices.mjs'
import { CommandError, root } from './run.mjs'

const dist = join(root, 'dist')

/**
 * The same for ES modules: one implementation, so that `instanceof` holds whichever way a program came by it. The names stand there because
 * Node.js would otherwise scan the bundle for them, which takes longer than all the rest.
 */
async function writeWrapper(name) {
  const bundle = `./${basename(name)}.js`
  const names = await exportsOf(name)
  const named = names.filter((exported) => exported !== 'default')
  const code = [
    "import { createRequire } from 'node:module'",
    `const entry = createRequire(import.meta.url)('${bundle}')`,
  ]
  const types = [`export * from '${bundle}'`]
  if (named.length > 0) code.push(`export const { ${named.join(', ')} } = entry`)
  if (names.includes('default')) {
    code.push('export default entry.default')
    types.push(`export { default } from '${bundle}'`)
  }
  writeFileSync(join(dist, `${name}.mjs`), `${code.join('\n')}\n`)
  // An entry that declares more to ES modules than to others says so in a .mts of its own.
  if (!existsSync(join(root, 'src', `${name}.mts`))) writeFileSync(join(dist, `${name}.d.mts`), `${types.join('\n')}\n`)
}

try {
  rmSync(dist, { recursive: true, force: true })
  const modules = await writeBundles(entries)
  writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(modules))
  await Promise.all(publicEntries.map(writeWrapper))
  for (const program of Object.values(manifest.bin)) chmodSync(join(root, program), 0o755)
  writeDeclarations(publicEntries)
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
