/** TRACK, UNTRACK and QUERY_RULE: rules by which the driver inserts contexts itself. */
import * as abi from '../abi'
import type { Identifier } from '../context'

import { encodeHandle, highHalf, lowHalf } from './handle'
import { encodeHeader } from './header'
import type { Memory } from './memory'

/** What a rule has done. Each number is right by itself; together they are no snapshot. */
export interface TrackingStatistics {
  /** Opens of files whose name matched. */
  readonly matched: number
  /** Contexts that the rule has inserted. */
  readonly inserted: number
  /**
   * Opens that the rule has no context for: the filter's quota for contexts of rules is used up, memory is short, the stream
   * takes none; or the file system did not tell the file's name.
   */
  readonly missed: number
}

/** `volume` is the handle of a file of a volume; zero: every volume. */
export function encodeTrack(
  memory: Memory,
  owner: Identifier,
  instance: Identifier,
  volume: number,
  pattern: string,
  counts: boolean,
): void {
  const { trackRequest } = abi
  const length = 2 * pattern.length
  encodeHeader(memory, 0, abi.operation.track, trackRequest.size + length)
  memory.setUint64(trackRequest.ownerKey, owner)
  memory.setUint64(trackRequest.instance, instance)
  encodeHandle(memory, trackRequest.volumeHandle, lowHalf(volume), highHalf(volume))
  memory.setUint32(trackRequest.patternLength, length)
  memory.setUint32(trackRequest.flags, counts ? abi.trackFlags.count : 0)
  memory.bytes.write(pattern, trackRequest.size, length, 'utf16le')
}

/** The number of the rule. */
export function decodeRule(memory: Memory, offset: number): bigint {
  return memory.uint64(offset + abi.ruleRecord.rule)
}

/** Writes a request that says nothing but which rule is meant. */
export function encodeRule(memory: Memory, operation: number, rule: bigint): void {
  encodeHeader(memory, 0, operation, abi.ruleRecord.size)
  memory.setUint64(abi.ruleRecord.rule, rule)
}

export function decodeRuleStatistics(memory: Memory, offset: number): TrackingStatistics {
  const { ruleReply } = abi
  return {
    matched: memory.counter(offset + ruleReply.matched),
    inserted: memory.counter(offset + ruleReply.inserted),
    missed: memory.counter(offset + ruleReply.missed),
  }
}
