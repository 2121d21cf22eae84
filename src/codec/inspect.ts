/** INSPECT: every context on a stream, whoever's it is. */
import * as abi from '../abi'
import type { MinifilterInstance } from '../minifilters'

import { holders } from './context'
import { type Memory, nameOf } from './memory'

/** Whose address a context's OwnerId is, as far as the driver can tell. */
export type OwnerKind = 'unknown' | 'device' | 'driver'

/** What is told of every context on a stream. Tokens of 16 hexadecimal digits stand for what the kernel has addresses for. */
interface InspectedContextBase {
  /** The file name of the image that its FreeCallback lies in, such as `fltMgr.sys`, and where in there. */
  readonly module?: string
  /** Bytes from the beginning of that image. */
  readonly offset?: number
  /** What its OwnerId points into, as far as the driver can tell. */
  readonly ownerKind: OwnerKind
  /** The driver whose device or driver object is the owner, such as `\Driver\PsCtx`. */
  readonly ownerName?: string
  /** The same for the same owner on every stream, while the driver is loaded. */
  readonly ownerToken: string
  /** Likewise, of the instance; not there where the context has none. */
  readonly instanceToken?: string
}

/** One of this filter's own. */
export interface OwnInspectedContext extends InspectedContextBase {
  /** It is this filter's. */
  readonly holder: 'self'
  /** The owner key that it was inserted with. */
  readonly owner: bigint
  /** The instance that it was inserted with. */
  readonly instance: bigint
  /** Unique while the driver is loaded; grows with every insertion. */
  readonly sequence: bigint
  /** A copy; not there if the context has gone meanwhile, or a younger one of this owner and instance is before it. */
  readonly data?: Buffer
}

/** One of another session's, or of another filter's. */
export interface OtherInspectedContext extends InspectedContextBase {
  /** Whose it is. */
  readonly holder: 'other-session' | 'other-filter'
  /**
   * There, and true, where it is Filter Manager's own: one a stream, on behalf of every minifilter that has set a context on that. Whose they
   * are, and how many, only Filter Manager knows.
   */
  readonly filterManager?: true
  /**
   * With `filterManager`: the minifilters that are attached to the stream's volume, from the highest down, of which those that have set a
   * context are some. Not there if they could not be listed: {@link Filter.minifilters} says why.
   */
  readonly minifilters?: readonly MinifilterInstance[]
}

/** A context on a stream, whoever's it is: see its `holder`. */
export type InspectedContext = OwnInspectedContext | OtherInspectedContext

const ownerKinds: readonly OwnerKind[] = ['unknown', 'device', 'driver']

function toToken(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

/** The contexts, of which the own ones are still without data. */
export function decodeInspection(memory: Memory): InspectedContext[] {
  const contexts: InspectedContext[] = []
  let entry: number = abi.inspectReply.size
  for (let count = memory.uint32(abi.inspectReply.count); count > 0; count -= 1) {
    contexts.push(decodeInspected(memory, entry))
    entry += memory.uint32(entry + abi.inspectEntry.entrySize)
  }
  return contexts
}

/** How many bytes a reply must have room for that did not fit. */
export function decodeNeeded(memory: Memory): number {
  return memory.uint32(abi.inspectReply.remaining)
}

function decodeInspected(memory: Memory, entry: number): InspectedContext {
  const { inspectEntry } = abi
  const holder = nameOf(holders, memory.uint32(entry + inspectEntry.holder))
  const names = entry + inspectEntry.size
  const moduleLength = memory.uint32(entry + inspectEntry.moduleLength)
  const module = memory.text(names, moduleLength)
  const ownerName = memory.text(names + moduleLength, memory.uint32(entry + inspectEntry.ownerNameLength))
  const instanceToken = memory.uint64(entry + inspectEntry.instanceToken)
  const told: InspectedContextBase = {
    ...(module === '' ? undefined : { module, offset: memory.counter(entry + inspectEntry.callbackOffset) }),
    ownerKind: nameOf(ownerKinds, memory.uint32(entry + inspectEntry.ownerKind)),
    ...(ownerName === '' ? undefined : { ownerName }),
    ownerToken: toToken(memory.uint64(entry + inspectEntry.ownerToken)),
    ...(instanceToken === 0n ? undefined : { instanceToken: toToken(instanceToken) }),
  }
  if (holder !== 'self') return { holder, ...told }
  return {
    holder,
    owner: memory.uint64(entry + inspectEntry.ownerKey),
    instance: memory.uint64(entry + inspectEntry.instance),
    sequence: memory.uint64(entry + inspectEntry.sequence),
    ...told,
  }
}
