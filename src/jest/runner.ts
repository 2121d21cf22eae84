/** The test runner's hooks, whichever runner it is. */
import { typeError, valueError } from '../index'

/** What of a test runner is used: Jest's and Vitest's modules and globals have it. */
export interface TestRunner {
  /** Has `action` run before each test; it has `timeout` milliseconds. */
  beforeEach(action: () => void, timeout?: number): unknown
  /** Has `action` run after each test; it has `timeout` milliseconds. */
  afterEach(action: () => Promise<void>, timeout?: number): unknown
}

function isRunner(value: object): value is TestRunner {
  const { beforeEach, afterEach } = value as Partial<Record<keyof TestRunner, unknown>>
  return typeof beforeEach === 'function' && typeof afterEach === 'function'
}

/** The runner that is said, or else the one whose globals are there. */
export function toRunner(runner: unknown, operation: string): TestRunner {
  if (runner === undefined) {
    const globals: object = globalThis
    if (isRunner(globals)) return globals
    throw valueError(
      operation,
      'runner',
      "the module of the test runner, whose hooks are not global here: await import('vitest'), or '@jest/globals'",
    )
  }
  if (typeof runner === 'object' && runner !== null && isRunner(runner)) return runner
  throw typeError(operation, 'runner', 'an object with beforeEach and afterEach')
}
