/** A run of the checks, one after another, in a directory that is made for it and removed. */
import { randomBytes } from 'node:crypto'
import { win32 } from 'node:path'

import {
  abortError,
  checkBoolean,
  checkOptions,
  checkSignal,
  Filter,
  openFilter,
  PerStreamContextError,
  typeError,
  valueError,
} from '../index'

import { Bench, removeAll, type Place } from './bench'
import type { Check, Request } from './check'
import { Judgement, type Ending, type Finding, type Verdict } from './judgement'
import { identity } from './identity'
import { load } from './load'
import { matching } from './matching'
import { support } from './support'
import { survival } from './survival'
import { dismounting, teardown } from './teardown'

const checks: readonly Check[] = [...support, ...identity, ...matching, ...survival, ...teardown, load, dismounting]

/** What a check is about. */
export interface ConformanceCheck {
  /** Stable, such as `'survival.rename'`. */
  readonly id: string
  /** What is promised. */
  readonly sentence: string
  /** The address of the page that the promise is made by. */
  readonly documentation: string
  /** The option without which it is left out. */
  readonly needs?: Request
}

/** Every check, in the order in which they run. */
export const conformanceChecks: readonly ConformanceCheck[] = checks.map(({ id, sentence, documentation, needs }) => ({
  id,
  sentence,
  documentation,
  ...(needs === undefined ? {} : { needs }),
}))

/** What a check has come to. */
export interface ConformanceResult extends Omit<ConformanceCheck, 'needs'> {
  /** What it says of the file system. */
  readonly verdict: Verdict
  /** What was seen, with counts and times. */
  readonly evidence: string
  /** What became of contexts after the last reference to their streams, where the check looks at that. */
  readonly ending?: Ending
  /** The usual cause, of a failure. */
  readonly hint?: string
  /** How long it took. */
  readonly milliseconds: number
}

/** How far a run is. */
export interface ConformanceProgress {
  /** The check that runs. */
  readonly id: string
  /** Checks that have ended. */
  readonly finished: number
  /** Checks that run in all. */
  readonly total: number
  /** How much of this check is done, from 0 to 1. */
  readonly share: number
}

/** What is checked, how, and until when. */
export interface ConformanceOptions {
  /**
   * The kernel and its volumes; the checks open filters of their own like this one, and do nothing with its contexts. What `openFilter()`
   * opens when nothing is said.
   */
  readonly filter?: Filter | undefined
  /** Dismounts the volume, at the end, by force: what other programs have open on it fails then. */
  readonly dismount?: boolean | undefined
  /** How long threads are to fight over the same names: the check `load`, which is left out when nothing is said. */
  readonly seconds?: number | undefined
  /** Ends the run with an `AbortError`, when everything is removed. */
  readonly signal?: AbortSignal | undefined
  /** The ids of the checks that run, all when nothing is said. */
  readonly checks?: readonly string[] | undefined
  /** Told when a check begins, and while a long one goes on. */
  readonly progress?: ((progress: ConformanceProgress) => void) | undefined
}

const keys: ReadonlySet<string> = new Set(['filter', 'dismount', 'seconds', 'signal', 'checks', 'progress'])
/** Milliseconds that file systems are waited for: those of the embedded kernel let go at once. */
const patience = { windows: 10_000, host: 1_000 } as const
const longest = 24 * 60 * 60
const operation = 'conformance'

/** Operations on files: their failures say nothing about contexts. */
const contextOperations: ReadonlySet<string> = new Set([
  'insert',
  'lookup',
  'first',
  'remove',
  'removeAll',
  'contexts',
  'inspect',
  'enumerate',
  'support',
  'events',
])

/** The checks that the options ask for. Throws an ArgumentError. */
export function chooseChecks({ checks: ids, dismount = false, seconds }: ConformanceOptions): readonly Check[] {
  const granted: Readonly<Record<Request, boolean>> = { dismount, seconds: seconds !== undefined }
  const isGranted = ({ needs }: Check): boolean => needs === undefined || granted[needs]
  if (ids === undefined) return checks.filter(isGranted)
  if (!Array.isArray(ids)) throw typeError(operation, 'checks', 'an array of ids of checks')
  for (const id of ids as readonly unknown[]) {
    const check = checks.find((one) => one.id === id)
    if (check === undefined) {
      throw valueError(
        operation,
        'checks',
        `made of ${checks.map((one) => one.id).join(', ')}, not ${JSON.stringify(id)}`,
      )
    }
    if (!isGranted(check))
      throw valueError(operation, 'checks', `without ${check.id}, unless \`${check.needs!}\` is said`)
  }
  return checks.filter(({ id }) => ids.includes(id))
}

function checkAll(directory: unknown, options: ConformanceOptions): void {
  if (typeof directory !== 'string') throw typeError(operation, 'directory', 'a string')
  checkOptions(options, operation, keys)
  const { filter, dismount, seconds, signal, progress } = options
  if (filter !== undefined && !(filter instanceof Filter)) throw typeError(operation, 'filter', 'a Filter')
  if (dismount !== undefined) checkBoolean(dismount, 'dismount', operation)
  if (seconds !== undefined) {
    if (typeof seconds !== 'number') throw typeError(operation, 'seconds', 'a number')
    if (!(seconds > 0 && seconds <= longest))
      throw valueError(operation, 'seconds', `from 0, which is none, to ${longest}`)
  }
  if (signal !== undefined) checkSignal(signal, operation)
  if (progress !== undefined && typeof progress !== 'function') throw typeError(operation, 'progress', 'a function')
}

/** What an error of the library says of a file system: undefined for one that says nothing. */
function judgeError(error: unknown): Finding | undefined {
  if (error instanceof Judgement) return error.finding
  if (!(error instanceof PerStreamContextError)) return undefined
  if (!contextOperations.has(error.operation)) {
    return { verdict: 'information', evidence: `Nothing can be judged: ${error.message}` }
  }
  if (error.operation === 'insert' && error.code === 'STATUS_OBJECT_NAME_COLLISION') {
    const seen = `${error.path ?? 'A stream'} has a context already that was inserted on another stream`
    return { verdict: 'fail', evidence: `${seen}: the two have one stream context.` }
  }
  return error.code === 'STATUS_INVALID_DEVICE_REQUEST'
    ? { verdict: 'not-supported', evidence: `The stream that this takes carries no contexts: ${error.message}` }
    : { verdict: 'fail', evidence: error.message }
}

async function find(check: Check, place: Place): Promise<Finding> {
  const bench = new Bench(place, check.id)
  try {
    const found = await check.run(bench)
    return typeof found === 'string' ? { verdict: 'pass', evidence: found } : found
  } catch (error) {
    const finding = judgeError(error)
    if (finding === undefined) throw error
    return finding
  } finally {
    await bench.clear()
  }
}

async function runCheck(check: Check, place: Place): Promise<ConformanceResult> {
  const start = performance.now()
  const { verdict, evidence, ending } = await find(check, place)
  const { id, sentence, documentation, hint } = check
  return {
    id,
    sentence,
    documentation,
    verdict,
    evidence,
    ...(ending === undefined ? {} : { ending }),
    ...(verdict === 'fail' ? { hint } : {}),
    milliseconds: performance.now() - start,
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/** The directory as a full path; a drive alone is its root. */
function toDirectory(directory: string): string {
  return /^[A-Za-z]:$/.test(directory) ? `${directory}\\` : win32.normalize(directory)
}

async function* run(
  directory: string,
  options: ConformanceOptions,
  chosen: readonly Check[],
): AsyncGenerator<ConformanceResult, void, void> {
  const { signal, progress, seconds = 0 } = options
  throwIfAborted(signal)
  const base = options.filter ?? openFilter()
  const root = win32.join(toDirectory(directory), `psctx-conformance-${randomBytes(4).toString('hex')}`)
  try {
    base.files.mkdir(root)
    try {
      let finished = 0
      let running = ''
      const place: Place = {
        base,
        directory: root,
        seconds,
        signal,
        patience: patience[base.kernel],
        keptPatience: patience[base.kernel],
        advance: (share) => progress?.({ id: running, finished, total: chosen.length, share }),
      }
      for (const check of chosen) {
        running = check.id
        place.advance(0)
        const result = await runCheck(check, place)
        finished += 1
        yield result
        throwIfAborted(signal)
      }
    } finally {
      await removeAll(base, [root])
    }
  } finally {
    if (options.filter === undefined) base.close()
  }
}

/**
 * Checks whether the file system of a directory's volume keeps its promises to filters: one check after another, each told with its verdict
 * and what was seen. Everything is done in one new directory, `psctx-conformance-…`, which is removed when the iteration ends, however it
 * ends: at its end, with `break`, or by `signal`. No other file is touched.
 *
 * Throws an `ArgumentError`, what {@link openFilter} does, what making the directory does, and an `AbortError`.
 *
 * @example
 * ```ts
 * for await (const { verdict, id, evidence } of conformance('M:\\', { checks: ['survival.rename'] })) {
 *   console.log(verdict, id, evidence)
 * }
 * ```
 */
export function conformance(
  directory: string,
  options: ConformanceOptions = {},
): AsyncGenerator<ConformanceResult, void, void> {
  checkAll(directory, options)
  return run(directory, options, chooseChecks(options))
}
