/** Rules by which the driver inserts contexts itself, when a stream is opened. */
import * as abi from './abi'
import { checkBoolean, checkIdentifier, checkOptions, checkString } from './arguments'
import { decodeRule, decodeRuleStatistics, encodeRule, encodeTrack, type TrackingStatistics } from './codec/track'
import type { Identifier } from './context'
import { constructorError, isFailure, statusOf, valueError } from './errors'
import { answerError, reply, Session } from './session'
import { openVolume } from './volumes'

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
  /** Of the contexts that are inserted; 0 when nothing is said. */
  readonly owner?: Identifier | undefined
  /** Of the contexts that are inserted; 0 when nothing is said. */
  readonly instance?: Identifier | undefined
  /** Whether what is done with the streams is counted: see {@link TrackingCounters}. Not when nothing is said. */
  readonly count?: boolean | undefined
}

const keys: ReadonlySet<string> = new Set(['match', 'volume', 'owner', 'instance', 'count'])
const closed = statusOf('STATUS_FILE_CLOSED') | 0
const fullAdvice = `A filter has at most ${abi.limits.rules} tracking rules: end one of them first.`

/** @internal */
export let makeRule: (session: Session, options: TrackingOptions) => TrackingRule

/** A rule that is in force until it is closed, or its filter is. Made by {@link Filter.track}. */
export class TrackingRule {
  /** As it was passed to `track`. */
  readonly match: string
  /** As it was passed to `track`. */
  readonly volume: string | undefined
  /** Of the contexts that it inserts. */
  readonly owner: bigint
  /** Likewise. */
  readonly instance: bigint
  /** Whether its contexts count what is done with their streams. */
  readonly count: boolean
  /** Unique while the driver is loaded; events of what the rule missed tell it. */
  readonly number: bigint
  readonly #session: Session
  #isClosed = false

  static {
    makeRule = (session, options) => new this(session, options)
  }

  private constructor(session: Session, options: TrackingOptions) {
    if (!(session instanceof Session)) throw constructorError('TrackingRule', 'filter.track()')
    checkOptions(options, 'track', keys)
    const { match, volume, owner = 0, instance = 0, count = false } = options
    checkMatch(match)
    checkIdentifier(owner, 'owner', 'track')
    checkIdentifier(instance, 'instance', 'track')
    checkBoolean(count, 'count', 'track')
    this.#session = session
    this.match = match
    this.volume = volume
    this.owner = BigInt(owner)
    this.instance = BigInt(instance)
    this.count = count
    this.number = this.#begin()
  }

  /** Whether it has ended, by itself or with its filter. */
  get closed(): boolean {
    return this.#isClosed || this.#session.isClosed
  }

  /** What it has done so far. Throws `STATUS_NOT_FOUND` when it has ended, `STATUS_FILE_CLOSED`. */
  statistics(): TrackingStatistics {
    const { memory, native } = this.#session
    encodeRule(memory, abi.operation.queryRule, this.number)
    this.#session.request(native.queryRule, abi.ruleReply.size, 'statistics')
    return decodeRuleStatistics(memory, reply)
  }

  /** Ends the rule. The contexts that it has inserted stay. Harmless when it has ended already. */
  close(): void {
    if (this.closed) return
    this.#isClosed = true
    const { memory, native } = this.#session
    encodeRule(memory, abi.operation.untrack, this.number)
    this.#session.setCapacity(abi.header.size)
    const answer = native.untrack()
    if (isFailure(answer) && answer !== closed) throw answerError(answer, 'untrack')
  }

  /** Ends the rule at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  #begin(): bigint {
    const session = this.#session
    const volume = this.volume === undefined ? 0 : openVolume(session, this.volume, 'track')
    encodeTrack(session.memory, this.owner, this.instance, volume, this.match, this.count)
    session.setCapacity(abi.ruleRecord.size)
    const answer = session.native.track()
    if (volume !== 0) session.closeHandle(volume)
    if (isFailure(answer)) {
      const isFull = answer >>> 0 === statusOf('STATUS_QUOTA_EXCEEDED')
      throw answerError(answer, 'track', undefined, isFull ? fullAdvice : undefined)
    }
    return decodeRule(session.memory, reply)
  }
}

function checkMatch(match: unknown): asserts match is string {
  checkString(match, 'match', 'track')
  const maximum = abi.limits.patternLength / 2
  if (match === '' || match.length > maximum || match.includes('\0')) {
    throw valueError('track', 'match', `of 1 to ${maximum} characters, none of them NUL`)
  }
}
