/** `psctx inspect`. */
import type { Command } from 'commander'

import type { InspectedContext } from '../../index'
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

function tell(output: Output, { path, contexts }: InspectDocument): string {
  if (contexts.length === 0) return `No filter holds a per-stream context on ${printable(path)}.`
  const rows = contexts.map((context) => {
    const { holder, module, offset, ownerName, ownerToken } = context
    const own = holder === 'self' ? `, owner ${context.owner}, instance ${context.instance}` : ''
    const callback = module === undefined ? 'in no known image' : `${module}+0x${(offset ?? 0).toString(16)}`
    return [`${holders[holder]}${own}`, callback, ownerName ?? '', ownerToken]
  })
  return output.table(['held by', 'FreeCallback', 'owner', 'token'], rows)
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
        withStream(runtime, access, path, (stream) =>
          output.show({ command: 'inspect', path, contexts: stream.inspect() }, (document) => tell(output, document)),
        ),
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
