/** LOOKUP, REMOVE and REMOVE_ALL: requests that say which contexts are meant. */
import * as abi from '../abi'
import { checkIdentifier, checkIdentity, checkOptions, checkSaid } from '../arguments'
import type { ContextIdentity, Identifier } from '../context'

import { encodeStreamHeader } from './header'
import type { Memory } from './memory'

/** Every context of an owner, or of the filter. */
export interface RemoveAllOptions {
  /** Every owner when nothing is said; `undefined` that is said is an error. */
  readonly owner?: Identifier
}

/** Of this module, as in others whose work is done often: V8 takes them for the constants that they are. */
const { match, matchRequest, operation } = abi

const ownerKeys: ReadonlySet<string> = new Set(['owner'])

function encode(
  memory: Memory,
  offset: number,
  operationNumber: number,
  low: number,
  high: number,
  owner: Identifier,
  instance: Identifier,
  matchNumber: number,
): void {
  encodeStreamHeader(memory, offset, operationNumber, matchRequest.size, low, high)
  memory.setUint64(offset + matchRequest.ownerKey, owner)
  memory.setUint64(offset + matchRequest.instance, instance)
  memory.setUint32(offset + matchRequest.match, matchNumber)
  memory.setUint32(offset + matchRequest.reserved, 0)
}

/** Writes a look-up. */
export function encodeLookup(
  memory: Memory,
  offset: number,
  low: number,
  high: number,
  identity: ContextIdentity | undefined,
): void {
  let owner: Identifier = 0
  let instance: Identifier = 0
  let kind: number = match.owner
  if (identity !== undefined) {
    checkIdentity(identity, 'lookup')
    if (identity.owner !== undefined) {
      owner = identity.owner
      checkIdentifier(owner, 'owner', 'lookup')
    }
    if (identity.instance !== undefined) {
      instance = identity.instance
      checkIdentifier(instance, 'instance', 'lookup')
      kind = match.instance
    }
  }
  encode(memory, offset, operation.lookup, low, high, owner, instance, kind)
}

/** Writes the look-up of the first context on the stream, whoever's it is. */
export function encodeFirst(memory: Memory, low: number, high: number): void {
  encode(memory, 0, operation.lookup, low, high, 0, 0, match.first)
}

/** Writes a removal. */
export function encodeRemove(
  memory: Memory,
  offset: number,
  low: number,
  high: number,
  identity: ContextIdentity | undefined,
): void {
  let owner: Identifier = 0
  let instance: Identifier = 0
  let kind: number = match.owner
  if (identity !== undefined) {
    checkIdentity(identity, 'remove')
    if (identity.owner === undefined) {
      checkSaid(identity, 'owner', 'remove')
    } else {
      owner = identity.owner
      checkIdentifier(owner, 'owner', 'remove')
    }
    if (identity.instance === undefined) {
      checkSaid(identity, 'instance', 'remove')
    } else {
      instance = identity.instance
      checkIdentifier(instance, 'instance', 'remove')
      kind = match.instance
    }
  }
  encode(memory, offset, operation.remove, low, high, owner, instance, kind)
}

/** Writes the removal of every context of an owner, or of the session. */
export function encodeRemoveAll(
  memory: Memory,
  offset: number,
  low: number,
  high: number,
  options: RemoveAllOptions | undefined,
): void {
  let owner: Identifier = 0
  let kind: number = match.first
  if (options !== undefined) {
    checkOptions(options, 'removeAll', ownerKeys)
    if (options.owner === undefined) {
      checkSaid(options, 'owner', 'removeAll')
    } else {
      owner = options.owner
      checkIdentifier(owner, 'owner', 'removeAll')
      kind = match.owner
    }
  }
  encode(memory, offset, operation.removeAll, low, high, owner, 0, kind)
}

export function decodeCount(memory: Memory, offset: number): number {
  return memory.counter(offset + abi.countReply.count)
}
