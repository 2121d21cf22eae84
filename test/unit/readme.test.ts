/** The first script in README.md runs as it stands there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

import * as perStreamContext from '../../src/index'

test('the first script in README.md comes to what its comments say', () => {
  const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8')
  const script = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  if (script === undefined) throw new Error('README.md has no script')
  // `expression // value` becomes a row of what is seen and what is said.
  const recorded = script.replace(/^(.+?) \/\/ (.+)$/gm, (_, expression: string, value: string) => {
    return `seen.push([${expression}, ${value}])`
  })
  const { outputText } = transpileModule(recorded, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 },
  })
  const seen: [unknown, unknown][] = []
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is our own
  const run = new Function('require', 'exports', 'seen', outputText) as (...values: unknown[]) => void
  run(() => perStreamContext, {}, seen)
  expect(seen).toHaveLength(3)
  for (const [actual, said] of seen) {
    if (typeof said === 'object') expect(actual).toMatchObject(said!)
    else expect(actual).toBe(said)
  }
})
