/** What happens to a filter's contexts and to the volumes that the driver watches, told as it happens. */
import * as abi from './abi'
import { checkOptions } from './arguments'
import { eventTypes, Replies } from './codec'
import { argumentError, explain, isNativeError, isSuccess, PerStreamContextError, statusOf } from './errors'
import { native, type NativeEvents, type NativeFilter } from './native'
import { PagedIterator, type ClosableIterator } from './paging'

/** What every event tells. */
interface EventBase {
  /** Of this iterator's events, from 1; those that were dropped have had theirs. */
  readonly number: number
  /** When it happened: units of 100 nanoseconds since 1601, UTC. */
  readonly time: bigint
  /** The same, to the millisecond. */
  readonly date: Date
}

/** What every event of a context tells. */
interface ContextEventBase extends EventBase {
  readonly owner: bigint
  readonly instance: bigint
  readonly sequence: bigint
  /** The stream's name, as in {@link ListedContext}. */
  readonly name: string
  readonly nameTruncated: boolean
}

/**
 * A context was inserted: by a request, or by a tracking rule.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlinsertperstreamcontext | FsRtlInsertPerStreamContext}
 */
export interface InsertedEvent extends ContextEventBase {
  readonly type: 'inserted'
  /** Who asked for it. */
  readonly processId: number
}

/**
 * A context was removed: by a request, or with the session that it belonged to.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlremoveperstreamcontext | FsRtlRemovePerStreamContext}
 */
export interface RemovedEvent extends ContextEventBase {
  readonly type: 'removed'
  /** Who asked for it. */
  readonly processId: number
  /** How long it was there, in milliseconds. */
  readonly age: number
}

/**
 * A file system tore a context down with its stream.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlteardownperstreamcontexts | FsRtlTeardownPerStreamContexts}
 */
export interface TornDownEvent extends ContextEventBase {
  readonly type: 'torn-down'
  /** How long it was there, in milliseconds. */
  readonly age: number
}

/** A stream with a context of a tracking rule was opened. */
export interface TrackedEvent extends ContextEventBase {
  readonly type: 'tracked'
  /** Who opened it. */
  readonly processId: number
}

/** The last handle of such an open was closed. */
export interface CleanupEvent extends ContextEventBase {
  readonly type: 'cleanup'
  /** Who closed it. */
  readonly processId: number
}

/**
 * Opens that a tracking rule has no context for, one after another: see {@link TrackingStatistics}. `time` is that of the
 * first.
 */
export interface MissedEvent extends EventBase {
  readonly type: 'missed'
  /** Of the contexts that the rule inserts. */
  readonly owner: bigint
  readonly instance: bigint
  /** The rule's number: see {@link TrackingRule}. */
  readonly rule: bigint
  /** How many. */
  readonly count: number
  /** Who made the last. */
  readonly processId: number
}

/** The driver's filter was attached to a volume, or taken off. */
export interface VolumeEvent extends EventBase {
  readonly type: 'volume-attached' | 'volume-detached'
  /** The volume's device. */
  readonly name: string
}

/** Events were not read in time, and the oldest are lost. `number` is that of the first one lost. */
export interface DroppedEvent extends EventBase {
  readonly type: 'dropped'
  /** How many. */
  readonly count: number
}

/** Something that happened, told apart by `type`. */
export type FilterEvent =
  InsertedEvent | RemovedEvent | TornDownEvent | TrackedEvent | CleanupEvent | MissedEvent | VolumeEvent | DroppedEvent

/** The types of events that can be asked for; `'dropped'` is always told. */
export type EventType = Exclude<FilterEvent['type'], 'dropped'>

/** The events of some types, and those that were lost. */
export type FilterEventOf<T extends EventType> = Extract<FilterEvent, { readonly type: T | 'dropped' }>

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
export type FilterEvents<T extends EventType = EventType> = ClosableIterator<FilterEventOf<T>>

const defaultCapacity = 4 << 20
const requestable: readonly string[] = eventTypes.filter((type) => type !== 'dropped')

const fullAdvice = `A filter has at most ${abi.limits.readers} iterators over events at a time: end one of them first.`

function toTypeBits(types: unknown): number {
  if (types === undefined) return toTypeBits(requestable)
  const expected = `an array, which is not empty, of ${requestable.map((type) => `'${type}'`).join(', ')}`
  if (!Array.isArray(types) || types.length === 0) throw argumentError('events', 'types', expected)
  return types.reduce<number>((bits, type: unknown) => {
    if (typeof type !== 'string' || !requestable.includes(type)) throw argumentError('events', 'types', expected)
    return bits | (1 << eventTypes.indexOf(type as EventType))
  }, 0)
}

/** Reads a filter's events by an open of the driver of its own. One request waits, while `next()` does. */
class EventIterator extends PagedIterator<FilterEvent> {
  readonly #native: NativeEvents
  readonly #replies: Replies
  #entry = 0

  constructor(filter: NativeFilter, session: bigint, types: number, capacity: number, signal: AbortSignal | undefined) {
    super(signal, 'events')
    try {
      this.#native = new native.Events(filter, session, types, capacity)
    } catch (error) {
      const isFull = isNativeError(error) && error.status === statusOf('STATUS_QUOTA_EXCEEDED')
      throw explain(error, { advice: isFull ? fullAdvice : undefined })
    }
    this.#replies = new Replies(this.#native.reply())
    this.start()
  }

  override next(): Promise<IteratorResult<FilterEvent, undefined>> {
    if (this.#native.closed) this.finish()
    return super.next()
  }

  protected override take(): FilterEvent {
    const event = this.#replies.event(this.#entry)
    this.#entry = this.#replies.next(this.#entry)
    return event
  }

  protected override load(): void {
    try {
      this.#native.wait(this.#completed)
    } catch (error) {
      if (isNativeError(error)) this.#stop(error.status, error)
      else this.fail(error as Error)
    }
  }

  protected override release(): void {
    this.#native.close()
  }

  readonly #completed = (status: number): void => {
    if (isSuccess(status)) {
      this.#entry = abi.waitReply.size
      this.loaded(this.#replies.uint32(abi.waitReply.count))
    } else {
      this.#stop(status)
    }
  }

  /** The filter, or this reader of it, is closed: that is the end. Anything else is an error. */
  #stop(status: number, cause?: unknown): void {
    if (status === statusOf('STATUS_FILE_CLOSED')) this.finish()
    else this.fail(new PerStreamContextError({ status, operation: 'events', cause }))
  }
}

/** See {@link Filter.events}. */
export function readEvents<T extends EventType>(
  filter: NativeFilter,
  session: bigint,
  options: EventOptions<T>,
): FilterEvents<T> {
  checkOptions(options, 'events')
  const { capacity = defaultCapacity } = options
  const { minimumEventCapacity, maximumEventCapacity } = abi.limits
  if (!Number.isInteger(capacity) || capacity < minimumEventCapacity || capacity > maximumEventCapacity) {
    throw argumentError('events', 'capacity', `an integer from ${minimumEventCapacity} to ${maximumEventCapacity}`)
  }
  const iterator = new EventIterator(filter, session, toTypeBits(options.types), capacity, options.signal)
  return iterator as unknown as FilterEvents<T>
}
