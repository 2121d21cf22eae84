/** Shows that what runs in a process group of its own, where no Ctrl+C comes to, ends with the script that has started it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const root = join(__dirname, '..', '..')

/** Runs what tells its number in the file that is named, and then waits, which takes no time of a processor. */
const script = `
import { limited } from './scripts/mutation/tests.mjs'
await limited('sh', ['-c', 'echo $$ > "$0"; exec sleep 3600', process.argv[1]], { cwd: '.', seconds: 3600 })`

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0)
  } catch {
    return false
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends both', async (signal) => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-ending-'))
  const file = join(directory, 'id')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, file], {
    cwd: root,
    stdio: 'inherit',
  })
  const idOf = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)
  try {
    while (idOf() === 0) await setTimeout(20)
    child.kill(signal)
    await once(child, 'close')

    for (let turns = 0; turns < 200 && isRunning(idOf()); turns += 1) await setTimeout(20)
    expect(isRunning(idOf())).toBe(false)
  } finally {
    child.kill('SIGKILL')
    if (isRunning(idOf())) process.kill(-idOf(), 'SIGKILL')
    rmSync(directory, { recursive: true })
  }
})
