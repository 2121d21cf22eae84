/** Memory that records lie in: every number in it lies at a multiple of its size, and is little-endian, as the machine is. */
import type { Identifier } from '../context'

/** By itself: the global `Buffer` is an accessor, which every use would call. */
const allocate: (length: number) => Buffer = Buffer.allocUnsafe.bind(Buffer)

/** Below this many bytes a loop is faster than a call. */
const shortLength = 64

/** Numbers and texts by their offsets in bytes. */
export class Memory {
  readonly words: Uint32Array
  readonly wide: BigUint64Array
  readonly units: Uint16Array
  readonly bytes: Buffer
  #name = ''
  #nameOffset = 0
  #nameLength = -1

  /** `buffer` has a multiple of 8 bytes. */
  constructor(readonly buffer: ArrayBuffer) {
    this.words = new Uint32Array(buffer)
    this.wide = new BigUint64Array(buffer)
    this.units = new Uint16Array(buffer)
    this.bytes = Buffer.from(buffer)
  }

  uint32(offset: number): number {
    return this.words[offset >>> 2]!
  }

  uint64(offset: number): bigint {
    return this.wide[offset >>> 3]!
  }

  /** A 64-bit counter, which is far from 2⁵³. */
  counter(offset: number): number {
    const index = offset >>> 2
    return this.words[index + 1]! * 2 ** 32 + this.words[index]!
  }

  /** UTF-16 of so many bytes. */
  text(offset: number, length: number): string {
    return this.bytes.toString('utf16le', offset, offset + length)
  }

  /** The same, of a text that is likely to be the one before: what lies there must not have changed since. */
  name(offset: number, length: number): string {
    if (length !== this.#nameLength || !this.#isSame(this.#nameOffset, offset, length)) {
      this.#name = this.text(offset, length)
      this.#nameLength = length
    }
    this.#nameOffset = offset
    return this.#name
  }

  /** What lies here will change. */
  forget(): void {
    this.#nameLength = -1
  }

  setUint32(offset: number, value: number): void {
    this.words[offset >>> 2] = value
  }

  setUint64(offset: number, value: Identifier): void {
    if (typeof value === 'number') {
      this.words[offset >>> 2] = value
      this.words[(offset >>> 2) + 1] = value >>> 0 === value ? 0 : value / 2 ** 32
    } else {
      this.wide[offset >>> 3] = value
    }
  }

  /** The bytes from `offset` on become those of `data`, which are so many. */
  setBytes(offset: number, data: Uint8Array, length: number): void {
    if (length > shortLength) {
      this.bytes.set(data, offset)
    } else {
      for (let index = 0; index < length; index += 1) this.bytes[offset + index] = data[index]!
    }
  }

  /**
   * A `RangeError` unless the record that begins here, and says in its first word how long it is, has these bytes at least and lies in
   * this memory whole: what the driver says of lengths is not followed to where nothing is.
   */
  checkRecord(offset: number, least: number): void {
    const length = this.words[offset >>> 2]!
    if (!(length >= least && offset + length <= this.bytes.length && (length & 7) === 0)) throw malformed()
  }

  /** So many bytes to the beginning of `target`, which has room for them. `offset` is a multiple of 4. */
  copyTo(target: Uint8Array, offset: number, length: number): void {
    if (length > shortLength) {
      target.set(this.bytes.subarray(offset, offset + length))
      return
    }
    const { words } = this
    const whole = length & ~3
    let word = offset >>> 2
    let index = 0
    for (; index < whole; index += 4) {
      const value = words[word]!
      target[index] = value
      target[index + 1] = value >>> 8
      target[index + 2] = value >>> 16
      target[index + 3] = value >>> 24
      word += 1
    }
    for (; index < length; index += 1) target[index] = words[word]! >>> (8 * (index & 3))
  }

  /** A copy. */
  data(offset: number, length: number): Buffer {
    if (!(offset + length <= this.bytes.length)) throw malformed()
    const copy = allocate(length)
    this.copyTo(copy, offset, length)
    return copy
  }

  #isSame(one: number, other: number, length: number): boolean {
    const { units } = this
    const count = length >>> 1
    const first = one >>> 1
    const second = other >>> 1
    // Names in one directory differ at their ends.
    for (let index = count - 1; index >= 0; index -= 1) {
      if (units[first + index] !== units[second + index]) return false
    }
    return true
  }
}

function malformed(): RangeError {
  return new RangeError('The driver answered with a length that cannot be')
}

/** The name that stands for a number of the driver's; a driver of this ABI version has no others. */
export function nameOf<T>(table: readonly T[], value: number): T {
  if (value >= table.length) throw new RangeError(`The driver answered with an unknown value: ${value}`)
  return table[value] as T
}
