/** Every context of a filter, on every stream or on those of one volume, page by page. */
import * as abi from './abi'
import { Replies } from './codec'
import type { ListedContext } from './context'
import { explain } from './errors'
import type { NativeFilter, NativeStream } from './native'
import { PagedIterator } from './paging'

/** Which contexts are told, and until when. */
export interface EnumerationOptions {
  /** A volume, such as `'C:'`, or the path of a file on it; every volume when nothing is said. */
  readonly volume?: string | undefined
  /** Ends the iteration with an `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

/** Asks for one page at a time, and lets the event loop run between two. Keeps a file of the volume open meanwhile. */
export class ContextIterator extends PagedIterator<ListedContext> {
  readonly #filter: NativeFilter
  readonly #volume: NativeStream | undefined
  readonly #page = Buffer.allocUnsafeSlow(abi.limits.transfer)
  readonly #replies = new Replies(this.#page.buffer)
  #entry = 0
  /** What the last page told: two words that mean something to the driver alone; both zero at the beginning, and at the end. */
  #cursor: readonly [bigint, bigint] = [0n, 0n]
  #isFirst = true
  #hasEnded = false

  /** `openVolume` is called when nothing else can fail any more. */
  constructor(filter: NativeFilter, openVolume: () => NativeStream | undefined, signal: AbortSignal | undefined) {
    super(signal, 'contexts')
    this.#filter = filter
    this.#volume = openVolume()
    this.start()
  }

  protected override take(): ListedContext {
    const context = this.#replies.listedContext(this.#entry)
    this.#entry = this.#replies.next(this.#entry)
    return context
  }

  protected override load(): void {
    if (this.#hasEnded) {
      this.finish()
    } else if (this.#isFirst) {
      this.#isFirst = false
      this.#read()
    } else {
      setImmediate(() => {
        this.#read()
      })
    }
  }

  protected override release(): void {
    this.#volume?.close()
    this.#hasEnded = true
  }

  #read(): void {
    if (this.#hasEnded) return // meanwhile
    try {
      this.#filter.enumerate(this.#page, this.#volume, ...this.#cursor)
    } catch (error) {
      this.fail(explain(error) as Error)
      return
    }
    const { nextCursor } = abi.enumerateReply
    this.#cursor = [this.#replies.uint64(nextCursor), this.#replies.uint64(nextCursor + 8)]
    this.#hasEnded = this.#cursor[0] === 0n && this.#cursor[1] === 0n
    this.#entry = abi.enumerateReply.size
    this.loaded(this.#replies.uint32(abi.enumerateReply.count))
  }
}
