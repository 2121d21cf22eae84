/** What a recording comes to: lives of contexts and figures, from events that are written by hand; and what is no recording. */
import { Script } from 'node:vm'

import { renderReport, ReportInputError } from '../../src/report/index'
import { computeFigures, type Selection } from '../../src/report/figures'
import { RecordingBuilder, type Recording } from '../../src/report/recording'

import { record, toLines } from './recordings'

function build(...events: Parameters<typeof record>[0]): Recording {
  const builder = new RecordingBuilder()
  for (const event of record(events)) builder.add(event)
  return builder.finish()
}

function figuresOf(recording: Recording, selection: Partial<Selection> = {}) {
  return computeFigures(recording, { name: '', process: null, types: recording.types, ...selection })
}

const sound = {
  dropped: 0,
  missed: 0,
  absent: 0,
  recordings: 1,
  clockSetBack: 0,
  clockSetBackBy: 0,
  tornDownEarly: 0,
  endedTwice: 0,
  insertionsNotSeen: 0,
}

describe('the life of a context', () => {
  test('goes from its insertion to its teardown, and outlives its last handle', () => {
    const { contexts, span, started, doubts } = build(
      { type: 'inserted', at: 0 },
      { type: 'tracked', at: 0.5 },
      { type: 'tracked', at: 1 },
      { type: 'cleanup', at: 2 },
      { type: 'cleanup', at: 3.25 },
      { type: 'torn-down', at: 10, age: 10.0001 },
    )
    expect(contexts).toEqual([
      expect.objectContaining({ start: 0, startSeen: true, end: 10, outcome: 'torn-down', age: 10.0001 }),
    ])
    expect(contexts[0]).toMatchObject({ opens: 2, cleanups: 2, lastCleanup: 3.25, handles: 0, outlived: 6.75 })
    expect(started).toBe(Date.UTC(2026, 0, 1))
    expect(span).toBe(10)
    expect(doubts).toEqual(sound)
  })

  test('goes on to the end of the recording when no end is told', () => {
    const { contexts } = build(
      { type: 'inserted', at: 0 },
      { type: 'tracked', at: 1 },
      { type: 'cleanup', at: 2 },
      { type: 'volume-attached', at: 50, name: '\\Device\\V' },
    )
    expect(contexts[0]).toMatchObject({ outcome: 'alive', end: 50, age: null, outlived: 48 })
  })

  test('has outlived nothing while a handle is open, or where no cleanup is told', () => {
    const { contexts } = build(
      { type: 'tracked', sequence: 1n },
      { type: 'tracked', sequence: 1n },
      { type: 'cleanup', sequence: 1n },
      { type: 'inserted', sequence: 2n },
      { type: 'removed', sequence: 2n },
    )
    expect(contexts.map(({ outlived, handles }) => [outlived, handles])).toEqual([
      [null, 1],
      [null, 0],
    ])
  })

  test('begins by its age where the insertion was not seen, and else with its first event', () => {
    const { contexts, doubts } = build(
      { type: 'cleanup', at: 0, sequence: 1n },
      { type: 'tracked', at: 4, sequence: 2n },
      { type: 'torn-down', at: 5, sequence: 1n, age: 25.5 },
    )
    expect(contexts.map(({ start, startSeen }) => [start, startSeen])).toEqual([
      [-20.5, false],
      [4, false],
    ])
    expect(doubts).toEqual({ ...sound, insertionsNotSeen: 2 })
  })

  test.each(['removed', 'torn-down'] as const)('ends once: that it is %s as well is told as a doubt', (type) => {
    const { contexts, doubts } = build(
      { type: 'inserted', at: 0 },
      { type: 'torn-down', at: 1, age: 1 },
      { type, at: 2, age: 2 },
    )
    expect(contexts).toHaveLength(1)
    expect(contexts[0]).toMatchObject({ end: 1, age: 1 })
    expect(doubts).toEqual({ ...sound, endedTwice: 1 })
  })

  test('is not that of another context with the same sequence number', () => {
    const { contexts } = build(
      { type: 'inserted', at: 0 },
      { type: 'inserted', at: 1, name: '\\b' },
      { type: 'torn-down', at: 2, age: 1 },
      { type: 'tracked', at: 3 },
    )
    expect(contexts.map(({ outcome, startSeen, end }) => [outcome, startSeen, end])).toEqual([
      ['unknown', true, 1],
      ['torn-down', true, 2],
      ['alive', false, 3],
    ])
  })

  test('that is torn down with a handle open is told as a doubt', () => {
    const { contexts, doubts } = build({ type: 'inserted' }, { type: 'tracked' }, { type: 'torn-down' })
    expect(contexts[0]).toMatchObject({ handles: 1, outlived: null })
    expect(doubts).toEqual({ ...sound, tornDownEarly: 1 })
  })

  test('that is removed with a handle open is none', () => {
    const { contexts, doubts } = build({ type: 'inserted' }, { type: 'tracked' }, { type: 'removed' })
    expect(contexts[0]).toMatchObject({ handles: 1, outcome: 'removed' })
    expect(doubts).toEqual(sound)
  })

  test('knows of no open before its insertion, but of the cleanup', () => {
    const { contexts } = build({ type: 'inserted' }, { type: 'cleanup' }, { type: 'tracked' })
    expect(contexts[0]).toMatchObject({ opens: 1, cleanups: 1, handles: 1 })
  })
})

describe('a recording', () => {
  test('has each event of a context with its time, its context and its process, where one is told', () => {
    const { events, types } = build(
      { type: 'inserted', at: 0, sequence: 1n, processId: 4 },
      { type: 'inserted', at: 1, sequence: 2n, processId: 0 },
      { type: 'torn-down', at: 3, sequence: 1n },
    )
    expect({ ...events, type: events.type.map((index) => types[index]) }).toEqual({
      type: ['inserted', 'inserted', 'torn-down'],
      time: [0, 1, 3],
      context: [0, 1, 0],
      process: [4, 0, -1],
    })
  })

  test('has the volumes that came and went besides contexts', () => {
    const { others, contexts } = build(
      { type: 'volume-attached', at: 0, name: '\\Device\\V' },
      { type: 'volume-detached', at: 2, name: '\\Device\\V' },
    )
    expect(others).toEqual([
      { type: 'volume-attached', time: 0, name: '\\Device\\V', process: null, count: null },
      { type: 'volume-detached', time: 2, name: '\\Device\\V', process: null, count: null },
    ])
    expect(contexts).toEqual([])
  })

  test('that no event was added to has begun at no time', () => {
    expect(build()).toMatchObject({
      started: 0,
      span: 0,
      contexts: [],
      others: [],
      doubts: { ...sound, recordings: 0 },
    })
  })
})

describe('doubts', () => {
  test('count dropped events and missed opens, and take dropped ones for no gap', () => {
    const { doubts, others } = build(
      { type: 'inserted', number: 1 },
      { type: 'dropped', number: 2, count: 40 },
      { type: 'missed', number: 42, count: 7, rule: 3n, processId: 5 },
    )
    expect(doubts).toEqual({ ...sound, dropped: 40, missed: 7 })
    expect(others.map(({ type, count, process }) => [type, count, process])).toEqual([
      ['dropped', 40, null],
      ['missed', 7, 5],
    ])
  })

  test('count lines that are absent, at the beginning and within', () => {
    const { doubts } = build(
      { type: 'tracked', number: 3 },
      { type: 'tracked', number: 4 },
      { type: 'cleanup', number: 9 },
    )
    expect(doubts).toMatchObject({ absent: 6, recordings: 1 })
  })

  test('tell recordings that follow one another, and follow no context into the next', () => {
    const { doubts, contexts } = build(
      { type: 'inserted', number: 1, sequence: 1n },
      { type: 'cleanup', number: 2, sequence: 1n },
      { type: 'inserted', number: 3, sequence: 2n },
      { type: 'cleanup', number: 4, sequence: 2n },
      { type: 'torn-down', number: 5, sequence: 2n },
      { type: 'tracked', number: 1, sequence: 1n },
    )
    expect(doubts).toMatchObject({ absent: 0, recordings: 2 })
    expect(contexts.map(({ outcome, outlived }) => [outcome, outlived])).toEqual([
      ['unknown', null],
      ['torn-down', 1],
      ['alive', null],
    ])
  })

  test('tell a clock that was set back, where no time passes, and after which it goes on', () => {
    const { doubts, events, contexts } = build(
      { type: 'inserted', at: 5000 },
      { type: 'tracked', at: 6000 },
      { type: 'cleanup', at: 1000 },
      { type: 'torn-down', at: 1500, age: 1600 },
    )
    expect(events.time).toEqual([0, 1000, 1000, 1500])
    expect(contexts[0]).toMatchObject({ end: 1500, age: 1600, outlived: 500 })
    expect(doubts).toEqual({ ...sound, clockSetBack: 1, clockSetBackBy: 5000 })
  })

  test('are none about two events of one tick of the clock that changed places', () => {
    const { doubts, events } = build(
      { type: 'inserted', at: 20 },
      { type: 'tracked', at: 4 },
      { type: 'cleanup', at: 21 },
    )
    expect(events.time).toEqual([0, 0, 1])
    expect(doubts).toEqual(sound)
  })
})

describe('figures', () => {
  const recording = build(
    { type: 'volume-attached', at: 0, name: '\\Device\\V' },
    { type: 'inserted', at: 1, sequence: 1n, name: '\\Data\\Report.docx', processId: 16 },
    { type: 'tracked', at: 1, sequence: 1n, name: '\\Data\\Report.docx', processId: 16 },
    { type: 'inserted', at: 2, sequence: 2n, name: '\\b', processId: 12 },
    { type: 'tracked', at: 2, sequence: 2n, name: '\\b', processId: 12 },
    { type: 'cleanup', at: 3, sequence: 1n, name: '\\Data\\Report.docx', processId: 12 },
    { type: 'torn-down', at: 4, sequence: 1n, name: '\\Data\\Report.docx', age: 3 },
    { type: 'cleanup', at: 5, sequence: 2n, name: '\\b', processId: 12 },
    { type: 'missed', at: 6, count: 5, rule: 1n, processId: 12 },
    { type: 'inserted', at: 7, sequence: 3n, name: '\\b', processId: 8 },
    { type: 'removed', at: 9, sequence: 3n, name: '\\b', processId: 8, age: 2 },
  )

  test('are of everything when nothing is selected', () => {
    const figures = figuresOf(recording)
    expect(figures).toMatchObject({ events: 11, contexts: [0, 1, 2] })
    expect(figures.outcomes).toEqual({ alive: 1, removed: 1, 'torn-down': 1, unknown: 0 })
    expect(figures.counts).toMatchObject({ inserted: 3, tracked: 2, cleanup: 2, removed: 1, 'torn-down': 1, missed: 5 })
    expect(figures.streams).toEqual([
      { name: 1, nameTruncated: false, contexts: 2, alive: 1, opens: 1, cleanups: 1, outlived: 4, longest: 1 },
      { name: 0, nameTruncated: false, contexts: 1, alive: 0, opens: 1, cleanups: 1, outlived: 1, longest: 0 },
    ])
    expect(figures.processes.map(({ process, events }) => [process, events])).toEqual([
      [12, 9],
      [8, 2],
      [16, 2],
    ])
    expect(figures.processes[0]!.counts).toMatchObject({ inserted: 1, tracked: 1, cleanup: 2, missed: 5, removed: 0 })
  })

  test.each([
    ['report', [0]],
    ['REPORT.DOCX', [0]],
    ['data\\rep', [0]],
    ['d*?.docx', [0]],
    ['d?ta', [0]],
    ['reportxdocx', []],
    ['(', []],
    ['*'.repeat(60) + '#', []],
    ['\\', [0, 1, 2]],
  ])('are of names with %j in them', (name, contexts) => {
    expect(figuresOf(recording, { name }).contexts).toEqual(contexts)
  })

  test('are of the events of one process, and of the whole lives of the contexts that it had to do with', () => {
    const figures = figuresOf(recording, { process: 12 })
    expect(figures.contexts).toEqual([0, 1])
    expect(figures.processes.map(({ process }) => process)).toEqual([12])
    expect(figures.counts).toMatchObject({ inserted: 1, tracked: 1, cleanup: 2, 'torn-down': 0, missed: 5 })
    expect(figures.outcomes).toMatchObject({ 'torn-down': 1, alive: 1 })
    expect(figures.events).toBe(5)
  })

  test('are of the volumes that have the name as well, and of nothing else that has none', () => {
    const othersOf = (name: string) => figuresOf(recording, { name }).others.map(({ type }) => type)
    expect(othersOf('')).toEqual(['volume-attached', 'missed'])
    expect(othersOf('device')).toEqual(['volume-attached'])
    expect(othersOf('report')).toEqual([])
    expect(othersOf('null')).toEqual([])
  })

  test('have a name for truncated if one event of it was', () => {
    const truncations = [[true, false, true], [false, true, false], [false]]
    const { streams } = figuresOf(
      build(
        ...truncations.flatMap((ofName, number) =>
          ofName.map((nameTruncated, index) => ({
            type: 'inserted' as const,
            sequence: BigInt(10 * number + index),
            name: `\\${number}`,
            nameTruncated,
          })),
        ),
      ),
    )
    expect(streams.map(({ nameTruncated }) => nameTruncated)).toEqual([true, true, false])
  })

  test('have no longest life where no context is known to have outlived its last handle', () => {
    const alive = build({ type: 'inserted', sequence: 1n, name: '\\a' })
    expect(figuresOf(alive).streams).toMatchObject([{ outlived: null, longest: null, contexts: 1 }])
  })

  test('have the longest life of a stream, whichever came first', () => {
    const life = (sequence: bigint, at: number, outlived: number) => [
      { type: 'inserted', at, sequence, name: '\\a' } as const,
      { type: 'tracked', at, sequence, name: '\\a' } as const,
      { type: 'cleanup', at: at + 1, sequence, name: '\\a' } as const,
      { type: 'torn-down', at: at + 1 + outlived, sequence, name: '\\a', age: 1 + outlived } as const,
    ]
    expect(figuresOf(build(...life(1n, 1, 6), ...life(2n, 20, 2))).streams).toMatchObject([{ outlived: 6, longest: 0 }])
    expect(figuresOf(build(...life(1n, 1, 2), ...life(2n, 20, 6))).streams).toMatchObject([{ outlived: 6, longest: 1 }])
    expect(figuresOf(build(...life(1n, 1, 2), ...life(2n, 20, 2))).streams).toMatchObject([{ outlived: 2, longest: 0 }])
  })

  test('have streams by their longest life, none being shorter than any, and the same ones by their contexts', () => {
    let sequence = 0n
    const stream = (name: string, ...outlived: readonly (number | null)[]): Parameters<typeof record>[0] =>
      outlived.flatMap((at) => {
        const event = { sequence: (sequence += 1n), name }
        const end = { ...event, type: 'removed', at: at ?? 0, age: at ?? 0 } as const
        return at === null ? [end] : [{ ...event, type: 'cleanup', at: 0 }, end]
      })
    const made = build(
      ...stream('none', null),
      ...stream('three', 3),
      ...stream('two', 2, 1),
      ...stream('zero', 0),
      ...stream('twice zero', 0, 0),
      ...stream('twice none', null, null),
    )
    expect(figuresOf(made).streams.map(({ name }) => made.names[name])).toEqual([
      'three',
      'two',
      'twice zero',
      'zero',
      'twice none',
      'none',
    ])
  })

  test('are of some types of events', () => {
    expect(figuresOf(recording, { types: ['removed', 'volume-attached'] })).toMatchObject({ events: 2, contexts: [2] })
    expect(figuresOf(recording, { types: [] })).toMatchObject({ events: 0, contexts: [], streams: [], processes: [] })
  })
})

describe('input', () => {
  const [good] = toLines(record([{ type: 'inserted' }]))

  const problemOf = async (...lines: string[]): Promise<ReportInputError> => {
    const error: unknown = await renderReport(lines).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ReportInputError)
    return error as ReportInputError
  }

  test.each([
    ['{"type":"inserted","numb', /"\{\\"type\\":.*" is not JSON.*cut off/],
    ['{"type":"inserted","number":1,"time":"x"}', /"time" is missing, or not what it should be/],
    [
      '{"type":"torn-down","number":1,"time":"1","owner":"0","instance":"0","sequence":"1","name":"a","nameTruncated":false}',
      /"age"/,
    ],
    ['{"type":"toString"}', /the type "toString" is not known/],
    ['{"type":"stat","command":"stat"}', /the type "stat" is not known/],
    ['x'.repeat(60), /: "x{60}" is not JSON/],
    ['x'.repeat(61), /: "x{60}…" is not JSON/],
    ['{"number":1}', /no "type"/],
    ['{"command":"stat","kernel":"host"}', /what "stat" has printed\. Leave out what other commands print\.$/],
    ['[]', /no "type"/],
    ['null', /not an object\. Record events with `psctx watch NAME --json > FILE`\.$/],
    ['12', /not an object/],
    ['{\0"\0t\0y\0p\0e\0', /not in UTF-8.*PowerShell/],
  ])('that is no event is refused with its line and what to do: %j', async (line, message) => {
    const error = await problemOf(good!, '', line, good!)
    expect(error.line).toBe(3)
    expect(error.message).toMatch(/^Line 3 is no event of psctx watch --json: /)
    expect(error.message).toMatch(message)
  })

  const every = { number: 1, time: '1' }
  const context = { ...every, owner: '0', instance: '0', sequence: '1', name: 'a', nameTruncated: false }
  const complete: Record<string, Record<string, unknown>> = {
    inserted: { ...context, processId: 4 },
    removed: { ...context, processId: 4, age: 0.5 },
    'torn-down': { ...context, age: 0 },
    tracked: { ...context, processId: 4 },
    cleanup: { ...context, processId: 0 },
    missed: { ...every, rule: '1', count: 1, processId: 4 },
    'volume-attached': { ...every, name: 'a' },
    'volume-detached': { ...every, name: 'a' },
    dropped: { ...every, count: 1 },
  }

  test.each(Object.entries(complete))('of the type %s has all that this type tells', async (type, members) => {
    await expect(renderReport([JSON.stringify({ type, ...members })])).resolves.toContain('<script>')
    for (const [member, value] of Object.entries(members)) {
      const rest = Object.fromEntries(Object.entries(members).filter(([name]) => name !== member))
      const wrong = typeof value === 'number' ? [-1, '1', NaN] : typeof value === 'boolean' ? ['', 0] : [1, null, false]
      for (const made of [rest, ...wrong.map((other) => ({ ...members, [member]: other }))]) {
        const error = await problemOf(JSON.stringify({ type, ...made }))
        expect(error.reason).toBe(
          `is no event of psctx watch --json: "${member}" is missing, or not what it should be. Record events with \`psctx watch NAME --json > FILE\`.`,
        )
        expect(error).toMatchObject({ name: 'ReportInputError', line: 1, message: `Line 1 ${error.reason}` })
      }
    }
  })

  test('is of a type that the recording names', () => {
    expect([...build().types].sort()).toEqual(Object.keys(complete).sort())
  })

  test('may have a byte order mark, blank lines and carriage returns', async () => {
    await expect(renderReport([`\ufeff${good}\r`, '', ' \r'])).resolves.toContain('"sequence":"1"')
  })

  test('without an event makes a page that says so', async () => {
    const page = await renderReport([''])
    expect(page).toContain('The recording holds no events')
    expect(page).not.toContain('<script')
  })

  test('makes a page whose program is whole: what shows the figures, called with what computes them', async () => {
    const page = await renderReport([good!])
    const program = /<script>(.*)<\/script>/s.exec(page)![1]!
    expect(() => new Script(program)).not.toThrow()
    expect(program).toContain('function computeFigures(')
  })

  test('may come as it is read', async () => {
    async function* lines() {
      await Promise.resolve()
      yield good!
    }
    await expect(renderReport(lines())).resolves.toContain('<script>')
  })
})
