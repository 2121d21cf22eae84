/** INSERT. */
import * as abi from '../abi'
import { checkBytes, checkIdentifier, checkOptions, choose, lengthOf } from '../arguments'
import type { Identifier, Lifetime, Pool } from '../context'
import { valueError } from '../errors'

import { encodeStreamHeader } from './header'
import { type Memory, nameOf } from './memory'

/** What is to be inserted. */
export interface Insertion {
  /** A number of the caller's choice that names an owner within this filter; 0 when nothing is said. */
  readonly owner?: Identifier | undefined
  /** A number of the caller's choice that tells an owner's contexts on one stream apart; 0 when nothing is said. */
  readonly instance?: Identifier | undefined
  /** Up to 64 KiB, copied; none when nothing is said. */
  readonly data?: Uint8Array | undefined
  /** `'paged'` when nothing is said. */
  readonly pool?: Pool | undefined
  /** `'session'` when nothing is said. */
  readonly lifetime?: Lifetime | undefined
  /**
   * What to do when the owner has a context with this instance on the stream: `'fail'` with
   * `STATUS_OBJECT_NAME_COLLISION` (when nothing is said), `'keep'` the one there, `'replace'` it, or `'add'` a second
   * one before it, as `FsRtlInsertPerStreamContext` itself would.
   */
  readonly ifExists?: 'fail' | 'keep' | 'replace' | 'add' | undefined
}

/** What came of an insertion. */
export interface InsertionResult {
  /** What was done: see `ifExists` of {@link Insertion}. */
  readonly outcome: 'inserted' | 'kept' | 'replaced' | 'added'
  /** Of the context that is there now. */
  readonly sequence: bigint
}

/** Of this module: V8 takes them for the constants that they are. */
const { insertReply, insertRequest } = abi

const keys: ReadonlySet<string> = new Set(['owner', 'instance', 'data', 'pool', 'lifetime', 'ifExists'])
const outcomes = ['inserted', 'kept', 'replaced', 'added'] as const
const noData = new Uint8Array(0)

/** The bytes of an insertion's data, checked; what else is wrong with it is found when it is encoded. */
export function dataOf(insertion: Insertion): Uint8Array {
  checkOptions(insertion, 'insert', keys)
  const { data } = insertion
  if (data === undefined) return noData
  checkBytes(data, 'data', 'insert')
  const length = lengthOf(data)
  if (length > abi.limits.dataLength) {
    throw valueError('insert', 'data', `at most ${abi.limits.dataLength} bytes, not ${length}`)
  }
  return data
}

/** Writes an insertion of `data`, which had `length` bytes when there was room made for it. Nothing is written if that fails. */
export function encodeInsert(
  memory: Memory,
  offset: number,
  low: number,
  high: number,
  insertion: Insertion,
  data: Uint8Array,
  length: number,
): void {
  const { owner = 0, instance = 0, ifExists, pool, lifetime } = insertion
  checkIdentifier(owner, 'owner', 'insert')
  checkIdentifier(instance, 'instance', 'insert')
  const ifExistsNumber = ifExists === undefined ? 0 : choose(abi.ifExists, ifExists, 'ifExists', 'insert')
  const poolNumber = pool === undefined ? 0 : choose(abi.pool, pool, 'pool', 'insert')
  const lifetimeNumber = lifetime === undefined ? 0 : choose(abi.lifetime, lifetime, 'lifetime', 'insert')
  if (lengthOf(data) !== length) throw valueError('insert', 'data', 'of one length while the insertion is read')

  encodeStreamHeader(memory, offset, abi.operation.insert, insertRequest.size + length, low, high)
  memory.setUint64(offset + insertRequest.ownerKey, owner)
  memory.setUint64(offset + insertRequest.instance, instance)
  memory.setUint32(offset + insertRequest.ifExists, ifExistsNumber)
  memory.setUint32(offset + insertRequest.pool, poolNumber)
  memory.setUint32(offset + insertRequest.lifetime, lifetimeNumber)
  memory.setUint32(offset + insertRequest.dataLength, length)
  memory.setBytes(offset + insertRequest.size, data, length)
}

export function decodeInsertion(memory: Memory, offset: number): InsertionResult {
  return {
    outcome: nameOf(outcomes, memory.uint32(offset + insertReply.outcome)),
    sequence: memory.uint64(offset + insertReply.sequence),
  }
}
