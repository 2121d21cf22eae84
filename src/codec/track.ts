/** TRACK and UNTRACK: rules by which the driver inserts contexts itself. */
import * as abi from '../abi'
import type { Identifier } from '../context'

import { encodeHandle, highHalf, lowHalf } from './handle'
import { encodeHeader } from './header'
import type { Memory } from './memory'

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

export function encodeUntrack(memory: Memory, rule: bigint): void {
  encodeHeader(memory, 0, abi.operation.untrack, abi.ruleRecord.size)
  memory.setUint64(abi.ruleRecord.rule, rule)
}
