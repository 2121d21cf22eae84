/** What iterators have in common that are filled page by page: calls in order, one page at a time, endings of every kind. */
import { checkSignal } from './arguments'

/** The error of an operation that a signal has ended, as Node.js makes it. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  error.name = 'AbortError'
  return Object.assign(error, { code: 'ABORT_ERR' })
}

/** Takes a signal's listener away when what it was for is gone. */
const abandoned = new FinalizationRegistry<() => void>((forget) => {
  forget()
})

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (reason: unknown) => void
}

/** An asynchronous iterator that ends with `break`, `close()`, `return()`, its signal, an error, or what it iterates over. */
export interface ClosableIterator<T> extends AsyncIterableIterator<T> {
  /** What comes next. Every call gets its own, in the order of the calls. */
  next(): Promise<IteratorResult<T, undefined>>
  /** Ends it at once, and with it every `next()` that waits. */
  return(): Promise<IteratorResult<T, undefined>>
  /** Gives up what it holds. What it has fetched already is still delivered, and then the end. Harmless when it is closed already. */
  close(): void
  /** Itself. */
  [Symbol.asyncIterator](): this
  /** Closes it at the end of a `using` block. */
  [Symbol.dispose](): void
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Each call of `next()` gets what comes next, however many wait; pages are asked for when there is nothing left. */
export abstract class PagedIterator<T> implements ClosableIterator<T> {
  readonly #signal: AbortSignal | undefined
  #forgetSignal: () => void = () => undefined
  readonly #waiting: Waiting<T>[] = []
  #left = 0
  #ended = false
  #failure: Error | undefined

  /** Throws an AbortError if the signal is aborted already. */
  protected constructor(signal: AbortSignal | undefined, operation: string) {
    if (signal !== undefined) {
      checkSignal(signal, operation)
      if (signal.aborted) throw abortError(signal)
    }
    this.#signal = signal
  }

  /**
   * Begins to watch the signal: the last step of a constructor. A signal may live long, so that it does not hold the iterator, which may
   * be given up without a word; one that somebody waits for is held by what it waits for.
   */
  protected start(): void {
    const signal = this.#signal
    if (signal === undefined) return
    const self = new WeakRef(this)
    const listener = (): void => self.deref()?.fail(abortError(signal))
    signal.addEventListener('abort', listener)
    this.#forgetSignal = () => {
      signal.removeEventListener('abort', listener)
    }
    abandoned.register(this, this.#forgetSignal, this)
  }

  /** Decodes the next entry of the page. */
  protected abstract take(): T

  /** Gets the next page: at once or later `loaded`, `finish` or `fail` is called. */
  protected abstract load(): void

  /** Gives up what it holds but the page: called once. */
  protected abstract release(): void

  /** There is a page of so many entries. */
  protected loaded(count: number): void {
    if (this.#ended) return
    this.#left = count
    while (this.#left > 0 && this.#waiting.length > 0) {
      const { resolve, reject } = this.#waiting.shift()!
      try {
        resolve({ value: this.#take(), done: false })
      } catch (error) {
        reject(error)
        this.finish()
      }
    }
    if (this.#waiting.length > 0) this.load()
  }

  /** There is no more than what has been fetched. */
  protected finish(): void {
    if (this.#ended) return
    this.#end()
    for (const { resolve } of this.#waiting.splice(0)) resolve({ value: undefined, done: true })
  }

  /** One call of `next()`, this one or the next, is told; there is nothing after that. */
  protected fail(reason: Error): void {
    if (this.#ended) return
    this.#end()
    this.#left = 0
    const [first, ...others] = this.#waiting.splice(0)
    if (first === undefined) this.#failure = reason
    else first.reject(reason)
    for (const { resolve } of others) resolve({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#left > 0) {
      try {
        return Promise.resolve({ value: this.#take(), done: false })
      } catch (error) {
        this.fail(error as Error)
      }
    }
    const failure = this.#failure
    if (failure !== undefined) {
      this.#failure = undefined
      return Promise.reject(failure)
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#waiting.length === 1) this.load()
    })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.finish()
    this.#left = 0
    this.#failure = undefined
    return Promise.resolve({ value: undefined, done: true })
  }

  close(): void {
    this.finish()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** The next entry. One that cannot be decoded is the last one. */
  #take(): T {
    this.#left -= 1
    try {
      return this.take()
    } catch (error) {
      this.#left = 0
      throw error
    }
  }

  #end(): void {
    this.#ended = true
    this.#forgetSignal()
    abandoned.unregister(this)
    this.release()
  }
}
