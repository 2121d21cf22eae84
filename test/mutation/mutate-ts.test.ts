/** Shows that `npm run mutate:ts` tells mutants that are noticed from those that are not, and that what it lists can be planted. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

interface Place {
  file: string
  after?: string
  line?: string
  reason: string
}

function read(name: string): Place[] {
  return JSON.parse(readFileSync(join(__dirname, name), 'utf8')) as Place[]
}

function linesOf(file: string): string[] {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => line.trim())
}

function mutate(...parameters: string[]) {
  const script = join('scripts', 'mutate-ts.mjs')
  const { status, stdout } = spawnSync(process.execPath, [script, ...parameters], { cwd: root, encoding: 'utf8' })
  return { status, output: stdout, sum: stdout.trim().split('\n').at(-1) ?? '' }
}

const line = "if (path.length > maximumLength) throw failure('STATUS_NAME_TOO_LONG')"
const place = `src/path.ts:${linesOf('src/path.ts').indexOf(line) + 1}`

test('a mutant that a suite is there for is noticed, and one that no suite is there for survives and is printed', () => {
  const noticed = mutate('--suites', 'unit/path', place)
  expect(noticed.sum).toContain('5 of 5 mutants planted; 5 noticed')
  expect(noticed.status).toBe(0)

  const missed = mutate('--suites', 'unit/codec', place)
  expect(missed.sum).toContain('5 survived')
  expect(missed.output).toContain(`\n-${line}\n+if (false) throw failure('STATUS_NAME_TOO_LONG')\n`)
  expect(missed.status).toBe(1)
}, 300_000)

test('each mutant that is listed as equivalent stands in its source once, and each list gives reasons', () => {
  for (const { file, after, line: listed, reason } of read('equivalent-ts.json')) {
    const lines = linesOf(file)
    const places = lines.filter(
      (text, index) => text === listed && (after === undefined || lines[index - 1] === after),
    ).length
    expect({ file, listed, places }).toEqual({ file, listed, places: 1 })
    expect(reason.length).toBeGreaterThan(20)
  }
  for (const { file, reason } of read('unjudged.json')) {
    expect({ file, exists: existsSync(join(root, file)) }).toEqual({ file, exists: true })
    expect(reason.length).toBeGreaterThan(10)
  }
})
