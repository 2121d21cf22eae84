/** Every context of a filter, on every stream or on those of one volume, page by page. */
import { setImmediate } from 'node:timers' // the global one may be a test's

import * as abi from './abi'
import { checkOptions } from './arguments'
import { begin, type Cursor, decodePage, encodeEnumerate } from './codec/enumerate'
import { decodeEntry, type ListedContext, nextEntry } from './codec/list'
import { Memory } from './codec/memory'
import { closedError, isFailure } from './errors'
import { PagedIterator, type ClosableIterator } from './paging'
import { answerError, type Session } from './session'
import { openVolume } from './volumes'

/** Which contexts are told, and until when. */
export interface EnumerationOptions {
  /** A volume, such as `'C:'`, or the path of a file on it; every volume when nothing is said. */
  readonly volume?: string | undefined
  /** Ends the iteration with an `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

const keys: ReadonlySet<string> = new Set(['volume', 'signal'])

/** Asks for one page at a time, and lets the event loop run between two. Keeps a file of the volume open meanwhile. */
class ContextIterator extends PagedIterator<ListedContext> {
  readonly #session: Session
  /** The handle of a file of the volume; zero: every volume. */
  readonly #volume: number
  readonly #memory = new Memory(new ArrayBuffer(abi.limits.transfer))
  #entry = 0
  #next: Cursor | undefined = begin

  constructor(session: Session, { volume, signal }: EnumerationOptions) {
    super(signal, 'enumerate')
    this.#session = session
    this.#volume = volume === undefined ? 0 : openVolume(session, volume, 'enumerate')
    if (this.#volume !== 0) session.closeWith(this, this.#volume)
    this.start()
  }

  protected override take(): ListedContext {
    const entry = this.#entry
    this.#entry = nextEntry(this.#memory, entry)
    return decodeEntry(this.#memory, entry)
  }

  protected override load(): void {
    if (this.#next === undefined) this.finish()
    else if (this.#next === begin) this.#read()
    else setImmediate(this.#read)
  }

  protected override release(): void {
    this.#next = undefined
    if (this.#volume !== 0) this.#session.closeHandle(this.#volume, this)
  }

  readonly #read = (): void => {
    if (this.#next === undefined) return // ended meanwhile
    const { memory, native } = this.#session
    encodeEnumerate(memory, this.#volume, this.#next)
    const answer = native.enumerate(this.#memory.bytes)
    if (isFailure(answer)) {
      this.fail(answerError(answer, 'enumerate'))
      return
    }
    const { entry, count, next } = decodePage(this.#memory)
    this.#memory.forget()
    this.#entry = entry
    this.#next = next
    this.loaded(count)
  }
}

/** See {@link Filter.enumerate}. */
export function enumerateContexts(session: Session, options: EnumerationOptions): ClosableIterator<ListedContext> {
  checkOptions(options, 'enumerate', keys)
  if (session.isClosed) throw closedError('enumerate')
  return new ContextIterator(session, options)
}
