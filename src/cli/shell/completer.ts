/** What the Tab key offers in the shell: commands, options, their values, handles, and paths on the volumes. */
import { readdirSync } from 'node:fs'

import type { Command } from 'commander'

import type { ShellSession } from '../runtime'

import { quote, splitLine } from './words'

/** The names in a directory of a volume; undefined where it cannot be listed. */
function listDirectory({ volumes }: ShellSession, directory: string, isWindows: boolean): string[] | undefined {
  const volume = volumes[directory.slice(0, 2).toUpperCase()]
  const below = directory.slice(2).replaceAll('\\', '/')
  if (!isWindows && volume?.type !== 'directory') return undefined
  const place = volume?.type === 'directory' ? `${volume.path}${below}` : directory
  try {
    return readdirSync(place, { withFileTypes: true }).map((entry) => entry.name + (entry.isDirectory() ? '\\' : ''))
  } catch {
    return [] // nothing to offer
  }
}

/** The paths that a word may become. */
function completePath(word: string, session: ShellSession, isWindows: boolean): string[] {
  const typed = word.replaceAll('/', '\\')
  const directory = /^[A-Za-z]:(?:\\.*\\|\\)/s.exec(typed)?.[0]
  const names = directory === undefined ? undefined : listDirectory(session, directory, isWindows)
  if (names !== undefined) return names.map((name) => directory! + name)
  const drives = Object.keys(session.volumes).map((drive) => `${drive}\\`)
  return [...drives, ...session.paths]
}

/** The command that the words name, and how many of them do. */
function findCommand(program: Command, words: readonly string[]): { command: Command; depth: number } {
  let command = program
  let depth = 0
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) break
    command = next
    depth += 1
  }
  return { command, depth }
}

function candidates(
  program: Command,
  words: string[],
  typed: string,
  session: ShellSession,
  isWindows: boolean,
): string[] {
  const { command, depth } = findCommand(program, words)
  if (command.commands.length > 0) {
    const help = program.createHelp()
    return help.visibleCommands(command).map((one) => one.name())
  }
  const options = command.options.filter((option) => option.long !== undefined)
  const before = options.find((option) => option.long === words.at(-1) || option.short === words.at(-1))
  if (before?.required === true)
    return before.argChoices ?? (before.long === '--on' ? Object.keys(session.volumes) : [])
  if (typed.startsWith('-')) return ['--help', ...options.map((option) => option.long!)]
  const position = words.slice(depth).filter((word) => !word.startsWith('-')).length
  const argument = command.registeredArguments[Math.min(position, command.registeredArguments.length - 1)]
  if (argument === undefined) return []
  if (argument.name() === 'handle') return [...session.handles.keys()]
  if (!/path/i.test(argument.name())) return []
  return [...session.handles.keys(), ...completePath(typed, session, isWindows)]
}

/** For readline: what the last word of the line may become, and the part of the line that it stands for. */
export function complete(
  line: string,
  program: Command,
  session: ShellSession,
  isWindows: boolean,
): [string[], string] {
  const words = splitLine(line)
  const isNew = words.length === 0 || (/[ \t]$/.test(line) && words.at(-1)!.openQuote === undefined)
  const last = isNew ? undefined : words.pop()
  const typed = last?.text ?? ''
  const found = candidates(
    program,
    words.map(({ text }) => text),
    typed,
    session,
    isWindows,
  )
  const small = typed.replaceAll('/', '\\').toLowerCase()
  const matching = [...new Set(found)].filter((text) => text.toLowerCase().startsWith(small)).sort()
  const only = matching.length === 1 && !matching[0]!.endsWith('\\')
  return [matching.map((text) => quote(text) + (only ? ' ' : '')), last === undefined ? '' : line.slice(last.start)]
}
