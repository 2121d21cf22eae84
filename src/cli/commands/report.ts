/** `psctx report`. */
import { writeFile } from 'node:fs/promises'

import type { Command } from 'commander'

import { UsageError } from '../failure'
import { addExamples } from '../help'
import { linesOf } from '../lines'
import type { OutputOptions } from '../output'
import { count } from '../text'
import type { Runtime } from '../runtime'
import { readFile } from '../values'
import { CommandError } from '../win32-error'

interface Options extends OutputOptions {
  readonly output?: string
}

/** The page that is made of recorded events. */
async function render(input: string, runtime: Runtime): Promise<string> {
  const { surroundings, shell } = runtime
  if (input === '-' && shell !== undefined) {
    throw new UsageError('Standard input is where the shell reads its commands. Name the file of events.')
  }
  const { renderReport, ReportInputError } = await surroundings.report()
  try {
    return await renderReport(linesOf(input === '-' ? surroundings.input : readFile(input)))
  } catch (error) {
    if (!(error instanceof ReportInputError)) throw error
    const name = input === '-' ? 'standard input' : input
    throw new CommandError(`Line ${error.line} of ${name} ${error.reason}`, { cause: error })
  }
}

async function write(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page)
  } catch (error) {
    throw new CommandError(
      `${path} could not be written (${(error as NodeJS.ErrnoException).code ?? String(error)}). Name another file with --output.`,
      { cause: error },
    )
  }
}

export function addReport(program: Command, runtime: Runtime): void {
  const command = program
    .command('report')
    .description('make one self-contained HTML page of the events that "watch --json" recorded')
    .argument('<events>', 'a file of events, one line of JSON each; - is standard input')
    .option('-o, --output <file>', 'where the page goes; to standard output when nothing is said')
    .option('--json', 'print JSON about the page (ReportDocument)')
    .action(async (events: string, options: Options) => {
      const output = runtime.output(options)
      const path = options.output
      if (path === undefined && (output.json || runtime.surroundings.terminal !== undefined)) {
        throw new UsageError('The page needs a place. Name a file with --output report.html.')
      }
      const page = await render(events, runtime)
      if (path === undefined) return output.say(page)
      await write(path, page)
      const bytes = Buffer.byteLength(page)
      await output.show({ command: 'report', output: path, bytes }, () => `${path}: ${count(bytes, 'byte')}`)
    })
  addExamples(
    command,
    runtime,
    'psctx report events.ndjson --output report.html',
    'psctx report - --output report.html < events.ndjson',
  )
}
