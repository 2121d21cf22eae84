/** Runs commands and copies files on another machine, through the programs `ssh` and `sftp`: one connection, which everything shares. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Target {
  /** `user@host`, or a name of ssh's configuration. */
  readonly destination: string
  readonly port?: number
  /** A file with the private key. */
  readonly identity?: string
}

/** No connection, or none any more that is of use. */
export class ConnectionError extends Error {}

export interface Output {
  readonly status: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** What to do about what ssh says, which it says in English wherever it runs. */
const advices: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /Permission denied/,
    'No key of yours is accepted (passwords are not asked for): --identity FILE, and administrators_authorized_keys on the machine',
  ],
  [
    /Host key verification failed/,
    'Connect once with ssh by hand and look at the fingerprint, or add it to known_hosts',
  ],
  [/Could not resolve hostname/, "See to the host's name"],
  [/Identity file .* not accessible|invalid format|bad permissions/, 'See to the private key'],
]

/** Programs are started in a session of their own: Ctrl-C on the terminal is for the recipe, which has something to put back first. */
function start(program: string, args: readonly string[], input: 'ignore' | 'pipe'): ChildProcess {
  return spawn(program, args, { env: process.env, detached: true, stdio: [input, 'pipe', 'pipe'] })
}

function collect(child: ChildProcess): { out: () => Buffer; error: () => string } {
  const out: Buffer[] = []
  const error: Buffer[] = []
  child.stdout!.on('data', (data: Buffer) => out.push(data))
  child.stderr!.on('data', (data: Buffer) => error.push(data))
  return { out: () => Buffer.concat(out), error: () => Buffer.concat(error).toString().trim() }
}

async function exitOf(child: ChildProcess): Promise<number> {
  const [status] = (await once(child, 'close')) as [number | null]
  return status ?? 255
}

export class Connection {
  readonly #target: Target
  readonly #directory: string
  readonly #options: string[]
  readonly #master: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor(
    target: Target,
    directory: string,
    options: string[],
    master: ChildProcess,
    ended: Promise<unknown>,
  ) {
    this.#target = target
    this.#directory = directory
    this.#options = options
    this.#master = master
    this.#ended = ended
  }

  /** Connects. Throws ConnectionError. */
  static async open(target: Target, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted()
    const directory = mkdtempSync(join(tmpdir(), 'psctx-vm-'))
    const control = join(directory, 'control')
    const settings = ['BatchMode=yes', 'ConnectTimeout=15', 'ServerAliveInterval=15', 'ServerAliveCountMax=4']
    if (target.port !== undefined) settings.push(`Port=${target.port}`)
    if (target.identity !== undefined) settings.push(`IdentityFile="${target.identity}"`, 'IdentitiesOnly=yes')
    const options = [...settings, `ControlPath=${control}`].flatMap((setting) => ['-o', setting])
    const master = start('ssh', [...options, '-o', 'ControlMaster=yes', '-N', target.destination], 'ignore')
    const { error } = collect(master)
    const ended = exitOf(master)
    let failure: Error | undefined
    ended.catch((reason: unknown) => {
      failure = reason as Error
    })
    const abort = () => master.kill()
    signal?.addEventListener('abort', abort)
    while (!existsSync(control) && master.exitCode === null && master.signalCode === null && failure === undefined) {
      await sleep(20)
    }
    signal?.removeEventListener('abort', abort)
    if (existsSync(control)) return new Connection(target, directory, options, master, ended)
    await ended.catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
    signal?.throwIfAborted()
    if (failure !== undefined) throw new ConnectionError(`ssh cannot be started: ${failure.message}`)
    const advice = advices.find(([pattern]) => pattern.test(error()))?.[1]
    const said = error().split('\n').at(-1)?.trim() ?? ''
    throw new ConnectionError(`${target.destination}: ${said}${advice === undefined ? '' : `. ${advice}`}`)
  }

  async #finish(child: ChildProcess, what: string, signal: AbortSignal | undefined, limit: number): Promise<Output> {
    const { out, error } = collect(child)
    const deadline = AbortSignal.timeout(limit)
    // Its output is the connection's as well, which keeps it open as long as the command runs.
    const stop = () => {
      child.kill()
      child.stdout!.destroy()
      child.stderr!.destroy()
    }
    deadline.addEventListener('abort', stop)
    signal?.addEventListener('abort', stop)
    const status = await exitOf(child)
    deadline.removeEventListener('abort', stop)
    signal?.removeEventListener('abort', stop)
    signal?.throwIfAborted()
    if (deadline.aborted) throw new ConnectionError(`no end after ${limit / 60_000} minutes: ${what}`)
    if (status === 255) throw new ConnectionError(`the connection was lost (${error() || 'without a word'}): ${what}`)
    return { status, stdout: out(), stderr: error() }
  }

  /** Runs a command line to its end, at most `limit` milliseconds long. */
  async run(command: string, signal?: AbortSignal, limit = 600_000): Promise<Output> {
    signal?.throwIfAborted()
    const child = start('ssh', [...this.#options, '-n', this.#target.destination, command], 'ignore')
    return this.#finish(child, command.slice(0, 100), signal, limit)
  }

  /** Runs sftp's commands one after the other, from the user's own directory on the machine. Throws if one fails. */
  async transfer(commands: readonly string[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const child = start('sftp', ['-q', ...this.#options, '-b', '-', this.#target.destination], 'pipe')
    child.stdin!.on('error', () => undefined) // what the end of the program tells
    child.stdin!.end(`${commands.join('\n')}\n`)
    const what = `sftp ${commands[0] ?? ''}`
    const { status, stderr } = await this.#finish(child, what, signal, 3_600_000)
    if (status !== 0) throw new Error(`${what}: ${stderr}`)
  }

  /** Settles once the connection has ended, for whatever reason. */
  async ended(): Promise<void> {
    await this.#ended.catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#master.kill()
    await this.ended()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
