/** `wait`, `stop` and `exit` of the shell: the ends of commands that run in the background, and its own. */
import type { Command } from 'commander'

import { addExamples, openReport } from '../help'
import type { Runtime, ShellSession } from '../runtime'
import { toCount } from '../values'

export function addJobs(program: Command, runtime: Runtime, shell: ShellSession): void {
  const wait = program
    .command('wait')
    .description('wait until a command in the background, or all of them, has ended by itself')
    .argument('[number]', 'the command; all of them when nothing is said', toCount)
    .action(async (number: number | undefined) => {
      await runtime.untilInterrupted(async (signal) => {
        runtime.code = await shell.endJobs(number, false, signal)
      })
    })
  addExamples(
    wait,
    runtime,
    'psctx> watch "*" --count 4 &',
    ...openReport(runtime),
    'psctx> close report',
    'psctx> wait',
  )

  const stop = program
    .command('stop')
    .description('end a command in the background, or all of them, as Ctrl-C ends one in the foreground')
    .argument('[number]', 'the command; all of them when nothing is said', toCount)
    .action(async (number: number | undefined) => {
      runtime.code = await shell.endJobs(number, true)
    })
  addExamples(stop, runtime, 'psctx> watch "*" &', ...openReport(runtime), 'psctx> stop')

  program
    .command('exit')
    .description('end the shell, as Ctrl-D does')
    .action(() => {
      shell.end()
    })
}
