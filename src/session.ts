/** A filter's session as the modules above the addon share it: the memory, the requests, the handles that nobody closed. */
import * as abi from './abi'
import { Memory } from './codec/memory'
import { isFailure, PerStreamContextError, statusOf } from './errors'
import { type Answer, layout, type HandleAnswer, type NativeSession } from './native'

/** Where replies lie in the memory. Requests lie at its beginning. */
export const reply = layout.reply

const capacityIndex = layout.capacity >>> 2
const overflow = statusOf('STATUS_BUFFER_OVERFLOW') | 0

/** The error that an answer of the addon's stands for. */
export function answerError(answer: Answer, operation: string, path?: string, advice?: string): PerStreamContextError {
  return new PerStreamContextError({ status: answer, operation, path, advice })
}

export class Session {
  readonly memory: Memory
  readonly insert: () => Answer
  readonly lookup: () => Answer
  readonly remove: () => Answer
  readonly batch: (request: ArrayBuffer, reply: ArrayBuffer) => Answer
  isClosed = false
  /** Grows whenever a handle is closed by itself: what was open when it was last looked at still is while this is the same. */
  closings = 0
  /** Bytes of data that a reply has room for: grows with the data seen, since the kernel's buffer is as long as we say. */
  #dataRoom = 256
  readonly #forgotten: FinalizationRegistry<number>

  constructor(readonly native: NativeSession) {
    this.memory = new Memory(native.memory)
    this.insert = native.insert
    this.lookup = native.lookup
    this.remove = native.remove
    this.batch = native.batch
    const { closeHandle } = native
    this.#forgotten = new FinalizationRegistry(closeHandle)
  }

  /** How many bytes the next reply may have. */
  setCapacity(length: number): void {
    this.memory.words[capacityIndex] = length
  }

  /** Sends the request in the memory, and throws what comes of it when that is no reply. */
  request(send: () => Answer, capacity: number, operation: string, path?: string): void {
    this.setCapacity(capacity)
    const answer = send()
    if (isFailure(answer)) throw answerError(answer, operation, path)
  }

  /** Sends a LOOKUP or a REMOVE with as much room as the data needs. */
  requestContext(send: () => Answer): Answer {
    for (;;) {
      this.setCapacity(abi.contextReply.size + this.#dataRoom)
      const answer = send()
      if (answer !== overflow) return answer
      const needed = this.memory.uint32(reply + abi.contextReply.dataLength)
      if (needed <= this.#dataRoom || needed > abi.limits.dataLength) return answer
      this.#dataRoom = Math.min(Math.max(needed, 2 * this.#dataRoom), abi.limits.dataLength)
    }
  }

  /** Opens a stream. */
  openStream(path: string, operation: string, told: string): number {
    const handle = this.isClosed ? closed : this.native.openStream(path)
    if (isFailure(handle)) throw answerError(handle, operation, told)
    return handle
  }

  /** Closes a handle that has been opened for `holder` if that is collected before. */
  closeWith(holder: object, handle: number): void {
    this.#forgotten.register(holder, handle, holder)
  }

  /**
   * Harmless when it is closed already. `holder` is the one that {@link closeWith} was told of: the number may be another handle's by the
   * time that it is collected.
   */
  closeHandle(handle: HandleAnswer, holder?: object): void {
    if (holder !== undefined) this.#forgotten.unregister(holder)
    this.closings += 1
    this.native.closeHandle(handle)
  }
}

const closed = statusOf('STATUS_FILE_CLOSED') | 0
