/** The shell's commands that make things happen to files of the embedded kernel. On Windows other programs do that. */
import type { Command } from 'commander'

import type { HostKernel } from '../../index'

import { addExamples } from '../help'
import type { OutputOptions } from '../output'
import { asText, count, hexDump, printable } from '../text'
import type { Runtime, ShellSession } from '../runtime'
import { addDataOptions, readData, type DataOptions } from '../values'

/** Bytes that are written at most. */
const maximumLength = 64 << 20

interface RenameOptions extends OutputOptions {
  readonly replace?: true
}

function addContent(program: Command, runtime: Runtime, host: HostKernel, shell: ShellSession): void {
  const write = program
    .command('write')
    .description('write a whole file or named stream, and make it if it is not there')
    .argument('<path>', 'the file')
  addDataOptions(write)
    .option('--json', 'print JSON (WriteDocument)')
    .action(async (path: string, options: DataOptions & OutputOptions) => {
      shell.paths.add(path)
      const data = await readData(options, maximumLength, runtime)
      host.writeFile(path, data)
      await runtime
        .output(options)
        .show({ command: 'write', path, bytes: data.length }, () => `wrote ${count(data.length, 'byte')}`)
    })
  addExamples(
    write,
    runtime,
    String.raw`psctx> write M:\report.docx --data text`,
    String.raw`psctx> write M:\report.docx:notes --data-hex "00 ff"`,
  )

  const read = program
    .command('read')
    .description('read a whole file or named stream')
    .argument('<path>', 'the file')
    .option('--json', 'print JSON (ReadDocument)')
    .action(async (path: string, options: OutputOptions) => {
      const data = host.readFile(path)
      await runtime.output(options).show({ command: 'read', path, data }, () => asText(data) ?? hexDump(data))
    })
  addExamples(
    read,
    runtime,
    String.raw`psctx> write M:\report.docx --data text`,
    String.raw`psctx> read M:\report.docx`,
  )
}

/** Commands on one path: what they do, and how it is told when it is done. */
const onePath = [
  {
    name: 'mkdir',
    description: 'make a directory',
    done: 'made',
    act: (host: HostKernel, path: string) => {
      host.mkdir(path)
    },
    examples: [String.raw`psctx> mkdir M:\letters`],
  },
  {
    name: 'unlink',
    description: 'delete a file, a named stream or an empty directory, at once or with its last handle',
    done: 'deleted',
    act: (host: HostKernel, path: string) => {
      host.unlink(path)
    },
    examples: [String.raw`psctx> write M:\report.docx --data text`, String.raw`psctx> unlink M:\report.docx`],
  },
  {
    name: 'dismount',
    description: 'dismount a volume by force: what is open on it stays open and fails',
    done: 'dismounted',
    act: (host: HostKernel, path: string) => {
      host.dismount(path)
    },
    examples: ['psctx> dismount M:'],
  },
] as const

/** Commands on a path that gets another name. */
const twoPaths = [
  {
    name: 'rename',
    description: 'rename a file or a directory, on its volume',
    done: 'renamed to',
    act: (host: HostKernel, path: string, newPath: string, replace: boolean) => {
      host.rename(path, newPath, { replace })
    },
  },
  {
    name: 'link',
    description: 'give a file another name: a hard link, which shares its contexts',
    done: 'also named',
    act: (host: HostKernel, path: string, newPath: string, replace: boolean) => {
      host.link(path, newPath, { replace })
    },
  },
] as const

/** Adds the commands where there is an embedded kernel. */
export function addFiles(program: Command, runtime: Runtime, shell: ShellSession): void {
  const { host } = shell.filter
  if (host === undefined) return
  addContent(program, runtime, host, shell)
  for (const { name, description, done, act, examples } of onePath) {
    const command = program
      .command(name)
      .description(description)
      .argument(name === 'dismount' ? '<volume>' : '<path>', name === 'dismount' ? 'its drive, such as M:' : 'its path')
      .option('--json', 'print JSON (FileDocument)')
      .action(async (path: string, options: OutputOptions) => {
        act(host, path)
        await runtime.output(options).show({ command: name, path }, () => `${done} ${printable(path)}`)
      })
    addExamples(command, runtime, ...examples)
  }
  for (const { name, description, done, act } of twoPaths) {
    const command = program
      .command(name)
      .description(description)
      .argument('<path>', 'as it is named now')
      .argument('<new-path>', 'the other name')
      .option('--replace', 'replace a file that has that name already')
      .option('--json', 'print JSON (NameDocument)')
      .action(async (path: string, newPath: string, options: RenameOptions) => {
        act(host, path, newPath, options.replace === true)
        shell.paths.add(newPath)
        await runtime.output(options).show({ command: name, path, newPath }, () => `${done} ${printable(newPath)}`)
      })
    addExamples(
      command,
      runtime,
      String.raw`psctx> write M:\report.docx --data text`,
      String.raw`psctx> ${name} M:\report.docx M:\summary.docx`,
    )
  }
}
