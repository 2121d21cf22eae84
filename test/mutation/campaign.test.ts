/** Shows that two runs never plant in the same directory: what one removes, the other would take for noticed mutants. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const script = `
import { takeAlone } from './scripts/mutation/campaign.mjs'
takeAlone(process.argv[1])
console.log('taken')`

let directory: string

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'psctx-mutants-'))))
afterEach(() => rmSync(directory, { recursive: true }))

function take() {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script, directory], {
    cwd: root,
    encoding: 'utf8',
  })
  return { isTaken: stdout === 'taken\n', stderr }
}

test('a directory that another process has is not taken', () => {
  writeFileSync(join(directory, 'taken'), String(process.pid))

  const { isTaken, stderr } = take()
  expect(isTaken).toBe(false)
  expect(stderr).toContain(`process ${process.pid} plants mutants`)
})

test('a directory whose process is gone is taken, and given back', () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(join(directory, 'taken'), String(pid))

  expect(take()).toEqual({ isTaken: true, stderr: '' })
  expect(existsSync(join(directory, 'taken'))).toBe(false)
  expect(take().isTaken).toBe(true)
})
