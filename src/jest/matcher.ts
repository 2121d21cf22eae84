/** What the matchers have in common: the runner's side of them, and the errors that no assertion can be judged by. */
import { checkInteger, checkOptions, PerStreamContextError, Stream, typeError } from '../index'

/** What Jest and Vitest give a matcher as `this`: as much of it as is used. */
export interface MatcherContext {
  readonly isNot?: boolean | undefined
  readonly promise?: string | undefined
  readonly utils: {
    readonly matcherHint: (
      name: string,
      received?: string,
      expected?: string,
      options?: { isNot?: boolean; promise?: string },
    ) => string
    readonly printExpected: (value: unknown) => string
    readonly printReceived: (value: unknown) => string
    readonly EXPECTED_COLOR: (text: string) => string
    readonly RECEIVED_COLOR: (text: string) => string
    readonly diff: (expected: unknown, received: unknown) => string | null | undefined
  }
}

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

/** How long a file system may take. */
export interface DeadlineOptions {
  /** Milliseconds, up to 2³¹−1; 4,000 when nothing is said, a second less than Jest and Vitest give a test. */
  readonly within?: number | undefined
}

const deadlineKeys: ReadonlySet<string> = new Set(['within'])
const defaultWithin = 4000
const maximumWithin = 2 ** 31 - 1

/** Throws unless `value` is a number of milliseconds that can be waited for. */
export function checkWithin(value: unknown, operation: string): asserts value is number {
  checkInteger(value, 0, maximumWithin, 'within', operation)
}

/** The milliseconds of a matcher's options. */
export function toWithin(options: DeadlineOptions, matcher: string): number {
  checkOptions(options, matcher, deadlineKeys)
  const { within = defaultWithin } = options
  checkWithin(within, matcher)
  return within
}

/** The assertion as it stands in the test: `expect(received).not.matcher(expected)`. */
export function assertion(context: MatcherContext, matcher: string, received: string, expected = ''): string {
  const { isNot = false, promise = '' } = context
  return context.utils.matcherHint(matcher, received, expected, { isNot, promise })
}

/** A message: the assertion, and paragraphs below it. */
export function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

/** What was expected, and what came. */
export function comparison(context: MatcherContext, expected: string, received: string): string {
  const { EXPECTED_COLOR, RECEIVED_COLOR } = context.utils
  return `Expected: ${EXPECTED_COLOR(expected)}\nReceived: ${RECEIVED_COLOR(received)}`
}

const getClosed = Reflect.getOwnPropertyDescriptor(Stream.prototype, 'closed')!

/** Jest compares copies of objects once more to tell what differs. That of a Stream has its prototype, and nothing behind it. */
function isCopy(stream: Stream): boolean {
  try {
    getClosed.get!.call(stream)
    return false
  } catch {
    return true
  }
}

/**
 * Asks something of a received stream. Where the driver has an error for an answer, as with a stream that cannot carry contexts, the
 * assertion fails whichever way it was meant, and the message is the driver's, with what to do next.
 */
export function askStream(
  context: MatcherContext,
  matcher: string,
  expected: string,
  received: unknown,
  ask: (stream: Stream, hint: string) => MatcherResult,
): MatcherResult {
  if (!(received instanceof Stream)) {
    throw typeError(matcher, 'received', 'a Stream, such as filter.openStream() returns')
  }
  const hint = assertion(context, matcher, 'stream', expected)
  const fail = (reason: string): MatcherResult => ({
    pass: context.isNot === true,
    message: () => paragraphs(hint, reason),
  })
  if (isCopy(received)) return fail('It is a copy of a Stream, which cannot be asked.')
  try {
    return ask(received, hint)
  } catch (error) {
    if (!(error instanceof PerStreamContextError)) throw error
    return fail(error.message)
  }
}
