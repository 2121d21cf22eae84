/** What every request begins with, and those that are nothing but that. */
import * as abi from '../abi'

import type { Memory } from './memory'

/** Of this module: V8 takes them for the constants that they are. */
const { streamRequest, version } = abi
const streamHandle = streamRequest.handle >>> 2

/** Writes the header of a request of `size` bytes. */
export function encodeHeader(memory: Memory, offset: number, operation: number, size: number): void {
  const index = offset >>> 2
  memory.words[index] = size
  memory.words[index + 1] = version.abi | (operation << 16)
}

/** Writes what a request about a stream begins with: the header, and the stream's handle behind it. */
export function encodeStreamHeader(
  memory: Memory,
  offset: number,
  operation: number,
  size: number,
  low: number,
  high: number,
): void {
  const { words } = memory
  const index = offset >>> 2
  words[index] = size
  words[index + 1] = version.abi | (operation << 16)
  words[index + streamHandle] = low
  words[index + streamHandle + 1] = high
}
