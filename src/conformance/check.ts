/** What a check is, and the pages that checks rest on. */
import type { Bench } from './bench'
import type { Finding } from './judgement'

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
