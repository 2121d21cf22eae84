/** What a per-stream context is named by, and where and how long it lives: what the modules have in common. */

/** An owner key or an instance: 0 to 2⁶⁴−1, as a `bigint` or as a `number` that is a safe integer. */
export type Identifier = bigint | number

/** Where the kernel keeps the context: memory that may be paged out, or memory that is always resident. */
export type Pool = 'paged' | 'nonpaged'

/**
 * How long the context lives at most: until the filter is closed (or its process dies), or until the file system tears
 * the stream down. Either way it can be removed before.
 */
export type Lifetime = 'session' | 'stream'

/** Whose a context is. */
export type Holder = 'self' | 'other-session' | 'other-filter'

/**
 * Which context is meant. Of several that match it is the youngest, the one nearest the head of the stream's list.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
 */
export interface ContextIdentity {
  /** This filter's owner key; 0 when nothing is said. */
  readonly owner?: Identifier | undefined
  /** Which of the owner's contexts; any of them when nothing is said. */
  readonly instance?: Identifier | undefined
}
