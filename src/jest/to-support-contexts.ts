/** `toSupportContexts`: a stream can carry per-stream contexts. */
import { PerStreamContextError, type Stream } from '../index'

import { askStream, comparison, paragraphs, type MatcherContext, type MatcherResult } from './matcher'

/** Passes if `support()` says so of the received stream. */
export function toSupportContexts(this: MatcherContext, received: unknown): MatcherResult {
  return askStream(this, 'toSupportContexts', '', received, (stream, hint) => {
    const { supported, reason, headerVersion } = stream.support()
    if (!supported) {
      const told = comparison(this, 'a stream that can carry contexts', `${stream.path}, which cannot: ${reason}`)
      return { pass: false, message: () => paragraphs(hint, told, adviceOf(stream)) }
    }
    const header = `FSRTL_ADVANCED_FCB_HEADER of version ${headerVersion}`
    const told = comparison(this, 'a stream that cannot carry contexts', `${stream.path}, which can: ${header}`)
    return { pass: true, message: () => paragraphs(hint, told) }
  })
}

/** What the driver says to whoever tries to use the stream: why it cannot be done, and what to do. */
function adviceOf(stream: Stream): string {
  try {
    stream.lookup()
    return ''
  } catch (error) {
    if (error instanceof PerStreamContextError) return error.message
    throw error
  }
}
