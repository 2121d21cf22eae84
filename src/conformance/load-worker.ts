/** A thread of the load: a session of its own that does to the same names what the others do. */
import { parentPort, workerData } from 'node:worker_threads'

import { openFilter, PerStreamContextError, type Filter, type FilterOptions, type StatusName } from '../index'

import { countLost } from './ending'

export interface LoadOrder {
  readonly options: FilterOptions
  readonly paths: readonly string[]
  /** Milliseconds that the file system is waited for at the end. */
  readonly patience: number
}

export interface LoadReport {
  readonly cycles: number
  /** Contexts that their open stream did not have. */
  readonly missing: number
  /** Contexts that nothing has torn down, and no open of the names finds. */
  readonly lost: number
  /** Whether contexts were kept with their streams. */
  readonly isKept: boolean
  /** How often a file was in the way of others, as is documented. */
  readonly refused: Readonly<Record<string, number>>
  /** What else went wrong. */
  readonly unexpected: Readonly<Record<string, number>>
}

/** What a name answers that another thread deletes or holds. */
const documented: ReadonlySet<string> = new Set<StatusName>([
  'STATUS_OBJECT_NAME_NOT_FOUND',
  'STATUS_OBJECT_NAME_COLLISION',
  'STATUS_DELETE_PENDING',
  'STATUS_FILE_DELETED',
  'STATUS_SHARING_VIOLATION',
  'STATUS_ACCESS_DENIED',
])
/** Cycles without a look at what the others want. */
const stretch = 32
const interval = 20

class LoadThread {
  readonly #filter: Filter
  readonly #order: LoadOrder
  readonly #refused: Record<string, number> = {}
  readonly #unexpected: Record<string, number> = {}
  #cycles = 0
  #missing = 0
  #isStopped = false

  constructor(order: LoadOrder) {
    this.#order = order
    this.#filter = openFilter(order.options)
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      for (let cycle = 0; cycle < stretch; cycle += 1) this.#cycle()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  async report(): Promise<LoadReport> {
    const { paths } = this.#order
    let isKept = false
    let lost = 0
    if (!(await this.#settles())) {
      isKept = (await countLost(this.#filter, paths)) < this.#live()
      for (const path of paths) this.#press(path)
      if (!(await this.#settles())) lost = await countLost(this.#filter, paths)
    }
    return {
      cycles: this.#cycles,
      missing: this.#missing,
      lost,
      isKept,
      refused: this.#refused,
      unexpected: this.#unexpected,
    }
  }

  close(): void {
    this.#filter.close()
  }

  #cycle(): void {
    const { paths } = this.#order
    const path = paths[Math.floor(Math.random() * paths.length)]!
    this.#cycles += 1
    this.#try(() => {
      this.#filter.files.openFile(path, { access: ['write'], disposition: 'open-if' }).close()
    })
    this.#try(() => {
      using stream = this.#filter.openStream(path)
      const { sequence } = stream.insert({ ifExists: 'replace', data: Buffer.from(path) })
      if (this.#cycles % 4 === 0) {
        this.#try(() => {
          this.#filter.files.unlink(path)
        })
      }
      if (stream.lookup()?.sequence !== sequence) this.#missing += 1
    })
  }

  #try(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (!(error instanceof PerStreamContextError)) throw error
      const isDocumented = documented.has(error.code)
      const key = isDocumented ? error.code : `${error.operation}: ${error.code}`
      const counts = isDocumented ? this.#refused : this.#unexpected
      counts[key] = (counts[key] ?? 0) + 1
    }
  }

  #live(): number {
    return this.#filter.statistics().session.contexts
  }

  async #settles(): Promise<boolean> {
    const end = performance.now() + this.#order.patience
    while (this.#live() > 0) {
      if (performance.now() >= end) return false
      await new Promise((resolve) => setTimeout(resolve, interval))
      // Some file systems let go with the next request only.
      this.#try(() => {
        this.#filter.openStream(this.#order.paths[0]!).close()
      })
    }
    return true
  }

  #press(path: string): void {
    this.#try(() => {
      this.#filter.files.openFile(path, { access: ['attributes'], buffering: false }).close()
    })
  }
}

if (parentPort !== null) {
  const port = parentPort
  const thread = new LoadThread(workerData as LoadOrder)
  let running: Promise<void> = Promise.resolve()
  port.on('message', (message: 'stop' | 'report' | 'end') => {
    if (message === 'report') {
      void thread.report().then((report) => {
        port.postMessage(report)
      })
      return
    }
    thread.stop()
    void running.then(() => {
      if (message === 'stop') {
        port.postMessage('stopped')
        return
      }
      thread.close()
      port.close()
    })
  })
  port.postMessage('begun')
  running = thread.run()
}
