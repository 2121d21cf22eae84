/** `psctx insert`. */
import { Option, type Command } from 'commander'

import type { Insertion, InsertionResult, PerStreamContextError, Stream } from '../../index'
import type { InsertDocument } from '../../json'

import { addExamples } from '../help'
import { addKernelOptions, withFilter, withStream, type KernelOptions } from '../kernel'
import type { OutputOptions } from '../output'
import { count, printable } from '../text'
import type { Runtime } from '../runtime'
import { addDataOptions, readData, identifierOption, type DataOptions } from '../values'
import { CommandError } from '../win32-error'

interface Options extends KernelOptions, OutputOptions, DataOptions {
  readonly owner: bigint
  readonly instance: bigint
  readonly pool: NonNullable<Insertion['pool']>
  readonly lifetime: NonNullable<Insertion['lifetime']>
  readonly ifExists: NonNullable<Insertion['ifExists']>
}

const done: Readonly<Record<InsertionResult['outcome'], string>> = {
  inserted: 'inserted',
  kept: 'kept the one that was there',
  replaced: 'replaced the one that was there',
  added: 'added before the one that was there',
}

function tell({ outcome, owner, instance, dataLength, sequence }: InsertDocument): string {
  return `${done[outcome]}: owner ${owner}, instance ${instance}, ${count(dataLength, 'byte')}, sequence ${sequence}`
}

/** What became of a context that is not there any more when one looks for it. */
function explainEnd(
  { path, tornDown }: InsertDocument,
  lifetime: Options['lifetime'],
  inShell: boolean,
): string | undefined {
  if (tornDown) {
    const next = inShell
      ? `\`open NAME ${printable(path)}\` keeps it open.`
      : '`open` in `psctx shell` keeps a stream open.'
    return `the file system has torn the context down: nothing else has the stream open. ${next}`
  }
  if (inShell || lifetime === 'stream') return undefined
  return 'the context ends with this command, whose session it belongs to: `psctx shell` keeps a session open.'
}

/** Inserts, and says in the words of the command line what to do about a context that is there already. */
function insertOn(stream: Stream, path: string, options: Insertion): InsertionResult {
  try {
    return stream.insert(options)
  } catch (error) {
    if ((error as PerStreamContextError).code !== 'STATUS_OBJECT_NAME_COLLISION') throw error
    throw new CommandError(
      `${printable(path)} has a context of this owner and instance already. Say --if-exists keep, replace or add, or name another --instance.`,
      { cause: error },
    )
  }
}

export function addInsert(program: Command, runtime: Runtime): void {
  const command = program
    .command('insert')
    .description('insert a per-stream context on a file, a named stream or a directory')
    .argument('<path>', 'the stream')
    .addOption(identifierOption('--owner <number>', 'owner key'))
    .addOption(identifierOption('--instance <number>', 'tells an owner’s contexts apart'))
  addDataOptions(command)
    .addOption(new Option('--pool <pool>', 'where the kernel keeps it').choices(['paged', 'nonpaged']).default('paged'))
    .addOption(
      new Option('--lifetime <lifetime>', 'how long it lives at most')
        .choices(['session', 'stream'])
        .default('session'),
    )
    .addOption(
      new Option('--if-exists <what>', 'what to do where the owner has this instance already')
        .choices(['fail', 'keep', 'replace', 'add'])
        .default('fail'),
    )
    .option('--json', 'print JSON (InsertDocument)')
    .action(async (path: string, options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, false, async (access) => {
        const { owner, instance, pool, lifetime, ifExists } = options
        const data = await readData(options, access.filter.limits.dataLength, runtime)
        const insert = async (stream: Stream, close: () => boolean) => {
          const result = insertOn(stream, path, { owner, instance, data, pool, lifetime, ifExists })
          const tornDown = close()
          const document: InsertDocument = {
            command: 'insert',
            path,
            owner,
            instance,
            dataLength: data.length,
            ...result,
            tornDown,
          }
          await output.show(document, tell)
          const note = explainEnd(document, lifetime, runtime.shell !== undefined)
          if (note !== undefined) output.note(note)
        }
        await withStream(runtime, access, path, insert, { make: true })
      })
    })
  addKernelOptions(command, runtime)
  addExamples(
    command,
    runtime,
    String.raw`psctx insert "M:\report.docx" --instance 1 --data seen`,
    String.raw`psctx insert "M:\report.docx:notes" --owner 0x2a --data-hex "00 ff" --pool nonpaged --json`,
  )
}
