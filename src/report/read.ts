/** Lines of `psctx watch --json`, read back into events; what is no event is refused. */
import { jsonReviver, type FilterEvent } from '../index'

/** A line of a recording that is no event. The message says which line, what is wrong with it, and what to do. */
export class ReportInputError extends Error {
  /** Counted from 1, blank lines included. */
  readonly line: number
  /** What is wrong with the line, and what to do, without its number. */
  readonly reason: string

  constructor(line: number, problem: string, advice = 'Record events with `psctx watch NAME --json > FILE`') {
    const reason = `is no event of psctx watch --json: ${problem}. ${advice}.`
    super(`Line ${line} ${reason}`)
    this.name = 'ReportInputError'
    this.line = line
    this.reason = reason
  }
}

type MemberType = 'bigint' | 'boolean' | 'count' | 'duration' | 'string'

const is: Readonly<Record<MemberType, (value: unknown) => boolean>> = {
  bigint: (value) => typeof value === 'bigint',
  boolean: (value) => typeof value === 'boolean',
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  duration: (value) => Number.isFinite(value) && (value as number) >= 0,
  string: (value) => typeof value === 'string',
}

const everyEvent = { number: 'count', time: 'bigint' } as const
const identity = { owner: 'bigint', instance: 'bigint', sequence: 'bigint' } as const
const everyContextEvent = { ...everyEvent, ...identity, name: 'string', nameTruncated: 'boolean' } as const

/** What must be there for an event to be reported on. */
const members: Readonly<Record<FilterEvent['type'], Readonly<Record<string, MemberType>>>> = {
  inserted: { ...everyContextEvent, processId: 'count' },
  removed: { ...everyContextEvent, processId: 'count', age: 'duration' },
  'torn-down': { ...everyContextEvent, age: 'duration' },
  tracked: { ...everyContextEvent, processId: 'count' },
  cleanup: { ...everyContextEvent, processId: 'count' },
  missed: { ...everyEvent, rule: 'bigint', count: 'count', processId: 'count' },
  'volume-attached': { ...everyEvent, name: 'string' },
  'volume-detached': { ...everyEvent, name: 'string' },
  dropped: { ...everyEvent, count: 'count' },
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text, jsonReviver)
  } catch {
    if (/[\0\ufffd]/.test(text)) {
      const advice =
        'Windows PowerShell writes UTF-16: record with psctx watch NAME --json | Set-Content -Encoding utf8 FILE'
      throw new ReportInputError(line, 'the file is not in UTF-8', advice)
    }
    const advice = 'If it is the last line, the recording was cut off within it: delete the line'
    throw new ReportInputError(line, `${quote(text)} is not JSON`, advice)
  }
}

function checkEvent(value: unknown, line: number): asserts value is FilterEvent {
  if (typeof value !== 'object' || value === null) throw new ReportInputError(line, 'it is not an object')
  const event = value as Readonly<Record<string, unknown>>
  const { type, command } = event
  if (type === undefined && typeof command === 'string') {
    throw new ReportInputError(line, `it is what ${quote(command)} has printed`, 'Leave out what other commands print')
  }
  if (typeof type !== 'string') throw new ReportInputError(line, 'it has no "type"')
  if (!Object.hasOwn(members, type)) throw new ReportInputError(line, `the type ${quote(type)} is not known`)
  for (const [member, expected] of Object.entries(members[type as FilterEvent['type']])) {
    if (!is[expected](event[member]))
      throw new ReportInputError(line, `"${member}" is missing, or not what it should be`)
  }
}

/** The event that a line is, `line` being its number, from 1; `undefined` for a blank one. Throws {@link ReportInputError}. */
export function readEvent(text: string, line: number): FilterEvent | undefined {
  const trimmed = text.trim() // of a byte order mark as well
  if (trimmed === '') return undefined
  const event = parse(trimmed, line)
  checkEvent(event, line)
  return event
}
