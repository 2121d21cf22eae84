/** QUERY_VERSION: which driver it is, and what a session may hold. */
import * as abi from '../abi'

import { encodeHeader } from './header'
import type { Memory } from './memory'

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
}

export interface Version {
  readonly version: string
  /** The number that the driver knows this session by. */
  readonly session: bigint
  readonly limits: FilterLimits
}

export function encodeQueryVersion(memory: Memory): void {
  encodeHeader(memory, 0, abi.operation.queryVersion, abi.header.size)
}

export function decodeVersion(memory: Memory, offset: number): Version {
  const { versionReply } = abi
  const version = memory.uint32(offset + versionReply.driverVersion)
  return {
    version: `${version >>> 24}.${(version >>> 16) & 0xff}.${version & 0xffff}`,
    session: memory.uint64(offset + versionReply.session),
    limits: {
      dataLength: memory.uint32(offset + versionReply.maximumDataLength),
      contexts: memory.uint32(offset + versionReply.maximumContexts),
      owners: memory.uint32(offset + versionReply.maximumOwners),
      pagedBytes: memory.counter(offset + versionReply.maximumPagedBytes),
      nonPagedBytes: memory.counter(offset + versionReply.maximumNonPagedBytes),
      batchOperations: memory.uint32(offset + versionReply.maximumBatchOperations),
      transfer: memory.uint32(offset + versionReply.maximumTransfer),
    },
  }
}
