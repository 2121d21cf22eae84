/** `toBeTornDown`: the file system tears a context down with its stream, once, and in time. */
import { typeError, valueError, type ListedContext } from '../index'

import { count, describeContext, describeIdentity } from './contexts'
import {
  assertion,
  comparison,
  paragraphs,
  toWithin,
  type DeadlineOptions,
  type MatcherContext,
  type MatcherResult,
} from './matcher'
import { endingsOf, isWatching, liveContexts, lostEndings, until, type Ending } from './watch'

const matcher = 'toBeTornDown'
const contextSources = 'a context: what insert(), lookup(), contexts() or an event tells, with its `sequence`'
const knownContext =
  "a context of a filter that is watched: of withFilter() or withVolume(), or one that went through watched() before the context's end"

const keptAdvice =
  'Something still refers to its stream: a handle that is open, the cache manager, or a mapped section. Close every handle; if the file ' +
  'system lets go in its own time, allow more of it. If nothing refers to it, the file system has let the stream go without ' +
  'FsRtlTeardownPerStreamContexts.'

/**
 * Passes if the file system tears the received context down, exactly once, at most `within` milliseconds from now; it may have done so
 * before. A context that is removed is not torn down. The context must be one of a filter that is watched.
 */
export async function toBeTornDown(
  this: MatcherContext,
  received: unknown,
  options: DeadlineOptions = {},
): Promise<MatcherResult> {
  const sequence = sequenceOf(received)
  const within = toWithin(options, matcher)
  if (!isWatching()) throw valueError(matcher, 'received', knownContext)

  const endings = await until(
    () => endingsOf(sequence),
    ({ length }) => length > 0,
    within,
  )
  const hint = assertion(this, matcher, 'context', `{ within: ${within} }`)
  const wanted = `${this.isNot ? 'not ' : ''}torn down within ${within} ms`
  const tell = (seen: string, advice = ''): string => paragraphs(hint, comparison(this, wanted, seen), advice)

  const [ending] = endings
  if (ending === undefined) {
    const context = await findLive(sequence)
    return {
      pass: false,
      message: () => tell(`still there: ${describeContext(context)} on ${context.name}`, keptAdvice),
    }
  }
  if (endings.length > 1) {
    const list = endings.map((one) => `  ${describeEnding(one)}`).join('\n')
    return { pass: false, message: () => tell(`ended ${endings.length} times`, list) }
  }
  return { pass: ending.type === 'torn-down', message: () => tell(describeEnding(ending)) }
}

function sequenceOf(received: unknown): bigint {
  if (typeof received === 'object' && received !== null && 'sequence' in received) {
    const { sequence } = received
    if (typeof sequence === 'bigint') return sequence
  }
  throw typeError(matcher, 'received', contextSources)
}

/** The context that has not ended. If there is none, nobody can tell how it ended. */
async function findLive(sequence: bigint): Promise<ListedContext> {
  const context = (await liveContexts()).find((one) => one.sequence === sequence)
  if (context !== undefined) return context
  const lost = lostEndings()
  if (lost > 0)
    throw new Error(`${matcher}: ${count(lost, 'event')} of endings were lost, that of this context may be among them.`)
  throw valueError(matcher, 'received', knownContext)
}

function describeEnding(ending: Ending): string {
  const what = `${describeIdentity(ending)} on ${ending.name}, at the age of ${Math.round(ending.age)} ms`
  return ending.type === 'torn-down' ? `torn down: ${what}` : `removed by process ${ending.processId}: ${what}`
}
