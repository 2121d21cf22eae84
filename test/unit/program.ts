/** Programs that are run in processes of their own, with the built package. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const dist = join(__dirname, '..', '..', 'dist', 'index.js')

/** Runs a program, which finds the package's path in `process.argv[1]`; returns what it printed. */
export function runProgram(program: string, ...nodeOptions: string[]): string {
  const result = spawnSync(process.execPath, [...nodeOptions, '-e', program, dist], {
    encoding: 'utf8',
    timeout: 300_000,
  })
  expect({ status: result.status, signal: result.signal, stderr: result.stderr }).toEqual({
    status: 0,
    signal: null,
    stderr: '',
  })
  return result.stdout
}
