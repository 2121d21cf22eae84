/** The way to the driver: an open of its control device, and what belongs to that. */
import { resolve } from 'node:path'

import { Batch, type BatchOptions } from './batch'
import * as abi from './abi'
import { checkIdentity, checkOptions } from './arguments'
import { Replies } from './codec'
import type { ListedContext } from './context'
import { ContextIterator, type EnumerationOptions } from './enumeration'
import { argumentError, explain, isNativeError, PerStreamContextError, statusOf } from './errors'
import { readEvents, type EventOptions, type EventType, type FilterEvents } from './events'
import { HostKernel } from './host'
import { native, type NativeFilter, type NativeStream } from './native'
import type { ClosableIterator } from './paging'
import { toNamespacePath } from './path'
import { Stream } from './stream'
import { TrackingRule, type TrackingOptions } from './tracking'
import { listVolumes, type Volume } from './volumes'

/** Which kernel runs the driver: that of Windows, or the one embedded in this package. */
export type KernelName = 'windows' | 'host'

/** A volume of the embedded kernel: in memory, or a directory of this machine (of which an ntfs-3g mount has named streams). */
export type VolumeDefinition = { readonly type: 'memory' } | { readonly type: 'directory'; readonly path: string }

/** How a filter is opened. */
export interface FilterOptions {
  /** `'windows'` on Windows and `'host'` elsewhere when nothing is said. */
  readonly kernel?: KernelName | undefined
  /**
   * The embedded kernel's volumes by drive, such as `{ 'M:': { type: 'memory' } }`, which is what there is when nothing
   * is said. Filters of one process share a volume that they define alike.
   */
  readonly volumes?: Readonly<Record<string, VolumeDefinition>> | undefined
  /** Opens the driver for looking only: whatever would change something fails with `STATUS_ACCESS_DENIED`. */
  readonly readOnly?: boolean | undefined
}

/** What one filter may hold. */
export interface FilterLimits {
  /** Bytes of data in one context. */
  readonly dataLength: number
  /** Live contexts. */
  readonly contexts: number
  /** Owner keys. */
  readonly owners: number
  /** Bytes of paged pool. */
  readonly pagedBytes: number
  /** Bytes of nonpaged pool. */
  readonly nonPagedBytes: number
  /** Operations in one batch. */
  readonly batchOperations: number
  /** Bytes of requests, or of replies, in one batch. */
  readonly transfer: number
  /** Contexts on one stream, of every filter. */
  readonly streamContexts: number
  /** Filters and readers of events that are open, of every process. */
  readonly sessions: number
  /** Bytes of paged pool for what is no context: owner keys, rules, events that are kept. */
  readonly pagedRecordBytes: number
  /** Bytes of nonpaged pool for what is no context: the filter itself, and requests that wait for events. */
  readonly nonPagedRecordBytes: number
  /** Readers of this filter's events. */
  readonly readers: number
  /** Requests of one reader that wait for events. */
  readonly waits: number
}

/** Counters of the driver. Each is right by itself; together they are no snapshot. */
export interface FilterStatistics {
  /** Of this filter. */
  readonly session: {
    /** Live now. */
    readonly contexts: number
    /** Held now, headers and names included. */
    readonly pagedBytes: number
    readonly nonPagedBytes: number
    /** Since the filter was opened. */
    readonly inserted: number
    /** By a request: remove, removeAll, replace. */
    readonly removed: number
    /** By a file system, with the stream. */
    readonly tornDown: number
    /** Opens that its tracking rules have no context for: see {@link TrackingStatistics}. */
    readonly missed: number
    /** Held now by what is no context: see {@link FilterLimits}. */
    readonly pagedRecordBytes: number
    readonly nonPagedRecordBytes: number
  }
  /** Of the driver as a whole, now. */
  readonly total: {
    readonly contexts: number
    readonly pagedBytes: number
    readonly nonPagedBytes: number
    /** Filters that are open. */
    readonly sessions: number
    /** Volumes that the driver's file system filter is attached to. */
    readonly attachedVolumes: number
    /** File systems' control devices that it is attached to. */
    readonly attachedFileSystems: number
    /** Held now by what is no context: see {@link FilterLimits}. */
    readonly pagedRecordBytes: number
    readonly nonPagedRecordBytes: number
  }
}

/**
 * An open of the driver. It owns the contexts that are inserted through it: when it is closed, or its process dies, they
 * are removed and freed, unless their lifetime is `'stream'`. Made by {@link openFilter}.
 *
 * A filter, its streams and its batches belong to the thread that opened it; each worker opens its own.
 */
export class Filter {
  readonly kernel: KernelName
  /** The driver's, such as `'1.0.0'`. */
  readonly version: string
  readonly limits: FilterLimits
  /** The embedded kernel's files, faults and audit; `undefined` on Windows. */
  readonly host: HostKernel | undefined
  readonly #native: NativeFilter
  readonly #replies: Replies
  /** The number that the driver knows this filter by. */
  readonly #session: bigint

  /** @internal */
  constructor(nativeFilter: NativeFilter, kernel: KernelName) {
    this.#native = nativeFilter
    this.#replies = new Replies(nativeFilter.reply())
    this.kernel = kernel
    nativeFilter.queryVersion()
    const { version, session, limits } = this.#replies.version(0)
    this.#session = session
    this.version = version
    this.limits = limits
    this.host = kernel === 'host' ? new HostKernel(nativeFilter) : undefined
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#native.closed
  }

  /**
   * Opens a stream, for reading its attributes and sharing everything, so that it is in nobody's way:
   * `M:\directory\file` (the default stream), `M:\directory\file:name`, a directory, `M:` (the volume itself), or a path
   * that begins with `\\?\` or `\\.\`.
   *
   * Throws what the file system says, among it `STATUS_OBJECT_NAME_NOT_FOUND`, `STATUS_OBJECT_PATH_NOT_FOUND`,
   * `STATUS_OBJECT_NAME_INVALID`, `STATUS_OBJECT_PATH_SYNTAX_BAD`, `STATUS_NAME_TOO_LONG`, `STATUS_ACCESS_DENIED`,
   * `STATUS_DELETE_PENDING`; and `STATUS_INVALID_PARAMETER`, `STATUS_FILE_CLOSED`.
   *
   * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew | CreateFileW}
   */
  openStream(path: string): Stream {
    const namespacePath = toNamespacePath(path, 'open')
    let stream: NativeStream
    try {
      stream = new native.Stream(this.#native, namespacePath)
    } catch (error) {
      throw explain(error, { path })
    }
    return new Stream(stream, this.#replies, path)
  }

  /** An empty batch. Throws `STATUS_INVALID_PARAMETER`, `STATUS_FILE_CLOSED`. */
  batch(options: BatchOptions = {}): Batch {
    checkOptions(options, 'batch')
    if (this.#native.closed) {
      throw new PerStreamContextError({ status: statusOf('STATUS_FILE_CLOSED'), operation: 'batch' })
    }
    return new Batch(this.#native, options)
  }

  /** The driver's counters. Throws `STATUS_FILE_CLOSED`. */
  statistics(): FilterStatistics {
    try {
      this.#native.queryStatistics()
    } catch (error) {
      throw explain(error)
    }
    return this.#replies.statistics(0)
  }

  /**
   * Has the driver insert a context whenever a stream whose name matches is opened and has none of this owner and
   * instance yet; they live as contexts with the lifetime `'session'` do, and outlive the rule. They may take half of the
   * filter's quota; what they miss is counted, and told as an event.
   *
   * Throws what {@link Filter.openStream} does for the volume, `STATUS_QUOTA_EXCEEDED` beyond 64 rules,
   * `STATUS_INVALID_PARAMETER`, `STATUS_ACCESS_DENIED` (read-only filter), `STATUS_FILE_CLOSED`.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ifs/creating-a-per-stream-context | Creating a per-stream context}
   *
   * @example
   * ```ts
   * using rule = filter.track({ volume: 'C:', match: '*.docx', count: true })
   * ```
   */
  track(options: TrackingOptions): TrackingRule {
    checkIdentity(options, 'track')
    const { match, volume, count = false }: { match: unknown; volume?: unknown; count?: unknown } = options
    const maximum = abi.limits.patternLength / 2
    if (typeof match !== 'string' || match === '' || match.length > maximum || match.includes('\0')) {
      throw argumentError('track', 'match', `a string of 1 to ${maximum} characters, none of them NUL`)
    }
    if (typeof count !== 'boolean') throw argumentError('track', 'count', 'a boolean')
    const flags = count ? abi.trackFlags.count : 0
    const file = this.#openVolume(volume, 'track')
    try {
      this.#native.track(options.owner ?? 0, options.instance ?? 0, file, match, flags)
    } catch (error) {
      const isFull = isNativeError(error) && error.status === statusOf('STATUS_QUOTA_EXCEEDED')
      throw explain(error, { advice: isFull ? fullAdvice : undefined })
    } finally {
      file?.close()
    }
    return new TrackingRule(this.#native, this.#replies, this.#replies.rule(0), options)
  }

  /** Ends a rule of this filter. The contexts that it has inserted stay. Harmless when it has ended already. */
  untrack(rule: TrackingRule): void {
    if (!TrackingRule.isOf(this.#native, rule)) throw argumentError('untrack', 'rule', 'a TrackingRule of this filter')
    rule.dispose()
  }

  /**
   * What happens to this filter's contexts, and to the volumes that the driver watches, from this call on: an iterator for
   * `for await`. Whether read or not, events are kept in the kernel, `capacity` bytes of them; then the oldest are lost, and
   * a `'dropped'` event says how many.
   *
   * It ends with `break`, `return()`, the filter's close, or with an `AbortError` when `signal` is aborted. Waiting for an
   * event keeps the process alive; an iterator that nobody waits for does not.
   *
   * Throws `STATUS_QUOTA_EXCEEDED` beyond 16 iterators at a time, `STATUS_INVALID_PARAMETER`, `STATUS_FILE_CLOSED`,
   * `STATUS_INSUFFICIENT_RESOURCES`, and an `AbortError` when `signal` is aborted already.
   *
   * @example
   * ```ts
   * for await (const event of filter.events({ types: ['torn-down'], signal: AbortSignal.timeout(60_000) })) {
   *   console.log(event.type, event)
   * }
   * ```
   */
  events<T extends EventType = EventType>(options: EventOptions<T> = {}): FilterEvents<T> {
    return readEvents(this.#native, this.#session, options)
  }

  /**
   * Every context of this filter, on every stream or on those of one volume: an iterator for `for await`, which asks the
   * driver for a page at a time and lets the event loop run in between. A context that is there from the beginning to the
   * end is told exactly once; what comes or goes meanwhile may or may not be.
   *
   * Throws what {@link Filter.openStream} does for the volume, `STATUS_INVALID_PARAMETER`, `STATUS_FILE_CLOSED`, and an
   * `AbortError` when `signal` is aborted already; when it is aborted later, the iterator does.
   */
  contexts(options: EnumerationOptions = {}): ClosableIterator<ListedContext> {
    checkOptions(options, 'contexts')
    if (this.#native.closed) {
      throw new PerStreamContextError({ status: statusOf('STATUS_FILE_CLOSED'), operation: 'contexts' })
    }
    return new ContextIterator(this.#native, () => this.#openVolume(options.volume, 'contexts'), options.signal)
  }

  /** The volumes that the driver's file system filter knows, attached or not. Throws `STATUS_FILE_CLOSED`. */
  volumes(): Volume[] {
    try {
      return listVolumes(this.#native, this.#replies)
    } catch (error) {
      throw explain(error)
    }
  }

  /** A file of the volume that is meant: of a drive, its root directory. */
  #openVolume(volume: unknown, operation: string): NativeStream | undefined {
    if (volume === undefined) return undefined
    const isDrive = typeof volume === 'string' && /^[A-Za-z]:$/.test(volume)
    const path = toNamespacePath(isDrive ? `${volume}\\` : volume, operation, 'volume')
    try {
      return new native.Stream(this.#native, path)
    } catch (error) {
      throw explain(error, { operation, path: volume as string })
    }
  }

  /**
   * Closes its streams, its iterators and then the driver. Harmless when it is closed already.
   *
   * The last filter of the process stops the embedded kernel: throws `STATUS_INTERNAL_ERROR`, with what is left, when
   * that ends with pool, handles, objects or locks outstanding, which is a bug in the driver or in this package.
   */
  close(): void {
    try {
      this.#native.close()
    } catch (error) {
      throw explain(error)
    }
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }
}

const fullAdvice = `A filter has at most ${abi.limits.rules} tracking rules: end one of them first.`

const installAdvice =
  'The driver psctx is not running: install and start it as an administrator (see "Installing the driver" in README.md), ' +
  "then try again. To run on the embedded kernel instead, say `kernel: 'host'` on a system other than Windows."

const elsewhereAdvice = "The kernel of Windows is not on this machine: say `kernel: 'host'` to run on the embedded one."

function toVolumes(volumes: unknown): (readonly [string, string | undefined])[] {
  if (typeof volumes !== 'object' || volumes === null) throw argumentError('openFilter', 'volumes', 'an object')
  return Object.entries(volumes).map(([drive, definition]: [string, unknown]) => {
    if (!/^[A-Za-z]:$/.test(drive)) {
      throw argumentError('openFilter', 'volumes', `keyed by drives such as 'M:', not ${JSON.stringify(drive)}`)
    }
    const { type, path } = (definition ?? {}) as { type?: unknown; path?: unknown }
    const letter = drive.charAt(0).toUpperCase()
    if (type === 'memory') return [letter, undefined]
    if (type !== 'directory' || typeof path !== 'string' || path === '' || path.includes('\0')) {
      throw argumentError('openFilter', 'volumes', "made of { type: 'memory' } and { type: 'directory', path }")
    }
    return [letter, resolve(path)]
  })
}

function openAdvice(error: unknown, kernel: KernelName): string | undefined {
  if (!isNativeError(error)) return undefined
  if (kernel === 'windows') {
    if (error.status === statusOf('STATUS_OBJECT_NAME_NOT_FOUND')) {
      return process.platform === 'win32' ? installAdvice : elsewhereAdvice
    }
    return undefined
  }
  if (error.status === statusOf('STATUS_NOT_SUPPORTED')) {
    return "On Windows the driver runs in the system's own kernel: leave `kernel` out."
  }
  if (error.status === statusOf('STATUS_OBJECT_NAME_COLLISION')) {
    return 'Another filter of this process has a different volume of that letter: define it alike, or use another letter.'
  }
  if (error.status === statusOf('STATUS_OBJECT_PATH_NOT_FOUND')) return 'A volume’s directory must exist.'
  return undefined
}

/**
 * Opens the driver: on Windows the one that is loaded there, elsewhere the same driver in the embedded kernel, which is
 * booted with the first filter of the process. One is never taken for the other: `kernel` of the filter says which it is.
 *
 * Throws a {@link PerStreamContextError}: `STATUS_OBJECT_NAME_NOT_FOUND` when the driver is not there (the message says what
 * to do), `STATUS_ACCESS_DENIED` for users who are no administrators, `STATUS_NOT_SUPPORTED` for the embedded kernel on
 * Windows, `STATUS_OBJECT_NAME_COLLISION` when another filter defines a volume otherwise, `STATUS_OBJECT_PATH_NOT_FOUND`
 * when a volume's directory does not exist, `STATUS_REVISION_MISMATCH` when the driver is of another version,
 * `STATUS_INVALID_PARAMETER`.
 *
 * @example
 * ```ts
 * using filter = openFilter()
 * using stream = filter.openStream(String.raw`C:\data\report.docx:notes`)
 * stream.insert({ instance: 1n, data: Buffer.from('seen') })
 * ```
 */
export function openFilter(options: FilterOptions = {}): Filter {
  checkOptions(options, 'openFilter')
  const {
    kernel = process.platform === 'win32' ? 'windows' : 'host',
    readOnly = false,
    volumes = { 'M:': { type: 'memory' } },
  }: { kernel?: unknown; readOnly?: unknown; volumes?: unknown } = options
  if (kernel !== 'windows' && kernel !== 'host') {
    throw argumentError('openFilter', 'kernel', "'windows' or 'host'")
  }
  if (typeof readOnly !== 'boolean') throw argumentError('openFilter', 'readOnly', 'a boolean')
  if (kernel === 'windows' && options.volumes !== undefined) {
    throw argumentError('openFilter', 'volumes', "left out unless `kernel` is 'host': Windows has its own")
  }
  const mounted = kernel === 'host' ? toVolumes(volumes) : []

  let opened: NativeFilter | undefined
  try {
    opened = new native.Filter(kernel, readOnly, mounted)
    return new Filter(opened, kernel)
  } catch (error) {
    opened?.close()
    throw explain(error, { operation: 'openFilter', advice: openAdvice(error, kernel) })
  }
}
