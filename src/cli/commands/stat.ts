/** `psctx stat`. */
import type { Command } from 'commander'

import type { FilterLimits, FilterStatistics, Front } from '../../index'
import type { StatDocument } from '../../json'

import { addExamples } from '../help'
import { addKernelOptions, withFilter, type KernelOptions } from '../kernel'
import type { Output, OutputOptions } from '../output'
import type { Runtime } from '../runtime'

type Options = KernelOptions & OutputOptions

type Counter = keyof FilterStatistics['session'] | keyof FilterStatistics['total']

/** What is counted, in words, in the order that it is told in. */
const counters: readonly (readonly [Counter, string])[] = [
  ['contexts', 'contexts now'],
  ['pagedBytes', 'bytes of paged pool'],
  ['nonPagedBytes', 'bytes of nonpaged pool'],
  ['pagedRecordBytes', 'paged bytes of what is no context'],
  ['nonPagedRecordBytes', 'nonpaged bytes of what is no context'],
  ['inserted', 'contexts inserted'],
  ['removed', 'contexts removed'],
  ['tornDown', 'contexts torn down'],
  ['missed', 'opens that rules have missed'],
  ['sessions', 'filters that are open'],
  ['attachedVolumes', 'attached volumes'],
  ['attachedFileSystems', 'attached file systems'],
]

const limits: Readonly<Record<keyof FilterLimits, string>> = {
  dataLength: 'bytes of data in a context',
  contexts: 'contexts',
  owners: 'owner keys',
  pagedBytes: 'bytes of paged pool',
  nonPagedBytes: 'bytes of nonpaged pool',
  batchOperations: 'operations in a batch',
  transfer: 'bytes of requests, or of replies, in a batch',
  streamContexts: 'contexts on a stream, of every filter',
  sessions: 'filters and readers of events that are open, of every process',
  pagedRecordBytes: 'paged bytes of what is no context',
  nonPagedRecordBytes: 'nonpaged bytes of what is no context',
  readers: 'readers of events',
  waits: 'requests of a reader that wait',
}

const fronts: Readonly<Record<Front, string>> = { legacy: 'a legacy filter', minifilter: 'a minifilter' }

function tell(output: Output, document: StatDocument): string {
  const session: Readonly<Record<string, number>> = document.statistics.session
  const total: Readonly<Record<string, number>> = document.statistics.total
  const rows = counters.map(([key, text]) => [text, String(session[key] ?? ''), String(total[key] ?? '')])
  const limitRows = Object.entries(limits).map(([key, text]) => [
    text,
    String(document.limits[key as keyof FilterLimits]),
  ])
  return [
    `psctx ${document.version}, ${fronts[document.front]} ${document.kernel === 'host' ? 'in the embedded kernel' : 'in Windows'}`,
    output.table(['', 'this session', 'all'], rows),
    output.table(['a session has at most', ''], limitRows),
  ].join('\n')
}

export function addStat(program: Command, runtime: Runtime): void {
  const command = program
    .command('stat')
    .description('print the driver’s counters, and the limits that hold')
    .option('--json', 'print JSON (StatDocument)')
    .action(async (options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, true, ({ filter }) => {
        const { kernel, version, front } = filter
        const document: StatDocument = {
          command: 'stat',
          kernel,
          version,
          front,
          statistics: filter.statistics(),
          limits: filter.limits,
        }
        return output.show(document, (told) => tell(output, told))
      })
    })
  addKernelOptions(command, runtime)
  addExamples(command, runtime, 'psctx stat', 'psctx stat --json')
}
