/** Decodes the driver's replies, which lie in memory shared with the addon. */
import * as abi from './abi'
import type {
  FirstContext,
  InsertionResult,
  InspectedContext,
  Lifetime,
  ListedContext,
  OwnerKind,
  Pool,
  StreamContext,
  StreamSupport,
  TrackingCounters,
  UnsupportedReason,
} from './context'
import { statusName } from './errors'
import type { EventType, FilterEvent } from './events'
import type { FilterLimits, FilterStatistics } from './filter'
import type { TrackingStatistics } from './tracking'
import type { Volume, VolumeAttachment } from './volumes'

const pools: readonly Pool[] = ['paged', 'nonpaged']
const lifetimes: readonly Lifetime[] = ['session', 'stream']
const outcomes = ['inserted', 'kept', 'replaced', 'added'] as const
const holders = ['self', 'other-session', 'other-filter'] as const
const ownerKinds: readonly OwnerKind[] = ['unknown', 'device', 'driver']
const attachments: readonly VolumeAttachment[] = ['attached', 'snapshot', 'failed']
/** By their numbers. */
export const eventTypes: readonly (EventType | 'dropped')[] = [
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
const reasons: readonly (UnsupportedReason | undefined)[] = [
  undefined,
  'not-a-file-system',
  'volume',
  'no-stream-context',
  'no-advanced-header',
  'no-filter-contexts',
]

/** Between 1601, which system time counts from, and 1970. */
const millisecondsBefore1970 = 11_644_473_600_000
const unitsPerMillisecond = 10_000

/** The name that stands for a number of the driver's; a driver of this ABI version has no others. */
function nameOf<T>(table: readonly T[], value: number): T {
  if (value >= table.length) throw new RangeError(`The driver answered with an unknown value: ${value}`)
  return table[value] as T
}

function toToken(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

/** Replies in one ArrayBuffer. The offset of every method is that of the reply's header. */
export class Replies {
  readonly #view: DataView
  readonly #bytes: Buffer

  constructor(readonly memory: ArrayBuffer) {
    this.#view = new DataView(memory)
    this.#bytes = Buffer.from(memory)
  }

  uint32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  uint64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true)
  }

  /** A 64-bit counter, which is far from 2⁵³. */
  counter(offset: number): number {
    return this.uint32(offset + 4) * 2 ** 32 + this.uint32(offset)
  }

  /** UTF-16 of so many bytes. */
  text(offset: number, length: number): string {
    return this.#bytes.toString('utf16le', offset, offset + length)
  }

  /** Of a system time. */
  date(offset: number): Date {
    const units = this.uint32(offset + 4) * 2 ** 32 + this.uint32(offset)
    return new Date(units / unitsPerMillisecond - millisecondsBefore1970)
  }

  /** The entry after one that begins with its size. */
  next(entry: number): number {
    return entry + this.uint32(entry)
  }

  insertionResult(offset: number): InsertionResult {
    return {
      outcome: nameOf(outcomes, this.uint32(offset + abi.insertReply.outcome)),
      sequence: this.uint64(offset + abi.insertReply.sequence),
    }
  }

  context(offset: number): StreamContext {
    const start = offset + abi.contextReply.size
    const length = this.uint32(offset + abi.contextReply.dataLength)
    return {
      owner: this.uint64(offset + abi.contextReply.ownerKey),
      instance: this.uint64(offset + abi.contextReply.instance),
      data: Buffer.from(this.#bytes.subarray(start, start + length)),
      pool: nameOf(pools, this.uint32(offset + abi.contextReply.pool)),
      lifetime: nameOf(lifetimes, this.uint32(offset + abi.contextReply.lifetime)),
      sequence: this.uint64(offset + abi.contextReply.sequence),
    }
  }

  firstContext(offset: number): FirstContext {
    const holder = nameOf(holders, this.uint32(offset + abi.contextReply.holder))
    return holder === 'self' ? { holder, context: this.context(offset) } : { holder }
  }

  count(offset: number): number {
    return this.counter(offset + abi.countReply.count)
  }

  support(offset: number): StreamSupport {
    const reason = nameOf(reasons, this.uint32(offset + abi.streamReply.support))
    return {
      supported: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      deviceType: this.uint32(offset + abi.streamReply.deviceType),
      headerVersion: this.uint32(offset + abi.streamReply.headerVersion),
    }
  }

  /** The entries of one page of a list, and how many more there are. */
  listedContexts(offset: number): { contexts: ListedContext[]; remaining: number } {
    const contexts: ListedContext[] = []
    let entry = offset + abi.listReply.size
    for (let count = this.uint32(offset + abi.listReply.count); count > 0; count -= 1) {
      contexts.push(this.listedContext(entry))
      entry = this.next(entry)
    }
    return { contexts, remaining: this.uint32(offset + abi.listReply.remaining) }
  }

  listedContext(entry: number): ListedContext {
    const tracked = this.uint32(entry + abi.listEntry.tracked)
    const isCounted = tracked === abi.tracked.counted
    const counters = entry + abi.listEntry.size
    const context = {
      owner: this.uint64(entry + abi.listEntry.ownerKey),
      instance: this.uint64(entry + abi.listEntry.instance),
      dataLength: this.uint32(entry + abi.listEntry.dataLength),
      pool: nameOf(pools, this.uint32(entry + abi.listEntry.pool)),
      lifetime: nameOf(lifetimes, this.uint32(entry + abi.listEntry.lifetime)),
      sequence: this.uint64(entry + abi.listEntry.sequence),
      name: this.text(
        isCounted ? counters + abi.tracking.size : counters,
        this.uint32(entry + abi.listEntry.nameLength),
      ),
      time: this.uint64(entry + abi.listEntry.inserted),
      date: this.date(entry + abi.listEntry.inserted),
      byRule: tracked !== abi.tracked.no,
      nameTruncated: this.#isNameTruncated(entry + abi.listEntry.flags),
    }
    return isCounted ? { ...context, tracked: this.#counters(counters) } : context
  }

  #counters(offset: number): TrackingCounters {
    const { tracking } = abi
    return {
      opens: this.counter(offset + tracking.opens),
      cleanups: this.counter(offset + tracking.cleanups),
      reads: this.counter(offset + tracking.reads),
      writes: this.counter(offset + tracking.writes),
      bytesRead: this.counter(offset + tracking.bytesRead),
      bytesWritten: this.counter(offset + tracking.bytesWritten),
      firstProcessId: this.counter(offset + tracking.firstProcessId),
      lastProcessId: this.counter(offset + tracking.lastProcessId),
    }
  }

  #isNameTruncated(flags: number): boolean {
    return (this.uint32(flags) & abi.nameFlags.truncated) !== 0
  }

  rule(offset: number): bigint {
    return this.uint64(offset + abi.ruleRecord.rule)
  }

  ruleStatistics(offset: number): TrackingStatistics {
    const { ruleReply } = abi
    return {
      matched: this.counter(offset + ruleReply.matched),
      inserted: this.counter(offset + ruleReply.inserted),
      missed: this.counter(offset + ruleReply.missed),
    }
  }

  /** Objects are written out, type by type: spreading one into another costs more than all the rest. */
  event(entry: number): FilterEvent {
    const { event } = abi
    const type = nameOf(eventTypes, this.uint32(entry + event.type))
    const number = this.counter(entry + event.number)
    const time = this.uint64(entry + event.time)
    const date = this.date(entry + event.time)
    if (type === 'dropped') return { type, number, time, date, count: this.counter(entry + event.count) }

    const name = this.text(entry + event.size, this.uint32(entry + event.nameLength))
    if (type === 'volume-attached' || type === 'volume-detached') return { type, number, time, date, name }

    const owner = this.uint64(entry + event.ownerKey)
    const instance = this.uint64(entry + event.instance)
    const sequence = this.uint64(entry + event.sequence)
    const processId = this.counter(entry + event.processId)
    if (type === 'missed') {
      const count = this.counter(entry + event.count)
      return { type, number, time, date, owner, instance, rule: sequence, processId, count }
    }
    const nameTruncated = this.#isNameTruncated(entry + event.flags)
    const age = this.#age(entry)
    switch (type) {
      case 'torn-down':
        return { type, number, time, date, owner, instance, sequence, name, nameTruncated, age }
      case 'removed':
        return { type, number, time, date, owner, instance, sequence, name, nameTruncated, processId, age }
      default:
        return { type, number, time, date, owner, instance, sequence, name, nameTruncated, processId }
    }
  }

  /** Milliseconds. */
  #age(entry: number): number {
    return this.counter(entry + abi.event.age) / unitsPerMillisecond
  }

  volumes(offset: number): { volumes: Omit<Volume, 'mountPoints'>[]; remaining: number } {
    const { volumeEntry } = abi
    const volumes: Omit<Volume, 'mountPoints'>[] = []
    let entry = offset + abi.volumesReply.size
    for (let count = this.uint32(offset + abi.volumesReply.count); count > 0; count -= 1) {
      const names = entry + volumeEntry.size
      const deviceLength = this.uint32(entry + volumeEntry.deviceNameLength)
      const attachment = nameOf(attachments, this.uint32(entry + volumeEntry.attachment))
      volumes.push({
        number: this.uint64(entry + volumeEntry.number),
        device: this.text(names, deviceLength),
        fileSystem: this.text(names + deviceLength, this.uint32(entry + volumeEntry.fileSystemLength)),
        attachment,
        ...(attachment === 'failed' ? { status: statusName(this.uint32(entry + volumeEntry.status)) } : undefined),
        tearsDown: this.uint32(entry + volumeEntry.tearsDown) !== 0,
        contexts: this.counter(entry + volumeEntry.contexts),
        bytes: this.counter(entry + volumeEntry.bytes),
        deviceType: this.uint32(entry + volumeEntry.deviceType),
      })
      entry = this.next(entry)
    }
    return { volumes, remaining: this.uint32(offset + abi.volumesReply.remaining) }
  }

  inspectedContexts(offset: number): Omit<InspectedContext, 'data'>[] {
    const contexts: Omit<InspectedContext, 'data'>[] = []
    let entry = offset + abi.inspectReply.size
    for (let count = this.uint32(offset + abi.inspectReply.count); count > 0; count -= 1) {
      contexts.push(this.#inspectedContext(entry))
      entry = this.next(entry)
    }
    return contexts
  }

  #inspectedContext(entry: number): Omit<InspectedContext, 'data'> {
    const { inspectEntry } = abi
    const holder = nameOf(holders, this.uint32(entry + inspectEntry.holder))
    const module = this.text(entry + inspectEntry.size, this.uint32(entry + inspectEntry.moduleLength))
    const ownerName = this.text(
      entry + inspectEntry.size + this.uint32(entry + inspectEntry.moduleLength),
      this.uint32(entry + inspectEntry.ownerNameLength),
    )
    const instanceToken = this.uint64(entry + inspectEntry.instanceToken)
    return {
      holder,
      ...(holder === 'self'
        ? {
            owner: this.uint64(entry + inspectEntry.ownerKey),
            instance: this.uint64(entry + inspectEntry.instance),
            sequence: this.uint64(entry + inspectEntry.sequence),
          }
        : undefined),
      ...(module === '' ? undefined : { module, offset: this.counter(entry + inspectEntry.callbackOffset) }),
      ownerKind: nameOf(ownerKinds, this.uint32(entry + inspectEntry.ownerKind)),
      ...(ownerName === '' ? undefined : { ownerName }),
      ownerToken: toToken(this.uint64(entry + inspectEntry.ownerToken)),
      ...(instanceToken === 0n ? undefined : { instanceToken: toToken(instanceToken) }),
    }
  }

  version(offset: number): { version: string; session: bigint; limits: FilterLimits } {
    const version = this.uint32(offset + abi.versionReply.driverVersion)
    return {
      version: `${version >>> 24}.${(version >>> 16) & 0xff}.${version & 0xffff}`,
      session: this.uint64(offset + abi.versionReply.session),
      limits: {
        dataLength: this.uint32(offset + abi.versionReply.maximumDataLength),
        contexts: this.uint32(offset + abi.versionReply.maximumContexts),
        owners: this.uint32(offset + abi.versionReply.maximumOwners),
        pagedBytes: this.counter(offset + abi.versionReply.maximumPagedBytes),
        nonPagedBytes: this.counter(offset + abi.versionReply.maximumNonPagedBytes),
        batchOperations: this.uint32(offset + abi.versionReply.maximumBatchOperations),
        transfer: this.uint32(offset + abi.versionReply.maximumTransfer),
        streamContexts: this.uint32(offset + abi.versionReply.maximumStreamContexts),
        sessions: this.uint32(offset + abi.versionReply.maximumSessions),
        pagedRecordBytes: this.counter(offset + abi.versionReply.maximumPagedRecordBytes),
        nonPagedRecordBytes: this.counter(offset + abi.versionReply.maximumNonPagedRecordBytes),
        readers: this.uint32(offset + abi.versionReply.maximumReaders),
        waits: this.uint32(offset + abi.versionReply.maximumWaits),
      },
    }
  }

  statistics(offset: number): FilterStatistics {
    const { statisticsReply } = abi
    return {
      session: {
        contexts: this.counter(offset + statisticsReply.sessionContexts),
        pagedBytes: this.counter(offset + statisticsReply.sessionPagedBytes),
        nonPagedBytes: this.counter(offset + statisticsReply.sessionNonPagedBytes),
        inserted: this.counter(offset + statisticsReply.sessionInserted),
        removed: this.counter(offset + statisticsReply.sessionRemoved),
        tornDown: this.counter(offset + statisticsReply.sessionTornDown),
        missed: this.counter(offset + statisticsReply.sessionMissed),
        pagedRecordBytes: this.counter(offset + statisticsReply.sessionPagedRecordBytes),
        nonPagedRecordBytes: this.counter(offset + statisticsReply.sessionNonPagedRecordBytes),
      },
      total: {
        contexts: this.counter(offset + statisticsReply.totalContexts),
        pagedBytes: this.counter(offset + statisticsReply.totalPagedBytes),
        nonPagedBytes: this.counter(offset + statisticsReply.totalNonPagedBytes),
        sessions: this.counter(offset + statisticsReply.totalSessions),
        attachedVolumes: this.counter(offset + statisticsReply.attachedVolumes),
        attachedFileSystems: this.counter(offset + statisticsReply.attachedFileSystems),
        pagedRecordBytes: this.counter(offset + statisticsReply.totalPagedRecordBytes),
        nonPagedRecordBytes: this.counter(offset + statisticsReply.totalNonPagedRecordBytes),
      },
    }
  }
}
