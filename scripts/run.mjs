// Runs commands for the other scripts: with their output on the terminal, or captured, and never through a shell.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** The checkout's top level. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** True where nothing may be skipped. */
export const inContinuousIntegration = Boolean(process.env.CI)

export class CommandError extends Error {}

/** Runs a command at the top level with its output on the terminal; throws CommandError unless it exits with 0. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw new CommandError(`${command}: ${result.error.message}`)
  if (result.status !== 0)
    throw new CommandError(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`)
}

const endings = new Set()

/**
 * Has an action, which takes no time to wait for, done when this process ends, by Ctrl+C as well: of what is not ended by the same signal. Returns
 * what takes it back.
 */
export function atEnd(action) {
  if (!process.listeners('exit').includes(endAll)) {
    process.on('exit', endAll)
    // A process that a signal ends by itself does not come to its exit.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => process.exit(128 + constants.signals[signal]))
  }
  endings.add(action)
  return () => endings.delete(action)
}

function endAll() {
  for (const action of endings) action()
}

/** What a process ends with, its status or the signal; throws CommandError when it cannot be started. */
export function endOf(child) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CommandError(`${child.spawnfile}: ${error.message}`)))
    child.on('close', (status, signal) => resolve(status ?? signal))
  })
}

/**
 * Runs a command while others run beside it, and throws as `run` does. What it prints is on the terminal in one piece when it has ended.
 */
export async function runBeside(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = [child.stdout, child.stderr].map((stream) => text(stream))
  const end = await endOf(child)
  const [output, errors] = await Promise.all(printed)
  process.stdout.write(output)
  process.stderr.write(errors)
  if (end !== 0) throw new CommandError(`${command} ${args.join(' ')} ended with ${end}`)
}

/** Runs a command and returns its exit status and standard output; standard error goes to the terminal. */
export function capture(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  })
  if (result.error) throw new CommandError(`${command}: ${result.error.message}`)
  return { status: result.status ?? 1, output: result.stdout }
}

/** The path of a program on PATH, or undefined. */
export function which(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .concat('/usr/sbin', '/sbin')
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path))
}

/** The first of several programs that is there. */
export function whichOf(programs) {
  return programs.map(which).find(Boolean)
}
