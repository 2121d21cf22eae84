/** What happens to a filter's contexts and to the volumes that the driver watches, told as it happens. */
import * as abi from './abi'
import { checkInteger, checkOptions } from './arguments'
import {
  decodeEvent,
  decodeEventCount,
  encodeSubscribe,
  type EventType,
  type FilterEvent,
  type FilterEventOf,
  firstEvent,
  nextEvent,
  requestableTypes,
  typeBit,
} from './codec/events'
import { Memory } from './codec/memory'
import { isFailure, PerStreamContextError, statusOf, typeError, valueError } from './errors'
import { type Answer, layout, type NativeReader } from './native'
import { PagedIterator, type ClosableIterator } from './paging'
import { answerError, type Session } from './session'

/** Which events are told, and until when. */
export interface EventOptions<T extends EventType = EventType> {
  /** Ends the iteration with an `AbortError`. */
  readonly signal?: AbortSignal | undefined
  /** Every type when nothing is said. */
  readonly types?: readonly T[] | undefined
  /** Bytes of events that the kernel keeps until they are read, 256 KiB to 16 MiB; 4 MiB when nothing is said. */
  readonly capacity?: number | undefined
}

/** Events in their order, until the iterator or its filter is closed. */
export interface FilterEvents<T extends EventType = EventType> extends ClosableIterator<FilterEventOf<T>> {
  /** From now on `next()` keeps the process alive while it waits, as it does at first. */
  ref(): this
  /** From now on it does not. */
  unref(): this
}

const keys: ReadonlySet<string> = new Set(['signal', 'types', 'capacity'])
const defaultCapacity = 4 << 20
const closed = statusOf('STATUS_FILE_CLOSED') | 0

const fullAdvice = `A filter has at most ${abi.limits.readers} iterators over events at a time: end one of them first.`

function toTypeBits(types: unknown): number {
  const expected = `an array, which is not empty, of ${requestableTypes.map((type) => `'${type}'`).join(', ')}`
  if (!Array.isArray(types)) throw typeError('events', 'types', expected)
  if (types.length === 0) throw valueError('events', 'types', expected)
  let bits = 0
  for (const type of types as unknown[]) {
    const known = requestableTypes.find((one) => one === type)
    if (known === undefined) throw valueError('events', 'types', expected)
    bits |= typeBit(known)
  }
  return bits
}

/** Reads a filter's events by an open of the driver of its own. One request waits, while `next()` does. */
class EventIterator extends PagedIterator<FilterEvent> {
  readonly #native: NativeReader
  readonly #memory: Memory
  #entry = 0
  #keepsAlive = true

  constructor(session: Session, number: bigint, types: number, capacity: number, signal: AbortSignal | undefined) {
    super(signal, 'events')
    const native = session.native.openReader()
    if (typeof native === 'number') throw answerError(native, 'events')
    this.#native = native
    this.#memory = new Memory(native.memory)
    encodeSubscribe(this.#memory, number, types, capacity)
    const answer = native.subscribe()
    if (isFailure(answer)) {
      native.close()
      const isFull = answer >>> 0 === statusOf('STATUS_QUOTA_EXCEEDED')
      throw answerError(answer, 'events', undefined, isFull ? fullAdvice : undefined)
    }
    this.start()
  }

  ref(): this {
    this.#keepsAlive = true
    this.#native.keepAlive(true)
    return this
  }

  unref(): this {
    this.#keepsAlive = false
    this.#native.keepAlive(false)
    return this
  }

  protected override take(): FilterEvent {
    const entry = this.#entry
    this.#entry = nextEvent(this.#memory, entry)
    return decodeEvent(this.#memory, entry)
  }

  protected override load(): void {
    const answer = this.#native.wait(this.#completed, this.#keepsAlive)
    if (isFailure(answer)) this.#stop(answer)
  }

  protected override release(): void {
    this.#native.close()
  }

  readonly #completed = (answer: Answer): void => {
    if (isFailure(answer)) {
      this.#stop(answer)
    } else {
      this.#memory.forget()
      this.#entry = firstEvent(layout.readerReply)
      this.loaded(decodeEventCount(this.#memory, layout.readerReply))
    }
  }

  /** The filter, or this reader of it, is closed: that is the end. Anything else is an error. */
  #stop(answer: Answer): void {
    if (answer === closed) this.finish()
    else this.fail(new PerStreamContextError({ status: answer, operation: 'events' }))
  }
}

/** See {@link Filter.events}. `number` is the one that the driver knows the session by. */
export function readEvents<T extends EventType>(
  session: Session,
  number: bigint,
  options: EventOptions<T>,
): FilterEvents<T> {
  checkOptions(options, 'events', keys)
  const { capacity = defaultCapacity, types = requestableTypes, signal } = options
  checkInteger(capacity, abi.limits.minimumEventCapacity, abi.limits.maximumEventCapacity, 'capacity', 'events')
  const iterator = new EventIterator(session, number, toTypeBits(types), capacity, signal)
  return iterator as unknown as FilterEvents<T>
}
