/** Shows that wrong options of the scripts are told before anything is done, and that none of them makes a run of nothing that passes. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

test.each<[string, string[], RegExp]>([
  ['a number that is none', ['scripts/model.mjs', '--runs', 'many'], /^--runs takes a whole number from 1 to/],
  ['no runs at all', ['scripts/model.mjs', '--runs', '0'], /^--runs takes a whole number from 1 to/],
  ['a volume that there is not', ['scripts/model.mjs', 'nfts'], /^a volume is one of memory, ntfs, not nfts$/],
  ['seconds that are none', ['scripts/fuzz.mjs', '--seconds', 'NaN'], /^--seconds takes a whole number from 1 to/],
  ['a target that there is not', ['scripts/fuzz.mjs', 'request'], /^a target is one of names, .*, not request$/],
  ['minutes without an end', ['scripts/soak.mjs', '--minutes', '1e999'], /^--minutes takes a number, of a second/],
  ['a seed that is none', ['scripts/soak.mjs', '--seed', 'x'], /^--seed takes a whole number from 0 to/],
  [
    'a front that there is not',
    ['scripts/memory.mjs', '--front', 'mini'],
    /^--front is one of legacy, minifilter, not/,
  ],
  [
    'the same of the explorer',
    ['scripts/explore.mjs', '--front', 'mini'],
    /^--front is one of legacy, minifilter, not/,
  ],
  ['a sample that is none', ['scripts/mutate.mjs', '--sample', 'NaN'], /^--sample takes a whole number from 1 to/],
  ['seconds that are none', ['scripts/mutate.mjs', '--seconds', 'soon'], /^--seconds takes a whole number from 1 to/],
  ['no jobs at all', ['scripts/mutate-ts.mjs', '--jobs', '0'], /^--jobs takes a whole number from 1 to 256, not 0$/],
  ['half of a pattern', ['scripts/mutate-ts.mjs', '--suites', '('], /^--suites takes a regular expression: /],
  [
    'a tool that there is not',
    ['scripts/analyze.mjs', '--tool', 'lint'],
    /^--tool is one of gcc, cppcheck, clang-tidy/,
  ],
  ['what is not measured', ['scripts/coverage.mjs', 'docs'], /^what is measured is one of driver, library, not docs$/],
  ['a fault that there is not', ['test/planted/planted.mjs', 'fault'], /^a fault is one of .*, not fault$/],
  ['an option that there is not', ['test/planted/planted.mjs', '--basline'], /^Unknown option '--basline'/],
])('%s: node %j', (_, args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })

  expect(stderr.trim()).toMatch(message)
  expect(stderr).not.toContain('    at ')
  expect(stdout).toBe('')
  expect([1, 2]).toContain(status)
})
