/** `psctx shell`. */
import type { Command } from 'commander'

import { addExamples } from '../help'
import { addKernelOptions, openKernel, type KernelOptions } from '../kernel'
import type { OutputOptions } from '../output'
import { Runtime } from '../runtime'
import { runPrompt, runScript } from '../shell/prompt'
import { Shell, type Execute } from '../shell/shell'
import { quotingHelp } from '../shell/words'
import { exitCode } from '../failure'

interface Options extends KernelOptions, OutputOptions {
  readonly readOnly?: true
  readonly keepGoing?: true
}

/** `execute` and `assemble` are the program's own, for the lines and for their completion. */
export function addShell(
  program: Command,
  runtime: Runtime,
  execute: Execute,
  assemble: (runtime: Runtime) => Command,
): void {
  const command = program
    .command('shell')
    .description('keep one session open, and take the same commands from a prompt, or from a script on standard input')
    .option('--read-only', 'open the driver for looking only')
    .option('--keep-going', 'go on with a script after a line that has failed')
    .option('--json', 'print a line of JSON for each command’s document (ShellLine)')
    .action(async (options: Options) => {
      const { surroundings } = runtime
      const output = runtime.output(options)
      const { terminal, input } = surroundings
      const prompted = input.isTTY === true && terminal !== undefined ? terminal : undefined
      const ends = 'what is in memory and all contexts end with this shell'
      const { filter, volumes } = await openKernel(runtime, options, output, options.readOnly === true, ends)
      const shell = new Shell(filter, volumes, { json: output.json, quiet: options.quiet === true }, execute)
      try {
        if (prompted === undefined) {
          runtime.code = await runScript(shell, options.keepGoing === true, surroundings)
        } else {
          output.note('`help` lists the commands, Ctrl-C ends one, Ctrl-D the shell.')
          const idle = new Runtime(surroundings, {
            session: shell,
            signal: AbortSignal.abort(),
            isBackground: false,
            started: () => undefined,
          })
          await runPrompt(shell, () => assemble(idle), surroundings, prompted)
        }
        const code = await shell.endJobs(undefined, true)
        if (runtime.code === exitCode.fine) runtime.code = code
      } finally {
        filter.close()
      }
    })
  addKernelOptions(command, runtime)
  command.addHelpText(
    'after',
    `\nA script ends at the first line that fails, and says which; its exit code is the shell's.\n${quotingHelp}\n` +
      'A line that ends in & goes on in the background: `wait` waits for its end, `stop` ends it.\n' +
      'Besides the commands of psctx there are open, close and handles, for streams that stay open' +
      (runtime.isWindows
        ? '.'
        : ',\nand write, read, mkdir, rename, link, unlink and dismount, for the files of the embedded kernel.'),
  )
  addExamples(
    command,
    runtime,
    'psctx shell < commands.txt',
    ...(runtime.isWindows ? [] : ['psctx shell --volume N:=/mnt/ntfs --json < commands.txt']),
  )
}
