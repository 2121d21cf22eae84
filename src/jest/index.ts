/**
 * Jest's and Vitest's matchers for per-stream contexts, and what sets tests up for them. Its import extends the global `expect`.
 *
 * @module per-stream-context/jest
 */
import { toBeTornDown } from './to-be-torn-down'
import { toHaveContext } from './to-have-context'
import { toHaveContexts } from './to-have-contexts'
import { toLeaveNoContexts } from './to-leave-no-contexts'
import { toSupportContexts } from './to-support-contexts'

export type { DeadlineOptions, MatcherContext, MatcherResult } from './matcher'
export type { TestRunner } from './runner'
export type { ExpectedContext } from './to-have-context'
export type { PerStreamContextMatchers, StreamMatchers } from './types'
export { watched } from './watch'
export { withFilter, type SetUpOptions, type TestFilter } from './with-filter'
export { withVolume, type TestVolume } from './with-volume'

/** For an `expect` that is not global: `expect.extend(matchers)`. */
export const matchers = {
  /** A stream has a context of this owner and instance and, where it is said, with this data. */
  toHaveContext,
  /** A stream has so many contexts of its filter. */
  toHaveContexts,
  /** A stream can carry per-stream contexts. */
  toSupportContexts,
  /** The file system tears a context down with its stream, exactly once, at most so many milliseconds from now. */
  toBeTornDown,
  /** After a function has run, no filter that is watched has a context more than before, at most so many milliseconds later. */
  toLeaveNoContexts,
}

const { expect } = globalThis as { expect?: { extend?: (extension: typeof matchers) => void } }
expect?.extend?.(matchers)
