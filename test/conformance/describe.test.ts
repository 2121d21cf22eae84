/** `describeConformance`: a suite that has a test for each check. */
import { conformanceChecks, describeConformance, type ConformanceRunner } from '../../src/conformance'
import { openFilter, type Filter, type VolumeFault } from '../../src/index'

import { errorOf } from './run'

let own: Filter
beforeAll(() => {
  own = openFilter({ kernel: 'host', volumes: { 'J:': { type: 'memory' } } })
})
afterAll(() => own.close())

// With the globals of the runner that runs this file.
describeConformance('J:\\', { filter: () => own, checks: ['support.default-stream', 'teardown.last-reference'] })

interface Declared {
  suite?: string
  readonly tests: Map<string, () => Promise<void>>
  readonly after: (() => Promise<void>)[]
}

/** A runner that runs nothing by itself. */
function makeRunner(): { readonly runner: ConformanceRunner; readonly declared: Declared } {
  const declared: Declared = { tests: new Map(), after: [] }
  const runner: ConformanceRunner = {
    describe: (name, declare) => {
      declared.suite = name
      declare()
    },
    test: (name, run) => declared.tests.set(name.split(':')[0]!, run),
    afterAll: (run) => declared.after.push(run),
  }
  return { runner, declared }
}

async function declareOn(fault: VolumeFault | undefined, use: (declared: Declared) => Promise<void>): Promise<void> {
  const filter = openFilter({ kernel: 'host', volumes: { 'F:': { type: 'memory', fault } } })
  try {
    const { sessions } = filter.statistics().total
    const { runner, declared } = makeRunner()
    describeConformance('F:\\', { filter, runner })
    await use(declared)
    for (const run of declared.after) await run()
    expect(filter.statistics().total.sessions).toBe(sessions)
  } finally {
    filter.close()
  }
}

test('it declares the checks that are not on request, in their order', async () => {
  await declareOn(undefined, ({ suite, tests }) => {
    expect(suite).toBe('conformance of F:\\')
    expect([...tests.keys()]).toEqual(conformanceChecks.filter(({ needs }) => needs === undefined).map(({ id }) => id))
    return Promise.resolve()
  })
})

test('a test fails with what was seen, its cause and its page; the others pass', async () => {
  await declareOn('torn-down-on-rename', async ({ tests }) => {
    await tests.get('support.compressed-file')!()
    await tests.get('survival.flush')!()
    await expect(tests.get('survival.rename')!()).rejects.toThrow(
      /^1 context torn down, with the stream open\.\n.*FsRtlTeardownPerStreamContexts.*\nhttps:\/\/learn\.microsoft/s,
    )
  })
})

test('a suite of which no test runs does nothing', async () => {
  await declareOn(undefined, () => Promise.resolve())
})

test.each<[string, object]>([
  ['runner', { runner: {} }],
  ['checks', { checks: ['none'] }],
  ['directories', { directories: [] }],
])('a wrong %s is an error of the call', (argument, options) => {
  expect(errorOf(() => describeConformance('F:\\', options))).toMatchObject({ argument })
})
