/** The replies that the facade decodes, as a driver makes them, and what decodes them: for the fuzz target and its short run in Jest. */
import * as abi from '../../src/abi'
import { decodeContext, decodeFirst } from '../../src/codec/context'
import { decodePage } from '../../src/codec/enumerate'
import { decodeEvent, decodeEventCount, firstEvent, nextEvent } from '../../src/codec/events'
import { decodeInsertion } from '../../src/codec/insert'
import { decodeInspection } from '../../src/codec/inspect'
import { decodeEntry, decodeList, type ListedContext, nextEntry } from '../../src/codec/list'
import { decodeCount } from '../../src/codec/match'
import { Memory } from '../../src/codec/memory'
import { decodeStatistics } from '../../src/codec/statistics'
import { decodeSupport } from '../../src/codec/support'
import { decodeRule, decodeRuleStatistics } from '../../src/codec/track'
import { decodeVersion } from '../../src/codec/version'
import { decodeVolumes, type KnownVolume } from '../../src/codec/volumes'

/** Of the memory that a reply lies in. */
export const bytes = 4096
export const memory = new Memory(new ArrayBuffer(bytes))

/** Three entries of so many bytes behind a reply's head; `fill` writes what is in one besides its length. */
export function entries(head: number, count: number, size: number, fill: (entry: number) => void): void {
  memory.setUint32(count, 3)
  for (let index = 0; index < 3; index += 1) {
    const entry = head + index * size
    memory.setUint32(entry, size)
    fill(entry)
  }
}

function* pageOf(
  count: number,
  first: number,
  next: (entry: number) => number,
  decode: (entry: number) => unknown,
): Generator {
  let entry = first
  for (let left = count; left > 0; left -= 1) {
    yield decode(entry)
    entry = next(entry)
  }
}

/** A reply as the driver makes it, and what reads it. */
export const replies: { name: string; write: (random: (limit: number) => number) => void; read: () => unknown }[] = [
  {
    name: 'LIST',
    write: () =>
      entries(abi.listReply.size, abi.listReply.count, 160, (entry) => {
        memory.setUint32(entry + abi.listEntry.tracked, abi.tracked.counted)
        memory.setUint32(entry + abi.listEntry.nameLength, 20)
      }),
    read: () => {
      const contexts: ListedContext[] = []
      decodeList(memory, 0, contexts)
      return contexts
    },
  },
  {
    name: 'ENUMERATE',
    write: () =>
      entries(abi.enumerateReply.size, abi.enumerateReply.count, 88, (entry) => {
        memory.setUint32(entry + abi.listEntry.nameLength, 18)
      }),
    read: () => {
      const { entry, count } = decodePage(memory)
      memory.forget()
      return [
        ...pageOf(
          count,
          entry,
          (at) => nextEntry(memory, at),
          (at) => decodeEntry(memory, at),
        ),
      ]
    },
  },
  {
    name: 'WAIT',
    write: (random) =>
      entries(abi.waitReply.size, abi.waitReply.count, 96, (entry) => {
        memory.setUint32(entry + abi.event.type, random(9))
        memory.setUint32(entry + abi.event.nameLength, 10)
      }),
    read: () => {
      memory.forget()
      const count = decodeEventCount(memory, 0)
      return [
        ...pageOf(
          count,
          firstEvent(0),
          (at) => nextEvent(memory, at),
          (at) => decodeEvent(memory, at),
        ),
      ]
    },
  },
  {
    name: 'LIST_VOLUMES',
    write: () =>
      entries(abi.volumesReply.size, abi.volumesReply.count, 96, (entry) => {
        memory.setUint32(entry + abi.volumeEntry.deviceNameLength, 18)
        memory.setUint32(entry + abi.volumeEntry.fileSystemLength, 20)
      }),
    read: () => {
      const volumes: KnownVolume[] = []
      decodeVolumes(memory, 0, volumes)
      return volumes
    },
  },
  {
    name: 'INSPECT',
    write: (random) =>
      entries(abi.inspectReply.size, abi.inspectReply.count, 104, (entry) => {
        memory.setUint32(entry + abi.inspectEntry.holder, random(3))
        memory.setUint32(entry + abi.inspectEntry.moduleLength, 14)
        memory.setUint32(entry + abi.inspectEntry.ownerNameLength, 16)
      }),
    read: () => decodeInspection(memory),
  },
  {
    name: 'LOOKUP',
    write: (random) => memory.setUint32(abi.contextReply.dataLength, random(100)),
    read: () => [decodeContext(memory, 0), decodeFirst(memory, 0)],
  },
  { name: 'INSERT', write: () => undefined, read: () => decodeInsertion(memory, 0) },
  { name: 'REMOVE_ALL', write: () => undefined, read: () => decodeCount(memory, 0) },
  { name: 'QUERY_STATISTICS', write: () => undefined, read: () => decodeStatistics(memory, 0) },
  { name: 'QUERY_STREAM', write: () => undefined, read: () => decodeSupport(memory, 0) },
  { name: 'TRACK', write: () => undefined, read: () => decodeRule(memory, 0) },
  { name: 'QUERY_RULE', write: () => undefined, read: () => decodeRuleStatistics(memory, 0) },
  { name: 'QUERY_VERSION', write: () => undefined, read: () => decodeVersion(memory, 0) },
]

/** Where a value is missing, something was read that is not there. */
function checkValue(value: unknown): void {
  if (typeof value === 'number' && Number.isNaN(value)) throw new Error('a number that was not there')
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined && name !== 'context') throw new Error(`${name} was not there`)
    checkValue(member)
  }
}

/** Reads a reply of whatever bytes: throws unless it is decoded whole or refused with a RangeError. */
export function readHostile(read: () => unknown): 'decoded' | 'refused' {
  let value: unknown
  try {
    value = read()
  } catch (error) {
    if (error instanceof RangeError) return 'refused'
    throw error
  }
  checkValue(value)
  return 'decoded'
}
