/** An open file stream, and the operations on the per-stream contexts that hang on it. */
import * as abi from './abi'
import { checkBytes, checkIdentifier, checkIdentity, checkOptions, toInsertionArguments } from './arguments'
import { Replies } from './codec'
import type {
  ContextIdentity,
  FirstContext,
  Identifier,
  Insertion,
  InsertionResult,
  InspectedContext,
  ListedContext,
  StreamContext,
  StreamSupport,
  UnsupportedReason,
} from './context'
import { explain, isNativeError, statusOf } from './errors'
import type { NativeStream } from './native'

const reasonTexts: Record<UnsupportedReason, string> = {
  'not-a-file-system':
    'it is a pipe, a socket or a device, not a file of a file system. Open a file: drive:\\directory\\file:stream.',
  volume: 'it is a volume, not a file stream. Open a file or a directory on it.',
  'no-stream-context': 'its file system keeps no stream context for it. Use a file system that does, such as NTFS.',
  'no-advanced-header':
    'its file system has no FSRTL_ADVANCED_FCB_HEADER. Use a file system that supports filter contexts, such as NTFS.',
  'no-filter-contexts':
    'its file system does not let filters attach contexts to it, as with a paging file. Use another file or file system.',
}

/** Bytes of the first reply that is tried for an inspection. */
const inspectionGuess = 8192

const inspectionAdvice =
  'This stream has more contexts than one reply can tell: remove some, or look at them with `contexts()`.'

const listLockAdvice =
  "This version of Windows is not known to the driver well enough to take the lock of the stream's list: nothing was looked at."

/** The addon's part of each stream, which batches need and nobody else. */
const natives = new WeakMap<Stream, NativeStream>()

let closings = 0

/** Grows whenever a stream is closed by itself: what was open when it was last looked at still is while this is the same. */
export function streamClosings(): number {
  return closings
}

/** The addon's part of a stream, or undefined if `stream` is none of ours. */
export function nativeStreamOf(stream: unknown): NativeStream | undefined {
  return typeof stream === 'object' && stream !== null ? natives.get(stream as Stream) : undefined
}

/**
 * A file stream that is open, so that its contexts live. Made by {@link Filter.openStream}.
 *
 * Every operation is synchronous. Each throws a {@link PerStreamContextError}: `STATUS_FILE_CLOSED` after `close()`,
 * `STATUS_INVALID_DEVICE_REQUEST` when the stream cannot carry contexts (the message says why),
 * `STATUS_INVALID_PARAMETER` when an argument is not what it must be, and what is said at the operation.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ifs/file-streams--stream-contexts--and-per-stream-contexts | File streams, stream contexts, and per-stream contexts}
 */
export class Stream {
  /** As it was passed to `openStream`. */
  readonly path: string
  readonly #native: NativeStream
  readonly #replies: Replies

  /** @internal */
  constructor(native: NativeStream, replies: Replies, path: string) {
    this.path = path
    this.#native = native
    this.#replies = replies
    natives.set(this, native)
  }

  /** Whether this stream or its filter has been closed. */
  get closed(): boolean {
    return this.#native.closed
  }

  /**
   * Whether the stream can carry per-stream contexts, and if not, why. Asked of the driver each time.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlsupportsperstreamcontexts | FsRtlSupportsPerStreamContexts}
   */
  get support(): StreamSupport {
    try {
      this.#native.query()
    } catch (error) {
      throw explain(error, { path: this.path })
    }
    return this.#replies.support(0)
  }

  /**
   * Inserts a context; look-up and insertion are one step, whatever other filters and threads do.
   *
   * Throws `STATUS_OBJECT_NAME_COLLISION` (with `ifExists: 'fail'`), `STATUS_INVALID_BUFFER_SIZE` (more than 64 KiB),
   * `STATUS_QUOTA_EXCEEDED`, `STATUS_INSUFFICIENT_RESOURCES`, `STATUS_ACCESS_DENIED` (read-only filter). Nothing has
   * changed then.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlinsertperstreamcontext | FsRtlInsertPerStreamContext}
   */
  insert(insertion: Insertion = {}): InsertionResult {
    const [owner, instance, ifExists, pool, lifetime, data] = toInsertionArguments(insertion, 'insert', this.path)
    try {
      this.#native.insert(owner, instance, ifExists, pool, lifetime, data)
    } catch (error) {
      throw this.#explain(error)
    }
    return this.#replies.insertionResult(0)
  }

  /**
   * The youngest of this filter's contexts that matches, or `undefined`. Without an instance, any of the owner's.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
   */
  lookup(identity: ContextIdentity = {}): StreamContext | undefined {
    checkIdentity(identity, 'lookup', this.path)
    let length: number | undefined
    try {
      length = this.#native.lookup(identity.owner ?? 0, identity.instance)
    } catch (error) {
      throw this.#explain(error)
    }
    return length === undefined ? undefined : this.#replies.context(0)
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
    let owner: Identifier = 0
    let instance: Identifier | undefined
    if (identity !== undefined) {
      checkIdentity(identity, 'lookup', this.path)
      owner = identity.owner ?? 0
      instance = identity.instance
    }
    checkBytes(buffer, 'buffer', 'lookup', this.path)
    try {
      return this.#native.lookupInto(buffer, owner, instance)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /**
   * The first context on the stream, whoever's it is, or `undefined` if there is none. Of a context that is not this
   * filter's, only that is told.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtllookupperstreamcontext | FsRtlLookupPerStreamContext}
   */
  first(): FirstContext | undefined {
    let length: number | undefined
    try {
      length = this.#native.first()
    } catch (error) {
      throw this.#explain(error)
    }
    return length === undefined ? undefined : this.#replies.firstContext(0)
  }

  /**
   * Removes and frees the context that {@link Stream.lookup} would find, and returns it.
   *
   * Throws `STATUS_ACCESS_DENIED` (read-only filter).
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlremoveperstreamcontext | FsRtlRemovePerStreamContext}
   */
  remove(identity: ContextIdentity = {}): StreamContext | undefined {
    checkIdentity(identity, 'remove', this.path)
    let length: number | undefined
    try {
      length = this.#native.remove(identity.owner ?? 0, identity.instance)
    } catch (error) {
      throw this.#explain(error)
    }
    return length === undefined ? undefined : this.#replies.context(0)
  }

  /**
   * Removes and frees every context of an owner on this stream, or, when no owner is said, every context of this
   * filter. Returns how many.
   *
   * Throws `STATUS_ACCESS_DENIED` (read-only filter).
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlremoveperstreamcontext | FsRtlRemovePerStreamContext}
   */
  removeAll(options: { readonly owner?: Identifier | undefined } = {}): number {
    checkOptions(options, 'removeAll', this.path)
    if (options.owner !== undefined) checkIdentifier(options.owner, 'owner', 'removeAll', this.path)
    try {
      this.#native.removeAll(options.owner)
    } catch (error) {
      throw this.#explain(error)
    }
    return this.#replies.count(0)
  }

  /**
   * All of this filter's contexts on the stream, youngest first. A long list is asked for page by page: what others
   * insert or remove meanwhile may or may not be in it.
   */
  contexts(): ListedContext[] {
    const contexts: ListedContext[] = []
    let before = 0n
    for (;;) {
      try {
        this.#native.list(before)
      } catch (error) {
        throw this.#explain(error)
      }
      const page = this.#replies.listedContexts(0)
      contexts.push(...page.contexts)
      const last = page.contexts.at(-1)
      if (page.remaining === 0 || last === undefined) return contexts
      before = last.sequence
    }
  }

  /**
   * Every context on the stream, whoever's it is, from the head of its list: of other filters' contexts the image that
   * their FreeCallback lies in and, where that can be told, the driver that owns them.
   *
   * Throws `STATUS_NOT_SUPPORTED` when the driver does not know how this kernel guards the list, and
   * `STATUS_BUFFER_OVERFLOW` for more contexts than 1 MiB can tell.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_fsrtl_advanced_fcb_header | FSRTL_ADVANCED_FCB_HEADER}
   */
  inspect(): InspectedContext[] {
    const contexts: InspectedContext[] = this.#inspect().inspectedContexts(0)
    return contexts.map((context) => {
      if (context.holder !== 'self') return context
      const found = this.lookup({ owner: context.owner, instance: context.instance })
      return found?.sequence === context.sequence ? { ...context, data: found!.data } : context
    })
  }

  /** The list may grow between a reply that is too small and the next one. */
  #inspect(): Replies {
    for (let length = inspectionGuess; ;) {
      const page = Buffer.allocUnsafeSlow(length)
      try {
        this.#native.inspect(page)
        return new Replies(page.buffer)
      } catch (error) {
        const required = isNativeError(error) ? error.required : undefined
        if (required === undefined || required <= length || required > abi.limits.transfer) throw this.#explain(error)
        length = required
      }
    }
  }

  /**
   * Closes the handle. If it is the stream's last reference, the file system tears its contexts down. Harmless when
   * the stream is closed already.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlteardownperstreamcontexts | FsRtlTeardownPerStreamContexts}
   */
  close(): void {
    closings += 1
    this.#native.close()
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** The addon's error as ours; of a stream that cannot carry contexts, with the reason. */
  #explain(error: unknown): unknown {
    let advice: string | undefined
    if (isNativeError(error)) {
      if (error.status === statusOf('STATUS_INVALID_DEVICE_REQUEST')) advice = this.#whyUnsupported()
      if (error.operation === 'insert' && error.status === statusOf('STATUS_OBJECT_NAME_COLLISION')) {
        advice =
          "The owner has a context with this instance here: say `ifExists: 'keep'`, `'replace'` or `'add'`, or use another instance."
      }
      if (error.operation === 'inspect') {
        if (error.status === statusOf('STATUS_NOT_SUPPORTED')) advice = listLockAdvice
        if (error.status === statusOf('STATUS_BUFFER_OVERFLOW')) advice = inspectionAdvice
      }
    }
    return explain(error, { path: this.path, advice })
  }

  #whyUnsupported(): string | undefined {
    try {
      this.#native.query()
    } catch {
      return undefined // the first error tells more than a second one
    }
    const { reason } = this.#replies.support(0)
    return reason === undefined ? undefined : `The stream cannot carry per-stream contexts: ${reasonTexts[reason]}`
  }
}
