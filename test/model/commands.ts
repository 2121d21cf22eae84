/** Random operations, each done to the facade and to the reference, with what came of it compared. */
import fc from 'fast-check'

import {
  PerStreamContextError,
  type Filter,
  type FilterEvents,
  type Insertion,
  type Stream,
  type StreamContext,
  type TrackingRule,
} from '../../src/index'

import { Reference, type Context, type StreamModel } from './reference'

type Events = FilterEvents<'inserted' | 'removed' | 'torn-down'>

/** The facade's side: what is open. Slots are those of the reference. */
export class Real {
  readonly filters: Filter[] = []
  readonly events: Events[] = []
  readonly streams: (Stream | undefined)[] = []
  readonly rules: { filter: number; rule: TrackingRule }[] = []
  /** Its events were read to the end. */
  readonly unread = new Set<number>()

  constructor(
    readonly root: string,
    readonly open: () => Filter,
  ) {}

  path(name: string, stream = ''): string {
    return `${this.root}\\${name}${stream === '' ? '' : `:${stream}`}`
  }
}

/** The reference's side, with the stream and the filter of each handle. */
export class Model extends Reference {
  readonly handles: ({ stream: StreamModel; filter: number } | undefined)[] = []
  readonly open = new Set<number>()
}

export const filterCount = 3
const names = ['a', 'b', 'c']
const streamNames = ['', 's', 't']

/** What an action comes to: its value, or the code of its error. */
function attempt<T>(action: () => T): { value: T } | { error: string } {
  try {
    return { value: action() }
  } catch (error) {
    if (!(error instanceof PerStreamContextError)) throw error
    return { error: error.code }
  }
}

/** A context as both sides tell it. What the reference has not been told yet of the kernel's number, it learns. */
function told(context: Context | undefined, real: { sequence: bigint } | undefined) {
  if (!context) return undefined
  context.sequence ??= real?.sequence
  const { owner, instance, data, pool, lifetime, sequence } = context
  return { owner, instance, data: data.toString('hex'), pool, lifetime, sequence }
}

function shown(context: StreamContext | undefined) {
  if (!context) return undefined
  const { owner, instance, data, pool, lifetime, sequence } = context
  return { owner, instance, data: data.toString('hex'), pool, lifetime, sequence }
}

/** One operation: what must hold for it, and how it is done and compared. */
interface Operation {
  readonly name: string
  readonly can: (model: Model) => boolean
  readonly act: (model: Model, real: Real) => void
}

class Command implements fc.AsyncCommand<Model, Real> {
  constructor(readonly operation: Operation) {}
  check = (model: Readonly<Model>) => this.operation.can(model as Model)
  run = (model: Model, real: Real) => {
    this.operation.act(model, real)
    return Promise.resolve()
  }
  toString = () => this.operation.name
}

/** What is done on one open stream, alone or in a batch. */
type Step =
  | { readonly kind: 'insert'; readonly insertion: Insertion }
  | { readonly kind: 'lookup' | 'remove'; readonly owner: bigint; readonly instance: bigint | undefined }
  | { readonly kind: 'removeAll'; readonly owner: bigint | undefined }

function identityOf({ owner, instance }: { owner: bigint; instance: bigint | undefined }) {
  return instance === undefined ? { owner } : { owner, instance }
}

/** Compares one step's outcome, however it was asked for, with the reference's. */
function compare(model: Model, handle: number, step: Step, outcome: { value: unknown } | { error: string }): void {
  const { stream, filter } = model.handles[handle]!
  if (step.kind === 'insert') {
    const expected = model.insert(stream, filter, step.insertion)
    if (typeof expected === 'string') return expect(outcome).toEqual({ error: expected })
    const value = (outcome as { value?: { sequence: bigint } }).value
    expected.context.sequence ??= value?.sequence
    expect(outcome).toEqual({ value: { outcome: expected.outcome, sequence: expected.context.sequence } })
  } else if (step.kind === 'removeAll') {
    expect(outcome).toEqual({ value: model.removeAll(stream, filter, step.owner) })
  } else {
    const context =
      step.kind === 'lookup'
        ? model.match(stream, filter, step.owner, step.instance)
        : model.remove(stream, filter, step.owner, step.instance)
    const { value } = outcome as { value: StreamContext | undefined }
    expect({ value: shown(value) }).toEqual({ value: told(context, value) })
  }
}

function describeStep(step: Step): string {
  return JSON.stringify(step, (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value instanceof Uint8Array ? value.length : value,
  )
}

const small = fc.bigInt({ min: 0n, max: 2n })
const insertion = fc.record({
  owner: small,
  instance: small,
  data: fc.uint8Array({ maxLength: 40 }),
  pool: fc.constantFrom('paged' as const, 'nonpaged' as const),
  lifetime: fc.constantFrom('session' as const, 'stream' as const),
  ifExists: fc.constantFrom('fail' as const, 'keep' as const, 'replace' as const, 'add' as const),
})
const identity = { owner: small, instance: fc.option(small, { nil: undefined }) }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: insertion.map((insertion) => ({ kind: 'insert' as const, insertion })) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lookup' as const), ...identity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), ...identity }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('removeAll' as const), owner: fc.option(small, { nil: undefined }) }),
  },
)
const slot = fc.nat({ max: 11 })
const filter = fc.nat({ max: filterCount - 1 })
const name = fc.constantFrom(...names)
const streamName = fc.constantFrom(...streamNames)

/** The handle that a slot means: one of those that are open. */
function handleAt(model: Model, slot: number): number {
  const open = model.handles.flatMap((handle, index) => (handle ? [index] : []))
  return open[slot % open.length]!
}

const hasHandle = (model: Model) => model.handles.some(Boolean)
const anything = () => true

function perform(stream: Stream, step: Step) {
  switch (step.kind) {
    case 'insert':
      return attempt(() => stream.insert(step.insertion))
    case 'lookup':
      return attempt(() => stream.lookup(identityOf(step)))
    case 'remove':
      return attempt(() => stream.remove(identityOf(step)))
    case 'removeAll':
      return attempt(() => stream.removeAll(step.owner === undefined ? {} : { owner: step.owner }))
  }
}

const operations: fc.Arbitrary<Operation>[] = [
  fc.tuple(name, streamName).map(([name, stream]) => ({
    name: `write ${name}:${stream}`,
    can: anything,
    act: (model, real) =>
      expect(
        attempt(() => real.filters[[...model.open][0]!]!.host!.writeFile(real.path(name, stream), Buffer.from('text'))),
      ).toEqual(model.write(name, stream)),
  })),
  ...[0, 1].map(() =>
    fc.tuple(filter, name, streamName).map(([filter, name, stream]) => ({
      name: `open ${name}:${stream} by filter ${filter}`,
      can: (model: Model) => model.open.has(filter) && model.handles.filter(Boolean).length < 12,
      act: (model: Model, real: Real) => {
        const opened = attempt(() => real.filters[filter]!.openStream(real.path(name, stream)))
        const found = model.find(name, stream)
        if (typeof found === 'string') return expect(opened).toEqual({ error: found })
        model.opened(found)
        expect(opened).toHaveProperty('value')
        real.streams.push((opened as { value: Stream }).value)
        model.handles.push({ stream: found, filter })
      },
    })),
  ),
  slot.map((slot) => ({
    name: `close ${slot}`,
    can: hasHandle,
    act: (model, real) => {
      const handle = handleAt(model, slot)
      real.streams[handle]!.close()
      model.closed(model.handles[handle]!.stream)
      model.handles[handle] = undefined
    },
  })),
  ...Array.from({ length: 8 }, () =>
    fc.tuple(slot, step).map(([slot, step]) => ({
      name: `on ${slot}: ${describeStep(step)}`,
      can: hasHandle,
      act: (model: Model, real: Real) => {
        const handle = handleAt(model, slot)
        compare(model, handle, step, perform(real.streams[handle]!, step))
      },
    })),
  ),
  fc.tuple(slot, fc.array(step, { minLength: 1, maxLength: 12 })).map(([slot, steps]) => ({
    name: `batch on ${slot}: ${steps.map(describeStep).join(', ')}`,
    can: hasHandle,
    act: (model, real) => {
      const first = handleAt(model, slot)
      const { filter } = model.handles[first]!
      const mine = model.handles.flatMap((handle, index) => (handle?.filter === filter ? [index] : []))
      const batch = real.filters[filter]!.batch()
      try {
        steps.forEach((step, index) => {
          const stream = real.streams[mine[index % mine.length]!]!
          if (step.kind === 'insert') batch.insert(stream, step.insertion)
          else if (step.kind === 'removeAll')
            batch.removeAll(stream, step.owner === undefined ? {} : { owner: step.owner })
          else batch[step.kind](stream, identityOf(step))
        })
        batch.run()
        steps.forEach((step, index) =>
          compare(
            model,
            mine[index % mine.length]!,
            step,
            attempt(() => batch.result(index).value),
          ),
        )
      } finally {
        batch.close()
      }
    },
  })),
  fc.tuple(slot, fc.record(identity), fc.nat({ max: 48 })).map(([slot, identity, capacity]) => ({
    name: `lookupInto ${capacity} bytes on ${slot}`,
    can: hasHandle,
    act: (model, real) => {
      const handle = handleAt(model, slot)
      const { stream, filter } = model.handles[handle]!
      const context = model.match(stream, filter, identity.owner, identity.instance)
      const buffer = Buffer.alloc(capacity, 0xee)
      const outcome = attempt(() => real.streams[handle]!.lookupInto(buffer, identityOf(identity)))
      if (context && context.data.length > capacity) return expect(outcome).toEqual({ error: 'STATUS_BUFFER_OVERFLOW' })
      expect(outcome).toEqual({ value: context?.data.length })
      const length = context?.data.length ?? 0
      expect(buffer).toEqual(Buffer.concat([context?.data ?? Buffer.alloc(0), Buffer.alloc(capacity - length, 0xee)]))
    },
  })),
  slot.map((slot) => ({
    name: `list, first and inspect on ${slot}`,
    can: hasHandle,
    act: (model, real) => {
      const handle = handleAt(model, slot)
      const { stream, filter } = model.handles[handle]!
      const listed = real.streams[handle]!.contexts()
      const expected = model.of(stream, filter)
      expect(listed).toHaveLength(expected.length)
      expected.forEach((context, index) => (context.sequence ??= listed[index]!.sequence))
      expect(listed.map(({ sequence, owner, instance }) => ({ sequence, owner, instance }))).toEqual(
        expected.map(({ sequence, owner, instance }) => ({ sequence, owner, instance })),
      )
      const head = stream.contexts[0]
      expect(real.streams[handle]!.first()?.holder).toBe(head && (head.filter === filter ? 'self' : 'other-session'))
      expect(real.streams[handle]!.inspect().map(({ holder }) => holder)).toEqual(
        stream.contexts.map((context) => (context.filter === filter ? 'self' : 'other-session')),
      )
    },
  })),
  filter.map((filter) => ({
    name: `statistics of filter ${filter}`,
    can: (model) => model.open.has(filter),
    act: (model, real) => {
      const { contexts, inserted, removed, tornDown } = real.filters[filter]!.statistics().session
      const live = model.streams().reduce((sum, stream) => sum + model.of(stream, filter).length, 0)
      expect({ contexts, inserted, removed, tornDown }).toEqual({ contexts: live, ...model.counts[filter] })
    },
  })),
  fc.tuple(name, name).map(([from, to]) => ({
    name: `rename ${from} to ${to}`,
    // The names of what is deleted, and of what is replaced, are the file system's own affair.
    can: (model) => model.files.get(from)?.deletePending === false && !model.files.has(to) && model.rules.length === 0,
    act: (model, real) => {
      const file = model.files.get(from)!
      real.filters[[...model.open][0]!]!.host!.rename(real.path(from), real.path(to))
      model.opened(file.streams.get('')!)
      model.closed(file.streams.get('')!)
      model.files.delete(from)
      file.name = to
      model.files.set(to, file)
    },
  })),
  name.map((name) => ({
    name: `unlink ${name}`,
    can: (model) => model.files.get(name)?.deletePending === false,
    act: (model, real) =>
      expect(attempt(() => real.filters[[...model.open][0]!]!.host!.unlink(real.path(name)))).toEqual(
        model.unlink(name),
      ),
  })),
  fc.tuple(filter, fc.constantFrom('*\\a', '*\\b', '*\\c:s'), small).map(([filter, pattern, owner]) => ({
    name: `filter ${filter} tracks ${pattern} as owner ${owner}`,
    can: (model) => model.open.has(filter) && model.rules.filter((rule) => rule.filter === filter).length < 2,
    act: (model, real) => {
      real.rules.push({ filter, rule: real.filters[filter]!.track({ match: pattern, owner }) })
      model.addRule({ filter, pattern, owner })
    },
  })),
  filter.map((filter) => ({
    name: `filter ${filter} ends its first rule`,
    can: (model) => model.rules.some((rule) => rule.filter === filter),
    act: (model, real) => {
      const index = real.rules.findIndex((rule) => rule.filter === filter)
      real.rules.splice(index, 1)[0]!.rule.close()
      model.rules.splice(
        model.rules.findIndex((rule) => rule.filter === filter),
        1,
      )
    },
  })),
]

/** Reads what a filter has been told, and compares it without regard to the order in which one stream's contexts were torn down. */
export async function compareEvents(model: Model, real: Real, filter: number): Promise<void> {
  const expected = model.events[filter]!
  const seen: string[] = []
  while (seen.length < expected.length) {
    const { value } = await real.events[filter]!.next()
    seen.push(
      value && 'owner' in value
        ? `${value.type} ${value.owner}.${value.instance}`
        : 'events that were dropped, or their end',
    )
  }
  expect(seen.sort()).toEqual(
    expected.map(({ type, context }) => `${type} ${context.owner}.${context.instance}`).sort(),
  )
  model.events[filter] = []
}

/** Also what takes its time: events, and every context of a filter. */
class Reading implements fc.AsyncCommand<Model, Real> {
  constructor(readonly filter: number) {}
  check = (model: Readonly<Model>) => model.open.has(this.filter)
  async run(model: Model, real: Real): Promise<void> {
    await compareEvents(model, real, this.filter)
    const listed: string[] = []
    for await (const { owner, instance, dataLength } of real.filters[this.filter]!.enumerate())
      listed.push(`${owner}.${instance}.${dataLength}`)
    const expected = model.streams().flatMap((stream) => model.of(stream, this.filter))
    expect(listed.sort()).toEqual(
      expected.map(({ owner, instance, data }) => `${owner}.${instance}.${data.length}`).sort(),
    )
  }
  toString = () => `events and enumeration of filter ${this.filter}`
}

/** A filter goes, with its handles, and another comes in its place. */
class Reopening implements fc.AsyncCommand<Model, Real> {
  constructor(readonly filter: number) {}
  check = (model: Readonly<Model>) => model.open.has(this.filter)
  run(model: Model, real: Real): Promise<void> {
    real.events[this.filter]!.close()
    real.filters[this.filter]!.close()
    model.closeFilter(this.filter)
    model.handles.forEach((handle, index) => {
      if (handle?.filter !== this.filter) return
      model.closed(handle.stream)
      model.handles[index] = undefined
      expect(real.streams[index]!.closed).toBe(true)
    })
    for (let index = real.rules.length - 1; index >= 0; index -= 1)
      if (real.rules[index]!.filter === this.filter) real.rules.splice(index, 1)
    // What is left of it belongs to nobody who is there.
    for (const stream of model.streams())
      stream.contexts = stream.contexts.map((context) =>
        context.filter === this.filter ? { ...context, filter: filterCount } : context,
      )
    openOne(model, real, this.filter)
    return Promise.resolve()
  }
  toString = () => `filter ${this.filter} is closed, and opened anew`
}

export function openOne(model: Model, real: Real, filter: number): void {
  real.filters[filter] = real.open()
  real.events[filter] = real.filters[filter].events({ types: ['inserted', 'removed', 'torn-down'] })
  model.openFilter(filter)
  model.open.add(filter)
}

/** Programs of up to `length` operations. */
export function programs(length: number, replayPath: string | null) {
  const all = [
    ...operations.map((operation) => operation.map((each) => new Command(each))),
    filter.map((each) => new Reading(each)),
    filter.map((each) => new Reopening(each)),
  ]
  return fc.commands<Model, Real, false>(all, {
    maxCommands: length,
    size: 'max',
    ...(replayPath === null ? {} : { replayPath }),
  })
}
