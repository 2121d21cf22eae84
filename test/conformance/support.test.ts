/** docs/support.md is made of real runs, which are whole. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { conformanceChecks, summarize, type ConformanceResult, type ConformanceSummary } from '../../src/conformance'

const root = join(__dirname, '..', '..')
const runs = join(root, 'docs', 'support')

test('docs/support.md is made of the runs in docs/support (node scripts/support.mjs)', () => {
  const made = mkdtempSync(join(tmpdir(), 'psctx-made-'))
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'support.mjs'), made])
    const read = (directory: string) => readFileSync(join(directory, 'support.md'), 'utf8')
    expect(read(join(root, 'docs'))).toBe(read(made))
  } finally {
    rmSync(made, { recursive: true })
  }
})

test.each(readdirSync(runs))('the run in docs/support/%s is a run of every check there is', (file) => {
  const lines = readFileSync(join(runs, file), 'utf8').trimEnd().split('\n')
  const { summary } = JSON.parse(lines.pop()!) as { summary: ConformanceSummary }
  const results = lines.map((line) => JSON.parse(line) as ConformanceResult)
  const onRequest = (id: string) => conformanceChecks.some((check) => check.id === id && check.needs !== undefined)
  const told = results.filter(({ id }) => !onRequest(id)).map(({ id, sentence }) => [id, sentence])
  const known = conformanceChecks.filter(({ needs }) => needs === undefined)
  expect(told).toEqual(known.map(({ id, sentence }) => [id, sentence]))
  expect(summarize(results, summary)).toEqual(summary)
})
