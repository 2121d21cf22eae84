/** What a check comes to, and how its body says so. */

/**
 * `'pass'` and `'fail'` are judgements. `'not-supported'`: the file system or the kernel has no such thing, as its status tells.
 * `'information'`: what was seen is told, and nothing can be judged by it.
 */
export type Verdict = 'pass' | 'fail' | 'not-supported' | 'information'

/**
 * What became of a context after the last reference to its stream: torn down at once; `'late'`, after a while; `'kept'`, because the file
 * system keeps the stream and finds it again; or `'lost'`: the driver has it, and nobody will ever find it on a stream, which is the only
 * failure among them.
 */
export type Ending = 'torn-down' | 'late' | 'kept' | 'lost'

/** What a check has found. */
export interface Finding {
  readonly verdict: Verdict
  /** What was seen, with counts and times. */
  readonly evidence: string
  readonly ending?: Ending | undefined
}

/** Ends a check. */
export class Judgement extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super(finding.evidence)
    this.name = 'Judgement'
    this.finding = finding
  }
}

export function fail(evidence: string, ending?: Ending): never {
  throw new Judgement({ verdict: 'fail', evidence, ending })
}

export function notSupported(evidence: string): never {
  throw new Judgement({ verdict: 'not-supported', evidence })
}

export function inform(evidence: string, ending?: Ending): never {
  throw new Judgement({ verdict: 'information', evidence, ending })
}

/** What `make` returns, where there is such a thing. */
export function ifSupported<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof Judgement && error.finding.verdict === 'not-supported') return undefined
    throw error
  }
}

/** Fails unless it is so. */
export function hold(isSo: boolean, evidence: string): asserts isSo {
  if (!isSo) fail(evidence)
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
