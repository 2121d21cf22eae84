/** `psctx inspect`. */
import type { Command } from 'commander'

import type { Filter, InspectedContext } from '../../index'
import type { InspectDocument } from '../../json'

import { addExamples, openReport } from '../help'
import { addKernelOptions, withFilter, withStream, type KernelOptions } from '../kernel'
import type { Output, OutputOptions } from '../output'
import { printable } from '../text'
import type { Runtime } from '../runtime'

type Options = KernelOptions & OutputOptions

const holders: Readonly<Record<InspectedContext['holder'], string>> = {
  self: 'this session',
  'other-session': 'another user of psctx',
  'other-filter': 'another filter',
}

/** The minifilters that Filter Manager's contexts may be on behalf of. */
function tellMinifilters(output: Output, contexts: readonly InspectedContext[]): string[] {
  const found = contexts.find((context) => context.holder === 'other-filter' && context.filterManager)
  if (found?.holder !== 'other-filter') return []
  const text = `${found.module}: Filter Manager’s own, on behalf of the minifilters that have set a context here.`
  if (found.minifilters === undefined) return [text]
  if (found.minifilters.length === 0) return [`${text} None is attached to this volume.`]
  const rows = found.minifilters.map(({ altitude, filter, instance }) => [altitude, filter, instance])
  return [
    `${text} They are among those that are attached to this volume:`,
    output.table(['altitude', 'minifilter', 'instance'], rows),
  ]
}

function tell(output: Output, { path, contexts }: InspectDocument): string {
  if (contexts.length === 0) return `No filter holds a per-stream context on ${printable(path)}.`
  const rows = contexts.map((context) => {
    const { holder, module, offset, ownerName, ownerToken } = context
    const own = holder === 'self' ? `, owner ${context.owner}, instance ${context.instance}` : ''
    const callback = module === undefined ? 'in no known image' : `${module}+0x${(offset ?? 0).toString(16)}`
    return [`${holders[holder]}${own}`, callback, ownerName ?? '', ownerToken]
  })
  return [output.table(['held by', 'FreeCallback', 'owner', 'token'], rows), ...tellMinifilters(output, contexts)].join(
    '\n',
  )
}

/** Says why minifilters that are wanted could not be listed. */
function noteFailure(output: Output, filter: Filter, path: string, contexts: readonly InspectedContext[]): void {
  const isMissing = contexts.some(
    (context) => context.holder === 'other-filter' && context.filterManager && context.minifilters === undefined,
  )
  if (!isMissing) return
  try {
    filter.minifilters(path)
  } catch (error) {
    output.note(`the minifilters could not be listed: ${(error as Error).message}`)
  }
}

export function addInspect(program: Command, runtime: Runtime): void {
  const command = program
    .command('inspect')
    .description('list the per-stream contexts on a file, a named stream or a directory, of whatever filter')
    .argument('<path>', 'the stream')
    .option('--json', 'print JSON (InspectDocument)')
    .action(async (path: string, options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, true, (access) =>
        withStream(runtime, access, path, (stream) => {
          const contexts = stream.inspect()
          noteFailure(output, access.filter, stream.path, contexts)
          return output.show({ command: 'inspect', path, contexts }, (document) => tell(output, document))
        }),
      )
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    ...(runtime.isWindows
      ? [String.raw`psctx inspect "M:\report.docx"`, String.raw`psctx inspect "M:\report.docx:notes" --json`]
      : ['psctx inspect N:/report.docx --volume N:=/mnt/ntfs']),
    ...openReport(runtime),
    'psctx> insert report --data seen',
    'psctx> inspect report',
  )
}
