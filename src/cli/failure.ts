/** Exit codes, and the failures that commands tell their user as they are. */

/** All is well; something is wrong, was not found or has failed; the command line itself is wrong. */
export const exitCode = { fine: 0, wrong: 1, usage: 2 } as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodesHelp =
  'Exit codes: 0 all is well, 1 something is wrong, was not found or has failed, 2 wrong usage.'

/** A command line that cannot be meant: one sentence that says what, then what to do. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** What to exit with for an error; a wrong argument that the library finds is wrong usage, too. */
export function exitCodeOf(error: Error): ExitCode {
  if (error instanceof UsageError) return exitCode.usage
  const { code } = error as NodeJS.ErrnoException
  return code?.startsWith('ERR_INVALID_ARG_') === true ? exitCode.usage : exitCode.wrong
}
