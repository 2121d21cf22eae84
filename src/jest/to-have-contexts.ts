/** `toHaveContexts`: a stream has so many contexts of this filter. */
import { checkInteger } from '../index'

import { count, listContexts } from './contexts'
import { askStream, comparison, paragraphs, type MatcherContext, type MatcherResult } from './matcher'

const matcher = 'toHaveContexts'

/** Passes if `contexts()` lists so many on the received stream. */
export function toHaveContexts(this: MatcherContext, received: unknown, expected: number): MatcherResult {
  checkInteger(expected, 0, Number.MAX_SAFE_INTEGER, 'count', matcher)

  return askStream(this, matcher, 'count', received, (stream, hint) => {
    const contexts = stream.contexts()
    const wanted = `${this.isNot ? 'not ' : ''}${count(expected, 'context')}`
    const told = comparison(this, wanted, `${count(contexts.length, 'context')} on ${stream.path}`)
    return { pass: contexts.length === expected, message: () => paragraphs(hint, told, listContexts(contexts)) }
  })
}
