/** What `psctx inspect` and `psctx watch` tell: who holds contexts on a stream, and what becomes of a stream's context. */
import Table from 'cli-table3'

import type { InspectedContext } from '../context'
import type { FilterEvent } from '../events'
import type { Filter } from '../filter'

const holders: Readonly<Record<InspectedContext['holder'], string>> = {
  self: 'this program',
  'other-session': 'another user of psctx',
  'other-filter': 'another filter',
}

/** What `psctx watch` is to look for. */
export interface WatchOptions {
  readonly volume?: string
  /** Ends after so many events. */
  readonly count?: number
}

/** The contexts on a stream, from the head of its list. */
export function inspect(filter: Filter, path: string): InspectedContext[] {
  const stream = filter.openStream(path)
  try {
    return stream.inspect()
  } finally {
    stream.close()
  }
}

export function formatContexts(path: string, contexts: readonly InspectedContext[]): string {
  if (contexts.length === 0) return `No filter holds a per-stream context on ${path}.`
  const table = new Table({ head: ['held by', 'FreeCallback', 'owner', 'token'], style: { head: [], border: [] } })
  for (const { holder, module, offset, ownerName, ownerToken } of contexts) {
    const callback = module === undefined ? 'in no known image' : `${module}+0x${(offset ?? 0).toString(16)}`
    table.push([holders[holder], callback, ownerName ?? '', ownerToken])
  }
  return table.toString()
}

/**
 * Hangs a counting context on every stream that is opened from now on under a name that matches, and tells what becomes of them, until
 * `interrupted` or as many events as were asked for.
 */
export async function watch(
  filter: Filter,
  match: string,
  options: WatchOptions,
  interrupted: AbortSignal,
  tell: (event: FilterEvent) => void,
): Promise<void> {
  const events = filter.events()
  const rule = filter.track({ match, volume: options.volume, count: true })
  const stop = () => void events.return()
  interrupted.addEventListener('abort', stop, { once: true })
  try {
    let told = 0
    for await (const event of events) {
      tell(event)
      told += 1
      if (told === options.count) break
    }
  } finally {
    interrupted.removeEventListener('abort', stop)
    filter.untrack(rule)
    await events.return()
  }
}

export function formatEvent(event: FilterEvent): string {
  const words = [event.date.toISOString(), event.type.padEnd(15)]
  if (event.type === 'dropped') words.push(`${event.count} events were not read in time`)
  else if (event.type === 'missed') words.push(`${event.count} opens have no context`)
  else words.push(event.name)
  if ('age' in event) words.push(`after ${event.age.toFixed(1)} ms`)
  if ('processId' in event) words.push(`by process ${event.processId}`)
  return words.join('  ')
}

/** JSON of what may have numbers of 64 bits, which become strings. */
export function toJson(value: unknown, indentation?: number): string {
  const plain = (_: string, member: unknown): unknown => (typeof member === 'bigint' ? member.toString() : member)
  return JSON.stringify(value, plain, indentation)
}
