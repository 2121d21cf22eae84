/** The shell's session: one filter that stays open, the handles upon it, and the commands that are executed in it. */
import type { Filter, Stream } from '../../index'

import { exitCode, UsageError, type ExitCode } from '../failure'
import { Runtime, type ShellSession, type Volumes } from '../runtime'
import type { Surroundings } from '../surroundings'

import { splitLine } from './words'

/** Executes the words of a line, and tells its failures. */
export type Execute = (words: readonly string[], runtime: Runtime) => Promise<ExitCode>

interface Job {
  readonly controller: AbortController
  readonly ended: Promise<ExitCode>
}

export interface ShellOptions {
  readonly json: boolean
  readonly quiet: boolean
}

export class Shell implements ShellSession {
  readonly filter: Filter
  readonly volumes: Volumes
  readonly json: boolean
  readonly quiet: boolean
  readonly handles = new Map<string, Stream>()
  readonly paths = new Set<string>()
  readonly #execute: Execute
  readonly #jobs = new Map<number, Job>()
  #lastJob = 0
  #current: AbortController | undefined
  #hasEnded = false

  constructor(filter: Filter, volumes: Volumes, { json, quiet }: ShellOptions, execute: Execute) {
    this.filter = filter
    this.volumes = volumes
    this.json = json
    this.quiet = quiet
    this.#execute = execute
  }

  /** Whether `exit` was said. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  end(): void {
    this.#hasEnded = true
  }

  /** Ends the command in the foreground. False: there is none. */
  interrupt(): boolean {
    this.#current?.abort()
    return this.#current !== undefined
  }

  /** Executes a line. Of a command that goes on in the background, only its beginning is waited for. */
  async execute(line: string, surroundings: Surroundings): Promise<ExitCode> {
    const words = splitLine(line)
    const texts = words.map(({ text }) => text)
    const last = words.at(-1)
    const isBackground = last?.text === '&' && !last.isQuoted
    if (isBackground) texts.pop()
    if (texts[0] === 'psctx') texts.shift()
    if (texts.length === 0) return exitCode.fine
    if (last?.openQuote !== undefined) {
      surroundings.error(
        `psctx: A quote (${last.openQuote}) is not closed. Close it, or write it twice within others.\n`,
      )
      return exitCode.usage
    }
    return isBackground ? this.#begin(texts, surroundings) : this.#run(texts, surroundings)
  }

  async endJobs(number: number | undefined, stop: boolean, signal?: AbortSignal): Promise<ExitCode> {
    const jobs = number === undefined ? [...this.#jobs] : [[number, this.#job(number)] as const]
    const stopAll = () => {
      for (const [, { controller }] of jobs) controller.abort()
    }
    if (stop || signal?.aborted === true) stopAll()
    signal?.addEventListener('abort', stopAll, { once: true })
    let code: ExitCode = exitCode.fine
    for (const [key, { ended }] of jobs) {
      const one = await ended
      this.#jobs.delete(key)
      if (code === exitCode.fine) code = one
    }
    signal?.removeEventListener('abort', stopAll)
    return code
  }

  #job(number: number): Job {
    const job = this.#jobs.get(number)
    if (job === undefined) throw new UsageError(`There is no command ${number} in the background. Name one that is.`)
    return job
  }

  async #run(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
    const controller = new AbortController()
    this.#current = controller
    try {
      return await this.#execute(
        words,
        this.#runtime(surroundings, controller.signal, false, () => undefined),
      )
    } finally {
      this.#current = undefined
    }
  }

  async #begin(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
    const controller = new AbortController()
    let started: () => void = () => undefined
    const beginning = new Promise<undefined>((resolve) => {
      started = () => {
        resolve(undefined)
      }
    })
    const runtime = this.#runtime(surroundings, controller.signal, true, started)
    const ended = this.#execute(words, runtime)
    const number = (this.#lastJob += 1)
    const code = await Promise.race([ended, beginning])
    if (code !== undefined) return code // it has nothing that goes on
    this.#jobs.set(number, { controller, ended })
    runtime
      .output({})
      .note(`${number} is in the background: \`wait ${number}\` waits for its end, \`stop ${number}\` ends it.`)
    return exitCode.fine
  }

  #runtime(surroundings: Surroundings, signal: AbortSignal, isBackground: boolean, started: () => void): Runtime {
    return new Runtime(surroundings, { session: this, signal, isBackground, started })
  }
}
