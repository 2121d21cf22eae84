/**
 * The matchers' types, for `@jest/globals`, for Jest's globals, and for Vitest, whose own module index.mts adds to. Which of them is
 * installed nobody knows: a module that is not there is left alone.
 */
import type { DeadlineOptions } from './matcher'
import type { ExpectedContext } from './to-have-context'

/** The matchers that answer at once, which can also stand for a value in another one: `expect.toHaveContexts(2)`. */
export interface StreamMatchers<R = unknown> {
  /** A stream has a context of this owner and instance and, where it is said, with this data. */
  toHaveContext(expected: ExpectedContext): R
  /** A stream has so many contexts of its filter. */
  toHaveContexts(count: number): R
  /** A stream can carry per-stream contexts. */
  toSupportContexts(): R
}

/** All matchers of this package. */
export interface PerStreamContextMatchers<R = unknown> extends StreamMatchers<R> {
  /** The file system tears a context down with its stream, exactly once, at most so many milliseconds from now. */
  toBeTornDown(options?: DeadlineOptions): Promise<void>
  /** After a function has run, no filter that is watched has a context more than before, at most so many milliseconds later. */
  toLeaveNoContexts(options?: DeadlineOptions): Promise<void>
}

/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars -- interfaces merge only if they have the same parameters */

declare global {
  namespace jest {
    // Vitest's assertions extend these as well.
    interface Matchers<R, T = {}> extends PerStreamContextMatchers<R> {}
    interface Expect extends StreamMatchers {}
    interface InverseAsymmetricMatchers extends StreamMatchers {}
  }
}

/** @ts-ignore where Jest is not installed */
declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends PerStreamContextMatchers<R> {}
  interface AsymmetricMatchers extends StreamMatchers {}
}
