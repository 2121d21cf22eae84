/** The command line in made-up surroundings: what it prints is collected, and its kernel is the embedded one. */
import { PassThrough } from 'node:stream'

import type { Facts } from '../../src/cli/doctor'
import { run } from '../../src/cli/program'
import type { Surroundings } from '../../src/cli/surroundings'
import * as conformance from '../../src/conformance'
import { openFilter } from '../../src/index'
import { renderReport, ReportInputError } from '../../src/report'

export const healthy: Facts = {
  version: '1.0.0',
  nodeVersion: 'v20.0.0',
  platform: 'linux',
  architecture: 'x64',
  addon: { value: 'psctx.node' },
}

/** One command line, which runs. */
export class Execution {
  readonly input = new PassThrough()
  readonly #out: Buffer[] = []
  readonly #listeners = new Set<() => void>()
  error = ''
  readonly code: Promise<number>

  constructor(line: readonly string[], changes: Partial<Surroundings> = {}) {
    this.code = run(line, {
      version: '1.2.3',
      platform: 'linux',
      environment: {},
      terminal: undefined,
      input: this.input,
      out: (text) => {
        this.#out.push(Buffer.from(text as Uint8Array))
        return undefined
      },
      error: (text) => (this.error += text),
      onInterrupt: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      open: (options) => Promise.resolve(openFilter({ ...options, kernel: 'host' })),
      machine: () => Promise.reject(new Error('asked for the machine')),
      facts: () => Promise.resolve(healthy),
      report: () => Promise.resolve({ renderReport, ReportInputError }),
      conformance: () => Promise.resolve(conformance),
      completion: () => Promise.reject(new Error('asked for completion')),
      ...changes,
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#out)
  }

  get out(): string {
    return this.bytes.toString()
  }

  /** Whether somebody waits for Ctrl-C. */
  get isInterruptible(): boolean {
    return this.#listeners.size > 0
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  /** Waits until something holds; for ever is not meant. */
  async until(condition: () => boolean): Promise<void> {
    for (let looks = 0; !condition(); looks += 1) {
      if (looks === 1000) throw new Error(`It did not come to that: ${this.out}${this.error}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

export interface Result {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Runs a command line to its end; `input` is what it finds on standard input. */
export async function psctx(
  line: readonly string[],
  changes: Partial<Surroundings> = {},
  input: string | Uint8Array = '',
): Promise<Result> {
  const execution = new Execution(line, changes)
  execution.input.end(input)
  const code = await execution.code
  return { code, out: execution.out, error: execution.error }
}

/** Runs a script in the shell, without notes. */
export function shell(script: string, ...options: string[]): Promise<Result> {
  return psctx(['shell', '--quiet', ...options], {}, script)
}
