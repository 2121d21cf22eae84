/** BATCH and LOOKUP_BATCH: many requests in one. */
import * as abi from '../abi'

import { encodeHeader } from './header'
import type { Memory } from './memory'

/** Of this module: V8 takes them for the constants that they are. */
const { batchReply, batchResult } = abi

/** Where the first request lies. */
export const firstRequest = abi.batchRequest.size

/** Bytes that a request takes, with its padding. */
export function paddedLength(length: number): number {
  return (length + 7) & ~7
}

/** Writes what stands before the requests, which end at `length`. */
export function encodeBatch(
  memory: Memory,
  length: number,
  count: number,
  replyCapacity: number,
  changes: boolean,
): void {
  encodeHeader(memory, 0, changes ? abi.operation.batch : abi.operation.lookupBatch, length)
  memory.setUint32(abi.batchRequest.count, count)
  memory.setUint32(abi.batchRequest.replyCapacity, replyCapacity)
}

/** Bytes of the reply to so many requests. */
export function replyLength(count: number, replyCapacity: number): number {
  return batchReply.size + count * (batchResult.size + replyCapacity)
}

/** How many operations failed. */
export function decodeFailed(memory: Memory): number {
  return memory.uint32(batchReply.failed)
}

/** The status of an operation, as an unsigned number. */
export function decodeStatus(memory: Memory, index: number): number {
  return memory.uint32(batchReply.size + index * batchResult.size + batchResult.status)
}

/** Where the reply to one of so many operations lies. */
export function slotOf(index: number, count: number, replyCapacity: number): number {
  return batchReply.size + count * batchResult.size + index * replyCapacity
}
