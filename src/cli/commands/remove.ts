/** `psctx remove`. */
import { Option, type Command } from 'commander'

import type { ContextIdentity } from '../../index'
import type { RemoveDocument } from '../../json'

import { exitCode } from '../failure'
import { addExamples, openReport } from '../help'
import { addKernelOptions, withFilter, withStream, type KernelOptions } from '../kernel'
import type { OutputOptions } from '../output'
import { count } from '../text'
import type { Runtime } from '../runtime'
import { toIdentifier } from '../values'

import { noContext, tellContext } from './lookup'

interface Options extends KernelOptions, OutputOptions {
  readonly owner?: bigint
  readonly instance?: bigint
  readonly all?: true
}

function tell({ removed, context }: RemoveDocument): string {
  return context === null ? `removed ${count(removed, 'context')}` : `removed ${tellContext(context)}`
}

export function addRemove(program: Command, runtime: Runtime): void {
  const command = program
    .command('remove')
    .description('remove the context that lookup would find')
    .argument('<path>', 'the stream')
    .option('--owner <number>', 'owner key, decimal or 0x…; 0 when nothing is said, with --all every one', toIdentifier)
    .option('--instance <number>', 'which of the owner’s contexts; any when nothing is said', toIdentifier)
    .addOption(new Option('--all', 'remove every context of the owner, or of the session').conflicts('instance'))
    .option('--json', 'print JSON (RemoveDocument)')
    .action(async (path: string, options: Options) => {
      const output = runtime.output(options)
      const { owner, instance } = options
      await withFilter(runtime, options, output, false, (access) =>
        withStream(runtime, access, path, async (stream) => {
          if (options.all === true) {
            const removed = stream.removeAll(owner === undefined ? {} : { owner })
            return output.show({ command: 'remove', path, removed, context: null }, tell)
          }
          const identity: ContextIdentity = { owner: owner ?? 0n, ...(instance === undefined ? {} : { instance }) }
          const context = stream.remove(identity) ?? null
          const document: RemoveDocument = { command: 'remove', path, removed: context === null ? 0 : 1, context }
          if (context === null && !output.json) throw noContext(path, 'such context', runtime)
          await output.show(document, tell)
          if (context === null) runtime.code = exitCode.wrong
        }),
      )
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    ...openReport(runtime),
    'psctx> insert report --instance 1 --data seen',
    'psctx> remove report --instance 1',
    'psctx> remove report --all',
  )
}
