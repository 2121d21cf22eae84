/** Watches filters: how their contexts end, and which there are. What the matchers that wait know, they know from here. */
import { clearTimeout, setTimeout } from 'node:timers'
import { setImmediate } from 'node:timers/promises'

import type { Filter, FilterEventOf, FilterEvents, ListedContext, RemovedEvent, TornDownEvent } from '../index'

/** How a context ended. */
export type Ending = TornDownEvent | RemovedEvent

/** The filters that are watched and open. */
const watches = new Map<Filter, Watch>()
/** Whoever waits for an ending. */
const waiting = new Set<() => void>()

class Watch {
  readonly endings = new Map<bigint, Ending[]>()
  /** Endings that nobody was told of, because there were more than the kernel keeps. */
  lost = 0

  async follow(events: FilterEvents<'torn-down' | 'removed'>): Promise<void> {
    for await (const event of events) {
      this.#record(event)
      for (const wake of waiting) wake()
    }
  }

  #record(event: FilterEventOf<'torn-down' | 'removed'>): void {
    if (event.type === 'dropped') this.lost += event.count
    else this.endings.set(event.sequence, [...(this.endings.get(event.sequence) ?? []), event])
  }
}

/**
 * Watches how the contexts of a filter end, from now until it is closed, for `toBeTornDown` and `toLeaveNoContexts`. Returns the filter.
 * The filters of {@link withFilter} and {@link withVolume} are watched already.
 *
 * Throws what {@link Filter.events} does.
 *
 * @example
 * ```ts
 * using filter = watched(openFilter())
 * ```
 */
export function watched(filter: Filter): Filter {
  if (watches.has(filter)) return filter
  const events = filter.events({ types: ['torn-down', 'removed'] }).unref()
  const watch = new Watch()
  watches.set(filter, watch)
  void watch.follow(events).finally(() => watches.delete(filter))
  return filter
}

/** Those of filters that are open: a kernel that starts anew counts its contexts anew. */
function openWatches(): [Filter, Watch][] {
  return Array.from(watches).filter(([filter]) => !filter.closed)
}

/** Whether any filter is watched. */
export function isWatching(): boolean {
  return openWatches().length > 0
}

/** How the context of that number ended: nothing, as long as it has not; more than one ending is an error of the file system. */
export function endingsOf(sequence: bigint): readonly Ending[] {
  return openWatches().flatMap(([, { endings }]) => endings.get(sequence) ?? [])
}

/** How many endings nobody was told of. */
export function lostEndings(): number {
  return openWatches().reduce((sum, [, { lost }]) => sum + lost, 0)
}

/** The contexts of the filters, in the order of their insertion; of all that are watched when nothing is said. */
export async function liveContexts(filters = openWatches().map(([filter]) => filter)): Promise<ListedContext[]> {
  const contexts: ListedContext[] = []
  for (const filter of filters) for await (const context of filter.enumerate()) contexts.push(context)
  return contexts.sort((one, other) => Number(one.sequence - other.sequence))
}

/**
 * Looks, and looks again whenever a context has ended, until what is seen is enough or the time, in milliseconds, is over. Returns what
 * was seen last.
 */
export async function until<T>(look: () => T | Promise<T>, isEnough: (seen: T) => boolean, within: number): Promise<T> {
  const time = { isOver: false }
  const timer = setTimeout(() => {
    time.isOver = true
    wake()
  }, within)
  let wake = (): void => undefined
  const woken = (): void => {
    wake()
  }
  waiting.add(woken)
  try {
    for (;;) {
      const next = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (isEnough(await look()) || time.isOver) break
      await next
    }
  } finally {
    clearTimeout(timer)
    waiting.delete(woken)
  }
  await setImmediate() // what happened by now is told, and what else belongs to it
  return look()
}
