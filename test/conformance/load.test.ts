/** The load: its threads load the package as it is built, and so does what starts them. */
import { join } from 'node:path'

import type * as Conformance from '../../src/conformance'
import type * as Library from '../../src/index'

const dist = join(__dirname, '..', '..', 'dist')

async function loadOn(definition: Library.VolumeDefinition): Promise<Conformance.ConformanceResult[]> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as programs do
  const { openFilter } = require(dist) as typeof Library
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as programs do
  const { conformance } = require(join(dist, 'conformance')) as typeof Conformance
  const filter = openFilter({ kernel: 'host', volumes: { 'L:': definition } })
  const results: Conformance.ConformanceResult[] = []
  try {
    for await (const result of conformance('L:\\', { filter, seconds: 0.5, checks: ['load'] })) results.push(result)
    expect(filter.statistics().total).toMatchObject({ sessions: 1, contexts: 0 })
  } finally {
    filter.close() // throws if a byte of pool is left
  }
  return results
}

test('threads that fight over the same names lose no context in memory, and leave none', async () => {
  const results = await loadOn({ type: 'memory' })
  expect(results).toMatchObject([{ id: 'load', verdict: 'pass' }])
  expect(results[0]!.evidence).toMatch(/^4 threads, [\d,]+ cycles in 0\.5 s/)
})

test('streams that are not torn down while others are open are found by that', async () => {
  const results = await loadOn({ type: 'memory', fault: 'no-teardown-under-load' })
  expect(results).toMatchObject([{ verdict: 'fail', ending: 'lost' }])
  expect(results[0]!.evidence).toContain('never torn down')
})

test('streams that are kept are no failure under load', async () => {
  const results = await loadOn({ type: 'memory', fault: 'keeps-streams' })
  expect(results).toMatchObject([{ verdict: 'pass' }])
})
