/** ENUMERATE: every context of the session, page by page. */
import * as abi from '../abi'

import { encodeHandle, highHalf, lowHalf } from './handle'
import { encodeHeader } from './header'
import type { Memory } from './memory'

/** Where a page begins. */
export interface Cursor {
  readonly after: bigint
  readonly shard: number
}

export const begin: Cursor = { after: 0n, shard: 0 }

/** A page: where its first entry lies, how many it has, and where the next page begins, if there is one. */
export interface Page {
  readonly entry: number
  readonly count: number
  readonly next: Cursor | undefined
}

/** `volume` is the handle of a file of a volume; zero: every volume. */
export function encodeEnumerate(memory: Memory, volume: number, { after, shard }: Cursor): void {
  const { enumerateRequest } = abi
  encodeHeader(memory, 0, abi.operation.enumerate, enumerateRequest.size)
  encodeHandle(memory, enumerateRequest.volumeHandle, lowHalf(volume), highHalf(volume))
  memory.setUint64(enumerateRequest.after, after)
  memory.setUint32(enumerateRequest.shard, shard)
  memory.setUint32(enumerateRequest.reserved, 0)
}

export function decodePage(memory: Memory): Page {
  const shard = memory.uint32(abi.enumerateReply.nextShard)
  return {
    entry: abi.enumerateReply.size,
    count: memory.uint32(abi.enumerateReply.count),
    next: shard === abi.enumerateShard.end ? undefined : { after: memory.uint64(abi.enumerateReply.nextAfter), shard },
  }
}
