/** The command line of psctx: its commands, what they print, and what they exit with. */
import Table from 'cli-table3'
import { Command, CommanderError, InvalidArgumentError } from 'commander'

import type { Filter } from '../filter'
import { jsonReplacer } from '../json'

import { formatContexts, formatEvent, inspect, watch } from './contexts'
import { diagnose, type Facts, type Finding, isHealthy } from './doctor'
import {
  describeStatus,
  type DriverMachine,
  install,
  type InstallOptions,
  isFine,
  type Report,
  start,
  status,
  stop,
  uninstall,
} from './driver'
import { CommandError } from './win32-error'

/** All is well; something is wrong or has failed; the command line itself is wrong. */
export const exitCode = { fine: 0, wrong: 1, usage: 2 } as const

/** What the program acts on. Its machine and its facts are asked for only by the commands that need them. */
export interface Surroundings {
  readonly version: string
  /** As `process.platform` has it. */
  readonly platform: string
  /** How many columns the output has. */
  readonly columns: number
  out(text: string): void
  error(text: string): void
  /** Of Windows only. */
  machine(): Promise<DriverMachine>
  facts(): Promise<Facts>
  /** Opens the driver; of Windows only. */
  filter(options: { readonly readOnly: boolean }): Promise<Filter>
  /** Aborted when the user wants the command to end. */
  interrupted(): AbortSignal
}

interface JsonOption {
  readonly json?: boolean
}

interface WatchCommandOptions extends JsonOption {
  readonly volume?: string
  readonly count?: number
}

function toCount(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('It must be a number from 1 on.')
  return count
}

const levels: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok',
  warning: 'warning',
  problem: 'PROBLEM',
  unknown: 'unknown',
}

/** The findings as a table that is as wide as the terminal. */
export function formatFindings(findings: readonly Finding[], columns: number): string {
  const [check, level, borders] = [20, 9, 5]
  const half = Math.max(20, Math.floor((columns - check - level - borders) / 2))
  const table = new Table({
    head: ['check', '', 'found', 'what to do'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [check, level, half, half],
  })
  // A word that is longer than its column, such as a path, would be cut off.
  const breakWords = (text: string) => text.replace(new RegExp(`\\S{${half - 2}}`, 'g'), '$& ')
  for (const finding of findings) {
    table.push([finding.check, levels[finding.level], breakWords(finding.found), breakWords(finding.advice ?? '')])
  }
  return table.toString()
}

/** Runs a command line (without the program's own name) and returns what to exit with. */
export async function run(line: readonly string[], surroundings: Surroundings): Promise<number> {
  let code: number = exitCode.fine

  const say = (report: Report) => {
    for (const sentence of report) surroundings.out(`${sentence}\n`)
  }
  const sayJson = (value: unknown) => {
    surroundings.out(`${JSON.stringify(value, null, 2)}\n`)
  }
  const machine = async () => {
    if (surroundings.platform === 'win32') return surroundings.machine()
    throw new CommandError(
      `There is no driver to manage on ${surroundings.platform}: the package runs it in its embedded kernel, ` +
        'which openFilter() starts by itself. Run `psctx doctor` to see whether that works.',
    )
  }

  const openFilter = async (readOnly: boolean) => {
    if (surroundings.platform === 'win32') return surroundings.filter({ readOnly })
    throw new CommandError(
      `There are no streams of Windows to look at on ${surroundings.platform}: in scripts, openFilter() has the embedded kernel's.`,
    )
  }

  const program = new Command('psctx')
    .description('Tells who holds per-stream contexts, and manages the driver that it takes.')
    .version(surroundings.version, '-V, --version', 'print the version of the package')
    .helpOption('-h, --help', 'print what a command does')
    .helpCommand('help [command]', 'print what a command does')
    .addHelpText('after', '\nExit codes: 0 all is well, 1 something is wrong or has failed, 2 wrong usage.')
    .configureOutput({
      writeOut: (text) => {
        surroundings.out(text)
      },
      writeErr: (text) => {
        surroundings.error(text)
      },
    })
    .exitOverride()
    .showHelpAfterError('(`psctx --help` tells the commands, `psctx COMMAND --help` the options.)')

  const driver = program
    .command('driver')
    .description('install, start, stop and uninstall the driver (Windows, as an administrator)')

  driver
    .command('install')
    .description('copy psctx.sys to the system and create its service; start it with "driver start"')
    .option('--driver <file>', "the psctx.sys to install (default: the package's own, for this machine)")
    .option('--allow-unload', 'let the driver be stopped: for test machines')
    .action(async (options: InstallOptions) => {
      say(install(await machine(), options))
    })

  driver
    .command('start')
    .description('load the driver')
    .action(async () => {
      say(start(await machine()))
    })

  driver
    .command('stop')
    .description('unload the driver, if it was installed with --allow-unload')
    .action(async () => {
      say(await stop(await machine()))
    })

  driver
    .command('uninstall')
    .description('stop the driver if it can be, and delete its service and file')
    .action(async () => {
      say(await uninstall(await machine()))
    })

  driver
    .command('status')
    .description('tell whether the driver is installed and runs; exits with 0 if it runs')
    .option('--json', 'print JSON')
    .action(async ({ json }: JsonOption) => {
      const found = status(await machine())
      if (json === true) sayJson(found)
      else say(describeStatus(found))
      code = isFine(found) ? exitCode.fine : exitCode.wrong
    })

  program
    .command('inspect')
    .description('list the per-stream contexts on a file, a named stream or a directory, of whatever filter')
    .argument('<path>', 'such as C:\\data\\report.docx:notes')
    .option('--json', 'print JSON')
    .action(async (path: string, { json }: JsonOption) => {
      const filter = await openFilter(true)
      try {
        const contexts = inspect(filter, path)
        surroundings.out(
          `${json === true ? JSON.stringify(contexts, jsonReplacer, 2) : formatContexts(path, contexts)}\n`,
        )
      } finally {
        filter.close()
      }
    })

  program
    .command('watch')
    .description('hang a context on streams as they are opened, and tell when they are opened, closed and torn down')
    .argument('<match>', "names to watch, with wildcards, such as '*\\report.docx'")
    .option('--volume <volume>', 'on this volume alone, such as C:')
    .option('--count <events>', 'end after so many events', toCount)
    .option('--json', 'print a line of JSON for each event')
    .action(async (match: string, { json, ...options }: WatchCommandOptions) => {
      const filter = await openFilter(false)
      try {
        await watch(filter, match, options, surroundings.interrupted(), (event) => {
          surroundings.out(`${json === true ? JSON.stringify(event, jsonReplacer) : formatEvent(event)}\n`)
        })
      } finally {
        filter.close()
      }
    })

  program
    .command('doctor')
    .description('check everything the driver needs, and say what to do; exits with 1 if there is a problem')
    .option('--json', 'print JSON')
    .action(async ({ json }: JsonOption) => {
      const findings = diagnose(await surroundings.facts())
      if (json === true) sayJson({ healthy: isHealthy(findings), findings })
      else surroundings.out(`${formatFindings(findings, surroundings.columns)}\n`)
      code = isHealthy(findings) ? exitCode.fine : exitCode.wrong
    })

  try {
    await program.parseAsync(line, { from: 'user' })
    return code
  } catch (error) {
    // What Commander ends with it has printed itself; 0 is help or the version, when asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.fine : exitCode.usage
    if (!(error instanceof Error)) throw error
    surroundings.error(`psctx: ${error.message}\n`)
    return exitCode.wrong
  }
}
