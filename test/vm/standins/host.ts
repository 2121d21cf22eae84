/** A machine with stand-ins for the programs of Windows, behind an SSH server of its own on this one. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { newMachine, StandInWindows, type State } from './windows'

const sshd = '/usr/sbin/sshd'

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function findPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  return port
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null

/** The processes below one, which goes first. */
function descendantsOf(process_: number): number[] {
  let children: string
  try {
    children = readFileSync(`/proc/${process_}/task/${process_}/children`, 'utf8')
  } catch {
    return [] // it has ended
  }
  return children
    .split(' ')
    .filter(Boolean)
    .map(Number)
    .flatMap((child) => [child, ...descendantsOf(child)])
}

/** Kills a process, which may have ended by itself. */
function end(process_: number): void {
  try {
    process.kill(process_, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export class StandInHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'psctx-host-'))
  readonly windows = new StandInWindows(this.directory, {
    powerOff: () => this.#end(true),
    unplug: () => this.#end(false),
  })
  /** Answers what sshd's commands ask. */
  readonly #programs = createServer((socket) => this.#answer(socket))
  readonly #sockets = new Set<Socket>()
  #port = 0
  #server: ChildProcess | undefined
  /** Whether the machine comes up again after it has gone down. */
  returns = true

  #write(name: string, text: string): string {
    const path = join(this.directory, name)
    writeFileSync(path, text)
    return path
  }

  /** Makes the keys and starts the server. */
  async start(): Promise<void> {
    const path = (name: string) => join(this.directory, name)
    mkdirSync(path('bin'))
    for (const key of ['host', 'key', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(key)])
    }
    this.#port = await findPort()
    const programs = await listen(this.#programs)
    const publicKey = (name: string) => readFileSync(path(`${name}.pub`), 'utf8')
    this.#write('known_hosts', `[127.0.0.1]:${this.#port} ${publicKey('host')}`)
    this.#write('ssh_config', `UserKnownHostsFile ${path('known_hosts')}\nStrictHostKeyChecking yes\n`)
    const forward = join(__dirname, 'forward.sh')
    const settings = [
      `Port ${this.#port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${path('host')}`,
      'PidFile none',
      `AuthorizedKeysFile ${this.#write('authorized_keys', publicKey('key'))}`,
      'StrictModes no',
      'UsePAM no',
      'UseDNS no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'Subsystem sftp internal-sftp',
      // No start-up file of the user's own shell is to be run.
      `SetEnv HOME=${this.directory}`,
      `ForceCommand exec bash ${forward} ${this.windows.locate('.')} ${programs}`,
    ]
    this.#write('sshd_config', `${settings.join('\n')}\n`)
    for (const program of ['ssh', 'sftp']) {
      const script = `#!/bin/sh\nexec ${execFileSync('which', [program], { encoding: 'utf8' }).trim()} -F ${path('ssh_config')} "$@"\n`
      chmodSync(this.#write(`bin/${program}`, script), 0o755)
    }
    // As root sshd wants the directory that its unprivileged part lives in.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
    await this.#boot()
  }

  /** Starts the server, and waits until it listens. */
  async #boot(): Promise<void> {
    const configuration = join(this.directory, 'sshd_config')
    const server = spawn(sshd, ['-D', '-e', '-f', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    server.stderr.on('data', (data: Buffer) => (said += data.toString()))
    this.#server = server
    for (;;) {
      if (!isRunning(server)) throw new Error(`sshd ended: ${said}`)
      const socket = connect(this.#port, '127.0.0.1')
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (isUp) return
      await sleep(20)
    }
  }

  /** Ends the connections, and with `isDown` the server, which comes again if the machine does. */
  #end(isDown: boolean): void {
    const server = this.#server!
    const connections = descendantsOf(server.pid!)
    if (isDown) {
      server.kill('SIGKILL')
      if (this.returns) server.once('exit', () => void this.#boot())
    }
    connections.forEach(end)
    for (const socket of this.#sockets) socket.destroy()
  }

  #answer(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    let request = ''
    socket.on('data', (data) => {
      request += data.toString()
      const [, process_, line] = /^(\d+) (.*)\n$/.exec(request) ?? []
      if (line === undefined) return
      const reply = this.windows.run(line, Number(process_))
      if (reply === undefined) return
      const { status = 0, out = '', error = '' } = reply
      socket.write(`${status}\n${error}\n`)
      socket.end(out)
    })
  }

  /** Makes it a new machine but for what is said. */
  async reset(state: Partial<State>): Promise<void> {
    for (const place of ['C:\\Users\\tester', 'D:\\', 'C:\\Windows\\System32\\drivers', 'C:\\Windows\\Minidump']) {
      rmSync(this.windows.locate(place), { recursive: true })
      mkdirSync(this.windows.locate(place))
    }
    this.windows.state = structuredClone({ ...newMachine, ...state })
    this.windows.commands = []
    this.returns = true
    if (!isRunning(this.#server!)) await this.#boot()
  }

  /** What the recipe is given to reach this machine with one of its keys, or with another one. */
  arguments(key: 'key' | 'other'): string[] {
    const port = String(this.#port)
    return [`${userInfo().username}@127.0.0.1`, '--port', port, '--identity', join(this.directory, key)]
  }

  /** The environment in which ssh knows this machine's key, and no other key of the user's. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${join(this.directory, 'bin')}:${process.env['PATH']}`, SSH_AUTH_SOCK: '' }
  }

  async stop(): Promise<void> {
    this.returns = false
    if (isRunning(this.#server!)) {
      this.#end(true)
      await once(this.#server!, 'exit')
    }
    this.#programs.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
