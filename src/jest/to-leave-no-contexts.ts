/** `toLeaveNoContexts`: after a function has run, no context is left that was not there before. */
import { typeError, valueError } from '../index'

import { count, listContextsAndStreams } from './contexts'
import {
  assertion,
  comparison,
  paragraphs,
  toWithin,
  type DeadlineOptions,
  type MatcherContext,
  type MatcherResult,
} from './matcher'
import { isWatching, liveContexts, until } from './watch'

const matcher = 'toLeaveNoContexts'

/**
 * Calls the received function, awaits what it returns, and passes if at most `within` milliseconds later no filter that is watched has a
 * context that it did not have before. What the function throws is thrown.
 */
export async function toLeaveNoContexts(
  this: MatcherContext,
  received: unknown,
  options: DeadlineOptions = {},
): Promise<MatcherResult> {
  if (typeof received !== 'function') throw typeError(matcher, 'received', 'a function, which may be asynchronous')
  const within = toWithin(options, matcher)
  if (!isWatching()) {
    throw valueError(
      matcher,
      'received',
      'called where a filter is watched: see withFilter(), withVolume() and watched()',
    )
  }

  const before = new Set((await liveContexts()).map(({ sequence }) => sequence))
  await (received as () => unknown)()
  const left = await until(
    async () => (await liveContexts()).filter(({ sequence }) => !before.has(sequence)),
    ({ length }) => length === 0,
    within,
  )
  const hint = assertion(this, matcher, 'function', `{ within: ${within} }`)
  const wanted = `${this.isNot ? 'contexts' : 'no context'} left ${within} ms later`
  const told = comparison(this, wanted, left.length === 0 ? 'none' : count(left.length, 'context'))
  return { pass: left.length === 0, message: () => paragraphs(hint, told, listContextsAndStreams(left)) }
}
