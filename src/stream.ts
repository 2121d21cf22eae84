/** An open file stream, and the operations on the per-stream contexts that hang on it. */
import * as abi from './abi'
import { checkBytes, lengthOf } from './arguments'
import { decodeContext, decodeFirst, type FirstContext, type StreamContext } from './codec/context'
import { highHalf, lowHalf } from './codec/handle'
import { dataOf, decodeInsertion, encodeInsert, type Insertion, type InsertionResult } from './codec/insert'
import { decodeInspection, decodeNeeded, type InspectedContext } from './codec/inspect'
import { decodeList, encodeList, type ListedContext } from './codec/list'
import {
  decodeCount,
  encodeFirst,
  encodeLookup,
  encodeRemove,
  encodeRemoveAll,
  type RemoveAllOptions,
} from './codec/match'
import { Memory } from './codec/memory'
import { decodeSupport, encodeStreamRequest, type StreamSupport, type UnsupportedReason } from './codec/support'
import type { ContextIdentity } from './context'
import { constructorError, isFailure, PerStreamContextError, statusOf } from './errors'
import { findMinifilters, type MinifilterInstance } from './minifilters'
import { type Answer, layout } from './native'
import { reply, Session } from './session'

const reasonTexts: Record<UnsupportedReason, string> = {
  'not-a-file-system':
    'it is a pipe, a socket or a device, not a file of a file system. Open a file: drive:\\directory\\file:stream.',
  volume: 'it is a volume, not a file stream. Open a file or a directory on it.',
  'no-stream-context': 'its file system keeps no stream context for it. Use a file system that does, such as NTFS.',
  'no-advanced-header':
    'its file system has no FSRTL_ADVANCED_FCB_HEADER. Use a file system that supports filter contexts, such as NTFS.',
  'no-filter-contexts':
    'its file system does not let filters attach contexts to it, as with a paging file. Use another file or file system.',
  'list-not-initialized':
    'its file system says that filters may attach contexts, and has not set up the list for them. Tell its maker: FsRtlSetupAdvancedHeader does that.',
}

/** Of this module: V8 takes them for the constants that they are. */
const { contextReply, limits } = abi

function isFilterManagers(context: InspectedContext): boolean {
  return context.module?.toLowerCase() === 'fltmgr.sys'
}

/** Bytes of the first reply that is tried for an inspection. */
const inspectionGuess = 8192

const inspectionAdvice =
  'This stream has more contexts than one reply can tell: remove some, or look at them with `contexts()`.'

const listLockAdvice =
  "This version of Windows is not known to the driver well enough to take the lock of the stream's list: nothing was looked at."

const collisionAdvice =
  "The owner has a context with this instance here: say `ifExists: 'keep'`, `'replace'` or `'add'`, or use another instance."

const notFound = statusOf('STATUS_NOT_FOUND') | 0
const overflow = statusOf('STATUS_BUFFER_OVERFLOW') | 0

/** Makes a stream of a handle that has been opened. @internal */
export let makeStream: (session: Session, handle: number, path: string) => Stream

/** The low half of a stream's handle: zero when it is closed, undefined when it is none of this session's. @internal */
export let handleOf: (session: Session, stream: unknown) => number | undefined

/**
 * A file stream that is open, so that its contexts live. Made by {@link Filter.openStream} and {@link Filter.stream}.
 *
 * Every operation is synchronous. Each throws a {@link PerStreamContextError}: `STATUS_FILE_CLOSED` after `close()`,
 * `STATUS_INVALID_DEVICE_REQUEST` when the stream cannot carry contexts (the message says why), and what is said at the
 * operation; and an {@link ArgumentError} when an argument is not what it must be.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ifs/file-streams--stream-contexts--and-per-stream-contexts | File streams, stream contexts, and per-stream contexts}
 */
export class Stream {
  // What every operation reads comes first, so that it takes as few lines of the cache as it can.
  /** The halves of the handle; zero when it is closed. */
  #low: number
  #high: number
  readonly #session: Session
  /** As it was passed to `openStream`; of a file that was open already, where it lies on its volume, or its descriptor. */
  readonly path: string

  static {
    makeStream = (session, handle, path) => new this(session, handle, path)
    handleOf = (session, stream) =>
      typeof stream === 'object' && stream !== null && #low in stream && stream.#session === session
        ? stream.#low
        : undefined
  }

  private constructor(session: Session, handle: number, path: string) {
    if (!(session instanceof Session)) throw constructorError('Stream', 'filter.openStream()')
    this.path = path
    this.#session = session
    this.#low = lowHalf(handle)
    this.#high = highHalf(handle)
    session.closeWith(this, handle)
  }

  /** Whether this stream or its filter has been closed. */
  get closed(): boolean {
    return this.#low === 0 || this.#session.isClosed
  }

  /**
   * Whether the stream can carry per-stream contexts, and if not, why. Asked of the driver each time.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlsupportsperstreamcontexts | FsRtlSupportsPerStreamContexts}
   */
  support(): StreamSupport {
    const { memory, native } = this.#session
    encodeStreamRequest(memory, abi.operation.queryStream, this.#low, this.#high)
    this.#session.request(native.queryStream, abi.streamReply.size, 'support', this.path)
    return decodeSupport(memory, reply)
  }

  /**
   * Inserts a context; look-up and insertion are one step, whatever other filters and threads do.
   *
   * Throws `STATUS_OBJECT_NAME_COLLISION` (with `ifExists: 'fail'`), `STATUS_QUOTA_EXCEEDED`,
   * `STATUS_INSUFFICIENT_RESOURCES`, `STATUS_ACCESS_DENIED` (read-only filter). Nothing has changed then.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlinsertperstreamcontext | FsRtlInsertPerStreamContext}
   */
  insert(insertion: Insertion = {}): InsertionResult {
    const session = this.#session
    const { memory } = session
    const data = dataOf(insertion)
    encodeInsert(memory, 0, this.#low, this.#high, insertion, data, lengthOf(data))
    session.setCapacity(abi.insertReply.size)
    const answer = session.insert()
    if (isFailure(answer)) throw this.#failure(answer, 'insert')
    return decodeInsertion(memory, reply)
  }

  /**
   * The youngest of this filter's contexts that matches, or `undefined`. Without an instance, any of the owner's.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
   */
  lookup(identity?: ContextIdentity): StreamContext | undefined {
    const session = this.#session
    const { memory } = session
    encodeLookup(memory, 0, this.#low, this.#high, identity)
    const answer = session.requestContext(session.lookup)
    if (isFailure(answer)) {
      this.#checkNothing(answer, 'lookup')
      return undefined
    }
    return decodeContext(memory, reply)
  }

  /**
   * Copies the data of the youngest matching context to the start of `buffer` and returns how many bytes it has, or
   * `undefined` if there is none. The fast way to look up: nothing is allocated.
   *
   * Throws `STATUS_BUFFER_OVERFLOW` when the data is longer than `buffer`, which stays as it was; the error's
   * `required` says how many bytes there are.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
   */
  lookupInto(buffer: Uint8Array, identity?: ContextIdentity): number | undefined {
    const session = this.#session
    const { memory } = session
    checkBytes(buffer, 'buffer', 'lookup')
    encodeLookup(memory, 0, this.#low, this.#high, identity)
    session.setCapacity(contextReply.size + Math.min(lengthOf(buffer), limits.dataLength))
    const answer = session.lookup()
    if (isFailure(answer)) {
      if (answer === overflow) throw this.#overflow()
      this.#checkNothing(answer, 'lookup')
      return undefined
    }
    const length = answer - contextReply.size
    memory.copyTo(buffer, reply + contextReply.size, length)
    return length
  }

  /**
   * The first context on the stream, whoever's it is, or `undefined` if there is none. Of a context that is not this
   * filter's, only that is told.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
   */
  first(): FirstContext | undefined {
    const session = this.#session
    encodeFirst(session.memory, this.#low, this.#high)
    const answer = session.requestContext(session.lookup)
    if (isFailure(answer)) {
      this.#checkNothing(answer, 'first')
      return undefined
    }
    return decodeFirst(session.memory, reply)
  }

  /**
   * Removes and frees the context that {@link Stream.lookup} would find, and returns it. A key that is there and
   * `undefined` is an error: whoever says it does not mean any context whatever.
   *
   * Throws `STATUS_ACCESS_DENIED` (read-only filter).
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlremoveperstreamcontext | FsRtlRemovePerStreamContext}
   */
  remove(identity?: ContextIdentity): StreamContext | undefined {
    const session = this.#session
    const { memory } = session
    encodeRemove(memory, 0, this.#low, this.#high, identity)
    const answer = session.requestContext(session.remove)
    if (isFailure(answer)) {
      this.#checkNothing(answer, 'remove')
      return undefined
    }
    return decodeContext(memory, reply)
  }

  /**
   * Removes and frees every context of an owner on this stream, or, when no owner is said, every context of this
   * filter. Returns how many. An owner that is said and `undefined` is an error.
   *
   * Throws `STATUS_ACCESS_DENIED` (read-only filter).
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlremoveperstreamcontext | FsRtlRemovePerStreamContext}
   */
  removeAll(options?: RemoveAllOptions): number {
    const session = this.#session
    const { memory } = session
    encodeRemoveAll(memory, 0, this.#low, this.#high, options)
    session.setCapacity(abi.countReply.size)
    const answer = session.native.removeAll()
    if (isFailure(answer)) throw this.#failure(answer, 'removeAll')
    return decodeCount(memory, reply)
  }

  /**
   * All of this filter's contexts on the stream, youngest first. A long list is asked for page by page: what others
   * insert or remove meanwhile may or may not be in it.
   */
  contexts(): ListedContext[] {
    const session = this.#session
    const contexts: ListedContext[] = []
    for (let before = 0n; ;) {
      encodeList(session.memory, this.#low, this.#high, before)
      session.setCapacity(layout.replyLength)
      const answer = session.native.list()
      if (isFailure(answer)) throw this.#failure(answer, 'contexts')
      const told = contexts.length
      const remaining = decodeList(session.memory, reply, contexts)
      if (remaining === 0 || contexts.length === told) return contexts
      before = contexts.at(-1)!.sequence
    }
  }

  /**
   * Every context on the stream, whoever's it is, from the head of its list: of other filters' contexts the image that
   * their FreeCallback lies in and, where that can be told, the driver that owns them. What Filter Manager hangs there on behalf of
   * minifilters is told apart, with the minifilters that it may be on behalf of.
   *
   * Throws `STATUS_NOT_SUPPORTED` when the driver does not know how this kernel guards the list, and
   * `STATUS_BUFFER_OVERFLOW` for more contexts than 1 MiB can tell.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_fsrtl_advanced_fcb_header | FSRTL_ADVANCED_FCB_HEADER}
   */
  inspect(): InspectedContext[] {
    const contexts = this.#inspect()
    const minifilters = contexts.some(isFilterManagers) ? this.#minifilters() : undefined
    return contexts.map((context) => {
      if (context.holder !== 'self') {
        return isFilterManagers(context) ? { ...context, filterManager: true, ...minifilters } : context
      }
      const found = this.lookup({ owner: context.owner, instance: context.instance })
      return found?.sequence === context.sequence ? { ...context, data: found.data } : context
    })
  }

  /** Nothing where they cannot be listed: `filter.minifilters()` says why. */
  #minifilters(): { minifilters: MinifilterInstance[] } | undefined {
    const found = findMinifilters(this.#session, this.#high * 2 ** 32 + this.#low, this.path)
    return typeof found === 'number' ? undefined : { minifilters: found }
  }

  /** The list may grow between a reply that is too small and the next one. */
  #inspect(): InspectedContext[] {
    const { memory, native } = this.#session
    for (let length = inspectionGuess; ;) {
      const page = new Memory(new ArrayBuffer(length))
      encodeStreamRequest(memory, abi.operation.inspect, this.#low, this.#high)
      const answer = native.inspect(page.bytes)
      if (!isFailure(answer)) return decodeInspection(page)
      const needed = answer === overflow ? decodeNeeded(page) : 0
      if (needed <= length || needed > limits.transfer) throw this.#failure(answer, 'inspect')
      length = needed
    }
  }

  /**
   * Closes the handle. If it is the stream's last reference, the file system tears its contexts down. Harmless when
   * the stream is closed already.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlteardownperstreamcontexts | FsRtlTeardownPerStreamContexts}
   */
  close(): void {
    if (this.#low === 0) return
    const handle = this.#high * 2 ** 32 + this.#low
    this.#low = 0
    this.#high = 0
    this.#session.closeHandle(handle, this)
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** There is no such context; anything else is an error. */
  #checkNothing(answer: Answer, operation: string): void {
    if (answer !== notFound) throw this.#failure(answer, operation)
  }

  #overflow(): PerStreamContextError {
    const required = this.#session.memory.uint32(reply + contextReply.dataLength)
    return new PerStreamContextError({
      status: statusOf('STATUS_BUFFER_OVERFLOW'),
      operation: 'lookup',
      path: this.path,
      required,
    })
  }

  /** The error that an answer stands for; of a stream that cannot carry contexts, with the reason. */
  #failure(answer: Answer, operation: string): PerStreamContextError {
    const status = answer >>> 0
    let advice: string | undefined
    if (status === statusOf('STATUS_INVALID_DEVICE_REQUEST')) advice = this.#whyUnsupported()
    else if (operation === 'insert' && status === statusOf('STATUS_OBJECT_NAME_COLLISION')) advice = collisionAdvice
    else if (operation === 'inspect' && status === statusOf('STATUS_NOT_SUPPORTED')) advice = listLockAdvice
    else if (operation === 'inspect' && status === statusOf('STATUS_BUFFER_OVERFLOW')) advice = inspectionAdvice
    return new PerStreamContextError({ status, operation, path: this.path, advice })
  }

  #whyUnsupported(): string | undefined {
    let support: StreamSupport
    try {
      support = this.support()
    } catch {
      return undefined // the first error tells more than a second one
    }
    return support.supported ? undefined : `The stream cannot carry per-stream contexts: ${reasonTexts[support.reason]}`
  }
}
