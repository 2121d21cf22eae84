/** QUERY_VERSION: which driver it is, and what a session may hold. */
import * as abi from '../abi'

import { encodeHeader } from './header'
import { type Memory, nameOf } from './memory'

/**
 * How the driver hears of opens and requests: as a `'legacy'` file system filter, with a device of its own in every stack, or as a
 * `'minifilter'` of Filter Manager.
 */
export type Front = 'legacy' | 'minifilter'

/** What one filter may hold. */
export interface FilterLimits {
  /** Bytes of data in one context. */
  readonly dataLength: number
  /** Live contexts. */
  readonly contexts: number
  /** Owner keys. */
  readonly owners: number
  /** Bytes of paged pool. */
  readonly pagedBytes: number
  /** Bytes of nonpaged pool. */
  readonly nonPagedBytes: number
  /** Operations in one batch. */
  readonly batchOperations: number
  /** Bytes of requests, or of replies, in one batch. */
  readonly transfer: number
  /** Contexts on one stream, of every filter. */
  readonly streamContexts: number
  /** Filters and readers of events that are open, of every process. */
  readonly sessions: number
  /** Bytes of paged pool for what is no context: owner keys, rules, events that are kept. */
  readonly pagedRecordBytes: number
  /** Bytes of nonpaged pool for what is no context: the filter itself, and requests that wait for events. */
  readonly nonPagedRecordBytes: number
  /** Readers of this filter's events. */
  readonly readers: number
  /** Requests of one reader that wait for events. */
  readonly waits: number
}

export interface Version {
  readonly version: string
  readonly front: Front
  /** The number that the driver knows this session by. */
  readonly session: bigint
  readonly limits: FilterLimits
}

/** By their numbers. */
export const fronts: readonly Front[] = ['legacy', 'minifilter']

export function encodeQueryVersion(memory: Memory): void {
  encodeHeader(memory, 0, abi.operation.queryVersion, abi.header.size)
}

export function decodeVersion(memory: Memory, offset: number): Version {
  const { versionReply } = abi
  const version = memory.uint32(offset + versionReply.driverVersion)
  return {
    version: `${version >>> 24}.${(version >>> 16) & 0xff}.${version & 0xffff}`,
    front: nameOf(fronts, memory.uint32(offset + versionReply.front)),
    session: memory.uint64(offset + versionReply.session),
    limits: {
      dataLength: memory.uint32(offset + versionReply.maximumDataLength),
      contexts: memory.uint32(offset + versionReply.maximumContexts),
      owners: memory.uint32(offset + versionReply.maximumOwners),
      pagedBytes: memory.counter(offset + versionReply.maximumPagedBytes),
      nonPagedBytes: memory.counter(offset + versionReply.maximumNonPagedBytes),
      batchOperations: memory.uint32(offset + versionReply.maximumBatchOperations),
      transfer: memory.uint32(offset + versionReply.maximumTransfer),
      streamContexts: memory.uint32(offset + versionReply.maximumStreamContexts),
      sessions: memory.uint32(offset + versionReply.maximumSessions),
      pagedRecordBytes: memory.counter(offset + versionReply.maximumPagedRecordBytes),
      nonPagedRecordBytes: memory.counter(offset + versionReply.maximumNonPagedRecordBytes),
      readers: memory.uint32(offset + versionReply.maximumReaders),
      waits: memory.uint32(offset + versionReply.maximumWaits),
    },
  }
}
