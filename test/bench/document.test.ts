/** What is said of speed is what was recorded: nobody edits figures by hand. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const files = ['README.md', 'docs/performance.md', 'docs/performance.svg', 'docs/performance.json']
let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'psctx-performance-'))
  for (const file of files) cpSync(join(root, file), join(home, file))
})

afterEach(() => {
  rmSync(home, { recursive: true })
})

/** What the script finds that is not as it makes it. */
function check(): string {
  const { stderr } = spawnSync(process.execPath, [join(__dirname, 'write.mjs'), '--check', home], { encoding: 'utf8' })
  return stderr
}

test('docs/performance.md, its plot and the line in README are what the script makes of the recorded run', () => {
  expect(check()).toBe('')
})

test.each([
  ['README.md', /(?<=buffer takes )\d+/],
  ['docs/performance.md', /(?<=\| bare C \| )\d+/],
  ['docs/performance.svg', /(?<=cy=")\d+/],
])('a figure that was edited in %s is found', (file, figure) => {
  const path = join(home, file)
  const text = readFileSync(path, 'utf8')
  expect(text).toMatch(figure)
  writeFileSync(path, text.replace(figure, '1'))
  expect(check()).toContain(path)
})

test('a recorded figure that was edited is found', () => {
  const path = join(home, 'docs/performance.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/(?<="value": )\d/, '9$&'))
  expect(check()).toContain('performance.md')
})

test('what the benchmark measures loads: the built package, the addon beneath it, and the codec', () => {
  const program =
    "import('./library.mjs').then((library) => console.log(Object.keys(library).sort().join(' '), typeof library.addon.open))"
  const printed = execFileSync(process.execPath, ['-e', program], { cwd: __dirname, encoding: 'utf8' })
  expect(printed).toBe('Memory abi addon begin decodePage encodeEnumerate openFilter function\n')
})
