/** What every request begins with, and those that are nothing but that. */
import * as abi from '../abi'

import type { Memory } from './memory'

/** Writes the header of a request of `size` bytes. */
export function encodeHeader(memory: Memory, offset: number, operation: number, size: number): void {
  const index = offset >>> 2
  memory.words[index] = size
  memory.words[index + 1] = abi.version.abi | (operation << 16)
}
