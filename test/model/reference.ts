/** What the operations mean, in plain words: files, streams, handles and contexts as lists, without a kernel. */
import type { Insertion, Lifetime, Pool } from '../../src/index'

export interface Context {
  readonly filter: number
  readonly owner: bigint
  readonly instance: bigint
  readonly data: Buffer
  readonly pool: Pool
  readonly lifetime: Lifetime
  /** The kernel's: learned when it is first told. */
  sequence: bigint | undefined
}

export interface FileModel {
  name: string
  deletePending: boolean
  readonly streams: Map<string, StreamModel>
}

export interface StreamModel {
  readonly file: FileModel
  /** From the head of the list. */
  contexts: Context[]
  handles: number
}

export interface Rule {
  readonly filter: number
  readonly pattern: string
  readonly owner: bigint
}

/** What a filter has seen happen to its contexts. */
export interface Counts {
  inserted: number
  removed: number
  tornDown: number
}

export type Outcome = { readonly value: unknown } | { readonly error: string }

export class Reference {
  readonly files = new Map<string, FileModel>()
  readonly counts: Counts[] = []
  /** Of each filter: `type:sequence`. */
  readonly events: { type: string; context: Context }[][] = []
  rules: Rule[] = []

  openFilter(filter: number): void {
    this.counts[filter] = { inserted: 0, removed: 0, tornDown: 0 }
    this.events[filter] = []
  }

  /** Its contexts go, but for those that live as long as their stream. */
  closeFilter(filter: number): void {
    for (const stream of this.streams())
      stream.contexts = stream.contexts.filter((context) => context.filter !== filter || context.lifetime === 'stream')
    this.rules = this.rules.filter((rule) => rule.filter !== filter)
  }

  /** A rule acts behind those that name the same context, wherever others have come since. */
  addRule(added: Rule): void {
    const last = this.rules.findLastIndex((rule) => rule.filter === added.filter && rule.owner === added.owner)
    this.rules.splice(last < 0 ? this.rules.length : last + 1, 0, added)
  }

  streams(): StreamModel[] {
    return [...this.files.values()].flatMap((file) => [...file.streams.values()])
  }

  write(name: string, stream: string): Outcome {
    const file = this.files.get(name) ?? { name, deletePending: false, streams: new Map<string, StreamModel>() }
    if (file.deletePending) return { error: 'STATUS_DELETE_PENDING' }
    this.files.set(name, file)
    for (const each of ['', stream])
      if (!file.streams.has(each)) file.streams.set(each, { file, contexts: [], handles: 0 })
    // It is written through a handle, which rules see and whose close may be the stream's end.
    const target = file.streams.get(stream)!
    this.opened(target)
    this.closed(target)
    return { value: undefined }
  }

  find(name: string, stream: string): StreamModel | string {
    const file = this.files.get(name)
    const found = file?.streams.get(stream)
    if (file?.deletePending) return 'STATUS_DELETE_PENDING'
    return found ?? 'STATUS_OBJECT_NAME_NOT_FOUND'
  }

  opened(stream: StreamModel): void {
    stream.handles += 1
    const name = [...stream.file.streams].find(([, each]) => each === stream)![0]
    for (const { filter, pattern, owner } of this.rules) {
      if (pattern !== '*' && !`${stream.file.name}${name === '' ? '' : `:${name}`}`.endsWith(pattern.slice(2))) continue
      if (
        stream.contexts.some(
          (context) => context.filter === filter && context.owner === owner && context.instance === 0n,
        )
      )
        continue
      this.#add(stream, filter, { owner })
    }
  }

  closed(stream: StreamModel): void {
    stream.handles -= 1
    if (stream.handles > 0) return
    for (const context of stream.contexts) {
      this.counts[context.filter]!.tornDown += 1
      this.events[context.filter]!.push({ type: 'torn-down', context })
    }
    stream.contexts = []
    const { file } = stream
    if (file.deletePending && [...file.streams.values()].every(({ handles }) => handles === 0))
      this.files.delete(file.name)
  }

  unlink(name: string): Outcome {
    const file = this.files.get(name)
    if (!file) return { error: 'STATUS_OBJECT_NAME_NOT_FOUND' }
    if (file.deletePending) return { error: 'STATUS_DELETE_PENDING' }
    this.opened(file.streams.get('')!)
    file.deletePending = true
    this.closed(file.streams.get('')!)
    return { value: undefined }
  }

  #add(stream: StreamModel, filter: number, insertion: Insertion): Context {
    const { owner = 0n, instance = 0n, data = Buffer.alloc(0), pool = 'paged', lifetime = 'session' } = insertion
    const context: Context = {
      ...{ filter, owner: BigInt(owner), instance: BigInt(instance), data: Buffer.from(data), pool, lifetime },
      sequence: undefined,
    }
    stream.contexts.unshift(context)
    this.counts[filter]!.inserted += 1
    this.events[filter]!.push({ type: 'inserted', context })
    return context
  }

  /** The youngest of the filter's that match. */
  match(stream: StreamModel, filter: number, owner: bigint, instance?: bigint): Context | undefined {
    return stream.contexts.find(
      (context) =>
        context.filter === filter &&
        context.owner === owner &&
        (instance === undefined || context.instance === instance),
    )
  }

  insert(stream: StreamModel, filter: number, insertion: Insertion): { outcome: string; context: Context } | string {
    const { owner = 0n, instance = 0n, ifExists = 'fail' } = insertion
    const there = this.match(stream, filter, BigInt(owner), BigInt(instance))
    if (there && ifExists === 'fail') return 'STATUS_OBJECT_NAME_COLLISION'
    if (there && ifExists === 'keep') return { outcome: 'kept', context: there }
    if (there && ifExists === 'replace') this.#remove(stream, there)
    const outcome = !there ? 'inserted' : ifExists === 'replace' ? 'replaced' : 'added'
    return { outcome, context: this.#add(stream, filter, insertion) }
  }

  #remove(stream: StreamModel, context: Context): void {
    stream.contexts.splice(stream.contexts.indexOf(context), 1)
    this.counts[context.filter]!.removed += 1
    this.events[context.filter]!.push({ type: 'removed', context })
  }

  remove(stream: StreamModel, filter: number, owner: bigint, instance?: bigint): Context | undefined {
    const found = this.match(stream, filter, owner, instance)
    if (found) this.#remove(stream, found)
    return found
  }

  removeAll(stream: StreamModel, filter: number, owner?: bigint): number {
    const mine = this.of(stream, filter).filter((context) => owner === undefined || context.owner === owner)
    for (const context of mine) this.#remove(stream, context)
    return mine.length
  }

  of(stream: StreamModel, filter: number): Context[] {
    return stream.contexts.filter((context) => context.filter === filter)
  }
}
