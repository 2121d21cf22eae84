/** `psctx watch`. */
import type { Command } from 'commander'

import type { Filter, FilterEvent, FilterEvents, TrackingRule, TrackingStatistics } from '../../index'

import { UsageError } from '../failure'
import { addExamples, openReport, shellPrompt } from '../help'
import { addKernelOptions, withFilter, type KernelOptions } from '../kernel'
import { drawLive } from '../live'
import type { Output, OutputOptions } from '../output'
import type { Runtime } from '../runtime'
import { describeEvent, Tally } from '../tally'
import { toCount, identifierOption, toVolumeName } from '../values'

interface Options extends KernelOptions, OutputOptions {
  readonly on?: string
  readonly owner: bigint
  readonly instance: bigint
  readonly count?: number
}

/** How long the kernel may be silent, in milliseconds, until what happened before the end has been told. */
const silence = 50

/** The events until so many were told or `signal` is aborted; what happened before that is still told. */
async function* readEvents(
  events: FilterEvents,
  maximum: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<FilterEvent, void> {
  let timer: NodeJS.Timeout | undefined
  let end = Infinity
  const postpone = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      events.close()
    }, silence)
  }
  const stop = () => {
    end = Date.now()
    postpone()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    let told = 0
    for await (const event of events) {
      if (event.date.getTime() > end) return
      yield event
      told += 1
      if (told === maximum) return
      if (signal.aborted) postpone()
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    events.close()
  }
}

async function watch(
  filter: Filter,
  match: string | undefined,
  options: Options,
  output: Output,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const { owner, instance, on } = options
  const events = filter.events()
  let rule: TrackingRule | undefined
  try {
    if (match !== undefined) rule = filter.track({ match, volume: on, owner, instance, count: true })
    const statistics = (): TrackingStatistics | undefined => rule?.statistics()
    const tally = new Tally()
    runtime.started()
    const tell = async (told: (event: FilterEvent) => Promise<void> | undefined) => {
      for await (const event of readEvents(events, options.count, signal)) {
        tally.add(event)
        await told(event)
      }
    }
    const terminal = runtime.liveTerminal(output)
    if (terminal !== undefined) {
      const view = () => tally.draw(output, terminal.rows, statistics())
      await drawLive(terminal, view, (changed) =>
        tell(() => {
          changed()
          return undefined
        }),
      )
    } else {
      await tell((event) => (output.json ? output.line(event) : output.say(describeEvent(event))))
      output.note(tally.describe(statistics()))
    }
  } finally {
    rule?.close()
    events.close()
  }
}

export function addWatch(program: Command, runtime: Runtime): void {
  const inShell = runtime.shell !== undefined
  const command = program
    .command('watch')
    .description(
      inShell
        ? 'tell what happens to the session’s contexts; with names, hang one on streams that are opened as well'
        : 'hang a context on streams as they are opened, and tell when they are opened, closed and torn down',
    )
    .argument(
      inShell ? '[match]' : '<match>',
      'names to watch, with wildcards, such as "*\\report.docx"; case does not matter',
    )
    .option('--on <volume>', 'on this volume alone, such as C:', toVolumeName)
    .addOption(identifierOption('--owner <number>', 'of the contexts'))
    .addOption(identifierOption('--instance <number>', 'of the contexts'))
    .option('--count <events>', 'end after so many events', toCount)
    .option('--json', 'print a line of JSON for each event (WatchLine)')
    .action(async (match: string | undefined, options: Options) => {
      if (match === undefined && options.on !== undefined) {
        throw new UsageError('--on is about names to watch. Name some, such as "*".')
      }
      const output = runtime.output(options)
      await withFilter(runtime, options, output, false, ({ filter }) =>
        runtime.untilInterrupted((signal) => watch(filter, match, options, output, runtime, signal)),
      )
    })
  addKernelOptions(command, runtime)
  command.addHelpText(
    'after',
    '\nOn a terminal it draws the latest streams and events, else it prints a line for each event. Ctrl-C ends it, with sums.\n' +
      'Names are those of files below their volume, as \\directory\\file:stream.' +
      (runtime.isWindows || inShell
        ? ''
        : ' What opens files on the embedded kernel is this process alone: watch in `psctx shell`.'),
  )
  addExamples(
    command,
    runtime,
    ...(runtime.isWindows
      ? [String.raw`psctx watch "*\report.docx"`, 'psctx watch "*.docx" --on C: --json > events.ndjson']
      : ['psctx watch "*.docx" --json > events.ndjson']),
    String.raw`${shellPrompt}watch "*.docx" --count 4 &`,
    ...openReport(runtime),
    `${shellPrompt}close report`,
    `${shellPrompt}wait`,
  )
}
