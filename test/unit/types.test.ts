/** The package's types, as programs that use it see them. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-types-'))
  const modules = join(directory, 'node_modules')
  mkdirSync(modules)
  symlinkSync(root, join(modules, 'per-stream-context'))
  for (const name of ['@types', 'undici-types']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  copyFileSync(join(root, 'test', 'types', 'consumer.ts'), join(directory, 'consumer.ts'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each(['typescript-5.0', 'typescript-5.6', 'typescript', 'typescript-7'])(
  'compile with %s, libraries and all',
  (compiler) => {
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'node16', '--moduleResolution', 'node16']
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules', compiler, 'bin', 'tsc'),
        ...options,
        '--preserveSymlinks',
        '--types',
        'node',
        'consumer.ts',
      ],
      { cwd: directory, encoding: 'utf8' },
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  },
  60_000,
)

test('say nothing of what is internal', () => {
  const dist = join(root, 'dist')
  const index = readFileSync(join(dist, 'index.d.ts'), 'utf8')
  expect(index).not.toMatch(/session|native|memory/i)
  for (const name of readdirSync(dist).filter((file) => file.endsWith('.d.ts'))) {
    expect(readFileSync(join(dist, name), 'utf8')).not.toContain('@internal')
  }
})
