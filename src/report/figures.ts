/** The figures of a recording, or of what a selection keeps of it. The page computes them, so that this is a function without anything around it. */
import type { FilterEvent } from '../index'

import type { OtherEvent, Outcome, Recording } from './recording'

type Type = FilterEvent['type']

/** Which events are looked at: those that all three let through. */
export interface Selection {
  /** Part of a name, whatever its case: `*` stands for any text and `?` for one character. Empty for all events. */
  readonly name: string
  /** `null` for all. */
  readonly process: number | null
  readonly types: readonly Type[]
}

/** The contexts of one name. */
export interface StreamFigures {
  /** Index into `Recording.names`. */
  readonly name: number
  nameTruncated: boolean
  contexts: number
  alive: number
  opens: number
  cleanups: number
  /** The longest that a context outlived its last handle, in milliseconds, and which one; null where none is known to. */
  outlived: number | null
  longest: number | null
}

/** What one process did. */
export interface ProcessFigures {
  readonly process: number
  readonly counts: Record<Type, number>
  readonly events: number
}

export interface Figures {
  readonly events: number
  readonly counts: Readonly<Record<Type, number>>
  /** Indices of the contexts that have a selected event, in the order of their first one. What they say of a context is said of all its life. */
  readonly contexts: readonly number[]
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** That which outlived its last handle longest comes first. */
  readonly streams: readonly StreamFigures[]
  /** The busiest comes first. */
  readonly processes: readonly ProcessFigures[]
  readonly others: readonly OtherEvent[]
}

export function computeFigures(recording: Recording, selection: Selection): Figures {
  const { contexts, events, names, types } = recording
  const noCounts = () => Object.fromEntries(types.map((type) => [type, 0])) as Record<Type, number>
  const expression = selection.name
    .replace(/[\\^$.+|(){}[\]]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.')
  const pattern = new RegExp(expression, 'isu')
  const nameMatches = names.map((name) => pattern.test(name))
  const typeMatches = types.map((type) => selection.types.includes(type))

  const counts = noCounts()
  let eventCount = 0
  const processes = new Map<number, Record<Type, number>>()
  const count = (type: Type, process: number, times: number) => {
    counts[type] += times
    if (process === -1) return
    let ofProcess = processes.get(process)
    if (ofProcess === undefined) processes.set(process, (ofProcess = noCounts()))
    ofProcess[type] += times
  }

  const isSelected = new Uint8Array(contexts.length)
  for (let index = 0; index < events.type.length; index += 1) {
    const context = events.context[index]!
    const process = events.process[index]!
    if (!typeMatches[events.type[index]!] || !nameMatches[contexts[context]!.name]) continue
    if (selection.process !== null && process !== selection.process) continue
    count(types[events.type[index]!]!, process, 1)
    eventCount += 1
    isSelected[context] = 1
  }
  const others = recording.others.filter(
    ({ type, name, process }) =>
      selection.types.includes(type) &&
      (selection.name === '' || (name !== null && pattern.test(name))) &&
      (selection.process === null || process === selection.process),
  )
  for (const { type, process, count: times } of others) count(type, process ?? -1, times ?? 1)

  const outcomes: Record<Outcome, number> = { alive: 0, removed: 0, 'torn-down': 0, unknown: 0 }
  const streams = new Map<number, StreamFigures>()
  const selected: number[] = []
  contexts.forEach((context, index) => {
    if (isSelected[index] === 0) return
    selected.push(index)
    outcomes[context.outcome] += 1
    let stream = streams.get(context.name)
    if (stream === undefined) {
      const { name, nameTruncated } = context
      stream = { name, nameTruncated, contexts: 0, alive: 0, opens: 0, cleanups: 0, outlived: null, longest: null }
      streams.set(name, stream)
    }
    stream.nameTruncated ||= context.nameTruncated
    stream.contexts += 1
    if (context.outcome === 'alive') stream.alive += 1
    stream.opens += context.opens
    stream.cleanups += context.cleanups
    if (context.outlived !== null && context.outlived > (stream.outlived ?? -1)) {
      stream.outlived = context.outlived
      stream.longest = index
    }
  })

  const sum = (ofProcess: Record<Type, number>) => types.reduce((total, type) => total + ofProcess[type], 0)
  return {
    events: eventCount + others.length,
    counts,
    contexts: selected,
    outcomes,
    streams: [...streams.values()].sort(
      (one, other) => (other.outlived ?? -1) - (one.outlived ?? -1) || other.contexts - one.contexts,
    ),
    processes: [...processes]
      .map(([process, ofProcess]) => ({ process, counts: ofProcess, events: sum(ofProcess) }))
      .sort((one, other) => other.events - one.events || one.process - other.process),
    others,
  }
}
