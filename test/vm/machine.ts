/** A Windows machine at the other end of a connection: its facts, its commands, its restarts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { parseFacts, type Facts } from './facts'
import { Connection, ConnectionError, type Output, type Target } from './ssh'

/** A failure whose message says it all. */
export class RecipeError extends Error {}

export type ScriptName = 'facts' | 'mark' | 'end-processes' | 'restore-verifier'

/** The longest command line that cmd.exe takes. */
const longestCommand = 8191

/** How long a machine may take to tell its facts, in milliseconds. */
const longestFacts = 120_000

/**
 * The command that runs one of the scripts, with variables set to texts. It is the same for cmd.exe and PowerShell as the user's shell, and
 * no execution policy keeps it from running.
 */
export function powershellCommand(
  scripts: string,
  name: ScriptName,
  variables: Readonly<Record<string, string>> = {},
): string {
  const read = (file: string) => readFileSync(join(scripts, `${file}.ps1`), 'utf8')
  const values = Object.entries(variables).map(([key, value]) => `$${key} = '${value.replaceAll("'", "''")}'\n`)
  const text = Buffer.from(read('prelude') + values.join('') + read(name), 'utf16le').toString('base64')
  const command = `powershell.exe -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ${text}`
  if (command.length > longestCommand) throw new RangeError(`${name}.ps1 with its variables is too long for cmd.exe`)
  return command
}

export interface Surroundings {
  /** The directory of the PowerShell scripts. */
  readonly scripts: string
  /** How long the machine may take to restart, in milliseconds. */
  readonly wait: number
  readonly tell: (line: string) => void
}

export class Machine {
  readonly #target: Target
  readonly #surroundings: Surroundings
  #connection: Connection | undefined
  /** Ends whatever is under way. */
  signal: AbortSignal

  constructor(target: Target, surroundings: Surroundings, signal: AbortSignal) {
    this.#target = target
    this.#surroundings = surroundings
    this.signal = signal
  }

  get connected(): boolean {
    return this.#connection !== undefined
  }

  async connect(): Promise<void> {
    this.#connection = await Connection.open(this.#target, this.signal)
  }

  async close(): Promise<void> {
    await this.#connection?.close()
    this.#connection = undefined
  }

  /** Runs a command line. Throws ConnectionError when the connection is gone. */
  run(command: string, limit?: number): Promise<Output> {
    return this.#use((connection) => connection.run(command, this.signal, limit))
  }

  async #use<T>(action: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#connection === undefined) throw new ConnectionError('there is no connection')
    try {
      return await action(this.#connection)
    } catch (error) {
      if (error instanceof ConnectionError) await this.close()
      throw error
    }
  }

  /** Runs a command line that must succeed. */
  async must(command: string, limit?: number): Promise<Output> {
    const output = await this.run(command, limit)
    if (output.status !== 0) {
      const said = [output.stderr, output.stdout.toString().trim()].filter(Boolean).join('\n')
      throw new RecipeError(`${command.slice(0, 100)} ended with ${output.status}: ${said}`)
    }
    return output
  }

  /** Runs sftp's commands, which must succeed. */
  async transfer(commands: readonly string[]): Promise<void> {
    await this.#use((connection) => connection.transfer(commands, this.signal))
  }

  powershell(name: ScriptName, variables?: Readonly<Record<string, string>>): Promise<Output> {
    return this.must(powershellCommand(this.#surroundings.scripts, name, variables))
  }

  async facts(): Promise<Facts> {
    const { stdout } = await this.must(powershellCommand(this.#surroundings.scripts, 'facts'), longestFacts)
    const facts = parseFacts(stdout.toString())
    if (facts === undefined) {
      throw new RecipeError(
        `${this.#target.destination} is no administrator there: take one, whose key is in administrators_authorized_keys.`,
      )
    }
    return facts
  }

  /** Waits, as long as a restart may take, until there is a connection and `isBack` holds. */
  async waitUntil(isBack: (facts: Facts) => boolean, what: string): Promise<Facts> {
    const { wait, tell } = this.#surroundings
    const begin = performance.now()
    let said = 'it has not restarted'
    tell(`waiting ${wait / 1000} seconds at most until ${what}`)
    for (let pause = 100; performance.now() - begin < wait; pause = Math.min(pause * 2, 5000)) {
      try {
        if (this.#connection === undefined) await this.connect()
        const facts = await this.facts()
        if (isBack(facts)) return facts
      } catch (error) {
        this.signal.throwIfAborted()
        // A system that is about to stop, or has just started, fails somehow.
        said = error instanceof Error ? error.message : String(error)
        await this.close()
      }
      await sleep(pause, undefined, { signal: this.signal })
    }
    throw new RecipeError(`the machine did not come back within ${wait / 1000} seconds: ${said}`)
  }

  /** Restarts the machine, which has the mark, and waits until it is back without. */
  async restart(): Promise<Facts> {
    try {
      await this.must('shutdown.exe /r /f /t 0')
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
    }
    return this.waitUntil(({ marked }) => !marked, 'the machine has restarted')
  }
}
