/** `npm run test:vm` from its command line to its exit code. */
import { CommanderError } from 'commander'

import { Machine } from './machine'
import { makeProgram, type Options } from './options'
import { Recipe, type MakePayload, type Verdict } from './recipe'

export interface Parts {
  /** The directory of the PowerShell scripts. */
  readonly scripts: string
  readonly makePayload: MakePayload
  /** Where lines of output go, and those that tell what is wrong. */
  readonly tell: (line: string) => void
  readonly complain: (line: string) => void
}

/** The signals that end a run; the first has the machine put back, the second ends that too. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function report({ failures, remainders, passed, failed, skipped }: Verdict, { tell, complain }: Parts): void {
  for (const failure of failures) complain(`failed: ${failure}`)
  for (const remainder of remainders) complain(`not as it was found: ${remainder}`)
  tell(`${passed} passed, ${failed} failed, ${skipped} skipped${failures.length > 0 ? ': the run has failed' : ''}`)
}

/** Runs the recipe. Returns the exit code. */
async function runRecipe(options: Options, parts: Parts): Promise<number> {
  const { scripts, makePayload, tell, complain } = parts
  const running = new AbortController()
  const puttingBack = new AbortController()
  const interrupt = () => {
    const controller = running.signal.aborted ? puttingBack : running
    tell(
      controller === running
        ? 'interrupted: the machine is put back as it was found; once more, and it stays as it is'
        : 'interrupted again: the machine stays as it is',
    )
    controller.abort(new Error('interrupted'))
  }
  for (const signal of signals) process.on(signal, interrupt)
  const machine = new Machine(options.target, { scripts, wait: options.wait, tell }, running.signal)
  try {
    const verdict = await new Recipe(options, machine, makePayload, tell).run(puttingBack.signal)
    report(verdict, parts)
    if (running.signal.aborted) return 130
    const isRestored = options.keep || verdict.remainders.length === 0
    return verdict.failures.length === 0 && isRestored ? 0 : 1
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    return running.signal.aborted ? 130 : 1
  } finally {
    await machine.close()
    for (const signal of signals) process.off(signal, interrupt)
  }
}

/** `argv` as process.argv is. Returns the exit code. */
export async function main(argv: readonly string[], parts: Parts): Promise<number> {
  let code = 0
  const program = makeProgram(async (options) => {
    code = await runRecipe(options, parts)
  })
  program.exitOverride().configureOutput({
    writeOut: (text) => parts.tell(text.trimEnd()),
    writeErr: (text) => parts.complain(text.trimEnd()),
  })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  return code
}
