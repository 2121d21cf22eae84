/** What a check is, what it comes to, and how its body says so. */
import type { Bench } from './bench'

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

/** What a check runs only on request: it dismounts the volume, or takes as long as it is told. */
export type Request = 'dismount' | 'seconds'

export interface Check {
  /** Stable: a subject, and what of it. */
  readonly id: string
  /** What is promised. */
  readonly sentence: string
  /** The page that promises it. */
  readonly documentation: string
  /** The usual cause of a failure. */
  readonly hint: string
  readonly needs?: Request
  /** Returns the evidence of a pass, or a finding. What it throws is a {@link Judgement}, or an error of the library. */
  readonly run: (bench: Bench) => string | Finding | Promise<string | Finding>
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

/** Fails unless it is so. */
export function hold(isSo: boolean, evidence: string): asserts isSo {
  if (!isSo) fail(evidence)
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}

const drivers = 'https://learn.microsoft.com/windows-hardware/drivers'

/** The pages that checks rest on. */
export const pages = {
  streams: `${drivers}/ifs/file-streams--stream-contexts--and-per-stream-contexts`,
  deleting: `${drivers}/ifs/deleting-a-per-stream-context`,
  supports: `${drivers}/ddi/ntifs/nf-ntifs-fsrtlsupportsperstreamcontexts`,
  setUp: `${drivers}/ddi/ntifs/nf-ntifs-fsrtlsetupadvancedheader`,
  insert: `${drivers}/ddi/ntifs/nf-ntifs-fsrtlinsertperstreamcontext`,
  lookup: `${drivers}/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext`,
  teardown: `${drivers}/ddi/ntifs/nf-ntifs-fsrtlteardownperstreamcontexts`,
} as const
