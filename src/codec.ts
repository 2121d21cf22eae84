/** Decodes the driver's replies, which lie in memory shared with the addon. */
import * as abi from './abi'
import type {
  FirstContext,
  InsertionResult,
  Lifetime,
  ListedContext,
  Pool,
  StreamContext,
  StreamSupport,
  UnsupportedReason,
} from './context'
import type { FilterLimits, FilterStatistics } from './filter'

const pools: readonly Pool[] = ['paged', 'nonpaged']
const lifetimes: readonly Lifetime[] = ['session', 'stream']
const outcomes = ['inserted', 'kept', 'replaced', 'added'] as const
const holders = ['self', 'other-session', 'other-filter'] as const
const reasons: readonly (UnsupportedReason | undefined)[] = [
  undefined,
  'not-a-file-system',
  'volume',
  'no-stream-context',
  'no-advanced-header',
  'no-filter-contexts',
]

/** The name that stands for a number of the driver's; a driver of this ABI version has no others. */
function nameOf<T>(table: readonly T[], value: number): T {
  if (value >= table.length) throw new RangeError(`The driver answered with an unknown value: ${value}`)
  return table[value] as T
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
    return Number(this.uint64(offset))
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
      const name = entry + abi.listEntry.size
      contexts.push({
        owner: this.uint64(entry + abi.listEntry.ownerKey),
        instance: this.uint64(entry + abi.listEntry.instance),
        dataLength: this.uint32(entry + abi.listEntry.dataLength),
        pool: nameOf(pools, this.uint32(entry + abi.listEntry.pool)),
        lifetime: nameOf(lifetimes, this.uint32(entry + abi.listEntry.lifetime)),
        sequence: this.uint64(entry + abi.listEntry.sequence),
        name: this.#bytes.toString('utf16le', name, name + this.uint32(entry + abi.listEntry.nameLength)),
      })
      entry += this.uint32(entry + abi.listEntry.entrySize)
    }
    return { contexts, remaining: this.uint32(offset + abi.listReply.remaining) }
  }

  version(offset: number): { version: string; limits: FilterLimits } {
    const version = this.uint32(offset + abi.versionReply.driverVersion)
    return {
      version: `${version >>> 24}.${(version >>> 16) & 0xff}.${version & 0xffff}`,
      limits: {
        dataLength: this.uint32(offset + abi.versionReply.maximumDataLength),
        contexts: this.uint32(offset + abi.versionReply.maximumContexts),
        owners: this.uint32(offset + abi.versionReply.maximumOwners),
        pagedBytes: this.counter(offset + abi.versionReply.maximumPagedBytes),
        nonPagedBytes: this.counter(offset + abi.versionReply.maximumNonPagedBytes),
        batchOperations: this.uint32(offset + abi.versionReply.maximumBatchOperations),
        transfer: this.uint32(offset + abi.versionReply.maximumTransfer),
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
      },
      total: {
        contexts: this.counter(offset + statisticsReply.totalContexts),
        pagedBytes: this.counter(offset + statisticsReply.totalPagedBytes),
        nonPagedBytes: this.counter(offset + statisticsReply.totalNonPagedBytes),
        sessions: this.counter(offset + statisticsReply.totalSessions),
        attachedVolumes: this.counter(offset + statisticsReply.attachedVolumes),
        attachedFileSystems: this.counter(offset + statisticsReply.attachedFileSystems),
      },
    }
  }
}
