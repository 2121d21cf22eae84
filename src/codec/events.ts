/** SUBSCRIBE and WAIT: what happens to contexts, as it happens. */
import * as abi from '../abi'

import { encodeHeader } from './header'
import { decodeTruncation } from './list'
import { type Memory, nameOf } from './memory'
import { decodeDate, decodeDuration } from './time'

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
  /** The owner key of the context. */
  readonly owner: bigint
  /** The instance of the context. */
  readonly instance: bigint
  /** The context's: unique while the driver is loaded. */
  readonly sequence: bigint
  /** The stream's name, as in `ListedContext`. */
  readonly name: string
  /** Whether `name` is the end of a longer one. */
  readonly nameTruncated: boolean
}

/**
 * A context was inserted: by a request, or by a tracking rule.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlinsertperstreamcontext | FsRtlInsertPerStreamContext}
 */
export interface InsertedEvent extends ContextEventBase {
  /** Tells events apart. */
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
  /** Tells events apart. */
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
  /** Tells events apart. */
  readonly type: 'torn-down'
  /** How long it was there, in milliseconds. */
  readonly age: number
}

/** A stream with a context of a tracking rule was opened. */
export interface TrackedEvent extends ContextEventBase {
  /** Tells events apart. */
  readonly type: 'tracked'
  /** Who opened it. */
  readonly processId: number
}

/** The last handle of such an open was closed. */
export interface CleanupEvent extends ContextEventBase {
  /** Tells events apart. */
  readonly type: 'cleanup'
  /** Who closed it. */
  readonly processId: number
}

/**
 * Opens that a tracking rule has no context for, one after another: see {@link TrackingStatistics}. `time` is that of the
 * first.
 */
export interface MissedEvent extends EventBase {
  /** Tells events apart. */
  readonly type: 'missed'
  /** Of the contexts that the rule inserts. */
  readonly owner: bigint
  /** Likewise. */
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
  /** Tells events apart. */
  readonly type: 'volume-attached' | 'volume-detached'
  /** The volume's device. */
  readonly name: string
}

/** Events were not read in time, and the oldest are lost. `number` is that of the first one lost. */
export interface DroppedEvent extends EventBase {
  /** Tells events apart. */
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
export type FilterEventOf<T extends EventType> = Extract<FilterEvent, Record<'type', T | 'dropped'>>

/** By their numbers. */
const eventTypes: readonly FilterEvent['type'][] = [
  'inserted',
  'removed',
  'torn-down',
  'tracked',
  'cleanup',
  'volume-attached',
  'volume-detached',
  'dropped',
  'missed',
]

/** Those that can be asked for. */
export const requestableTypes = eventTypes.filter((type): type is EventType => type !== 'dropped')

/** The bit that asks for events of a type. */
export function typeBit(type: EventType): number {
  return 1 << eventTypes.indexOf(type)
}

export function encodeSubscribe(memory: Memory, session: bigint, types: number, capacity: number): void {
  const { subscribeRequest } = abi
  encodeHeader(memory, 0, abi.operation.subscribe, subscribeRequest.size)
  memory.setUint64(subscribeRequest.session, session)
  memory.setUint32(subscribeRequest.types, types)
  memory.setUint32(subscribeRequest.capacity, capacity)
}

/** How many events a reply has. */
export function decodeEventCount(memory: Memory, offset: number): number {
  return memory.uint32(offset + abi.waitReply.count)
}

/** Where the first of them lies. */
export function firstEvent(offset: number): number {
  return offset + abi.waitReply.size
}

export function nextEvent(memory: Memory, entry: number): number {
  return entry + memory.uint32(entry + abi.event.eventSize)
}

/** Objects are written out, type by type: spreading one into another costs more than all the rest. */
export function decodeEvent(memory: Memory, entry: number): FilterEvent {
  const { event } = abi
  const nameLength = memory.uint32(entry + event.nameLength)
  memory.checkRecord(entry, event.size + nameLength)
  const type = nameOf(eventTypes, memory.uint32(entry + event.type))
  const number = memory.counter(entry + event.number)
  const time = memory.uint64(entry + event.time)
  const date = decodeDate(memory, entry + event.time)
  if (type === 'dropped') return { type, number, time, date, count: memory.counter(entry + event.count) }

  const name = memory.name(entry + event.size, nameLength)
  if (type === 'volume-attached' || type === 'volume-detached') return { type, number, time, date, name }

  const owner = memory.uint64(entry + event.ownerKey)
  const instance = memory.uint64(entry + event.instance)
  const sequence = memory.uint64(entry + event.sequence)
  const processId = memory.counter(entry + event.processId)
  if (type === 'missed') {
    const count = memory.counter(entry + event.count)
    return { type, number, time, date, owner, instance, rule: sequence, processId, count }
  }
  const nameTruncated = decodeTruncation(memory, entry + event.flags)
  const age = decodeDuration(memory, entry + event.age)
  switch (type) {
    case 'torn-down':
      return { type, number, time, date, owner, instance, sequence, name, nameTruncated, age }
    case 'removed':
      return { type, number, time, date, owner, instance, sequence, name, nameTruncated, processId, age }
    default:
      return { type, number, time, date, owner, instance, sequence, name, nameTruncated, processId }
  }
}
