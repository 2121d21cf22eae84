/** The command line of psctx: its commands put together, and what an execution comes to. */
import { Command, CommanderError, Help } from 'commander'

import { addCompletion } from './commands/completion'
import { addConformance } from './commands/conformance'
import { addDoctor } from './commands/doctor'
import { addDriver } from './commands/driver'
import { addFiles } from './commands/files'
import { addHandles } from './commands/handles'
import { addInsert } from './commands/insert'
import { addInspect } from './commands/inspect'
import { addJobs } from './commands/jobs'
import { addList } from './commands/list'
import { addLookup } from './commands/lookup'
import { addRemove } from './commands/remove'
import { addReport } from './commands/report'
import { addShell } from './commands/shell'
import { addStat } from './commands/stat'
import { addTrack } from './commands/track'
import { addVolumes } from './commands/volumes'
import { addWatch } from './commands/watch'
import { exitCode, exitCodeOf, exitCodesHelp, type ExitCode } from './failure'
import { printable } from './text'
import { Runtime } from './runtime'
import type { Surroundings } from './surroundings'

/** Commander's message as one line: what is wrong, and what to do. */
function explainUsage(text: string, inShell: boolean): string {
  const message = text.trim().replace(/^error: /, '')
  const sentence = printable(message.replaceAll('\n', ' ')).replace(/(?<![.)?!])$/, '.')
  const next = inShell
    ? '`help` tells the commands, `help COMMAND` its options.'
    : '`psctx --help` tells the commands, `psctx COMMAND --help` its options.'
  return `psctx: ${sentence} ${next}\n`
}

/** An error's message as one line. One that is no sentence is not of this package, and says nothing of what to do. */
function explainFailure({ message }: Error): string {
  const line = printable(message.trim().replace(/\s*\n\s*/g, ' '))
  return /[.)?!]$/.test(line) ? line : `${line}. Run \`psctx doctor\`, which looks for what is wrong.`
}

function makeProgram({ surroundings, shell }: Runtime): Command {
  const inShell = shell !== undefined
  const program = new Command('psctx')
    .description(
      'Inserts, looks up, removes and watches per-stream contexts, tells who holds them, and manages the driver that it takes.',
    )
    .helpOption('-h, --help', 'print what a command does')
    .helpCommand('help [command]', 'print what a command does')
    .configureHelp({
      commandUsage: (command) => new Help().commandUsage(command).replace(inShell ? 'psctx ' : '', ''),
    })
    .configureOutput({
      writeOut: (text) => {
        void surroundings.out(text)
      },
      writeErr: (text) => {
        surroundings.error(text)
      },
      outputError: (text) => {
        surroundings.error(explainUsage(text, inShell))
      },
    })
    .exitOverride()
  if (!inShell) {
    program.version(surroundings.version, '-V, --version', 'print the version of the package')
    const kernel =
      surroundings.platform === 'win32'
        ? ''
        : '\nWindows’ kernel is not here: commands run in an embedded one, which begins and ends with each of them. Its volumes are\n' +
          'M:, in memory, and those that --volume names. `psctx shell` runs many commands in one.\n'
    program.addHelpText('after', `${kernel}\n${exitCodesHelp}`)
  }
  return program
}

/** The program with the commands of the command line or of the shell. */
function assembleCommands(runtime: Runtime): Command {
  const program = makeProgram(runtime)
  addInsert(program, runtime)
  addLookup(program, runtime)
  addRemove(program, runtime)
  addList(program, runtime)
  addInspect(program, runtime)
  addWatch(program, runtime)
  addTrack(program, runtime)
  addVolumes(program, runtime)
  addStat(program, runtime)
  addReport(program, runtime)
  addConformance(program, runtime)
  addDriver(program, runtime)
  addDoctor(program, runtime)
  if (runtime.shell === undefined) {
    addShell(program, runtime, execute, assembleCommands)
  } else {
    addHandles(program, runtime, runtime.shell)
    addFiles(program, runtime, runtime.shell)
    addJobs(program, runtime, runtime.shell)
  }
  return program
}

/** The whole program: completion completes the rest of it. */
function assemble(runtime: Runtime): Command {
  const program = assembleCommands(runtime)
  if (runtime.shell === undefined) addCompletion(program, runtime, assembleCommands)
  return program
}

/** Executes words, and tells their failure in one line. */
async function execute(words: readonly string[], runtime: Runtime): Promise<ExitCode> {
  try {
    await assemble(runtime).parseAsync(words, { from: 'user' })
    return runtime.code
  } catch (error) {
    // What Commander ends with it has printed itself; 0 is help or the version, when asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.fine : exitCode.usage
    if (!(error instanceof Error)) throw error
    runtime.surroundings.error(`psctx: ${explainFailure(error)}\n`)
    return exitCodeOf(error)
  }
}

/** Runs a command line (without the program's own name) and returns what to exit with. */
export function run(line: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  return execute(line, new Runtime(surroundings))
}
