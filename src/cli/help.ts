/** What every command's help has in common: its examples, which are tested as they stand there. */
import type { Command } from 'commander'

import type { Runtime } from './runtime'

/** Begins a line of an example that is typed in the shell; others are command lines. */
export const shellPrompt = 'psctx> '

/** Adds examples to a command's help. `M:` stands for a directory of Windows' own there. */
export function addExamples(command: Command, runtime: Runtime, ...lines: readonly string[]): Command {
  const shown = lines.map((line) => (runtime.isWindows ? line.replaceAll('M:\\', 'C:\\data\\') : line))
  const typed =
    runtime.shell === undefined
      ? shown
      : shown.map((line) => (line.startsWith(shellPrompt) ? line : line.replace(/^psctx /, shellPrompt)))
  return command.addHelpText('after', ['\nExamples:', ...typed.map((line) => `  ${line}`)].join('\n'))
}

/** The lines of an example that open a stream in the shell, under the name `report`. */
export function openReport({ isWindows }: Runtime): string[] {
  const open = String.raw`${shellPrompt}open report M:\report.docx`
  return isWindows ? [open] : [String.raw`${shellPrompt}write M:\report.docx --data text`, open]
}
