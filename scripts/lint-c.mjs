/** Checks the format of every C and C++ file of the repository with clang-format; `--fix` rewrites them. */
import { spawnSync } from 'node:child_process'

const fix = process.argv.includes('--fix')
const listed = spawnSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.c', '*.h', '*.cc', '*.cpp', '*.hpp'],
  { encoding: 'utf8' },
)
if (listed.status !== 0) {
  console.error(listed.stderr)
  process.exit(1)
}
const files = listed.stdout.split('\n').filter((file) => file !== '')
const options = fix ? ['-i'] : ['--dry-run', '-Werror']
const { error, status } = spawnSync('clang-format-19', [...options, ...files], { stdio: 'inherit' })
if (error) console.error(`clang-format-19: ${error.message}`)
process.exit(status ?? 1)
