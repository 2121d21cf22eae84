/** ENUMERATE: every context of the session, page by page. */
import * as abi from '../abi'

import { encodeHandle, highHalf, lowHalf } from './handle'
import { encodeHeader } from './header'
import type { Memory } from './memory'

/** Where a page begins: two words that mean something to the driver alone. */
export type Cursor = readonly [bigint, bigint]

/** Both words are zero at the beginning, and at the end. */
export const begin: Cursor = [0n, 0n]

/** A page: where its first entry lies, how many it has, and where the next page begins, if there is one. */
export interface Page {
  readonly entry: number
  readonly count: number
  readonly next: Cursor | undefined
}

/** `volume` is the handle of a file of a volume; zero: every volume. */
export function encodeEnumerate(memory: Memory, volume: number, cursor: Cursor): void {
  const { enumerateRequest } = abi
  encodeHeader(memory, 0, abi.operation.enumerate, enumerateRequest.size)
  encodeHandle(memory, enumerateRequest.volumeHandle, lowHalf(volume), highHalf(volume))
  memory.setUint64(enumerateRequest.cursor, cursor[0])
  memory.setUint64(enumerateRequest.cursor + 8, cursor[1])
}

export function decodePage(memory: Memory): Page {
  const { nextCursor } = abi.enumerateReply
  const next: Cursor = [memory.uint64(nextCursor), memory.uint64(nextCursor + 8)]
  return {
    entry: abi.enumerateReply.size,
    count: memory.uint32(abi.enumerateReply.count),
    next: next[0] === 0n && next[1] === 0n ? undefined : next,
  }
}
