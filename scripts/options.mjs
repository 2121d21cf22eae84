// Command lines: what is wrong with one is told before anything is done, by a sentence instead of a stack.
import { CommandError } from './run.mjs'

/** Runs a script: an option that there is not, or a command that fails, is told, and ends it with this status. */
export async function runScript(script, status = 1) {
  try {
    await script()
  } catch (error) {
    if (!(error instanceof CommandError) && !String(error.code).startsWith('ERR_PARSE_ARGS_')) throw error
    console.error(error.message)
    process.exitCode = status
  }
}

/** The whole number that an option says. */
export function wholeNumber(option, text, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}) {
  const number = Number(text)
  if (!/^-?\d+$/.test(text) || number < least || number > most)
    throw new CommandError(`--${option} takes a whole number from ${least} to ${most}, not ${text}`)
  return number
}

/** The regular expression that an option says. */
export function pattern(option, text) {
  try {
    return new RegExp(text)
  } catch ({ message }) {
    throw new CommandError(`--${option} takes a regular expression: ${message}`)
  }
}

/** One of several: of the values of an option, or of what may be named without one. */
export function oneOf(what, names, text) {
  if (!names.includes(text)) throw new CommandError(`${what} is one of ${names.join(', ')}, not ${text}`)
  return text
}

/** The driver's front that `--front` says. */
export const frontOf = (text) => oneOf('--front', ['legacy', 'minifilter'], text)
