/** What commands print: tables, text, JSON and notes, in colours where the terminal takes them. */
import Table from 'cli-table3'
import { createColors } from 'picocolors'

import { jsonReplacer, type CommandDocument, type TrackLine, type WatchLine } from '../json'

import type { Surroundings } from './surroundings'
import { printable } from './text'

/** Columns where the output is no terminal. */
const fileColumns = 120
const narrowest = 12
/** Of a cell: a border and two blanks. */
const padding = 3

/** The widths that make a table fit: what is widest gives way. Lengths count cells, near enough. */
function fit(rows: readonly (readonly string[])[], columns: number): number[] {
  const natural = rows[0]!.map((_, index) =>
    Math.max(...rows.map((row) => Math.max(...row[index]!.split('\n').map((line) => line.length)))),
  )
  const widths = natural.map((width) => width + padding - 1)
  const room = columns - widths.length - 1
  for (let sum = widths.reduce((total, width) => total + width, 0); sum > room; sum -= 1) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= narrowest) break
    widths[widest]! -= 1
  }
  return widths
}

export interface OutputOptions {
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
}

export class Output {
  readonly json: boolean
  readonly colors: ReturnType<typeof createColors>
  readonly columns: number
  readonly #quiet: boolean
  readonly #surroundings: Surroundings
  /** Whether a document is one line. */
  readonly #compact: boolean

  constructor(surroundings: Surroundings, { json = false, quiet = false }: OutputOptions, compact: boolean) {
    const { terminal, environment } = surroundings
    const isPlain = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
    this.json = json
    this.colors = createColors(terminal !== undefined && !isPlain)
    this.columns = terminal?.columns ?? fileColumns
    this.#quiet = quiet
    this.#surroundings = surroundings
    this.#compact = compact
  }

  /** Prints lines for people. */
  say(text: string): Promise<void> | undefined {
    return this.#surroundings.out(`${text}\n`)
  }

  /** Prints bytes as they are. */
  raw(data: Uint8Array): Promise<void> | undefined {
    return this.#surroundings.out(data)
  }

  /** Prints a command's document, or, for people, what `tell` makes of it. */
  show<T extends CommandDocument>(document: T, tell: (document: T) => string): Promise<void> | undefined {
    const indentation = this.#compact ? undefined : 2
    return this.say(this.json ? JSON.stringify(document, jsonReplacer, indentation) : tell(document))
  }

  /** Prints a line of JSON of a command that goes on. */
  line(line: WatchLine | TrackLine): Promise<void> | undefined {
    return this.say(JSON.stringify(line, jsonReplacer))
  }

  /** Says on standard error what people should know beside the result. */
  note(text: string): void {
    if (!this.json && !this.#quiet) this.#surroundings.error(`psctx: ${text}\n`)
  }

  /** A table that is as wide as the terminal at most, and cuts nothing off. Cells are made printable. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map(printable))
    const table = new Table({
      head: head.map((title) => this.colors.bold(title)),
      style: { head: [], border: [] },
      chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
      wordWrap: true,
      wrapOnWordBoundary: false,
      colWidths: fit([head, ...cells], this.columns),
    })
    table.push(...cells.map((row) => [...row]))
    return table.toString()
  }
}
