/** System times: units of 100 nanoseconds since 1601, UTC. */
import type { Memory } from './memory'

const millisecondsBefore1970 = 11_644_473_600_000
const unitsPerMillisecond = 10_000

export function decodeDate(memory: Memory, offset: number): Date {
  return new Date(memory.counter(offset) / unitsPerMillisecond - millisecondsBefore1970)
}

/** Milliseconds. */
export function decodeDuration(memory: Memory, offset: number): number {
  return memory.counter(offset) / unitsPerMillisecond
}
