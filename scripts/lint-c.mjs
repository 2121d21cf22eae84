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
const formatter = ['clang-format-19', 'clang-format'].find((name) => spawnSync(name, ['--version']).status === 0)
if (formatter === undefined) {
  console.error('clang-format is not installed: apt-get install clang-format')
  process.exit(1)
}
const options = fix ? ['-i'] : ['--dry-run', '-Werror']
const { status } = spawnSync(formatter, [...options, ...files], { stdio: 'inherit' })
process.exit(status ?? 1)
