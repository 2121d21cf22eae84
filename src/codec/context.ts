/** The replies to LOOKUP and REMOVE: a context with its data. */
import * as abi from '../abi'
import type { Holder, Lifetime, Pool } from '../context'

import { type Memory, nameOf } from './memory'

/** A context of this filter. The data is a copy. */
export interface StreamContext {
  /** The owner key that it was inserted with. */
  readonly owner: bigint
  /** The instance that it was inserted with. */
  readonly instance: bigint
  /** A copy; empty when it was inserted without any. */
  readonly data: Buffer
  /** Where the kernel keeps it. */
  readonly pool: Pool
  /** How long it lives at most. */
  readonly lifetime: Lifetime
  /** Unique while the driver is loaded; grows with every insertion. */
  readonly sequence: bigint
}

/** The first context on a stream. Of another session's or another filter's nothing but that is told. */
export type FirstContext =
  | {
      /** It is this filter's. */
      readonly holder: 'self'
      /** The context, with its data. */
      readonly context: StreamContext
    }
  | {
      /** It is another session's, or another filter's. */
      readonly holder: 'other-session' | 'other-filter'
      /** Not told. */
      readonly context?: undefined
    }

/** Of this module: V8 takes them for the constants that they are. */
const { contextReply } = abi

export const pools: readonly Pool[] = ['paged', 'nonpaged']
export const lifetimes: readonly Lifetime[] = ['session', 'stream']
export const holders: readonly Holder[] = ['self', 'other-session', 'other-filter']

export function decodeContext(memory: Memory, offset: number): StreamContext {
  return {
    owner: memory.uint64(offset + contextReply.ownerKey),
    instance: memory.uint64(offset + contextReply.instance),
    data: memory.data(offset + contextReply.size, memory.uint32(offset + contextReply.dataLength)),
    pool: nameOf(pools, memory.uint32(offset + contextReply.pool)),
    lifetime: nameOf(lifetimes, memory.uint32(offset + contextReply.lifetime)),
    sequence: memory.uint64(offset + contextReply.sequence),
  }
}

export function decodeFirst(memory: Memory, offset: number): FirstContext {
  const holder = nameOf(holders, memory.uint32(offset + contextReply.holder))
  return holder === 'self' ? { holder, context: decodeContext(memory, offset) } : { holder }
}
