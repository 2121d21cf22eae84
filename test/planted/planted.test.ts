/** Holds the planted faults to the sources, and runs a few of them. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

test('a few planted faults are each found by the tool that is there for it', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('test', 'planted', 'planted.mjs'), '--short'], {
    cwd: root,
    encoding: 'utf8',
  })

  expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' })
}, 300_000)

test('the text of every planted fault stands once in its source', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('test', 'planted', 'planted.mjs'), '--check'], {
    cwd: root,
    encoding: 'utf8',
  })

  expect({ status, output: stderr }).toEqual({ status: 0, output: '' })
  expect(Number(stdout.split(' ')[0])).toBeGreaterThanOrEqual(38)
})
