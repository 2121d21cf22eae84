/** Handles of streams: the addon numbers them below 2⁵³, and a request has the two halves. */
import type { Memory } from './memory'

export function lowHalf(handle: number): number {
  return handle >>> 0
}

export function highHalf(handle: number): number {
  return Math.floor(handle / 2 ** 32)
}

export function encodeHandle(memory: Memory, offset: number, low: number, high: number): void {
  const index = offset >>> 2
  memory.words[index] = low
  memory.words[index + 1] = high
}
