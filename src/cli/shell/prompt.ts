/** The two ways that the shell is given its lines: typed at a prompt, or as a script on standard input. */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'

import type { Command } from 'commander'

import { exitCode, type ExitCode } from '../failure'
import { shellPrompt } from '../help'
import { linesOf } from '../lines'
import type { Surroundings, Terminal } from '../surroundings'

import { complete } from './completer'
import { historyLength, historyPath, readHistory, writeHistory } from './history'
import type { Shell } from './shell'

/** What the history has to say when it cannot be kept, once. */
function keepHistory(lines: Interface, surroundings: Surroundings): void {
  const path = historyPath(surroundings)
  const fail = (error: unknown) => {
    lines.removeAllListeners('history')
    const { code } = error as NodeJS.ErrnoException
    surroundings.error(`psctx: no history is kept: ${path} (${code ?? String(error)}). See who may write there.\n`)
  }
  const kept = lines as Interface & { history: string[] }
  lines.on('history', (history: string[]) => {
    try {
      writeHistory(path, history)
    } catch (error) {
      fail(error)
    }
  })
  try {
    kept.history.push(...readHistory(path).slice(0, historyLength))
  } catch (error) {
    fail(error)
  }
}

/** Ctrl-C ends a command, or clears the line; Ctrl-D ends the shell, and the command that runs. */
export async function runPrompt(
  shell: Shell,
  program: () => Command,
  surroundings: Surroundings,
  terminal: Terminal,
): Promise<ExitCode> {
  const { output } = terminal
  const isWindows = surroundings.platform === 'win32'
  const lines = createInterface({
    input: surroundings.input,
    output,
    terminal: true,
    prompt: shellPrompt,
    historySize: historyLength,
    removeHistoryDuplicates: true,
    completer: (line: string) => complete(line, program(), shell, isWindows),
  })
  keepHistory(lines, surroundings)
  let isIdle = true
  /** What a command in the background prints goes above the prompt. */
  const above = <T>(print: () => T): T => {
    if (!isIdle) return print()
    clearLine(output, 0)
    cursorTo(output, 0)
    const printed = print()
    lines.prompt(true)
    return printed
  }
  const around: Surroundings = {
    ...surroundings,
    out: (text) => above(() => surroundings.out(text)),
    error: (text) => {
      above(() => {
        surroundings.error(text)
      })
    },
  }
  lines.on('SIGINT', () => {
    if (shell.interrupt()) return
    output.write('^C\n')
    lines.write(null, { ctrl: true, name: 'e' })
    lines.write(null, { ctrl: true, name: 'u' })
    lines.prompt()
  })
  lines.on('close', () => shell.interrupt())
  lines.prompt()
  for await (const line of lines) {
    isIdle = false
    await shell.execute(line, around)
    if (shell.hasEnded) break
    isIdle = true
    lines.prompt()
  }
  isIdle = false
  lines.close()
  if (!shell.hasEnded) output.write('\n')
  return exitCode.fine
}

/** Executes a script, until a line fails: the first failure is what the shell comes to. */
export async function runScript(shell: Shell, keepGoing: boolean, surroundings: Surroundings): Promise<ExitCode> {
  const { input } = surroundings
  let code: ExitCode = exitCode.fine
  let number = 0
  const interruption = new AbortController()
  const end = surroundings.onInterrupt(() => {
    if (shell.interrupt()) return
    interruption.abort()
    input.destroy()
  })
  try {
    for await (const line of linesOf(input)) {
      number += 1
      await setImmediate() // lets Ctrl-C and what goes on in the background have their turn
      const said = `psctx: line ${number}: `
      const around: Surroundings = {
        ...surroundings,
        error: (text) => {
          surroundings.error(text.replace(/^psctx: /, said))
        },
      }
      const result = await shell.execute(line, around)
      if (code === exitCode.fine) code = result
      if ((result !== exitCode.fine && !keepGoing) || shell.hasEnded) break
    }
  } catch (error) {
    if (!interruption.signal.aborted) throw error
  } finally {
    end()
  }
  return code
}
