/** `toHaveContext`: a stream has a context of this filter, and the context has this data. */
import { checkBytes, checkIdentifier, checkOptions, type Identifier } from '../index'

import { count, describeIdentity, listContexts } from './contexts'
import { describeData, describeDifference, firstDifference } from './data'
import { askStream, comparison, paragraphs, type MatcherContext, type MatcherResult } from './matcher'

/** The context that a stream must have: an insertion's own words. */
export interface ExpectedContext {
  /** The context's number among those of its owner on the stream. */
  readonly instance: Identifier
  /** 0 when nothing is said. */
  readonly owner?: Identifier | undefined
  /** Any when nothing is said. */
  readonly data?: Uint8Array | undefined
}

const matcher = 'toHaveContext'
const keys: ReadonlySet<string> = new Set(['instance', 'owner', 'data'])

/** Passes if `lookup()` finds the context on the received stream; of several that match, the youngest must have the data. */
export function toHaveContext(this: MatcherContext, received: unknown, expected: ExpectedContext): MatcherResult {
  checkOptions(expected, matcher, keys)
  const { owner = 0, instance, data } = expected
  checkIdentifier(owner, 'owner', matcher)
  checkIdentifier(instance, 'instance', matcher)
  if (data !== undefined) checkBytes(data, 'data', matcher)

  return askStream(this, matcher, 'context', received, (stream, hint) => {
    const identity = describeIdentity({ owner, instance })
    const found = stream.lookup({ owner, instance })
    if (found === undefined) {
      const contexts = stream.contexts()
      const there = contexts.length === 0 ? 'no context' : count(contexts.length, 'other context')
      const told = comparison(this, identity, `${there} on ${stream.path}`)
      return { pass: false, message: () => paragraphs(hint, told, listContexts(contexts)) }
    }
    if (data !== undefined && firstDifference(data, found.data) !== undefined) {
      return {
        pass: false,
        message: () =>
          paragraphs(
            hint,
            `The context is there (${identity} on ${stream.path}), its data is not the same.`,
            describeDifference(this, data, found.data),
          ),
      }
    }
    const withData = data === undefined ? identity : `${identity}, data ${describeData(data)}`
    const there = `${identity}, data ${describeData(found.data)} on ${stream.path}`
    return { pass: true, message: () => paragraphs(hint, comparison(this, `not ${withData}`, there)) }
  })
}
