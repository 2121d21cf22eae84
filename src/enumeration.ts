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
  #after = 0n
  #shard = 0
  #isFirst = true

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
    if (this.#shard === abi.enumerateShard.end) {
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
    this.#shard = abi.enumerateShard.end
  }

  #read(): void {
    if (this.#shard === abi.enumerateShard.end) return // ended meanwhile
    try {
      this.#filter.enumerate(this.#page, this.#volume, this.#after, this.#shard)
    } catch (error) {
      this.fail(explain(error) as Error)
      return
    }
    this.#after = this.#replies.uint64(abi.enumerateReply.nextAfter)
    this.#shard = this.#replies.uint32(abi.enumerateReply.nextShard)
    this.#entry = abi.enumerateReply.size
    this.loaded(this.#replies.uint32(abi.enumerateReply.count))
  }
}
