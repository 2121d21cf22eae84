/** One execution of a command line: what it acts on, how it is told to end, and what it comes to. */
import type { Filter, Stream, VolumeDefinition } from '../index'

import { exitCode, type ExitCode } from './failure'
import { Output, type OutputOptions } from './output'
import type { Surroundings, Terminal } from './surroundings'

/** The embedded kernel's volumes by drive; empty on Windows. */
export type Volumes = Readonly<Record<string, VolumeDefinition>>

/** The session that commands share in the shell. */
export interface ShellSession {
  readonly filter: Filter
  readonly volumes: Volumes
  /** Whether every command prints JSON. */
  readonly json: boolean
  readonly quiet: boolean
  /** Streams that are kept open, by the names of their handles. */
  readonly handles: Map<string, Stream>
  /** Paths that were named, for completion on volumes that cannot be listed. */
  readonly paths: Set<string>
  /** Waits until a command in the background, or each of them, has ended; with `stop`, ends it first. */
  endJobs(number: number | undefined, stop: boolean, signal?: AbortSignal): Promise<ExitCode>
  /** Lets the shell end after this command. */
  end(): void
}

/** What a command of the shell has beside its session. */
export interface ShellCommand {
  readonly session: ShellSession
  readonly signal: AbortSignal
  readonly isBackground: boolean
  /** Called when what goes on has begun. */
  readonly started: () => void
}

export class Runtime {
  readonly surroundings: Surroundings
  readonly shell: ShellSession | undefined
  readonly #command: ShellCommand | undefined
  code: ExitCode = exitCode.fine

  constructor(surroundings: Surroundings, command?: ShellCommand) {
    this.surroundings = surroundings
    this.shell = command?.session
    this.#command = command
  }

  get isWindows(): boolean {
    return this.surroundings.platform === 'win32'
  }

  output({ json, quiet }: OutputOptions): Output {
    const { shell } = this
    const options = { json: json ?? shell?.json, quiet: quiet ?? shell?.quiet }
    return new Output(this.surroundings, options, shell?.json === true)
  }

  /** The terminal that what goes on may be drawn on again and again. */
  liveTerminal(output: Output): Terminal | undefined {
    return output.json || this.#command?.isBackground === true ? undefined : this.surroundings.terminal
  }

  /** Runs what goes on until `signal` says that the user wants it to end; a second Ctrl-C ends the process. */
  async untilInterrupted(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#command !== undefined) return action(this.#command.signal)
    const controller = new AbortController()
    const end = this.surroundings.onInterrupt(() => {
      controller.abort()
      setImmediate(end) // not at once: what else listens (for the cursor) ends the process where nobody does
    })
    try {
      await action(controller.signal)
    } finally {
      end()
    }
  }

  /** What goes on has begun: what follows is not missed. */
  started(): void {
    this.#command?.started()
  }
}
