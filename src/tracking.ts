/** Rules by which the driver inserts contexts itself, when a stream is opened. */
import type { Identifier } from './context'
import { explain, isNativeError, statusOf } from './errors'
import type { NativeFilter } from './native'

/** Which streams are tracked, and how. */
export interface TrackingOptions {
  /**
   * Names below the volume, as `\directory\file:stream`: `*` stands for any text and `?` for one character, and case does
   * not matter. Up to 1024 characters.
   *
   * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlisnameinexpression | FsRtlIsNameInExpression}
   */
  readonly match: string
  /** A volume, such as `'C:'`, or the path of a file on it; every volume when nothing is said. */
  readonly volume?: string | undefined
  /** Of the contexts that are inserted; 0 when nothing is said, as with the instance. */
  readonly owner?: Identifier | undefined
  readonly instance?: Identifier | undefined
  /** Whether what is done with the streams is counted: see {@link TrackingCounters}. Not when nothing is said. */
  readonly count?: boolean | undefined
}

/** A rule that is in force until it is disposed of, or its filter is closed. Made by {@link Filter.track}. */
export class TrackingRule {
  readonly match: string
  /** As it was passed to `track`. */
  readonly volume: string | undefined
  readonly owner: bigint
  readonly instance: bigint
  readonly count: boolean
  readonly #filter: NativeFilter
  readonly #number: bigint
  #isActive = true

  /** @internal */
  constructor(filter: NativeFilter, number: bigint, options: TrackingOptions) {
    this.#filter = filter
    this.#number = number
    this.match = options.match
    this.volume = options.volume
    this.owner = BigInt(options.owner ?? 0)
    this.instance = BigInt(options.instance ?? 0)
    this.count = options.count ?? false
  }

  /** Whether `value` is a rule of this filter. @internal */
  static isOf(filter: NativeFilter, value: unknown): value is TrackingRule {
    return value instanceof TrackingRule && value.#filter === filter
  }

  /** Ends the rule. The contexts that it has inserted stay. Harmless when it has ended already. */
  dispose(): void {
    if (!this.#isActive) return
    this.#isActive = false
    try {
      this.#filter.untrack(this.#number)
    } catch (error) {
      // A filter that is closed has taken its rules along.
      if (!isNativeError(error) || error.status !== statusOf('STATUS_FILE_CLOSED')) throw explain(error)
    }
  }

  /** Ends the rule at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}
