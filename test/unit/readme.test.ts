/** The scripts in README.md run as they stand there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

import * as perStreamContext from '../../src/index'

type Seen = [actual: unknown, said: unknown][]

/** The scripts in README.md, in their order. */
const scripts = Array.from(
  readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
  ([, script]) => script!,
)

/** Runs a script. `expression // value` in it becomes a row of what is seen and what is said. */
async function run(script: string): Promise<Seen> {
  const recorded = script.replace(/^(.+?) \/\/ (.+)$/gm, (_, expression: string, value: string) => {
    return `seen.push([${expression}, ${value}])`
  })
  const { outputText } = transpileModule(recorded, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 },
  })
  const seen: Seen = []
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is our own
  const action = new Function('require', 'exports', 'seen', `return (async () => {${outputText}\n})()`) as (
    ...values: unknown[]
  ) => Promise<void>
  await action(() => perStreamContext, {}, seen)
  return seen
}

test.each([
  ['first script', 0, 3],
  ['script about who holds a context', 1, 4],
])('the %s in README.md comes to what its comments say', async (_, index, comments) => {
  const seen = await run(scripts[index]!)
  expect(seen).toHaveLength(comments)
  for (const [actual, said] of seen) {
    if (typeof said === 'object') expect(actual).toMatchObject(said!)
    else expect(actual).toBe(said)
  }
})
