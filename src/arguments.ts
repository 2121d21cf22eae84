/** Checks what callers pass, so that an error names the argument and says what it must be. */
import { types } from 'node:util'

import type { Identifier } from './context'
import { typeError, valueError } from './errors'

/** By itself: Node.js keeps `util` as a dictionary, in which every call would search. */
const { isUint8Array } = types

const maximumIdentifier = 2n ** 64n - 1n
const identifiers = 'a bigint from 0 to 2**64-1, or a number that is a safe integer'

/** Throws unless `value` is an owner key or an instance. */
export function checkIdentifier(value: unknown, argument: string, operation: string): asserts value is Identifier {
  if (typeof value === 'number') {
    if (value >>> 0 === value) return // the usual ones, quickly
    if (value >= 0 && Number.isSafeInteger(value)) return
  } else if (typeof value === 'bigint') {
    if (value >= 0n && value <= maximumIdentifier) return
  } else {
    throw typeError(operation, argument, identifiers)
  }
  throw valueError(operation, argument, identifiers)
}

/** Throws unless `value` is an object whose members can be read, and that has no others than these. */
export function checkOptions(value: unknown, operation: string, keys: ReadonlySet<string>): asserts value is object {
  if (typeof value !== 'object' || value === null) throw typeError(operation, 'options', 'an object')
  for (const key in value) {
    if (!keys.has(key)) throw valueError(operation, key, `left out: known are ${[...keys].join(', ')}`)
  }
}

/** The same for an owner and an instance: told apart one by one, which is quicker than to ask a set. */
export function checkIdentity(value: unknown, operation: string): asserts value is object {
  if (typeof value !== 'object' || value === null) throw typeError(operation, 'options', 'an object')
  for (const key in value) {
    if (key !== 'instance' && key !== 'owner') throw valueError(operation, key, 'left out: known are owner, instance')
  }
}

/** Throws if a key is there and its value is not: whoever says it means something. */
export function checkSaid(value: object, key: string, operation: string): void {
  if (key in value) throw typeError(operation, key, `left out, or ${identifiers}: it is there, and undefined`)
}

export function checkBoolean(value: unknown, argument: string, operation: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw typeError(operation, argument, 'a boolean')
}

export function checkString(value: unknown, argument: string, operation: string): asserts value is string {
  if (typeof value !== 'string') throw typeError(operation, argument, 'a string')
}

/** Throws unless `value` is an integer of this range. */
export function checkInteger(
  value: unknown,
  minimum: number,
  maximum: number,
  argument: string,
  operation: string,
): asserts value is number {
  const expected = `an integer from ${minimum} to ${maximum}`
  if (typeof value !== 'number') throw typeError(operation, argument, expected)
  if (!Number.isInteger(value) || value < minimum || value > maximum) throw valueError(operation, argument, expected)
}

/** Throws unless `value` is an AbortSignal. */
export function checkSignal(value: unknown, operation: string): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw typeError(operation, 'signal', 'an AbortSignal')
}

/** Throws unless `value` is a Uint8Array, which a Buffer is, whose memory is there. */
export function checkBytes(value: unknown, argument: string, operation: string): asserts value is Uint8Array {
  if (!isUint8Array(value)) throw typeError(operation, argument, 'a Uint8Array or a Buffer')
  if (value.length === 0) checkPresent(value, argument, operation)
}

const getLength = Reflect.getOwnPropertyDescriptor(Reflect.getPrototypeOf(Uint8Array.prototype)!, 'length')!

/** How many bytes a Uint8Array has, whatever a class made of it says: nothing of the caller's runs. */
export const lengthOf: (bytes: Uint8Array) => number = Function.prototype.call.bind(getLength.get!)

/** A Uint8Array whose memory was transferred, or no longer reaches so far, is empty as well, but no method takes it. */
function checkPresent(value: Uint8Array, argument: string, operation: string): void {
  try {
    Uint8Array.prototype.keys.call(value)
  } catch {
    throw valueError(operation, argument, 'bytes whose memory is still there: it was transferred, or made shorter')
  }
}

/** The number that a name stands for. */
export function choose<T extends string>(
  table: Readonly<Record<T, number>>,
  value: unknown,
  argument: string,
  operation: string,
): number {
  if (typeof value === 'string' && Object.hasOwn(table, value)) return table[value as T]
  const expected = `one of ${Object.keys(table)
    .map((choice) => `'${choice}'`)
    .join(', ')}`
  throw (typeof value === 'string' ? valueError : typeError)(operation, argument, expected)
}
