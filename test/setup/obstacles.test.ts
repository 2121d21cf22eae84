/** Shows that what a machine lacks is skipped, whatever that is: no suite fails for it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const textOf = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

test('a machine on which nothing is there that may be missing fails nothing', () => {
  const variables = textOf('scripts', 'test.mjs').match(/PSCTX_NO_[A-Z0-9]+/g) ?? []
  const suites = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && /obstacle|PSCTX_NO_/i.test(textOf(name)))
  const env: NodeJS.ProcessEnv = { ...process.env }
  for (const name of variables) env[name] = 'not on this machine'
  delete env['CI']

  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const options = ['--runInBand', '--testNamePattern', '^no test is called this$', '--runTestsByPath', ...suites]
  const { status, stderr } = spawnSync(process.execPath, [jest, ...options], { cwd: root, encoding: 'utf8', env })

  expect(suites.length).toBeGreaterThan(8)
  expect(stderr).not.toContain('FAIL')
  expect(status).toBe(0)
}, 120_000)
