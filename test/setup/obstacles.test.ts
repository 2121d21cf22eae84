/** Shows that what a machine lacks is skipped, whatever that is: no test asks for it, and no suite fails for it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(__dirname, '..', '..')
const textOf = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

/** Suites with tests that need nothing: of the others, none is to run. */
const partly = ['test/jest/set-up.test.ts', 'test/vm/parts.test.ts']
/** So has this one; but what it plants in is taken where it runs beside this. */
const apart = 'test/mutation/mutate.test.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

test('a machine on which nothing is there that may be missing skips what needs it, and fails nothing', () => {
  const variables = textOf('scripts', 'test.mjs').match(/PSCTX_NO_[A-Z0-9]+/g) ?? []
  const suites = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('test/setup/') && name !== apart)
    .filter((name) => /obstacle|PSCTX_NO_/i.test(textOf(name)))
  const env: NodeJS.ProcessEnv = { ...process.env }
  for (const name of variables) env[name] = 'not on this machine'
  delete env['CI']

  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const options = ['--runInBand', '--silent', '--json', '--runTestsByPath', ...suites]
  const { stdout } = spawnSync(process.execPath, [jest, ...options], { cwd: root, encoding: 'utf8', env })

  const ends = (JSON.parse(stdout) as Report).testResults.map(({ name, message, assertionResults }) => {
    const suite = relative(root, name)
    const statuses = new Set(assertionResults.map(({ status }) => status))
    if (partly.includes(suite)) statuses.delete('passed')
    return { suite, message, statuses: [...statuses] }
  })
  expect(suites.length).toBeGreaterThan(8)
  expect(ends).toEqual(ends.map(({ suite }) => ({ suite, message: '', statuses: ['pending'] })))
  expect(ends).toHaveLength(suites.length)
}, 120_000)
