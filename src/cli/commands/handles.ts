/** `open`, `close` and `handles` of the shell: streams that are kept open, so that their contexts live, and their teardown can be seen. */
import type { Command } from 'commander'

import { UsageError } from '../failure'
import { addExamples, openReport } from '../help'
import type { OutputOptions } from '../output'
import { count, printable } from '../text'
import type { Runtime, ShellSession } from '../runtime'

/** A name that no path is. */
const namePattern = /^[A-Za-z_][\w-]*$/

export function addHandles(program: Command, runtime: Runtime, shell: ShellSession): void {
  const { filter, handles } = shell
  const open = program
    .command('open')
    .description('open a stream and keep it open; its name then stands for its path')
    .argument('<name>', 'of the handle: letters, digits, - and _')
    .argument('<path>', 'the stream')
    .option('--json', 'print JSON (OpenDocument)')
    .action(async (name: string, path: string, options: OutputOptions) => {
      if (!namePattern.test(name)) {
        throw new UsageError(`${printable(name)} cannot be a handle's name. Use letters, digits, - and _.`)
      }
      if (handles.has(name)) throw new UsageError(`There is a handle ${name} already. Close it, or use another name.`)
      shell.paths.add(path)
      const stream = filter.openStream(path)
      handles.set(name, stream)
      const support = stream.support()
      await runtime
        .output(options)
        .show({ command: 'open', name, path, support }, () =>
          support.supported
            ? `${name}: it can carry contexts`
            : `${name}: it cannot carry contexts (${support.reason})`,
        )
    })
  addExamples(open, runtime, ...openReport(runtime), 'psctx> insert report --data seen', 'psctx> lookup report')

  const close = program
    .command('close')
    .description('close a handle; with the last one the file system tears the stream’s contexts down')
    .argument('<handle>', 'its name')
    .option('--json', 'print JSON (CloseDocument)')
    .action(async (name: string, options: OutputOptions) => {
      const stream = handles.get(name)
      if (stream === undefined) {
        throw new UsageError(`There is no handle ${printable(name)}. \`handles\` tells those that are open.`)
      }
      const { path } = stream
      const before = filter.statistics().session.tornDown
      handles.delete(name)
      stream.close()
      const tornDown = filter.statistics().session.tornDown - before
      await runtime
        .output(options)
        .show({ command: 'close', name, path, tornDown }, () =>
          tornDown === 0 ? `${name}: closed` : `${name}: closed; ${count(tornDown, 'context')} torn down`,
        )
    })
  addExamples(close, runtime, ...openReport(runtime), 'psctx> insert report --data seen', 'psctx> close report')

  const list = program
    .command('handles')
    .description('list the handles that are open')
    .option('--json', 'print JSON (HandlesDocument)')
    .action(async (options: OutputOptions) => {
      const output = runtime.output(options)
      const opened = [...handles].map(([name, { path }]) => ({ name, path }))
      await output.show({ command: 'handles', handles: opened }, () =>
        opened.length === 0
          ? 'No handle is open.'
          : output.table(
              ['handle', 'stream'],
              opened.map(({ name, path }) => [name, path]),
            ),
      )
    })
  addExamples(list, runtime, ...openReport(runtime), 'psctx> handles')
}
