/** What the matchers have in common: the runner's side of them, and the errors that no assertion can be judged by. */
import { checkInteger, checkOptions, PerStreamContextError, Stream, typeError } from '../index'

/** What Jest and Vitest give a matcher as `this`: as much of it as is used. */
export interface MatcherContext {
  /** Whether the assertion has `.not`. */
  readonly isNot?: boolean | undefined
  /** `'resolves'` or `'rejects'` where the assertion has one of them. */
  readonly promise?: string | undefined
  /** What messages are made with. */
  readonly utils: {
    /** The assertion as it stands in the test. */
    readonly matcherHint: (
      name: string,
      received?: string,
      expected?: string,
      options?: { isNot?: boolean; promise?: string },
    ) => string
    /** A value as text, in the colour of what was expected. */
    readonly printExpected: (value: unknown) => string
    /** A value as text, in the colour of what came. */
    readonly printReceived: (value: unknown) => string
    /** Text in the colour of what was expected. */
    readonly EXPECTED_COLOR: (text: string) => string
    /** Text in the colour of what came. */
    readonly RECEIVED_COLOR: (text: string) => string
    /** What two values differ in, line by line. */
    readonly diff: (expected: unknown, received: unknown) => string | null | undefined
  }
}

/** What a matcher answers. */
export interface MatcherResult {
  /** Whether the assertion holds, without regard to `.not`. */
  readonly pass: boolean
  /** What to tell when the test fails. */
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
export function assertion(context: MatcherContext, matcher: string, received: string, expected: string): string {
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
