/** What a per-stream context looks like from outside, and how one is named, inserted and listed. */

/** An owner key or an instance: 0 to 2⁶⁴−1, as a `bigint` or as a `number` that is a safe integer. */
export type Identifier = bigint | number

/** Where the kernel keeps the context: memory that may be paged out, or memory that is always resident. */
export type Pool = 'paged' | 'nonpaged'

/**
 * How long the context lives at most: until the filter is closed (or its process dies), or until the file system tears
 * the stream down. Either way it can be removed before.
 */
export type Lifetime = 'session' | 'stream'

/** A context of this filter. The data is a copy. */
export interface StreamContext {
  readonly owner: bigint
  readonly instance: bigint
  readonly data: Buffer
  readonly pool: Pool
  readonly lifetime: Lifetime
  /** Unique while the driver is loaded; grows with every insertion. */
  readonly sequence: bigint
}

/** What was done with a stream since a tracking rule that counts inserted its context, through the driver's filter. */
export interface TrackingCounters {
  /** Successful opens that matched the rule, the first one included. */
  readonly opens: number
  /** Opens whose last handle was closed. */
  readonly cleanups: number
  /** Requests that were not the memory manager's. */
  readonly reads: number
  readonly writes: number
  /** Bytes asked for. */
  readonly bytesRead: number
  readonly bytesWritten: number
  /** The process of the first and of the last open. */
  readonly firstProcessId: number
  readonly lastProcessId: number
}

/** A context in a list: everything but the data. */
export interface ListedContext {
  readonly owner: bigint
  readonly instance: bigint
  /** Bytes. */
  readonly dataLength: number
  readonly pool: Pool
  readonly lifetime: Lifetime
  readonly sequence: bigint
  /**
   * The stream's name as the I/O manager told it at insertion, such as `\Device\HarddiskVolume3\a.txt:notes`; of a
   * context that a tracking rule inserted, the file's own name below its volume as the file system told it, whatever it
   * was opened by; of that at most 512 characters.
   */
  readonly name: string
  /** Whether `name` is the end of a longer one. */
  readonly nameTruncated: boolean
  /** When it was inserted: units of 100 nanoseconds since 1601, UTC. */
  readonly time: bigint
  /** The same, to the millisecond. */
  readonly date: Date
  /** Whether a tracking rule inserted it. */
  readonly byRule: boolean
  /** What was done with the stream since, if that rule counts. */
  readonly tracked?: TrackingCounters
}

/** Whose address a context's OwnerId is, as far as the driver can tell. */
export type OwnerKind = 'unknown' | 'device' | 'driver'

/** A context on a stream, whoever's it is. Tokens of 16 hexadecimal digits stand for what the kernel has addresses for. */
export interface InspectedContext {
  readonly holder: 'self' | 'other-session' | 'other-filter'
  /** Of this filter's own contexts alone, as the next three. */
  readonly owner?: bigint
  readonly instance?: bigint
  readonly sequence?: bigint
  /** A copy; not there if the context has gone meanwhile, or a younger one of this owner and instance is before it. */
  readonly data?: Buffer
  /** The file name of the image that its FreeCallback lies in, such as `fltMgr.sys`, and where in there. */
  readonly module?: string
  readonly offset?: number
  readonly ownerKind: OwnerKind
  /** The driver whose device or driver object is the owner, such as `\Driver\PsCtx`. */
  readonly ownerName?: string
  /** The same for the same owner on every stream, while the driver is loaded. */
  readonly ownerToken: string
  /** Likewise, of the instance; not there where the context has none. */
  readonly instanceToken?: string
}

/** The first context on a stream. Of another session's or another filter's nothing but that is told. */
export type FirstContext =
  | { readonly holder: 'self'; readonly context: StreamContext }
  | { readonly holder: 'other-session' | 'other-filter'; readonly context?: undefined }

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

/** What is to be inserted. */
export interface Insertion {
  /** A number of the caller's choice that names an owner within this filter; 0 when nothing is said. */
  readonly owner?: Identifier | undefined
  /** A number of the caller's choice that tells an owner's contexts on one stream apart; 0 when nothing is said. */
  readonly instance?: Identifier | undefined
  /** Up to 64 KiB, copied; none when nothing is said. */
  readonly data?: Uint8Array | undefined
  /** `'paged'` when nothing is said. */
  readonly pool?: Pool | undefined
  /** `'session'` when nothing is said. */
  readonly lifetime?: Lifetime | undefined
  /**
   * What to do when the owner has a context with this instance on the stream: `'fail'` with
   * `STATUS_OBJECT_NAME_COLLISION` (when nothing is said), `'keep'` the one there, `'replace'` it, or `'add'` a second
   * one before it, as `FsRtlInsertPerStreamContext` itself would.
   */
  readonly ifExists?: 'fail' | 'keep' | 'replace' | 'add' | undefined
}

/** What came of an insertion. */
export interface InsertionResult {
  readonly outcome: 'inserted' | 'kept' | 'replaced' | 'added'
  /** Of the context that is there now. */
  readonly sequence: bigint
}

/** Why a stream cannot carry per-stream contexts. */
export type UnsupportedReason =
  /** A pipe, a socket or another driver's device: no file system's file. */
  | 'not-a-file-system'
  /** The volume or the file system itself is open, not a file stream. */
  | 'volume'
  /** The file system set no stream context. */
  | 'no-stream-context'
  /** The file system's stream context has no `FSRTL_ADVANCED_FCB_HEADER`. */
  | 'no-advanced-header'
  /** The file system does not let filters attach contexts to this stream, as with a paging file. */
  | 'no-filter-contexts'

/**
 * Whether a stream can carry per-stream contexts. The answer for one stream says nothing of another.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlsupportsperstreamcontexts | FsRtlSupportsPerStreamContexts}
 */
export interface StreamSupport {
  readonly supported: boolean
  /** Absent when the stream is supported. */
  readonly reason?: UnsupportedReason
  /** `FILE_DEVICE_*` of the device that the stream belongs to. */
  readonly deviceType: number
  /** `FSRTL_FCB_HEADER_V*` of the stream's header; 0 where there is none. */
  readonly headerVersion: number
}
