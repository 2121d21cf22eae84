/** What the command line acts on: the real thing in main.ts, made up in tests. What is costly to load is asked for when it is needed. */
import type { Readable, Writable } from 'node:stream'

import type { Command } from 'commander'

import type * as Conformance from '../conformance'
import type { Filter, FilterOptions } from '../index'
import type { ReportInputError } from '../report'

import type { Facts } from './doctor'
import type { DriverMachine } from './driver'

/** A part of the terminal that is drawn again and again. */
export interface LiveArea {
  draw(text: string): void
  /** Leaves what was drawn last, and goes on below it. */
  end(): void
}

/** The terminal that standard output is. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  readonly output: Writable
  live(): Promise<LiveArea>
}

/** `../report`, as far as the command needs it. */
export interface ReportModule {
  readonly renderReport: (lines: AsyncIterable<string>) => Promise<string>
  readonly ReportInputError: new (...values: never[]) => ReportInputError
}

export interface Surroundings {
  readonly version: string
  /** As `process.platform` has it. */
  readonly platform: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Undefined where standard output is none. */
  readonly terminal: Terminal | undefined
  /** Standard input. */
  readonly input: Readable & { readonly isTTY?: boolean }
  /** A promise where the reader is behind: it is fulfilled when there is room again. */
  out(text: string | Uint8Array): Promise<void> | undefined
  error(text: string): void
  /** Has `listener` called when the user presses Ctrl-C, which then does nothing else. Returns what ends that. */
  onInterrupt(listener: () => void): () => void
  open(options: FilterOptions): Promise<Filter>
  /** Of Windows only. */
  machine(): Promise<DriverMachine>
  facts(): Promise<Facts>
  report(): Promise<ReportModule>
  conformance(): Promise<typeof Conformance>
  /** Completes command lines of this program, and writes to standard output by itself. */
  completion(
    program: Command,
  ): Promise<{ parse(words: string[]): void; setup(name: string, executable: string, shell: string): void }>
}
