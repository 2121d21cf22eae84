/** What `psctx watch` makes of events beside telling them: sums, and the streams that something happened on last. */
import type { FilterEvent, TrackingStatistics } from '../index'

import type { Output } from './output'
import { count, printable } from './text'

/** How many streams are kept; those that nothing happened on for longest go first. */
const maximumStreams = 1000
const recentEvents = 8

interface WatchedStream {
  readonly opens: number
  readonly cleanups: number
  /** Live ones. */
  readonly contexts: number
  readonly last: FilterEvent
}

const none = { opens: 0, cleanups: 0, contexts: 0 }

/** An event in one line. */
export function describeEvent(event: FilterEvent): string {
  const words = [event.date.toISOString(), event.type.padEnd(15)]
  if (event.type === 'dropped') words.push(`${event.count} events were not read in time`)
  else if (event.type === 'missed') words.push(`${event.count} opens have no context`)
  else words.push(printable(event.name))
  if ('age' in event) words.push(`after ${event.age.toFixed(1)} ms`)
  if ('processId' in event) words.push(`by process ${event.processId}`)
  return words.join('  ')
}

export class Tally {
  readonly #counts = new Map<FilterEvent['type'], number>()
  /** By name, the latest last. */
  readonly #streams = new Map<string, WatchedStream>()
  readonly #recent: FilterEvent[] = []
  #events = 0

  add(event: FilterEvent): void {
    this.#events += 1
    this.#counts.set(event.type, (this.#counts.get(event.type) ?? 0) + 1)
    this.#recent.push(event)
    if (this.#recent.length > recentEvents) this.#recent.shift()
    if (!('sequence' in event)) return
    const { opens, cleanups, contexts } = this.#streams.get(event.name) ?? none
    this.#streams.delete(event.name)
    this.#streams.set(event.name, {
      opens: opens + Number(event.type === 'tracked'),
      cleanups: cleanups + Number(event.type === 'cleanup'),
      contexts:
        contexts + Number(event.type === 'inserted') - Number(event.type === 'removed' || event.type === 'torn-down'),
      last: event,
    })
    if (this.#streams.size > maximumStreams) this.#streams.delete(this.#streams.keys().next().value!)
  }

  /** The sums, in one line. */
  describe(rule: TrackingStatistics | undefined): string {
    const counts = [...this.#counts].map(([type, number]) => `${number} ${type}`).join(', ')
    const events = `${count(this.#events, 'event')}${counts === '' ? '' : `: ${counts}`}`
    if (rule === undefined) return events
    return `${events}; ${count(rule.matched, 'open')} matched, ${rule.inserted} given a context, ${rule.missed} missed`
  }

  /** The view of a terminal with so many rows: the latest streams, the latest events, and the sums. */
  draw(output: Output, rows: number, rule: TrackingStatistics | undefined): string {
    const { colors, columns } = output
    const cut = (line: string) => (line.length < columns ? line : `${line.slice(0, columns - 2)}…`)
    const recent = this.#recent.map((event) => {
      const line = cut(describeEvent(event))
      return event.type === 'torn-down' ? colors.yellow(line) : line
    })
    const room = Math.max(1, rows - recent.length - 6)
    const streams = [...this.#streams].reverse().slice(0, room)
    const lines = streams.map(([name, { opens, cleanups, contexts, last }]) => {
      const state = contexts > 0 ? colors.green('live'.padEnd(9)) : colors.dim('gone'.padEnd(9))
      const numbers = `${String(opens).padStart(6)} ${String(opens - cleanups).padStart(6)}  `
      // The end of a long name tells more than its beginning.
      const width = Math.max(10, columns - 42)
      const shown = printable(name)
      return `${state}${numbers}${last.type.padEnd(16)} ${shown.length <= width ? shown : `…${shown.slice(1 - width)}`}`
    })
    const hidden = this.#streams.size - streams.length
    return [
      colors.bold(`context    opens   open  last event       stream`),
      ...lines,
      ...(hidden > 0 ? [colors.dim(`and ${count(hidden, 'stream')} more`)] : []),
      '',
      ...recent,
      '',
      cut(this.describe(rule)),
    ].join('\n')
  }
}
