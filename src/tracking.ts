/** Rules by which the driver inserts contexts itself, when a stream is opened. */
import type { Replies } from './codec'
import type { Identifier } from './context'
import { explain, isNativeError, statusOf } from './errors'
import type { NativeFilter } from './native'

/** Which streams are tracked, and how. */
export interface TrackingOptions {
  /**
   * Files' own names below the volume, as `\directory\file:stream`, whatever they are opened by: `*` stands for any text
   * and `?` for one character, and case does not matter. Up to 1024 characters.
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

/** What a rule has done. Each number is right by itself; together they are no snapshot. */
export interface TrackingStatistics {
  /** Opens of files whose name matched. */
  readonly matched: number
  /** Contexts that the rule has inserted. */
  readonly inserted: number
  /**
   * Opens that the rule has no context for: the filter's quota for contexts of rules is used up, memory is short, the stream
   * takes none; or the file system did not tell the file's name.
   */
  readonly missed: number
}

/** A rule that is in force until it is disposed of, or its filter is closed. Made by {@link Filter.track}. */
export class TrackingRule {
  readonly match: string
  /** As it was passed to `track`. */
  readonly volume: string | undefined
  readonly owner: bigint
  readonly instance: bigint
  readonly count: boolean
  /** Unique while the driver is loaded; events of what the rule missed tell it. */
  readonly number: bigint
  readonly #filter: NativeFilter
  readonly #replies: Replies
  #isActive = true

  /** @internal */
  constructor(filter: NativeFilter, replies: Replies, number: bigint, options: TrackingOptions) {
    this.#filter = filter
    this.#replies = replies
    this.number = number
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

  /** What it has done so far. Throws `STATUS_NOT_FOUND` when it has ended, `STATUS_FILE_CLOSED`. */
  statistics(): TrackingStatistics {
    try {
      this.#filter.queryRule(this.number)
    } catch (error) {
      throw explain(error)
    }
    return this.#replies.ruleStatistics(0)
  }

  /** Ends the rule. The contexts that it has inserted stay. Harmless when it has ended already. */
  dispose(): void {
    if (!this.#isActive) return
    this.#isActive = false
    try {
      this.#filter.untrack(this.number)
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
