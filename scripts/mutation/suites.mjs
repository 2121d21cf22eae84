// The Jest suites as judges of a mutant of src: a copy of the sources with every mutant in it, and which suite runs which of them.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { Instrumenter } from '@stryker-mutator/instrumenter'

import { capture, CommandError, root } from '../run.mjs'
import { limited } from './tests.mjs'

/** Of a suite that hangs without a mutant: an end, not a measure. */
const longest = 300
/** What the suites need beside the sources and themselves. */
const linked = ['node_modules', 'driver', 'dist', join('build', 'Release')]
const copied = ['test', 'src', 'jest.config.js', 'package.json', 'tsconfig.json']
const silent = { debug() {}, info() {}, isDebugEnabled: () => false }

/**
 * Makes a copy of the checkout whose sources, the given ones, have all of Stryker's mutants in them, each of which an environment variable
 * turns on. Resolves to the mutants: `file`, `source`, `offset` and `length` of what is replaced, `replacement` and `id`.
 */
export async function plant(files, tree) {
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(join(tree, 'build'), { recursive: true })
  for (const name of copied) cpSync(join(root, name), join(tree, name), { recursive: true })
  for (const name of linked) symlinkSync(join(root, name), join(tree, name))
  const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const instrumented = await new Instrumenter(silent).instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { ignorers: [], excludedMutations: [], plugins: null },
  )
  for (const { name, content } of instrumented.files) writeFileSync(join(tree, name), content)
  return instrumented.mutants.map(({ id, fileName: file, location, replacement }) => {
    const source = sources.get(file)
    const lines = source.split('\n')
    const at = ({ line, column }) => lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, column)
    const offset = at(location.start)
    return { id, file, source, offset, length: at(location.end) - offset, replacement }
  })
}

/** Runs suites in one process, with a mutant or none, as `limited` does. */
export function runSuites(suites, tree, seconds, environment) {
  const program = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const options = ['--config', join('test', 'mutation', 'jest.config.js'), '--runInBand', '--bail', '--silent']
  const names = suites.map(({ name }) => name)
  const flags = ['--expose-gc', '--max-old-space-size=2048'] // a loop without an end soon fills it, and V8 aborts
  return limited(process.execPath, [...flags, program, ...options, '--runTestsByPath', ...names], {
    cwd: tree,
    seconds,
    kilobytes: 'unlimited', // V8 reserves addresses that it never uses
    environment,
  })
}

const digestOf = (texts) => texts.reduce((hash, text) => hash.update(text), createHash('sha256')).digest('hex')

/** The suites whose names match, each with the seconds that it takes and the ids of the mutants that it runs, which the file `known` keeps while nothing changes. */
export async function suitesOf(tree, sources, known, pattern, jobs) {
  const before = existsSync(known) ? JSON.parse(readFileSync(known, 'utf8')) : {}
  const config = join('test', 'mutation', 'jest.config.js')
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const { output } = capture(process.execPath, [jest, '--config', config, '--listTests'], { cwd: tree })
  const names = output
    .trim()
    .split('\n')
    .map((path) => relative(tree, path))
    .filter((name) => pattern.test(name))
    .sort()
  if (names.length === 0) throw new CommandError(`no suite has a name that matches ${pattern}`)
  const suites = new Map()
  const left = [...names]
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let name = left.shift(); name; name = left.shift()) {
        const digest = digestOf([...sources, readFileSync(join(tree, name), 'utf8')])
        if (before[name]?.digest !== digest) {
          const report = join(dirname(known), `${digest}.json`)
          const started = process.hrtime.bigint()
          const end = await runSuites([{ name }], tree, longest, { PSCTX_MUTANTS_RUN: report })
          if (end !== 'passed') throw new CommandError(`${name} has ${end} without a mutant: npx jest ${name} says why`)
          const seconds = Number(process.hrtime.bigint() - started) / 1e9
          before[name] = { digest, seconds, runs: JSON.parse(readFileSync(report, 'utf8')) }
          rmSync(report)
          writeFileSync(known, JSON.stringify(before))
        }
        const { seconds, runs } = before[name]
        suites.set(name, { name, seconds, runs: new Set(runs) })
      }
    }),
  )
  return [...suites.values()]
}
