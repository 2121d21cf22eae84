/** Shows that `npm run mutate` tells mutants that are noticed from those that are not, and that what it lists as equivalent can be planted. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')

interface Equivalent {
  file: string
  after?: string
  line: string
  mutant: string
  reason: string
}

const equivalents = JSON.parse(readFileSync(join(__dirname, 'equivalent.json'), 'utf8')) as Equivalent[]

/** The number, from one, of a line of a source file, given by what it says. */
function numberOf(file: string, line: string): number {
  return (
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .findIndex((text) => text.trim() === line) + 1
  )
}

function mutate(...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', 'mutate.mjs'), ...parameters], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, sum: stdout.trim().split('\n').at(-1) ?? '', output: stdout + stderr }
}

const place = `driver/src/tracking/name.c:${numberOf('driver/src/tracking/name.c', 'return Character < 0x80;')}`

/** What survives is judged with sanitizers, which are clang's. */
const testWithClang = (process.env['PSCTX_NO_CLANG'] ?? '') === '' ? test : test.skip

test('a mutant that a test is there for is noticed', () => {
  const { status, sum, output } = mutate('--tests', '^driver_tracking', place)

  expect(output).toContain('3 noticed')
  expect(sum).toContain('0 survived')
  expect(status).toBe(0)
}, 300_000)

test('a place where nothing can be planted is told, and fails', () => {
  const { status, output } = mutate('--tests', '^driver_instances$', place.replace('name.c', 'nmae.c'))

  expect(output).toContain('no mutant can be planted there')
  expect(status).toBe(1)
}, 300_000)

testWithClang(
  'what only the sanitizers notice is told apart',
  () => {
    const line = 'for (start = Count / 2; start != 0; start -= 1) {'
    const file = 'driver/src/volumes/devicelist.c'
    const { sum } = mutate('--tests', '^driver_answers$', `${file}:${numberOf(file, line)}`)

    expect(sum).toMatch(/[1-9]\d* with sanitizers alone/)
  },
  300_000,
)

testWithClang(
  'a mutant that no test is there for survives, and is printed',
  () => {
    const { status, sum, output } = mutate('--tests', '^driver_instances$', place)

    expect(sum).toContain('3 survived')
    expect(output).toContain('\n-return Character < 0x80;\n+return Character >= 0x80;\n')
    expect(status).toBe(1)
  },
  300_000,
)

test('each mutant that is listed as equivalent stands in its source once, and has a reason', () => {
  for (const { file, after, line, reason } of equivalents) {
    const lines = readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((text) => text.trim())
    const places = lines.filter(
      (text, index) => text === line && (after === undefined || lines[index - 1] === after),
    ).length

    expect({ file, line, places }).toEqual({ file, line, places: 1 })
    expect(reason.length).toBeGreaterThan(20)
  }
})
