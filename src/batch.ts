/** Many operations on many streams in one call to the driver. */
import * as abi from './abi'
import { checkBytes, checkInteger, checkOptions, lengthOf } from './arguments'
import { decodeFailed, decodeStatus, encodeBatch, firstRequest, paddedLength, replyLength, slotOf } from './codec/batch'
import { decodeContext, type StreamContext } from './codec/context'
import { dataOf, decodeInsertion, encodeInsert, type Insertion, type InsertionResult } from './codec/insert'
import { decodeCount, encodeLookup, encodeRemove, encodeRemoveAll, type RemoveAllOptions } from './codec/match'
import { Memory } from './codec/memory'
import type { ContextIdentity } from './context'
import {
  closedError,
  constructorError,
  isFailure,
  isSuccess,
  PerStreamContextError,
  statusName,
  statusOf,
  type StatusCode,
  typeError,
  valueError,
} from './errors'
import { answerError, Session } from './session'
import { handleOf, type Stream } from './stream'

/** Bytes of a reply, of which 48 are the context's description, when nothing is said. */
const defaultReplyCapacity = 128

/** Bytes of requests that a batch has room for at first. */
const initialLength = 4096

/** What an operation of a batch comes to, told apart by `operation`. */
export type BatchResult =
  | {
      /** An insertion. */
      readonly operation: 'insert'
      /** What came of it. */
      readonly value: InsertionResult
    }
  | {
      /** A look-up or a removal. */
      readonly operation: 'lookup' | 'remove'
      /** The context; `undefined` if there was none. */
      readonly value: StreamContext | undefined
    }
  | {
      /** A removal of every context of an owner, or of the filter. */
      readonly operation: 'removeAll'
      /** How many were removed. */
      readonly value: number
    }

/** How a batch is made. */
export interface BatchOptions {
  /**
   * Bytes of reply that each operation may produce, a multiple of 8: 48 and the data. Lookups and removals of contexts
   * with more data get `STATUS_BUFFER_OVERFLOW`. 128 when nothing is said.
   */
  readonly replyCapacity?: number | undefined
}

const keys: ReadonlySet<string> = new Set(['replyCapacity'])
const success = statusOf('STATUS_SUCCESS')
const notFound = statusOf('STATUS_NOT_FOUND')
const none = new Memory(new ArrayBuffer(0))

/** @internal */
export let makeBatch: (session: Session, options: BatchOptions) => Batch

/**
 * Operations that are sent to the driver together by {@link Batch.run}: each has its own status, and none stops the
 * rest. A batch can be run again as often as wanted. Made by {@link Filter.batch}.
 *
 * The operations are those of {@link Stream}, with the same arguments. Adding one throws an {@link ArgumentError} when an
 * argument is not what it must be, or the batch has as many operations as it may (`limits.batchOperations`) or would be
 * longer than `limits.transfer`, requests or replies; and `STATUS_FILE_CLOSED` when the stream is closed.
 */
export class Batch {
  readonly #session: Session
  readonly #replyCapacity: number
  readonly #operations: BatchResult['operation'][] = []
  readonly #streams: Stream[] = []
  #requests = new Memory(new ArrayBuffer(initialLength))
  #end = firstRequest
  #changes = false
  #replies = none
  #resultCount = 0
  /** What the session's `closings` was when every stream was last seen open. */
  #openAt = 0
  #isClosed = false

  static {
    makeBatch = (session, options) => new this(session, options)
  }

  private constructor(session: Session, options: BatchOptions) {
    if (!(session instanceof Session)) throw constructorError('Batch', 'filter.batch()')
    checkOptions(options, 'batch', keys)
    const { replyCapacity = defaultReplyCapacity } = options
    checkInteger(replyCapacity, 0, abi.limits.transfer, 'replyCapacity', 'batch')
    if (replyCapacity % 8 !== 0) throw valueError('batch', 'replyCapacity', 'a multiple of 8')
    this.#session = session
    this.#replyCapacity = replyCapacity
  }

  /** How many operations it has. */
  get length(): number {
    return this.#operations.length
  }

  /** Whether this batch or its filter has been closed. */
  get closed(): boolean {
    return this.#isClosed || this.#session.isClosed
  }

  /** How many operations of the last run failed; a lookup or removal that found nothing is one of them. */
  get failed(): number {
    return decodeFailed(this.#ran())
  }

  /** Adds an insertion. */
  insert(stream: Stream, insertion: Insertion = {}): this {
    const handle = this.#handleOf(stream, 'insert')
    const data = dataOf(insertion)
    const dataLength = lengthOf(data)
    const length = paddedLength(abi.insertRequest.size + dataLength)
    const memory = this.#reserve(length)
    const end = this.#end
    memory.wide[(end + length - 8) >>> 3] = 0n // where padding may be
    encodeInsert(memory, end, handle, 0, insertion, data, dataLength)
    return this.#add(stream, 'insert', memory, end, length)
  }

  /** Adds a lookup. */
  lookup(stream: Stream, identity?: ContextIdentity): this {
    const handle = this.#handleOf(stream, 'lookup')
    const memory = this.#reserve(abi.matchRequest.size)
    const end = this.#end
    encodeLookup(memory, end, handle, 0, identity)
    return this.#add(stream, 'lookup', memory, end, abi.matchRequest.size)
  }

  /** Adds a removal. */
  remove(stream: Stream, identity?: ContextIdentity): this {
    const handle = this.#handleOf(stream, 'remove')
    const memory = this.#reserve(abi.matchRequest.size)
    const end = this.#end
    encodeRemove(memory, end, handle, 0, identity)
    return this.#add(stream, 'remove', memory, end, abi.matchRequest.size)
  }

  /** Adds the removal of every context of an owner, or of this filter, on the stream. */
  removeAll(stream: Stream, options?: RemoveAllOptions): this {
    const handle = this.#handleOf(stream, 'removeAll')
    const memory = this.#reserve(abi.matchRequest.size)
    const end = this.#end
    encodeRemoveAll(memory, end, handle, 0, options)
    return this.#add(stream, 'removeAll', memory, end, abi.matchRequest.size)
  }

  /** Forgets every operation and every result, and keeps the memory for others. */
  clear(): void {
    this.#operations.length = 0
    this.#streams.length = 0
    this.#end = firstRequest
    this.#changes = false
    this.#resultCount = 0
  }

  /**
   * Runs the operations in order, in one call to the driver. The results of an earlier run are gone.
   *
   * Throws only if the batch as a whole could not be run, and then none of its operations was: `STATUS_FILE_CLOSED`
   * when the batch, the filter or one of the streams is closed, a `RangeError` when it is empty,
   * `STATUS_ACCESS_DENIED` when something in it would change what a read-only filter may only look at,
   * `STATUS_INSUFFICIENT_RESOURCES`.
   */
  run(): this {
    const count = this.#operations.length
    this.#resultCount = 0
    if (this.closed) throw closedError('batch')
    if (this.#openAt !== this.#session.closings) this.#checkOpen()
    if (count === 0) throw valueError('batch', 'batch', 'given an operation before it is run')
    const length = replyLength(count, this.#replyCapacity)
    if (this.#replies.buffer.byteLength < length) this.#replies = new Memory(new ArrayBuffer(length))
    encodeBatch(this.#requests, this.#end, count, this.#replyCapacity, this.#changes)
    const answer = this.#session.batch(this.#requests.buffer, this.#replies.buffer)
    if (isFailure(answer)) throw answerError(answer, 'batch')
    this.#resultCount = count
    return this
  }

  /** The name of an operation's status in the last run, such as `'STATUS_SUCCESS'` or `'STATUS_NOT_FOUND'`. */
  status(index: number): StatusCode {
    return statusName(this.#status(index))
  }

  /**
   * What an operation of the last run came to. Decoded when it is asked for. Throws what the operation would have
   * thrown by itself.
   */
  result(index: number): BatchResult {
    const status = this.#status(index)
    const operation = this.#operations[index]!
    const slot = slotOf(index, this.#resultCount, this.#replyCapacity)
    switch (operation) {
      case 'lookup':
      case 'remove':
        if (status === notFound) return { operation, value: undefined }
        this.#checkSuccess(status, index)
        return { operation, value: decodeContext(this.#replies, slot) }
      case 'insert':
        this.#checkSuccess(status, index)
        return { operation, value: decodeInsertion(this.#replies, slot) }
      case 'removeAll':
        this.#checkSuccess(status, index)
        return { operation, value: decodeCount(this.#replies, slot) }
    }
  }

  /**
   * Copies the data that a lookup or a removal of the last run found to the start of `buffer`, and returns how many bytes
   * it has, or `undefined` if there was none: see {@link Stream.lookupInto}.
   */
  resultInto(index: number, buffer: Uint8Array): number | undefined {
    const status = this.#status(index)
    const operation = this.#operations[index]!
    checkBytes(buffer, 'buffer', operation)
    if (operation !== 'lookup' && operation !== 'remove') {
      throw valueError(operation, 'index', 'that of a lookup or a removal')
    }
    if (status === notFound) return undefined
    this.#checkSuccess(status, index)
    const slot = slotOf(index, this.#resultCount, this.#replyCapacity)
    const length = this.#replies.uint32(slot + abi.contextReply.dataLength)
    if (length > lengthOf(buffer)) {
      throw new PerStreamContextError({
        status: statusOf('STATUS_BUFFER_OVERFLOW'),
        operation,
        path: this.#streams[index]!.path,
        required: length,
      })
    }
    this.#replies.copyTo(buffer, slot + abi.contextReply.size, length)
    return length
  }

  /** Gives its memory back. Harmless when it is closed already. */
  close(): void {
    this.clear()
    this.#isClosed = true
    this.#requests = none
    this.#replies = none
  }

  /** Gives its memory back at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  #ran(): Memory {
    if (this.#resultCount === 0) throw valueError('batch', 'batch', 'run before its results are asked for')
    return this.#replies
  }

  #status(index: number): number {
    const replies = this.#ran()
    if (!(index >= 0 && index < this.#resultCount && Number.isInteger(index))) {
      checkInteger(index, 0, this.#resultCount - 1, 'index', 'batch')
    }
    return decodeStatus(replies, index)
  }

  #checkSuccess(status: number, index: number): void {
    if (status === success || isSuccess(status)) return
    throw new PerStreamContextError({
      status,
      operation: this.#operations[index]!,
      path: this.#streams[index]!.path,
    })
  }

  /** A handle of a closed stream may be another stream's by now: none must reach the driver. */
  #checkOpen(): void {
    const closed = this.#streams.find((stream) => stream.closed)
    if (closed !== undefined) throw closedError('batch', closed.path)
    this.#openAt = this.#session.closings
  }

  #handleOf(stream: Stream, operation: BatchResult['operation']): number {
    const handle = handleOf(this.#session, stream)
    if (handle === undefined) throw typeError(operation, 'stream', 'a Stream of the same filter')
    if (this.closed) throw closedError(operation, stream.path)
    return handle
  }

  /** Where there is room for a request of so many bytes at the end. */
  #reserve(length: number): Memory {
    const count = this.#operations.length + 1
    const end = this.#end + length
    if (count > abi.limits.batchOperations) {
      throw valueError('batch', 'batch', `of at most ${abi.limits.batchOperations} operations: run it, and clear it`)
    }
    if (end > abi.limits.transfer || replyLength(count, this.#replyCapacity) > abi.limits.transfer) {
      throw valueError('batch', 'batch', `of at most ${abi.limits.transfer} bytes of requests and of replies`)
    }
    if (end > this.#requests.buffer.byteLength) {
      const size = Math.min(abi.limits.transfer, Math.max(end, 2 * this.#requests.buffer.byteLength))
      const larger = new Memory(new ArrayBuffer(size))
      larger.bytes.set(this.#requests.bytes.subarray(0, this.#end))
      this.#requests = larger
    }
    return this.#requests
  }

  /**
   * The operation that was written to the end becomes one of the batch. Whoever changed the batch meanwhile, in a getter of an argument,
   * has had that written over.
   */
  #add(stream: Stream, operation: BatchResult['operation'], memory: Memory, end: number, length: number): this {
    if (this.#end !== end || this.#requests !== memory) {
      this.clear()
      throw valueError(operation, 'batch', 'left alone by the getters of an argument: it is empty now')
    }
    if (stream.closed) throw closedError(operation, stream.path)
    if (this.#operations.length === 0) this.#openAt = this.#session.closings
    if (operation !== 'lookup') this.#changes = true
    this.#end += length
    this.#operations.push(operation)
    this.#streams.push(stream)
    this.#resultCount = 0
    return this
  }
}
