/** The way to the driver: an open of its control device, and what belongs to that. */
import { resolve } from 'node:path'

import * as abi from './abi'
import { checkBoolean, checkOptions, checkSignal, checkString } from './arguments'
import { makeBatch, type Batch, type BatchOptions } from './batch'
import type { EventType } from './codec/events'
import type { ListedContext } from './codec/list'
import { decodeStatistics, encodeQueryStatistics, type FilterStatistics } from './codec/statistics'
import { decodeVersion, encodeQueryVersion, fronts, type FilterLimits, type Front } from './codec/version'
import type { Volume } from './codec/volumes'
import { noFileError, openDescriptor } from './descriptor'
import { enumerateContexts, type EnumerationOptions } from './enumeration'
import {
  closedError,
  constructorError,
  isFailure,
  PerStreamContextError,
  statusOf,
  typeError,
  valueError,
} from './errors'
import { readEvents, type EventOptions, type FilterEvents } from './events'
import { Files } from './files'
import { makeHostKernel, type HostKernel } from './host'
import { listMinifilters, type MinifilterInstance } from './minifilters'
import { type HostVolume, native } from './native'
import { abortError, type ClosableIterator } from './paging'
import { toNamespacePath } from './path'
import { answerError, reply, Session } from './session'
import { makeStream, type Stream } from './stream'
import { makeRule, type TrackingOptions, type TrackingRule } from './tracking'
import { type VolumeFault, volumeFaults } from './volume-fault'
import { listVolumes, openVolume } from './volumes'

/** Which kernel runs the driver: that of Windows, or the one embedded in this package. */
export type KernelName = 'windows' | 'host'

/** A volume of the embedded kernel: in memory, or a directory of this machine (of which an ntfs-3g mount has named streams). */
export type VolumeDefinition =
  | {
      /** An empty NTFS-like volume with a paging file, gone with the last filter that defines it. */
      readonly type: 'memory'
      /** What it does wrong, on purpose: to see whether a test notices. Nothing when nothing is said. */
      readonly fault?: VolumeFault | undefined
    }
  | {
      /** A directory of this machine, whose files the volume's are. */
      readonly type: 'directory'
      /** The directory, absolute or relative to the working directory. */
      readonly path: string
    }

/** How a filter is opened. */
export interface FilterOptions {
  /** `'windows'` on Windows and `'host'` elsewhere when nothing is said. */
  readonly kernel?: KernelName | undefined
  /**
   * The embedded kernel's volumes by drive, such as `{ 'M:': { type: 'memory' } }`, which is what there is when nothing
   * is said. Filters of one process share a volume that they define alike.
   */
  readonly volumes?: Readonly<Record<string, VolumeDefinition>> | undefined
  /**
   * The embedded kernel's: by which front the driver hears of opens and requests there, `'legacy'` when nothing is said. Filters of one
   * process share it, since the driver is loaded once. On Windows it is that of the driver which is installed: see {@link Filter.front}.
   */
  readonly front?: Front | undefined
  /** Opens the driver for looking only: whatever would change something fails with `STATUS_ACCESS_DENIED`. */
  readonly readOnly?: boolean | undefined
}

/** How a stream is opened off the event loop. */
export interface OpenStreamOptions {
  /** Ends the wait with an `AbortError`; what is opened after that is closed at once. */
  readonly signal?: AbortSignal | undefined
}

const openKeys: ReadonlySet<string> = new Set(['kernel', 'volumes', 'front', 'readOnly'])
const openStreamKeys: ReadonlySet<string> = new Set(['signal'])

let makeFilter: (session: Session, kernel: KernelName, volumes: readonly HostVolume[]) => Filter

/** How another filter on the same kernel, with the same volumes and front, is opened. @internal */
export let optionsOf: (filter: Filter) => FilterOptions

/**
 * An open of the driver. It owns the contexts that are inserted through it: when it is closed, or its process dies, they
 * are removed and freed, unless their lifetime is `'stream'`. Made by {@link openFilter}.
 *
 * A filter, its streams and its batches belong to the thread that opened it; each worker opens its own.
 */
export class Filter {
  /** Which kernel runs the driver. */
  readonly kernel: KernelName
  /** The driver's, such as `'1.0.0'`. */
  readonly version: string
  /** How the driver hears of opens and requests. */
  readonly front: Front
  /** What this filter may hold. */
  readonly limits: FilterLimits
  /** Files, acted on by system services: for what `node:fs` has no words for. On the embedded kernel it is {@link host}. */
  readonly files: Files
  /** The embedded kernel's files, faults and audit; `undefined` on Windows. */
  readonly host: HostKernel | undefined
  readonly #session: Session
  /** The embedded kernel's. */
  readonly #volumes: readonly HostVolume[]
  /** The number that the driver knows this filter by. */
  readonly #number: bigint

  static {
    makeFilter = (session, kernel, volumes) => new this(session, kernel, volumes)
    optionsOf = (filter) =>
      filter.kernel === 'windows'
        ? { kernel: 'windows' }
        : { kernel: 'host', volumes: toDefinitions(filter.#volumes), front: filter.front }
  }

  private constructor(session: Session, kernel: KernelName, volumes: readonly HostVolume[]) {
    if (!(session instanceof Session)) throw constructorError('Filter', 'openFilter()')
    this.#session = session
    this.#volumes = volumes
    this.kernel = kernel
    encodeQueryVersion(session.memory)
    session.request(session.native.queryVersion, abi.versionReply.size, 'openFilter')
    const { version, front, session: number, limits } = decodeVersion(session.memory, reply)
    this.#number = number
    this.version = version
    this.front = front
    this.limits = limits
    this.host = kernel === 'host' ? makeHostKernel(session) : undefined
    this.files = this.host ?? new Files(session)
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#session.isClosed
  }

  /**
   * Opens a stream, for reading its attributes and sharing everything, so that it is in nobody's way:
   * `M:\directory\file` (the default stream), `M:\directory\file:name`, a directory, `M:` (the volume itself), or a path
   * that begins with `\\?\` or `\\.\`.
   *
   * Throws what the file system says, among it `STATUS_OBJECT_NAME_NOT_FOUND`, `STATUS_OBJECT_PATH_NOT_FOUND`,
   * `STATUS_OBJECT_NAME_INVALID`, `STATUS_OBJECT_PATH_SYNTAX_BAD`, `STATUS_NAME_TOO_LONG`, `STATUS_ACCESS_DENIED`,
   * `STATUS_DELETE_PENDING`; and `STATUS_FILE_CLOSED`.
   *
   * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew | CreateFileW}
   */
  openStream(path: string): Stream {
    const handle = this.#session.openStream(toNamespacePath(path, 'open'), 'open', path)
    return makeStream(this.#session, handle, path)
  }

  /**
   * The same, on a thread of libuv's pool: an open can take long, where a server, a file in the cloud or a scanner answers late.
   *
   * Rejects with what {@link Filter.openStream} throws, and with an `AbortError` when `signal` is aborted.
   */
  async openStreamAsync(path: string, options: OpenStreamOptions = {}): Promise<Stream> {
    const namespacePath = toNamespacePath(path, 'open')
    checkOptions(options, 'open', openStreamKeys)
    const { signal } = options
    if (signal !== undefined) checkSignal(signal, 'open')
    return makeStream(this.#session, await this.#openLater(namespacePath, path, signal), path)
  }

  /**
   * The stream of a file that is open already: of a descriptor, as `fs.openSync()` returns it, or of an object that has one, such as a
   * `FileHandle`. The descriptor stays the caller's, and the stream has a handle of its own: each is closed by itself, in any order.
   *
   * On Windows that handle is a duplicate, of the same file object. Until the stream is closed too, the file is open to its file system as
   * the caller opened it: its sharing, its locks, and a deletion on close. The embedded kernel opens the file anew, as
   * {@link Filter.openStream} does, on the nearest of its directory volumes that it lies on; on a mount of ntfs-3g that may be a named stream.
   *
   * Throws `STATUS_INVALID_HANDLE` when the descriptor is not open; `STATUS_INVALID_DEVICE_REQUEST` when it is a pipe, a socket or a
   * device; `STATUS_FILE_CLOSED`; and on the embedded kernel `STATUS_OBJECT_PATH_NOT_FOUND` for a file that lies on no directory volume
   * of this filter, `STATUS_FILE_DELETED` for one that has no name any more, and what {@link Filter.openStream} throws.
   *
   * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle | DuplicateHandle}
   */
  stream(file: number | { readonly fd: number }): Stream {
    const volumes = this.kernel === 'host' ? this.#volumes : undefined
    const { handle, path } = openDescriptor(this.#session, file, volumes)
    const stream = makeStream(this.#session, handle, path)
    let isFile = false
    try {
      isFile = stream.support().reason !== 'not-a-file-system'
    } finally {
      if (!isFile) stream.close()
    }
    if (!isFile) throw noFileError(path)
    return stream
  }

  /** An empty batch. Throws `STATUS_FILE_CLOSED`. */
  batch(options: BatchOptions = {}): Batch {
    if (this.closed) throw closedError('batch')
    return makeBatch(this.#session, options)
  }

  /** The driver's counters. Throws `STATUS_FILE_CLOSED`. */
  statistics(): FilterStatistics {
    const { memory, native } = this.#session
    encodeQueryStatistics(memory)
    this.#session.request(native.queryStatistics, abi.statisticsReply.size, 'statistics')
    return decodeStatistics(memory, reply)
  }

  /**
   * Has the driver insert a context whenever a stream whose name matches is opened and has none of this owner and
   * instance yet; they live as contexts with the lifetime `'session'` do, and outlive the rule. They may take half of the
   * filter's quota; what they miss is counted, and told as an event.
   *
   * Throws what {@link Filter.openStream} does for the volume, `STATUS_QUOTA_EXCEEDED` beyond 64 rules,
   * `STATUS_ACCESS_DENIED` (read-only filter), `STATUS_FILE_CLOSED`.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ifs/creating-a-per-stream-context | Creating a per-stream context}
   *
   * @example
   * ```ts
   * using rule = filter.track({ volume: 'C:', match: '*.docx', count: true })
   * ```
   */
  track(options: TrackingOptions): TrackingRule {
    return makeRule(this.#session, options)
  }

  /**
   * What happens to this filter's contexts, and to the volumes that the driver watches, from this call on: an iterator for
   * `for await`. Whether read or not, events are kept in the kernel, `capacity` bytes of them; then the oldest are lost, and
   * a `'dropped'` event says how many.
   *
   * It ends with `break`, `return()`, the filter's close, or with an `AbortError` when `signal` is aborted. Waiting for an
   * event keeps the process alive; an iterator that nobody waits for does not.
   *
   * Throws `STATUS_QUOTA_EXCEEDED` beyond 16 iterators at a time, `STATUS_FILE_CLOSED`,
   * `STATUS_INSUFFICIENT_RESOURCES`, and an `AbortError` when `signal` is aborted already.
   *
   * @example
   * ```ts
   * const events = filter.events({ types: ['inserted'] })
   * stream.insert({ instance: 1n })
   * for await (const event of events) {
   *   console.log(event.type, event)
   *   break
   * }
   * ```
   */
  events<T extends EventType = EventType>(options: EventOptions<T> = {}): FilterEvents<T> {
    return readEvents(this.#session, this.#number, options)
  }

  /**
   * Every context of this filter, on every stream or on those of one volume: an iterator for `for await`, which asks the
   * driver for a page at a time and lets the event loop run in between. A context that is there from the beginning to the
   * end is told exactly once; what comes or goes meanwhile may or may not be.
   *
   * Throws what {@link Filter.openStream} does for the volume, `STATUS_FILE_CLOSED`, and an
   * `AbortError` when `signal` is aborted already; when it is aborted later, the iterator does.
   */
  enumerate(options: EnumerationOptions = {}): ClosableIterator<ListedContext> {
    return enumerateContexts(this.#session, options)
  }

  /** The volumes that the driver's file system filter knows, attached or not. Throws `STATUS_FILE_CLOSED`. */
  volumes(): Volume[] {
    return listVolumes(this.#session)
  }

  /**
   * The minifilters that are attached to a volume, from the highest down, as Filter Manager tells them (`fltmc instances`). The volume is a
   * drive such as `'C:'`, or the path of a file, a directory or a stream on it.
   *
   * Throws what {@link Filter.openStream} does for the volume, `STATUS_ACCESS_DENIED` for users who are no administrators,
   * `STATUS_FLT_VOLUME_NOT_FOUND` for a volume that Filter Manager is not attached to, `STATUS_NOT_SUPPORTED` where there is no Filter
   * Manager that can be asked, `STATUS_FILE_CLOSED`.
   *
   * @see {@link https://learn.microsoft.com/windows/win32/api/fltuser/nf-fltuser-filtervolumeinstancefindfirst | FilterVolumeInstanceFindFirst}
   */
  minifilters(volume: string): MinifilterInstance[] {
    const handle = openVolume(this.#session, volume, 'minifilters')
    try {
      return listMinifilters(this.#session, handle, volume)
    } finally {
      this.#session.closeHandle(handle)
    }
  }

  /**
   * Closes its streams, its iterators and then the driver. Harmless when it is closed already.
   *
   * The last filter of the process stops the embedded kernel: throws `STATUS_INTERNAL_ERROR`, with what is left, when
   * that ends with pool, handles, objects or locks outstanding, which is a bug in the driver or in this package.
   */
  close(): void {
    if (this.closed) return
    this.#session.isClosed = true
    const answer = this.#session.native.close()
    if (typeof answer === 'string') {
      throw new PerStreamContextError({
        status: statusOf('STATUS_INTERNAL_ERROR'),
        operation: 'close',
        advice: `The embedded kernel ended with something left: ${answer}.`,
      })
    }
    if (isFailure(answer)) throw answerError(answer, 'close')
  }

  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  #openLater(path: string, told: string, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError(signal))
        return
      }
      const abandon = this.#session.native.startOpening(path, (handle) => {
        signal?.removeEventListener('abort', stop)
        if (isFailure(handle)) reject(answerError(handle, 'open', told))
        else resolve(handle)
      })
      if (typeof abandon === 'number') {
        reject(answerError(abandon, 'open', told))
        return
      }
      const stop = (): void => {
        abandon()
        reject(abortError(signal!))
      }
      signal?.addEventListener('abort', stop)
    })
  }
}

const installAdvice =
  'The driver psctx is not running: install and start it as an administrator (see docs/installing.md), ' +
  "then try again. To run on the embedded kernel instead, say `kernel: 'host'` on a system other than Windows."

const elsewhereAdvice = "The kernel of Windows is not on this machine: say `kernel: 'host'` to run on the embedded one."

const ownKernelAdvice = "On Windows the driver runs in the system's own kernel: leave `kernel` out."

const otherVolumeAdvice =
  'Another filter of this process has a different volume of that letter: define it alike, or use another letter.'

const otherFrontAdvice =
  'Another filter of this process has the driver loaded with its other front: close that one first, or leave `front` as it has it.'

function toVolumes(volumes: unknown): HostVolume[] {
  if (typeof volumes !== 'object' || volumes === null) throw typeError('openFilter', 'volumes', 'an object')
  const letters = new Set<string>()
  return Object.entries(volumes).map(([drive, definition]: [string, unknown]) => {
    const letter = drive.charAt(0).toUpperCase()
    if (!/^[A-Za-z]:$/.test(drive)) {
      throw valueError('openFilter', 'volumes', `keyed by drives such as 'M:', not ${JSON.stringify(drive)}`)
    }
    if (letters.has(letter))
      throw valueError('openFilter', 'volumes', `keyed by each drive once, not by ${letter}: twice`)
    letters.add(letter)
    const { type, path, fault, ...others } = (definition ?? {}) as { type?: unknown; path?: unknown; fault?: unknown }
    const isAlone = Object.keys(others).length === 0
    if (type === 'memory' && path === undefined && isAlone) {
      if (fault === undefined) return [letter]
      checkString(fault, 'fault', 'openFilter')
      if (!(volumeFaults as readonly string[]).includes(fault)) {
        throw valueError('openFilter', 'fault', `one of ${volumeFaults.join(', ')}`)
      }
      return [letter, undefined, fault]
    }
    if (
      fault !== undefined ||
      type !== 'directory' ||
      typeof path !== 'string' ||
      path === '' ||
      path.includes('\0') ||
      !isAlone
    ) {
      throw valueError('openFilter', 'volumes', "made of { type: 'memory', fault? } and { type: 'directory', path }")
    }
    return [letter, resolve(path)]
  })
}

function toDefinitions(volumes: readonly HostVolume[]): Record<string, VolumeDefinition> {
  return Object.fromEntries(
    volumes.map(([letter, path, fault]) => [
      `${letter}:`,
      path === undefined ? { type: 'memory', fault: fault as VolumeFault | undefined } : { type: 'directory', path },
    ]),
  )
}

function checkFront(front: unknown): asserts front is Front {
  if (typeof front !== 'string') throw typeError('openFilter', 'front', "'legacy' or 'minifilter'")
  if (!(fronts as readonly string[]).includes(front)) {
    throw valueError('openFilter', 'front', "'legacy' or 'minifilter'")
  }
}

/** What to do next, where the usual advice does not know. */
function openAdvice(status: number, kernel: KernelName): string | undefined {
  if (kernel === 'windows') {
    if (status !== statusOf('STATUS_OBJECT_NAME_NOT_FOUND')) return undefined
    return process.platform === 'win32' ? installAdvice : elsewhereAdvice
  }
  if (status === statusOf('STATUS_NOT_SUPPORTED')) return ownKernelAdvice
  if (status === statusOf('STATUS_OBJECT_NAME_COLLISION')) return otherVolumeAdvice
  if (status === statusOf('STATUS_IMAGE_ALREADY_LOADED')) return otherFrontAdvice
  if (status === statusOf('STATUS_OBJECT_PATH_NOT_FOUND')) return 'A volume’s directory must exist.'
  return undefined
}

/**
 * Opens the driver: on Windows the one that is loaded there, elsewhere the same driver in the embedded kernel, which is
 * booted with the first filter of the process. One is never taken for the other: `kernel` of the filter says which it is.
 *
 * Throws a {@link PerStreamContextError}: `STATUS_OBJECT_NAME_NOT_FOUND` when the driver is not there (the message says what
 * to do), `STATUS_ACCESS_DENIED` for users who are no administrators, `STATUS_NOT_SUPPORTED` for the embedded kernel on
 * Windows, `STATUS_OBJECT_NAME_COLLISION` when another filter defines a volume otherwise, `STATUS_IMAGE_ALREADY_LOADED` when
 * another filter has the embedded kernel's driver loaded with the other front, `STATUS_OBJECT_PATH_NOT_FOUND` when a volume's
 * directory does not exist, `STATUS_REVISION_MISMATCH` when the driver is of another version, `STATUS_INVALID_PARAMETER`.
 *
 * @example
 * ```ts
 * using filter = openFilter()
 * using stream = filter.openStream(String.raw`C:\data\report.docx:notes`)
 * stream.insert({ instance: 1n, data: Buffer.from('seen') })
 * ```
 */
export function openFilter(options: FilterOptions = {}): Filter {
  checkOptions(options, 'openFilter', openKeys)
  const {
    kernel = process.platform === 'win32' ? 'windows' : 'host',
    readOnly = false,
    volumes = { 'M:': { type: 'memory' } },
    front = 'legacy',
  } = options
  if (typeof kernel !== 'string') throw typeError('openFilter', 'kernel', "'windows' or 'host'")
  if (!isKernelName(kernel)) throw valueError('openFilter', 'kernel', "'windows' or 'host'")
  checkBoolean(readOnly, 'readOnly', 'openFilter')
  if (kernel === 'windows' && options.volumes !== undefined) {
    throw valueError('openFilter', 'volumes', "left out unless `kernel` is 'host': Windows has its own")
  }
  checkFront(front)
  if (kernel === 'windows' && options.front !== undefined) {
    throw valueError(
      'openFilter',
      'front',
      "left out unless `kernel` is 'host': on Windows it is the installed driver's",
    )
  }
  const hostVolumes = kernel === 'host' ? toVolumes(volumes) : []
  const opened = native.open(kernel, readOnly, hostVolumes, fronts.indexOf(front))
  if (typeof opened === 'number') {
    throw answerError(opened, 'openFilter', undefined, openAdvice(opened >>> 0, kernel))
  }
  try {
    return makeFilter(new Session(opened), kernel, hostVolumes)
  } catch (error) {
    opened.close()
    throw error
  }
}

function isKernelName(name: string): name is KernelName {
  return name === 'windows' || name === 'host'
}
