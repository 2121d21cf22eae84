/** `psctx list`. */
import type { Command } from 'commander'

import type { ListedContext } from '../../index'
import type { ListDocument } from '../../json'

import { UsageError } from '../failure'
import { addExamples, openReport } from '../help'
import { addKernelOptions, withFilter, withStream, type Access, type KernelOptions } from '../kernel'
import type { Output, OutputOptions } from '../output'
import type { Runtime } from '../runtime'
import { toVolumeName } from '../values'

interface Options extends KernelOptions, OutputOptions {
  readonly on?: string
}

function tell(output: Output, { path, contexts }: ListDocument): string {
  if (contexts.length === 0) return `This session has no context ${path === null ? 'anywhere' : `on ${path}`}.`
  const rows = contexts.map(({ name, owner, instance, dataLength, pool, lifetime, sequence, byRule, tracked }) => [
    name,
    String(owner),
    String(instance),
    String(dataLength),
    pool,
    lifetime,
    String(sequence),
    tracked === undefined ? (byRule ? 'yes' : '') : `${tracked.opens} opens, ${tracked.cleanups} cleanups`,
  ])
  return output.table(['stream', 'owner', 'instance', 'bytes', 'pool', 'lifetime', 'sequence', 'by a rule'], rows)
}

async function enumerate({ filter }: Access, volume: string | undefined): Promise<ListedContext[]> {
  const contexts: ListedContext[] = []
  for await (const context of filter.enumerate({ volume })) contexts.push(context)
  return contexts
}

export function addList(program: Command, runtime: Runtime): void {
  const command = program
    .command('list')
    .description('list the session’s contexts, on one stream or everywhere')
    .argument('[path]', 'the stream; every one when nothing is said')
    .option('--on <volume>', 'on this volume alone, such as C:', toVolumeName)
    .option('--json', 'print JSON (ListDocument)')
    .action(async (path: string | undefined, options: Options) => {
      if (path !== undefined && options.on !== undefined) {
        throw new UsageError('A stream and --on were both named. Name one of them.')
      }
      const output = runtime.output(options)
      const show = (contexts: ListedContext[]) =>
        output.show({ command: 'list', path: path ?? null, contexts }, (document) => tell(output, document))
      await withFilter(runtime, options, output, true, async (access) => {
        if (path === undefined) return show(await enumerate(access, options.on))
        await withStream(runtime, access, path, (stream) => show(stream.contexts()))
      })
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    ...openReport(runtime),
    'psctx> insert report --instance 1 --data seen',
    'psctx> list report',
    'psctx> list --json',
  )
}
