/** A recording, as the page carries it: the life of each context, put together from its events. All times are milliseconds after the first event. */
import type { FilterEvent } from '../index'

/** How a context ended. `'unknown'`: it is not there any more, or may not be, and no event tells how it went. */
export type Outcome = 'alive' | 'removed' | 'torn-down' | 'unknown'

/** One context, from its insertion to its end, as far as events tell. */
export interface ContextLife {
  /** Index into {@link Recording.names}. */
  readonly name: number
  readonly nameTruncated: boolean
  readonly owner: string
  readonly instance: string
  readonly sequence: string
  /** When it was inserted; before 0 if that was before the recording. */
  start: number
  /** Whether its insertion was recorded. If not, and no age is told at its end, `start` is the first event of it. */
  startSeen: boolean
  /** When it ended, or the recording did. */
  end: number
  outcome: Outcome
  /** How long it was there, if it ended: measured by the kernel, whatever became of the clock. */
  age: number | null
  opens: number
  cleanups: number
  lastCleanup: number | null
  /** Opens without a cleanup when it ended, as far as events tell. */
  handles: number
  /** From its last cleanup to its end, or to the recording's; null where no cleanup was seen, or a handle is open. */
  outlived: number | null
}

/** Events of contexts, column by column. */
export interface EventColumns {
  /** Index into {@link Recording.types}. */
  readonly type: number[]
  readonly time: number[]
  /** Index into {@link Recording.contexts}. */
  readonly context: number[]
  /** -1 where no process is told. */
  readonly process: number[]
}

/** An event that is no context's. */
export interface OtherEvent {
  readonly type: FilterEvent['type']
  readonly time: number
  /** Of a volume. */
  readonly name: string | null
  readonly process: number | null
  /** Of opens that were missed, or events that were dropped. */
  readonly count: number | null
}

/** Why the figures may be less than the truth, and what is wrong with what they are made from. */
export interface Doubts {
  /** Events that the kernel dropped. */
  dropped: number
  /** Opens that a rule has no context for. */
  missed: number
  /** Events that neither are recorded nor were dropped: lines that were taken out. */
  absent: number
  /** Recordings that follow one another in the file. */
  recordings: number
  clockSetBack: number
  /** By how much at most. */
  clockSetBackBy: number
  /** Contexts that were torn down with a handle open. */
  tornDownEarly: number
  /** Ends of contexts that had ended already. */
  endedTwice: number
  insertionsNotSeen: number
}

export interface Recording {
  /** Of the first event: milliseconds since 1970, UTC. */
  readonly started: number
  /** Of the last event. */
  readonly span: number
  readonly types: readonly FilterEvent['type'][]
  readonly names: readonly string[]
  readonly contexts: readonly ContextLife[]
  readonly events: EventColumns
  readonly others: readonly OtherEvent[]
  readonly doubts: Doubts
}

type ContextEvent = Extract<FilterEvent, { readonly sequence: bigint }>

const unitsPerMillisecond = 10_000
const millisecondsBefore1970 = 11_644_473_600_000

/** The longest that Windows' clock stands still: events of two processors may tell of it in either order. Milliseconds. */
const clockTick = 16

const types: readonly FilterEvent['type'][] = [
  'inserted',
  'tracked',
  'cleanup',
  'removed',
  'torn-down',
  'missed',
  'dropped',
  'volume-attached',
  'volume-detached',
]

/** Takes events in the order in which they were recorded. */
export class RecordingBuilder {
  readonly #names = new Map<string, number>()
  readonly #contexts: ContextLife[] = []
  /** The youngest context of each sequence number. */
  readonly #bySequence = new Map<bigint, number>()
  readonly #events: EventColumns = { type: [], time: [], context: [], process: [] }
  readonly #others: OtherEvent[] = []
  readonly #doubts: Doubts = {
    dropped: 0,
    missed: 0,
    absent: 0,
    recordings: 0,
    clockSetBack: 0,
    clockSetBackBy: 0,
    tornDownEarly: 0,
    endedTwice: 0,
    insertionsNotSeen: 0,
  }
  #origin: bigint | undefined
  /** What has been added to make up for clocks that were set back. */
  #correction = 0
  #time = 0
  #nextNumber = Infinity

  add(event: FilterEvent): void {
    this.#checkNumber(event)
    const time = this.#placeInTime(event.time)
    switch (event.type) {
      case 'dropped':
        this.#doubts.dropped += event.count
        this.#addOther(event, time)
        break
      case 'missed':
        this.#doubts.missed += event.count
        this.#addOther(event, time)
        break
      case 'volume-attached':
      case 'volume-detached':
        this.#addOther(event, time)
        break
      default:
        this.#addContextEvent(event, time)
    }
  }

  /** What all that was added comes to. */
  finish(): Recording {
    for (const context of this.#contexts) {
      if (context.outcome === 'alive') context.end = this.#time
      const isWatched = context.outcome !== 'unknown' && context.handles === 0
      if (isWatched && context.lastCleanup !== null) context.outlived = round(context.end - context.lastCleanup)
      if (!context.startSeen) this.#doubts.insertionsNotSeen += 1
    }
    return {
      started: this.#origin === undefined ? 0 : Number(this.#origin) / unitsPerMillisecond - millisecondsBefore1970,
      span: this.#time,
      types,
      names: [...this.#names.keys()],
      contexts: this.#contexts,
      events: this.#events,
      others: this.#others,
      doubts: this.#doubts,
    }
  }

  /** Events are numbered from 1 in each recording: gaps are lines that are absent, and a number that is not greater begins another recording. */
  #checkNumber(event: FilterEvent): void {
    if (event.number < this.#nextNumber) {
      this.#forgetTheLiving()
      this.#doubts.recordings += 1
      this.#nextNumber = 1
    }
    this.#doubts.absent += event.number - this.#nextNumber
    this.#nextNumber = event.number + (event.type === 'dropped' ? event.count : 1)
  }

  /** Between two recordings contexts come to an end that no event tells. */
  #forgetTheLiving(): void {
    for (const context of this.#contexts) {
      if (context.outcome === 'alive') end(context, this.#time, 'unknown')
    }
    this.#bySequence.clear()
  }

  /** Time never goes back: where the clock was, none has passed. */
  #placeInTime(time: bigint): number {
    this.#origin ??= time
    const told = Number(time - this.#origin) / unitsPerMillisecond + this.#correction
    const back = this.#time - told
    if (back > clockTick) {
      this.#correction += back
      this.#doubts.clockSetBack += 1
      this.#doubts.clockSetBackBy = Math.max(this.#doubts.clockSetBackBy, round(back))
    }
    this.#time = Math.max(this.#time, round(told))
    return this.#time
  }

  #addOther(event: Exclude<FilterEvent, ContextEvent>, time: number): void {
    this.#others.push({
      type: event.type,
      time,
      name: 'name' in event ? event.name : null,
      process: 'processId' in event ? event.processId : null,
      count: 'count' in event ? event.count : null,
    })
  }

  #addContextEvent(event: ContextEvent, time: number): void {
    const index = this.#findContext(event, time)
    const context = this.#contexts[index]!
    this.#events.type.push(types.indexOf(event.type))
    this.#events.time.push(time)
    this.#events.context.push(index)
    this.#events.process.push('processId' in event ? event.processId : -1)
    switch (event.type) {
      case 'tracked':
        context.opens += 1
        context.handles += 1
        break
      case 'cleanup':
        context.cleanups += 1
        context.handles = Math.max(0, context.handles - 1) // that open may have been before the context was
        context.lastCleanup = time
        break
      case 'removed':
      case 'torn-down':
        if (context.outcome !== 'alive') {
          this.#doubts.endedTwice += 1
          break
        }
        if (event.type === 'torn-down' && context.handles > 0) this.#doubts.tornDownEarly += 1
        end(context, time, event.type)
        context.age = event.age
        if (!context.startSeen) context.start = Math.min(context.start, round(time - event.age))
    }
  }

  /** The context that an event is of. Sequence numbers begin anew with the driver, so that another context may have one that was seen. */
  #findContext(event: ContextEvent, time: number): number {
    const known = this.#bySequence.get(event.sequence)
    const isEnd = event.type === 'removed' || event.type === 'torn-down'
    if (known !== undefined) {
      const context = this.#contexts[known]!
      if (event.type !== 'inserted' && (context.outcome === 'alive' || isEnd)) return known
      if (context.outcome === 'alive') end(context, time, 'unknown')
    }
    const index = this.#contexts.length
    this.#contexts.push({
      name: this.#nameIndex(event.name),
      nameTruncated: event.nameTruncated,
      owner: String(event.owner),
      instance: String(event.instance),
      sequence: String(event.sequence),
      start: time,
      startSeen: event.type === 'inserted',
      end: time,
      outcome: 'alive',
      age: null,
      opens: 0,
      cleanups: 0,
      lastCleanup: null,
      handles: 0,
      outlived: null,
    })
    this.#bySequence.set(event.sequence, index)
    return index
  }

  #nameIndex(name: string): number {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const index = this.#names.size
    this.#names.set(name, index)
    return index
  }
}

function end(context: ContextLife, time: number, outcome: Outcome): void {
  context.end = time
  context.outcome = outcome
}

/** To the 100 nanoseconds of which times are made. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * unitsPerMillisecond) / unitsPerMillisecond
}
