/** A suite of Jest, or of another runner, that has a test for each check. */
import { checkOptions, typeError, valueError, type Filter } from '../index'

import { chooseChecks, conformance, type ConformanceOptions, type ConformanceResult } from './conformance'

/** What of a test runner is used: Jest's and Vitest's modules and globals have it. */
export interface ConformanceRunner {
  /** Declares a suite. */
  readonly describe: (name: string, declare: () => void) => unknown
  /** Declares a test, with the milliseconds that it has. */
  readonly test: (name: string, run: () => Promise<void>, timeout?: number) => unknown
  /** Has something done after the suite. */
  readonly afterAll: (run: () => Promise<void>, timeout?: number) => unknown
}

/** What is checked, and by which runner. */
export interface DescribeConformanceOptions extends Pick<ConformanceOptions, 'checks' | 'dismount' | 'seconds'> {
  /** The filter that the checks open theirs like, or what returns it once the tests run; see {@link ConformanceOptions}. */
  readonly filter?: Filter | (() => Filter) | undefined
  /** Whose `describe`, `test` and `afterAll` are used: `await import('vitest')`, for example. The runner's globals when nothing is said. */
  readonly runner?: ConformanceRunner | undefined
}

const operation = 'describeConformance'
const keys: ReadonlySet<string> = new Set(['checks', 'dismount', 'seconds', 'filter', 'runner'])
/** Milliseconds that a test has, beside the seconds of the load: those before it, which it may have to wait for, included. */
const testTime = 300_000

function isRunner(value: object): value is ConformanceRunner {
  const runner = value as Partial<Record<keyof ConformanceRunner, unknown>>
  return [runner.describe, runner.test, runner.afterAll].every((member) => typeof member === 'function')
}

function toRunner(runner: unknown): ConformanceRunner {
  if (typeof runner === 'object' && runner !== null && isRunner(runner)) return runner
  const isGlobal = runner === globalThis
  const expected = isGlobal
    ? "the module of the test runner, whose functions are not global here: await import('vitest'), or '@jest/globals'"
    : 'an object with describe, test and afterAll'
  throw isGlobal ? valueError(operation, 'runner', expected) : typeError(operation, 'runner', expected)
}

/**
 * Declares a suite with a test for each check of {@link conformance}, which fails with what was seen and its usual cause. What is not
 * supported, and what cannot be judged, is a test that passes.
 *
 * Throws an `ArgumentError`.
 *
 * @example
 * ```ts not run: it declares a suite
 * describeConformance(String.raw`E:\test`)
 * ```
 */
export function describeConformance(directory: string, options: DescribeConformanceOptions = {}): void {
  checkOptions(options, operation, keys)
  const { filter, runner = globalThis, ...rest } = options
  const { describe, test, afterAll } = toRunner(runner)
  const checks = chooseChecks(rest)
  const timeout = testTime + 1000 * (rest.seconds ?? 0)

  describe(`conformance of ${directory}`, () => {
    const told = new Map<string, ConformanceResult>()
    let run: ReturnType<typeof conformance> | undefined

    /** Lets the checks run up to this one. */
    const resultOf = async (id: string): Promise<ConformanceResult> => {
      run ??= conformance(directory, { ...rest, filter: typeof filter === 'function' ? filter() : filter })
      for (let result = told.get(id); ; result = told.get(id)) {
        if (result !== undefined) return result
        const next = await run.next()
        if (next.done === true) throw new Error(`The checks ended before ${id}: see the test that failed first.`)
        told.set(next.value.id, next.value)
      }
    }

    for (const { id, sentence } of checks) {
      test(
        `${id}: ${sentence}`,
        async () => {
          const { verdict, evidence, hint, documentation } = await resultOf(id)
          if (verdict === 'fail') throw new Error([evidence, hint, documentation].join('\n'))
        },
        timeout,
      )
    }
    afterAll(async () => {
      await run?.return()
    }, timeout)
  })
}
