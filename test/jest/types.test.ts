/** The matchers' types, in projects that have installed one test runner, another one, or none. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(__dirname, '..', '..')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-jest-types-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Makes a project with this package, packed, and with those that are named. */
function makeProject(name: string, sources: readonly string[], packages: readonly string[]): string {
  const project = join(directory, name)
  const modules = join(project, 'node_modules')
  const own = join(modules, 'per-stream-context')
  mkdirSync(own, { recursive: true })
  cpSync(join(root, 'package.json'), join(own, 'package.json'))
  cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true })
  for (const one of ['@types/node', ...packages]) {
    mkdirSync(dirname(join(modules, one)), { recursive: true })
    symlinkSync(join(root, 'node_modules', one), join(modules, one))
  }
  for (const source of sources) cpSync(join(root, 'test', 'types', 'jest', source), join(project, source))
  return project
}

/** What the compiler says of the tests and of this package; what is wrong with a runner's own types is not ours. */
function complaints(compiler: string, project: string, types: string): string[] {
  const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'node16', '--noEmit']
  const sources = readdirSync(project).filter((name) => name.endsWith('ts'))
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', compiler, 'bin', 'tsc'), ...options, '--types', types, ...sources],
    { cwd: project, encoding: 'utf8' },
  )
  const lines = stdout.split('\n').filter((line) => line.includes('error TS'))
  expect(status === 0).toBe(lines.length === 0)
  return lines.filter((line) => line.includes('per-stream-context') || sources.some((name) => line.startsWith(name)))
}

const projects = {
  'no test runner': { sources: ['none.ts'], packages: [], types: 'node' },
  "Jest's globals": { sources: ['globals.ts'], packages: ['@types/jest', 'expect'], types: 'node,jest' },
  '@jest/globals': { sources: ['imported.ts'], packages: ['@jest/globals', 'expect'], types: 'node' },
  Vitest: { sources: ['vitest.mts'], packages: ['vitest'], types: 'node' },
  'every test runner': {
    sources: ['none.ts', 'globals.ts', 'imported.ts', 'vitest.mts'],
    packages: ['@types/jest', '@jest/globals', 'expect', 'vitest'],
    types: 'node,jest',
  },
} as const

// The quick compiler takes each by itself, the oldest and slowest one the two extremes.
test.each([
  ['typescript-7', 'no test runner'],
  ['typescript-7', "Jest's globals"],
  ['typescript-7', '@jest/globals'],
  ['typescript-7', 'Vitest'],
  ['typescript-5.0', 'no test runner'],
  ['typescript-5.0', 'every test runner'],
] as const)(
  'compile with %s and %s, libraries and all',
  (compiler, name) => {
    const { sources, packages, types } = projects[name]
    const project = makeProject(`${compiler} ${name}`.replace(/\W/g, '-'), sources, packages)
    expect(complaints(compiler, project, types)).toEqual([])
  },
  120_000,
)
