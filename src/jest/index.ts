/** Jest's and Vitest's matchers for per-stream contexts, and what sets tests up for them. Its import extends the global `expect`. */
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
export const matchers = { toHaveContext, toHaveContexts, toSupportContexts, toBeTornDown, toLeaveNoContexts }

const { expect } = globalThis as { expect?: { extend?: (extension: typeof matchers) => void } }
expect?.extend?.(matchers)
