/** JSON of what this package returns, and back. */

/** The members that are bigints in every result that has them. */
const bigintMembers: ReadonlySet<string> = new Set(['owner', 'instance', 'sequence', 'time', 'number', 'rule'])

/**
 * For `JSON.stringify`: numbers of 64 bits become strings of decimal digits, which keep all of them. Times in `date` and the bytes in `data`
 * are written as `Date` and `Buffer` do that.
 *
 * @example
 * ```ts
 * JSON.stringify(stream.contexts(), jsonReplacer)
 * ```
 */
export function jsonReplacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

/**
 * For `JSON.parse` of what was written with {@link jsonReplacer}: the result is as it was. By their names, `owner`, `instance`, `sequence`,
 * `time`, `number` and `rule` become bigints where they are strings of digits, and `date` a `Date`; `data` becomes a `Buffer`.
 */
export function jsonReviver(key: string, value: unknown): unknown {
  if (typeof value === 'string') {
    if (bigintMembers.has(key) && /^\d+$/.test(value)) return BigInt(value)
    if (key === 'date') return new Date(value)
  }
  return isBufferJson(value) ? Buffer.from(value.data) : value
}

function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  if (typeof value !== 'object' || value === null) return false
  const { type, data } = value as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data)
}
