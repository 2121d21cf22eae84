/** LIST: the contexts of one stream; and the entries that ENUMERATE has as well. */
import * as abi from '../abi'
import type { Lifetime, Pool } from '../context'

import { lifetimes, pools } from './context'
import { encodeStreamHeader } from './header'
import { type Memory, nameOf } from './memory'
import { decodeDate } from './time'

/** What was done with a stream since a tracking rule that counts inserted its context, through the driver's filter. */
export interface TrackingCounters {
  /** Successful opens that matched the rule, the first one included. */
  readonly opens: number
  /** Opens whose last handle was closed. */
  readonly cleanups: number
  /** Requests that were not the memory manager's. */
  readonly reads: number
  /** Likewise. */
  readonly writes: number
  /** Bytes asked for: what a request says, whatever came of it. */
  readonly bytesRead: number
  /** Likewise. */
  readonly bytesWritten: number
  /** The process of the first open. */
  readonly firstProcessId: number
  /** Of the last open. */
  readonly lastProcessId: number
}

/** A context in a list: everything but the data. */
export interface ListedContext {
  /** The owner key that it was inserted with. */
  readonly owner: bigint
  /** The instance that it was inserted with. */
  readonly instance: bigint
  /** Bytes. */
  readonly dataLength: number
  /** Where the kernel keeps it. */
  readonly pool: Pool
  /** How long it lives at most. */
  readonly lifetime: Lifetime
  /** Unique while the driver is loaded; grows with every insertion. */
  readonly sequence: bigint
  /**
   * The stream's name as the I/O manager told it at insertion, such as `\Device\HarddiskVolume3\a.txt:notes`; of a
   * context that a tracking rule inserted, the file's own name below its volume as the file system told it, whatever it
   * was opened by; of that at most 512 characters.
   */
  readonly name: string
  /** Whether `name` is the end of a longer one. */
  readonly nameTruncated: boolean
  /** When it was inserted: units of 100 nanoseconds since 1601, UTC. */
  readonly time: bigint
  /** The same, to the millisecond. */
  readonly date: Date
  /** Whether a tracking rule inserted it. */
  readonly byRule: boolean
  /** What was done with the stream since, if that rule counts. */
  readonly tracked?: TrackingCounters
}

/** Of this module: V8 takes them for the constants that they are. */
const { listEntry, nameFlags, tracked, tracking } = abi

export function encodeList(memory: Memory, low: number, high: number, before: bigint): void {
  encodeStreamHeader(memory, 0, abi.operation.list, abi.listRequest.size, low, high)
  memory.setUint64(abi.listRequest.before, before)
}

/** Appends the entries of one page, and returns how many more there are. */
export function decodeList(memory: Memory, offset: number, contexts: ListedContext[]): number {
  let entry = offset + abi.listReply.size
  memory.forget()
  for (let count = memory.uint32(offset + abi.listReply.count); count > 0; count -= 1) {
    contexts.push(decodeEntry(memory, entry))
    entry = nextEntry(memory, entry)
  }
  return memory.uint32(offset + abi.listReply.remaining)
}

export function nextEntry(memory: Memory, entry: number): number {
  return entry + memory.uint32(entry + listEntry.entrySize)
}

export function decodeEntry(memory: Memory, entry: number): ListedContext {
  const kind = memory.uint32(entry + listEntry.tracked)
  const isCounted = kind === tracked.counted
  const counters = entry + listEntry.size
  const nameLength = memory.uint32(entry + listEntry.nameLength)
  memory.checkRecord(entry, listEntry.size + (isCounted ? tracking.size : 0) + nameLength)
  const context: ListedContext = {
    owner: memory.uint64(entry + listEntry.ownerKey),
    instance: memory.uint64(entry + listEntry.instance),
    dataLength: memory.uint32(entry + listEntry.dataLength),
    pool: nameOf(pools, memory.uint32(entry + listEntry.pool)),
    lifetime: nameOf(lifetimes, memory.uint32(entry + listEntry.lifetime)),
    sequence: memory.uint64(entry + listEntry.sequence),
    name: memory.name(isCounted ? counters + tracking.size : counters, nameLength),
    time: memory.uint64(entry + listEntry.inserted),
    date: decodeDate(memory, entry + listEntry.inserted),
    byRule: kind !== tracked.no,
    nameTruncated: decodeTruncation(memory, entry + listEntry.flags),
  }
  return isCounted ? { ...context, tracked: decodeCounters(memory, counters) } : context
}

/** Whether the name of a record with these flags is the end of a longer one. */
export function decodeTruncation(memory: Memory, flags: number): boolean {
  return (memory.uint32(flags) & nameFlags.truncated) !== 0
}

function decodeCounters(memory: Memory, offset: number): TrackingCounters {
  return {
    opens: memory.counter(offset + tracking.opens),
    cleanups: memory.counter(offset + tracking.cleanups),
    reads: memory.counter(offset + tracking.reads),
    writes: memory.counter(offset + tracking.writes),
    bytesRead: memory.counter(offset + tracking.bytesRead),
    bytesWritten: memory.counter(offset + tracking.bytesWritten),
    firstProcessId: memory.counter(offset + tracking.firstProcessId),
    lastProcessId: memory.counter(offset + tracking.lastProcessId),
  }
}
