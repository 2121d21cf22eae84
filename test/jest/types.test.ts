/** The matchers' types, in projects that have installed one test runner, another one, or none. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { makeProject, root } from './project'

/** What the compiler says of the tests and of this package; what is wrong with a runner's own types is not ours. */
function complaints(compiler: string, directory: string, types: string): string[] {
  const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'node16', '--noEmit']
  const sources = readdirSync(directory).filter((name) => name.endsWith('ts'))
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', compiler, 'bin', 'tsc'), ...options, '--types', types, ...sources],
    { cwd: directory, encoding: 'utf8' },
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
    const files = Object.fromEntries(sources.map((source) => [source, join('types', 'jest', source)]))
    const project = makeProject(['@types/node', ...packages], files)
    try {
      expect(complaints(compiler, project.directory, types)).toEqual([])
    } finally {
      project.dispose()
    }
  },
  120_000,
)
