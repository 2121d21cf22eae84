/** Many operations on many streams in one call to the driver. */
import { checkIdentifier, checkIdentity, checkOptions, toInsertionArguments } from './arguments'
import * as abi from './abi'
import { Replies } from './codec'
import type { ContextIdentity, Identifier, Insertion, InsertionResult, StreamContext } from './context'
import { argumentError, explain, isSuccess, PerStreamContextError, statusName, statusOf } from './errors'
import { native, type NativeBatch, type NativeFilter, type NativeStream } from './native'
import { nativeStreamOf, type Stream, streamClosings } from './stream'

/** Bytes of a reply, of which 48 are the context's description, when nothing is said. */
const defaultReplyCapacity = 128

/** What an operation of a batch comes to: of an insertion, of a lookup or removal, of a remove-all. */
export type BatchResult = InsertionResult | StreamContext | number | undefined

type BatchOperation = 'insert' | 'lookup' | 'remove' | 'removeAll'

/** How a batch is made. */
export interface BatchOptions {
  /**
   * Bytes of reply that each operation may produce, a multiple of 8: 48 and the data. Lookups and removals of contexts
   * with more data get `STATUS_BUFFER_OVERFLOW`. 128 when nothing is said.
   */
  readonly replyCapacity?: number | undefined
}

/**
 * Operations that are sent to the driver together by {@link Batch.run}: each has its own status, and none stops the
 * rest. A batch can be run again as often as wanted. Made by {@link Filter.batch}.
 *
 * The operations are those of {@link Stream}, with the same arguments. Adding one throws a
 * {@link PerStreamContextError}: `STATUS_INVALID_PARAMETER` when an argument is not what it must be or the batch has as
 * many operations as it may (`limits.batchOperations`), `STATUS_INVALID_BUFFER_SIZE` when requests or replies would be
 * longer than `limits.transfer`, `STATUS_FILE_CLOSED` when the stream is closed.
 */
export class Batch {
  readonly #native: NativeBatch
  readonly #filter: NativeFilter
  readonly #replyCapacity: number
  readonly #operations: BatchOperation[] = []
  readonly #streams: Stream[] = []
  /** What {@link streamClosings} was when every stream was last seen open; negative when that must be looked at. */
  #openAt = -1
  #replies: Replies | undefined
  #resultCount = 0

  /** @internal */
  constructor(filter: NativeFilter, options: BatchOptions) {
    const replyCapacity = options.replyCapacity ?? defaultReplyCapacity
    if (
      !Number.isInteger(replyCapacity) ||
      replyCapacity < 0 ||
      replyCapacity > abi.limits.transfer ||
      replyCapacity % 8 !== 0
    ) {
      throw argumentError('batch', 'replyCapacity', `a multiple of 8 from 0 to ${abi.limits.transfer}`)
    }
    this.#filter = filter
    this.#replyCapacity = replyCapacity
    this.#native = new native.Batch(filter, replyCapacity)
  }

  /** How many operations it has. */
  get length(): number {
    return this.#operations.length
  }

  /** How many operations of the last run failed; a lookup or removal that found nothing is one of them. */
  get failed(): number {
    return this.#ran().uint32(abi.batchReply.failed)
  }

  /** Adds an insertion. */
  insert(stream: Stream, insertion: Insertion = {}): this {
    const nativeStream = this.#check(stream, 'insert')
    const values = toInsertionArguments(insertion, 'insert', stream.path)
    return this.#append(stream, 'insert', () => {
      this.#native.insert(nativeStream, ...values)
    })
  }

  /** Adds a lookup. */
  lookup(stream: Stream, identity: ContextIdentity = {}): this {
    const nativeStream = this.#check(stream, 'lookup')
    checkIdentity(identity, 'lookup', stream.path)
    return this.#append(stream, 'lookup', () => {
      this.#native.lookup(nativeStream, identity.owner ?? 0, identity.instance)
    })
  }

  /** Adds a removal. */
  remove(stream: Stream, identity: ContextIdentity = {}): this {
    const nativeStream = this.#check(stream, 'remove')
    checkIdentity(identity, 'remove', stream.path)
    return this.#append(stream, 'remove', () => {
      this.#native.remove(nativeStream, identity.owner ?? 0, identity.instance)
    })
  }

  /** Adds the removal of every context of an owner, or of this filter, on the stream. */
  removeAll(stream: Stream, options: { readonly owner?: Identifier | undefined } = {}): this {
    const nativeStream = this.#check(stream, 'removeAll')
    checkOptions(options, 'removeAll', stream.path)
    if (options.owner !== undefined) checkIdentifier(options.owner, 'owner', 'removeAll', stream.path)
    return this.#append(stream, 'removeAll', () => {
      this.#native.removeAll(nativeStream, options.owner)
    })
  }

  /** Forgets every operation and every result. */
  clear(): void {
    this.#native.clear()
    this.#operations.length = 0
    this.#streams.length = 0
    this.#resultCount = 0
  }

  /**
   * Runs the operations in order, in one call to the driver. The results of an earlier run are gone.
   *
   * Throws only if the batch as a whole could not be run, and then none of its operations was: `STATUS_FILE_CLOSED`
   * when the filter or one of the streams is closed, `STATUS_INVALID_PARAMETER` when it is empty,
   * `STATUS_ACCESS_DENIED` when something in it would change what a read-only filter may only look at,
   * `STATUS_INSUFFICIENT_RESOURCES`.
   */
  run(): this {
    this.#resultCount = 0
    if (this.#filter.closed) {
      throw new PerStreamContextError({ status: statusOf('STATUS_FILE_CLOSED'), operation: 'batch' })
    }
    this.#checkOpen()
    if (this.#operations.length === 0) throw argumentError('batch', 'batch', 'given an operation before it is run')
    try {
      const memory = this.#native.run()
      if (this.#replies?.memory !== memory) this.#replies = new Replies(memory)
    } catch (error) {
      throw explain(error)
    }
    this.#resultCount = this.#operations.length
    return this
  }

  /** The name of an operation's status in the last run, such as `'STATUS_SUCCESS'` or `'STATUS_NOT_FOUND'`. */
  status(index: number): string {
    return statusName(this.#status(index))
  }

  /**
   * What an operation of the last run came to: an {@link InsertionResult}, a {@link StreamContext} (`undefined` if there
   * was none), or the number of contexts removed. Decoded when it is asked for. Throws what the operation would have
   * thrown by itself.
   */
  result(index: number): BatchResult {
    const replies = this.#ran()
    const status = this.#status(index)
    const operation = this.#operations[index]!
    if (status === statusOf('STATUS_NOT_FOUND')) return undefined
    if (!isSuccess(status)) {
      throw new PerStreamContextError({ status, operation, path: this.#streams[index]?.path })
    }
    const slot = abi.batchReply.size + this.#resultCount * abi.batchResult.size + index * this.#replyCapacity
    switch (operation) {
      case 'insert':
        return replies.insertionResult(slot)
      case 'lookup':
      case 'remove':
        return replies.context(slot)
      case 'removeAll':
        return replies.count(slot)
    }
  }

  #ran(): Replies {
    if (this.#resultCount === 0 || this.#replies === undefined) {
      throw argumentError('batch', 'batch', 'run before its results are asked for')
    }
    return this.#replies
  }

  #status(index: number): number {
    const replies = this.#ran()
    if (!Number.isInteger(index) || index < 0 || index >= this.#resultCount) {
      throw argumentError('batch', 'index', `an integer from 0 to ${this.#resultCount - 1}`)
    }
    return replies.uint32(abi.batchReply.size + index * abi.batchResult.size + abi.batchResult.status)
  }

  /** A handle of a closed stream may be another stream's by now: none must reach the driver. */
  #checkOpen(): void {
    if (this.#openAt === streamClosings()) return
    const closed = this.#streams.find((stream) => stream.closed)
    if (closed !== undefined) {
      throw new PerStreamContextError({ status: statusOf('STATUS_FILE_CLOSED'), operation: 'batch', path: closed.path })
    }
    this.#openAt = streamClosings()
  }

  #check(stream: Stream, operation: BatchOperation): NativeStream {
    const nativeStream = nativeStreamOf(stream)
    if (nativeStream === undefined) throw argumentError(operation, 'stream', 'a Stream of the same filter')
    return nativeStream
  }

  #append(stream: Stream, operation: BatchOperation, add: () => void): this {
    try {
      add()
    } catch (error) {
      throw explain(error, { operation, path: stream.path })
    }
    this.#operations.push(operation)
    this.#streams.push(stream)
    this.#openAt = -1
    this.#resultCount = 0
    return this
  }
}
