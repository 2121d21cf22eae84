/** `withFilter`: a filter for each test, on whichever kernel the environment says, and no context left afterwards. */
import { checkOptions, openFilter, type Filter } from '../index'

import { count, listContextsAndStreams } from './contexts'
import { readEnvironment, toFilterOptions, type TestEnvironment } from './environment'
import { checkWithin, paragraphs } from './matcher'
import { toRunner, type TestRunner } from './runner'
import { liveContexts, until, watched } from './watch'

/** How tests are set up. */
export interface SetUpOptions {
  /**
   * Milliseconds that the file system may take, after a test, to tear down the contexts of streams that the test has closed. When
   * nothing is said, 10,000 on Windows, and 0 on the embedded kernel, whose file systems do so at once.
   */
  readonly within?: number | undefined
  /** Whose `beforeEach` and `afterEach` are used: `await import('vitest')`, for example. The runner's globals when nothing is said. */
  readonly runner?: TestRunner | undefined
}

/** What a test has. */
export interface TestFilter {
  /** Open while a test runs. Throws an Error outside of tests. */
  readonly filter: Filter
}

/** What is done beside the filter. */
export interface Companion {
  begin(environment: TestEnvironment, filter: Filter): void
  end(): void
}

const keys: ReadonlySet<string> = new Set(['within', 'runner'])
const defaultWithin = { windows: 10_000, host: 0 }
/** Milliseconds that a hook has for everything else. */
const hookTime = 20_000
const leftAdvice = 'Close every handle of its stream, or remove it, before the test ends; or close the filter there.'

/** Registers the hooks of a filter and of what goes with it. */
export function setUp(operation: string, options: SetUpOptions, companion?: Companion): TestFilter {
  checkOptions(options, operation, keys)
  const environment = readEnvironment(operation)
  const { within = defaultWithin[environment.kernel] } = options
  checkWithin(within, operation)
  const runner = toRunner(options.runner, operation)
  let current: Filter | undefined

  runner.beforeEach(() => {
    current = watched(openFilter(toFilterOptions(environment)))
    companion?.begin(environment, current)
  }, hookTime)
  runner.afterEach(async () => {
    const filter = current
    current = undefined
    if (filter === undefined) return // it could not be opened
    try {
      await checkNothingLeft(filter, within)
    } finally {
      try {
        filter.close()
      } finally {
        companion?.end()
      }
    }
  }, within + hookTime)

  return {
    get filter() {
      if (current === undefined)
        throw new Error(`${operation}: the filter is there while a test runs: use it in a test.`)
      return current
    },
  }
}

/** Throws if contexts are there and stay there. A filter that the test has closed has none. */
async function checkNothingLeft(filter: Filter, within: number): Promise<void> {
  if (filter.closed) return
  const left = await until(
    () => liveContexts([filter]),
    ({ length }) => length === 0,
    within,
  )
  if (left.length === 0) return
  throw new Error(
    paragraphs(`The test has left ${count(left.length, 'context')}.`, listContextsAndStreams(left), leftAdvice),
  )
}

/**
 * Opens a filter before each test of this file or `describe` block, and closes it afterwards: Windows' driver on Windows and the
 * embedded kernel elsewhere, unless `PSCTX_KERNEL` and `PSCTX_VOLUME` say otherwise. It is watched, for `toBeTornDown` and
 * `toLeaveNoContexts`. A test that leaves a context fails.
 *
 * Throws an `ArgumentError`, also for what the environment says (`argument: 'PSCTX_KERNEL'`). Where the filter cannot be
 * opened, each test fails with what {@link openFilter} throws.
 *
 * @example
 * ```ts
 * const test = withFilter()
 * it('is attached to a volume', () => {
 *   expect(test.filter.statistics().total.attachedVolumes).toBeGreaterThan(0)
 * })
 * ```
 */
export function withFilter(options: SetUpOptions = {}): TestFilter {
  return setUp('withFilter', options)
}
