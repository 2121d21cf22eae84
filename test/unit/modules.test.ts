/** How the modules of src lie on each other: what one needs to be understood, types as well, lies below it. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const source = join(__dirname, '..', '..', 'src')

/** The modules of this package that a module imports, by their paths. */
function importsOf(module: string): string[] {
  const text = readFileSync(join(source, `${module}.ts`), 'utf8')
  return Array.from(text.matchAll(/(?:from|import\() ?'(\.[^']*)'/g), ([, path]) =>
    relative(source, join(source, dirname(module), path!)),
  )
}

test('no module of src imports one that imports it', () => {
  const modules = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => name.slice(0, -'.ts'.length))
  const left = new Map(modules.map((module) => [module, importsOf(module)]))
  expect(left.get('index')).toContain('filter')
  // Takes away what needs nothing that is still there, until nothing can be taken away.
  for (let before = Infinity; left.size < before;) {
    before = left.size
    for (const [module, imports] of left) {
      if (!imports.some((imported) => left.has(imported))) left.delete(module)
    }
  }
  expect([...left.keys()]).toEqual([])
})
