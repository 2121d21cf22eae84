/** The shell's history: a file in the directory where the user's programs keep their state. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

import type { Surroundings } from '../surroundings'

export const historyLength = 1000

export function historyPath({ platform, environment }: Surroundings): string {
  const { LOCALAPPDATA, XDG_STATE_HOME } = environment as Partial<Record<string, string>>
  const directory =
    platform === 'win32'
      ? (LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
      : XDG_STATE_HOME?.startsWith('/') === true
        ? XDG_STATE_HOME
        : join(homedir(), '.local', 'state')
  return join(directory, 'psctx', 'history')
}

/** The lines, the latest first, as readline has them; none when there is no history yet. */
export function readHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.filter((line) => line !== '').reverse()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Keeps lines as {@link readHistory} returns them. */
export function writeHistory(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, [...lines].reverse().join('\n') + '\n', { mode: 0o600 })
}
