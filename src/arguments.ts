/** Checks what callers pass, so that an error names the argument and says what it must be. */
import { types } from 'node:util'

import * as abi from './abi'
import type { ContextIdentity, Identifier, Insertion } from './context'
import { argumentError, PerStreamContextError, statusOf } from './errors'

const maximumIdentifier = 2n ** 64n - 1n
const noData = new Uint8Array(0)

export function isIdentifier(value: unknown): value is Identifier {
  if (typeof value === 'bigint') return value >= 0n && value <= maximumIdentifier
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)
}

/** Throws unless `value` is an owner key or an instance. */
export function checkIdentifier(
  value: unknown,
  argument: string,
  operation: string,
  path?: string,
): asserts value is Identifier {
  if (!isIdentifier(value)) {
    throw argumentError(operation, argument, 'a bigint from 0 to 2**64-1, or a number that is a safe integer', path)
  }
}

/** Throws unless `value` is an object whose members can be read. */
export function checkOptions(value: unknown, operation: string, path?: string): asserts value is object {
  if (typeof value !== 'object' || value === null) throw argumentError(operation, 'options', 'an object', path)
}

/** Throws unless `value` is an AbortSignal. */
export function checkSignal(value: unknown, operation: string): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw argumentError(operation, 'signal', 'an AbortSignal')
}

/** Throws unless `value` is a Uint8Array, which a Buffer is. */
export function checkBytes(
  value: unknown,
  argument: string,
  operation: string,
  path?: string,
): asserts value is Uint8Array {
  if (!types.isUint8Array(value)) throw argumentError(operation, argument, 'a Uint8Array or a Buffer', path)
}

/** Throws unless owner and instance, where they are given, are what they must be. */
export function checkIdentity(options: ContextIdentity, operation: string, path?: string): void {
  checkOptions(options, operation, path)
  if (options.owner !== undefined) checkIdentifier(options.owner, 'owner', operation, path)
  if (options.instance !== undefined) checkIdentifier(options.instance, 'instance', operation, path)
}

function choose<T extends string>(
  table: Readonly<Record<T, number>>,
  value: unknown,
  initial: T,
  argument: string,
  operation: string,
  path?: string,
): number {
  if (value === undefined) return table[initial]
  if (typeof value === 'string' && Object.hasOwn(table, value)) return table[value as T]
  const choices = Object.keys(table).map((choice) => `'${choice}'`)
  throw argumentError(operation, argument, `one of ${choices.join(', ')}`, path)
}

/** An insertion as the addon takes it: owner, instance, ifExists, pool, lifetime, data. */
export type InsertionArguments = [Identifier, Identifier, number, number, number, Uint8Array]

/** Checks an insertion, fills in what is not said and turns names into the driver's numbers. */
export function toInsertionArguments(insertion: Insertion, operation: string, path: string): InsertionArguments {
  checkIdentity(insertion, operation, path)
  const data = insertion.data ?? noData
  checkBytes(data, 'data', operation, path)
  if (data.length > abi.limits.dataLength) {
    throw new PerStreamContextError({
      status: statusOf('STATUS_INVALID_BUFFER_SIZE'),
      operation,
      path,
      advice: `\`data\` has ${data.length} bytes; a context holds at most ${abi.limits.dataLength}.`,
    })
  }
  return [
    insertion.owner ?? 0,
    insertion.instance ?? 0,
    choose(abi.ifExists, insertion.ifExists, 'fail', 'ifExists', operation, path),
    choose(abi.pool, insertion.pool, 'paged', 'pool', operation, path),
    choose(abi.lifetime, insertion.lifetime, 'session', 'lifetime', operation, path),
    data,
  ]
}
