/** `psctx lookup`. */
import { Option, type Command } from 'commander'

import type { StreamContext } from '../../index'
import type { LookupDocument } from '../../json'

import { exitCode } from '../failure'
import { addExamples, openReport } from '../help'
import { addKernelOptions, withFilter, withStream, type KernelOptions } from '../kernel'
import type { Output, OutputOptions } from '../output'
import { asText, count, hexDump } from '../text'
import type { Runtime } from '../runtime'
import { identifierOption, toIdentifier } from '../values'
import { CommandError } from '../win32-error'

interface Options extends KernelOptions, OutputOptions {
  readonly owner: bigint
  readonly instance?: bigint
  readonly raw?: true
}

/** A context with its data, as text where that can be shown. */
export function tellContext({ owner, instance, pool, lifetime, sequence, data }: StreamContext): string {
  const head = `owner ${owner}, instance ${instance}, ${pool} pool, lifetime ${lifetime}, sequence ${sequence}, ${count(data.length, 'byte')}`
  return data.length === 0 ? head : `${head}\n${asText(data) ?? hexDump(data)}`
}

/** The failure to find a context, which sets the exit code. */
export function noContext(path: string, what: string, runtime: Runtime): CommandError {
  const next =
    runtime.shell === undefined
      ? 'A command finds what its own session has inserted: use `psctx shell`, which keeps one open; `psctx inspect` tells of everybody’s contexts.'
      : '`list` tells what there is; a stream that nothing has open loses its contexts (`open` keeps it open).'
  return new CommandError(`There is no ${what} on ${path}. ${next}`)
}

async function show(found: StreamContext | undefined, path: string, options: Options, output: Output): Promise<void> {
  if (options.raw === true && found !== undefined) return output.raw(found.data)
  const document: LookupDocument = { command: 'lookup', path, context: found ?? null }
  if (output.json || found !== undefined) await output.show(document, () => tellContext(found!))
}

export function addLookup(program: Command, runtime: Runtime): void {
  const command = program
    .command('lookup')
    .description('look up the youngest of the session’s contexts that matches, and print its data')
    .argument('<path>', 'the stream')
    .addOption(identifierOption('--owner <number>', 'owner key'))
    .option('--instance <number>', 'which of the owner’s contexts; any when nothing is said', toIdentifier)
    .addOption(new Option('--json', 'print JSON (LookupDocument)').conflicts('raw'))
    .option('--raw', 'print the bytes of the data and nothing else')
    .action(async (path: string, options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, true, (access) =>
        withStream(runtime, access, path, async (stream) => {
          const { owner, instance } = options
          const found = stream.lookup({ owner, instance })
          await show(found, path, options, output)
          if (found !== undefined) return
          if (!output.json) throw noContext(path, 'such context', runtime)
          runtime.code = exitCode.wrong
        }),
      )
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    ...openReport(runtime),
    'psctx> insert report --instance 1 --data seen',
    'psctx> lookup report --instance 1',
    'psctx> lookup report --raw',
  )
}
