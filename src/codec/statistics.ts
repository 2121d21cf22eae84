/** QUERY_STATISTICS: the driver's counters. */
import * as abi from '../abi'

import { encodeHeader } from './header'
import type { Memory } from './memory'

/** Counters of the driver. Each is right by itself; together they are no snapshot. */
export interface FilterStatistics {
  /** Of this filter. */
  readonly session: {
    /** Live now. */
    readonly contexts: number
    /** Held now, headers and names included. */
    readonly pagedBytes: number
    /** Likewise, in nonpaged pool. */
    readonly nonPagedBytes: number
    /** Since the filter was opened. */
    readonly inserted: number
    /** By a request: remove, removeAll, replace. */
    readonly removed: number
    /** By a file system, with the stream. */
    readonly tornDown: number
    /** Opens that its tracking rules have no context for: see {@link TrackingStatistics}. */
    readonly missed: number
    /** Held now by what is no context: see {@link FilterLimits}. */
    readonly pagedRecordBytes: number
    /** Likewise, in nonpaged pool. */
    readonly nonPagedRecordBytes: number
  }
  /** Of the driver as a whole, now. */
  readonly total: {
    /** Live now, of every session, also of ended ones. */
    readonly contexts: number
    /** Held now, headers and names included. */
    readonly pagedBytes: number
    /** Likewise, in nonpaged pool. */
    readonly nonPagedBytes: number
    /** Filters that are open. */
    readonly sessions: number
    /** Volumes that the driver's file system filter is attached to. */
    readonly attachedVolumes: number
    /** File systems' control devices that it is attached to. */
    readonly attachedFileSystems: number
    /** Held now by what is no context: see {@link FilterLimits}. */
    readonly pagedRecordBytes: number
    /** Likewise, in nonpaged pool. */
    readonly nonPagedRecordBytes: number
  }
}

export function encodeQueryStatistics(memory: Memory): void {
  encodeHeader(memory, 0, abi.operation.queryStatistics, abi.header.size)
}

export function decodeStatistics(memory: Memory, offset: number): FilterStatistics {
  const { statisticsReply } = abi
  return {
    session: {
      contexts: memory.counter(offset + statisticsReply.sessionContexts),
      pagedBytes: memory.counter(offset + statisticsReply.sessionPagedBytes),
      nonPagedBytes: memory.counter(offset + statisticsReply.sessionNonPagedBytes),
      inserted: memory.counter(offset + statisticsReply.sessionInserted),
      removed: memory.counter(offset + statisticsReply.sessionRemoved),
      tornDown: memory.counter(offset + statisticsReply.sessionTornDown),
      missed: memory.counter(offset + statisticsReply.sessionMissed),
      pagedRecordBytes: memory.counter(offset + statisticsReply.sessionPagedRecordBytes),
      nonPagedRecordBytes: memory.counter(offset + statisticsReply.sessionNonPagedRecordBytes),
    },
    total: {
      contexts: memory.counter(offset + statisticsReply.totalContexts),
      pagedBytes: memory.counter(offset + statisticsReply.totalPagedBytes),
      nonPagedBytes: memory.counter(offset + statisticsReply.totalNonPagedBytes),
      sessions: memory.counter(offset + statisticsReply.totalSessions),
      attachedVolumes: memory.counter(offset + statisticsReply.attachedVolumes),
      attachedFileSystems: memory.counter(offset + statisticsReply.attachedFileSystems),
      pagedRecordBytes: memory.counter(offset + statisticsReply.totalPagedRecordBytes),
      nonPagedRecordBytes: memory.counter(offset + statisticsReply.totalNonPagedRecordBytes),
    },
  }
}
