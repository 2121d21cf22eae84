/** The matchers in projects of Jest and of Vitest that have installed this package. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { makeProject, root, type Project } from './project'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: readonly string[] }[]
  }[]
}

/** Runs a test runner in a project, and returns what it reports; whatever this process was told by its own is left out. */
function run({ directory }: Project, ...command: readonly string[]): Report {
  const { PATH, HOME } = process.env
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', command[0]!), ...command.slice(1)],
    {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH, HOME, NO_COLOR: '1' },
    },
  )
  if (!stdout.startsWith('{')) throw new Error(`${command[0]!} ended without a report: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
}

/** The first line of what failed, by test. */
function failures({ testResults }: Report): string[][] {
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ failureMessages }) => failureMessages.length > 0)
    .map(({ title, failureMessages }) => [title, ...failureMessages.map((message) => message.split('\n')[0]!)])
}

const left = ['this one leaves a context, and fails', 'Error: The test has left 1 context.']

test('Jest runs tests with its globals, and with those that are imported', () => {
  const project = makeProject([], {
    'globals.test.js': 'jest/projects/globals.js',
    'imported.test.js': 'jest/projects/imported.js',
  })
  try {
    const report = run(project, 'jest/bin/jest.js', '--json', '--maxWorkers=1')
    expect(failures(report)).toEqual([left])
    expect(report).toMatchObject({ numPassedTests: 3, numFailedTests: 1 })
  } finally {
    project.dispose()
  }
}, 120_000)

test('Jest runs tests without its globals', () => {
  const project = makeProject([], { 'imported.test.js': 'jest/projects/imported.js' })
  try {
    const report = run(project, 'jest/bin/jest.js', '--json', '--injectGlobals=false')
    expect(failures(report)).toEqual([])
    expect(report).toMatchObject({ numPassedTests: 1, numFailedTests: 0 })
  } finally {
    project.dispose()
  }
}, 120_000)

test('Vitest runs tests that import it', () => {
  const project = makeProject(['vitest'], { 'imported.test.mjs': 'jest/projects/vitest.mjs' })
  try {
    const report = run(project, 'vitest/vitest.mjs', 'run', '--reporter=json')
    expect(failures(report)).toEqual([left])
    expect(report).toMatchObject({ numPassedTests: 1, numFailedTests: 1 })
  } finally {
    project.dispose()
  }
}, 120_000)

test('Vitest runs the example of Jest with its globals', () => {
  const project = makeProject(['vitest'], { 'example.test.ts': 'jest/example.test.ts' })
  try {
    const report = run(project, 'vitest/vitest.mjs', 'run', '--reporter=json', '--globals')
    expect(failures(report)).toEqual([])
    expect(report).toMatchObject({ numPassedTests: 1, numFailedTests: 0 })
  } finally {
    project.dispose()
  }
}, 120_000)
