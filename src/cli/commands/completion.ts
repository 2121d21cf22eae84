/** `psctx completion`, and the hidden `complete` that the scripts of shells ask. */
import { Argument, type Command } from 'commander'

import { addExamples } from '../help'
import { Runtime } from '../runtime'

/** `assemble` makes the program whose commands are completed. */
export function addCompletion(program: Command, runtime: Runtime, assemble: (runtime: Runtime) => Command): void {
  const { surroundings } = runtime
  const complete = async () => surroundings.completion(assemble(new Runtime(surroundings)))
  const command = program
    .command('completion')
    .description('print the script that completes command lines in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish', 'powershell']))
    .action(async (shell: string) => {
      ;(await complete()).setup('psctx', 'psctx', shell)
    })
  command.addHelpText(
    'after',
    '\nIt goes into the shell’s start: source <(psctx completion bash) into ~/.bashrc (with the package bash-completion),\n' +
      'source <(psctx completion zsh) into ~/.zshrc after compinit, and into PowerShell’s $PROFILE\n' +
      'psctx completion powershell | Out-String | Invoke-Expression',
  )
  addExamples(command, runtime, 'psctx completion bash', 'psctx completion powershell')
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      ;(await complete()).parse(words)
    })
}
