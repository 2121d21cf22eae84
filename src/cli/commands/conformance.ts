/** `psctx conformance`. */
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'

import { InvalidArgumentError, type Command } from 'commander'

import type * as Conformance from '../../conformance'
import type { ConformanceProgress, ConformanceResult, ConformanceSummary } from '../../conformance'

import { UsageError } from '../failure'
import { addExamples } from '../help'
import { addKernelOptions, adviseDrive, withFilter, type Access, type KernelOptions } from '../kernel'
import { drawLive } from '../live'
import type { Output, OutputOptions } from '../output'
import { printable } from '../text'
import type { Runtime } from '../runtime'
import { CommandError } from '../win32-error'

type Suite = typeof Conformance

interface Options extends KernelOptions, OutputOptions {
  readonly checks?: string
  readonly seconds?: number
  readonly dismount?: true
  readonly yes?: true
  readonly tap?: true
  readonly markdown?: true
  readonly junit?: string
}

/** Signals that end a process, and are to leave nothing behind; a pipe that its reader has closed is one. */
const endings = ['SIGTERM', 'SIGHUP', 'SIGPIPE'] as const

const words: Readonly<Record<ConformanceResult['verdict'], string>> = {
  pass: 'pass',
  fail: 'FAIL',
  'not-supported': 'none here',
  information: 'not judged',
}

/** The checks that were named. What runs on request only has to be requested as well. */
function toChecks(options: Options, known: Suite['conformanceChecks']): string[] | undefined {
  const ids = options.checks?.split(',').map((id) => id.trim())
  for (const { id, needs } of known) {
    if (needs !== undefined && options[needs] === undefined && ids?.includes(id) === true) {
      throw new UsageError(`${id} runs on request only. Say --${needs}, too.`)
    }
  }
  const unknown = ids?.find((id) => !known.some((check) => check.id === id))
  if (unknown === undefined) return ids
  const names = known.map(({ id }) => id).join(', ')
  throw new UsageError(`There is no check ${JSON.stringify(unknown)}. Name some of ${names}.`)
}

function toSeconds(text: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds > 0) return seconds
  throw new InvalidArgumentError('Write how many seconds, such as 10.')
}

/** Asks on a terminal before a volume is dismounted. Elsewhere `--yes` has to say it. */
async function confirm(directory: string, { dismount, yes }: Options, { surroundings, shell }: Runtime): Promise<void> {
  if (dismount === undefined || yes === true) return
  const { terminal, input } = surroundings
  if (terminal === undefined || input.isTTY !== true || shell !== undefined) {
    throw new UsageError('--dismount takes the volume from every program that uses it. Say --yes if that is meant.')
  }
  const lines = createInterface({ input, output: terminal.output })
  try {
    const answer = await lines.question(
      `Dismount the volume of ${printable(directory)}? Whatever programs have open on it fails then. [y/N] `,
    )
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new UsageError('The volume stays. Leave --dismount out.')
  } finally {
    lines.close()
  }
}

/** Runs until it is interrupted, or told to end by another signal. */
async function untilEnded(runtime: Runtime, action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const end = (): void => {
    controller.abort()
  }
  for (const name of endings) process.on(name, end)
  try {
    await runtime.untilInterrupted((signal) => {
      signal.addEventListener('abort', end, { once: true })
      return action(controller.signal)
    })
  } finally {
    for (const name of endings) process.off(name, end)
  }
}

function describeProgress({ id, finished, total, share }: ConformanceProgress): string {
  const done = share > 0 ? ` (${Math.round(100 * share)} %)` : ''
  return `${finished} of ${total} checks; ${id}${done} …`
}

function describeFailure(output: Output, { id, sentence, evidence, hint, documentation }: ConformanceResult): string {
  return [output.colors.red(`${id}: ${sentence}`), evidence, hint ?? '', documentation]
    .map((line) => `  ${line}`)
    .join('\n')
}

/** What people are told. */
function tell(output: Output, results: readonly ConformanceResult[], { counts, ...place }: ConformanceSummary): string {
  const rows = results.map(({ id, verdict, evidence }) => [words[verdict], id, evidence])
  const failures = results.filter(({ verdict }) => verdict === 'fail')
  return [
    output.table(['', 'check', 'seen'], rows),
    ...(failures.length > 0 ? ['', ...failures.map((failure) => describeFailure(output, failure)), ''] : []),
    `${printable(place.fileSystem)} on ${place.system}, psctx ${place.driver}: ${counts.pass} passed, ${counts.fail} failed, ` +
      `${counts['not-supported']} not here, ${counts.information} not judged`,
  ].join('\n')
}

async function run(
  suite: Suite,
  directory: string,
  checks: readonly string[] | undefined,
  options: Options,
  { filter }: Access,
  output: Output,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const { seconds, dismount, junit, tap, markdown } = options
  const results: ConformanceResult[] = []
  const environment = suite.conformanceEnvironment(directory, filter)
  const collect = async (progress?: (told: ConformanceProgress) => void): Promise<void> => {
    for await (const result of suite.conformance(directory, { filter, checks, seconds, dismount, signal, progress })) {
      results.push(result)
      if (output.json) await output.say(suite.toJsonLine(result))
    }
  }
  const terminal = tap === true || markdown === true ? undefined : runtime.liveTerminal(output)
  if (terminal === undefined) {
    await collect()
  } else {
    let told = 'The checks begin …'
    await drawLive(
      terminal,
      () => told,
      async (changed) => {
        await collect((progress) => {
          told = describeProgress(progress)
          changed()
        })
        told = ''
        changed()
      },
    )
  }
  const summary = suite.summarize(results, environment)
  if (output.json) await output.say(suite.toJsonLine(summary))
  else if (tap === true) await output.say(suite.toTap(results).trimEnd())
  else if (markdown === true) await output.say(suite.toMarkdown(results, summary))
  else await output.say(tell(output, results, summary))
  if (junit !== undefined) await write(junit, suite.toJUnit(results, summary))
  runtime.code = summary.exitCode
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw new CommandError(
      `${path} could not be written (${(error as NodeJS.ErrnoException).code ?? String(error)}). Name another file with --junit.`,
      { cause: error },
    )
  }
}

/** What keeps the checks from running, or their results from being written, is no failure of the file system: its exit code is another. */
function explain(error: unknown, directory: string, runtime: Runtime): unknown {
  if (error instanceof CommandError) return new UsageError(error.message)
  const advice = runtime.isWindows ? undefined : adviseDrive(directory)
  if (error instanceof Error && error.name === 'PerStreamContextError') {
    return new UsageError(advice ?? `The checks could not run: ${error.message}`)
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new UsageError('The checks were interrupted, and what they had made is removed. Run them again.')
  }
  return error
}

export function addConformance(program: Command, runtime: Runtime): void {
  const command = program
    .command('conformance')
    .description(
      'check whether the file system of a directory’s volume keeps its promises to filters; exits with 1 if it does not, with 2 if that could not be checked',
    )
    .argument('<directory>', 'where everything is made and removed, in one new directory')
    .option('--checks <ids>', 'these checks alone, with commas between')
    .option('--seconds <number>', 'also let threads fight over the same names for so long', toSeconds)
    .option('--dismount', 'also dismount the volume, at the end; asks first')
    .option('--yes', 'do not ask before the volume is dismounted')
    .option('--json', 'print a line of JSON for each check, and one for the summary (ConformanceLine)')
    .option('--tap', 'print TAP')
    .option('--markdown', 'print a row for a table of file systems')
    .option('--junit <file>', 'also write JUnit’s XML to a file')
    .action(async (directory: string, options: Options) => {
      const { json, tap, markdown } = options
      if ([json, tap, markdown].filter((format) => format === true).length > 1) {
        throw new UsageError('--json, --tap and --markdown are three formats. Say one of them.')
      }
      const suite = await runtime.surroundings.conformance()
      const checks = toChecks(options, suite.conformanceChecks)
      await confirm(directory, options, runtime)
      const output = runtime.output(options)
      try {
        await withFilter(runtime, options, output, false, (access) =>
          untilEnded(runtime, (signal) => {
            runtime.started()
            return run(suite, directory, checks, options, access, output, runtime, signal)
          }),
        )
      } catch (error) {
        throw explain(error, directory, runtime)
      }
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    String.raw`psctx conformance "M:\"`,
    String.raw`psctx conformance "M:\" --checks survival.rename,teardown.once --json`,
    ...(runtime.isWindows
      ? []
      : ['psctx conformance N:/ --volume N:=/mnt/ntfs --checks support.named-stream,identity.hard-links --tap']),
  )
}
