/** `psctx track`. */
import { setTimeout } from 'node:timers/promises'

import type { Command } from 'commander'

import type { Filter, ListedContext, TrackingRule } from '../../index'
import type { TrackLine } from '../../json'

import { addExamples, openReport, shellPrompt } from '../help'
import { addKernelOptions, withFilter, type KernelOptions } from '../kernel'
import { drawLive } from '../live'
import type { Output, OutputOptions } from '../output'
import { count } from '../text'
import type { Runtime } from '../runtime'
import { identifierOption, toVolumeName } from '../values'

interface Options extends KernelOptions, OutputOptions {
  readonly on?: string
  readonly owner: bigint
  readonly instance: bigint
  readonly count?: true
}

/** Milliseconds between two looks. */
const interval = 500

async function look(filter: Filter, rule: TrackingRule): Promise<TrackLine> {
  const line = { command: 'track' as const, match: rule.match, date: new Date(), ...rule.statistics() }
  if (!rule.count) return line
  const contexts: ListedContext[] = []
  for await (const context of filter.enumerate({ volume: rule.volume })) {
    if (context.byRule && context.owner === rule.owner && context.instance === rule.instance) contexts.push(context)
  }
  return { ...line, contexts }
}

function describe({ match, matched, inserted, missed }: TrackLine): string {
  return `${match}: ${count(matched, 'open')} matched, ${inserted} given a context, ${missed} missed`
}

/** The contexts and what was done with their streams, those first that were opened most. */
function tell(output: Output, line: TrackLine, rows: number): string {
  const { contexts } = line
  if (contexts === undefined || contexts.length === 0) return describe(line)
  const counted = contexts
    .map(({ name, tracked }) => ({ name, ...tracked! }))
    .sort((one, other) => other.opens - one.opens)
  const cells = counted
    .slice(0, rows)
    .map(({ name, opens, cleanups, reads, writes, bytesRead, bytesWritten, lastProcessId }) => [
      name,
      ...[opens, opens - cleanups, reads, writes, bytesRead, bytesWritten, lastProcessId].map(String),
    ])
  const head = ['stream', 'opens', 'open', 'reads', 'writes', 'bytes read', 'bytes written', 'last process']
  const hidden = counted.length - cells.length
  return [
    describe(line),
    output.table(head, cells),
    ...(hidden > 0 ? [`and ${count(hidden, 'stream')} more`] : []),
  ].join('\n')
}

/** Calls `told` with what a look says, at first, whenever it says something else, and at the end. */
async function follow(
  filter: Filter,
  rule: TrackingRule,
  signal: AbortSignal,
  told: (line: TrackLine, isLast: boolean) => Promise<void> | undefined,
): Promise<void> {
  let before = ''
  for (;;) {
    const isLast = signal.aborted
    const line = await look(filter, rule)
    const said = JSON.stringify({ ...line, date: null }, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    if (isLast || said !== before) await told(line, isLast)
    if (isLast) return
    before = said
    await setTimeout(interval, undefined, { signal }).catch(() => undefined) // ends early: one last look
  }
}

async function track(
  filter: Filter,
  match: string,
  options: Options,
  output: Output,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const { owner, instance, on, count: isCounting = false } = options
  const rule = filter.track({ match, volume: on, owner, instance, count: isCounting })
  try {
    runtime.started()
    const terminal = runtime.liveTerminal(output)
    if (terminal === undefined) {
      await follow(filter, rule, signal, (line, isLast) => {
        if (output.json) return output.line(line)
        return output.say(isLast ? tell(output, line, Infinity) : describe(line))
      })
      return
    }
    let text = ''
    await drawLive(
      terminal,
      () => text,
      (changed) =>
        follow(filter, rule, signal, (line) => {
          text = tell(output, line, Math.max(1, terminal.rows - 6))
          changed()
          return undefined
        }),
    )
  } finally {
    rule.close()
  }
}

export function addTrack(program: Command, runtime: Runtime): void {
  const command = program
    .command('track')
    .description('have the driver hang contexts on streams as they are opened, and tell how many, until Ctrl-C')
    .argument('<match>', 'names to track, with wildcards, such as "*\\report.docx"; case does not matter')
    .option('--on <volume>', 'on this volume alone, such as C:', toVolumeName)
    .addOption(identifierOption('--owner <number>', 'of the contexts'))
    .addOption(identifierOption('--instance <number>', 'of the contexts'))
    .option('--count', 'count what is done with the streams: opens, reads, writes, bytes')
    .option('--json', 'print a line of JSON whenever something has changed (TrackLine)')
    .action(async (match: string, options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, false, ({ filter }) =>
        runtime.untilInterrupted((signal) => track(filter, match, options, output, runtime, signal)),
      )
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    'psctx track "*.docx" --count',
    `${shellPrompt}track "*.docx" --count &`,
    ...openReport(runtime),
    ...(runtime.isWindows ? [] : [String.raw`${shellPrompt}write M:\report.docx --data "some text"`]),
    `${shellPrompt}stop`,
  )
}
