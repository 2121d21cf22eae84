/** What operations take has not grown: instructions, counted by callgrind in programs that are built as what is shipped. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Count {
  all: number
  driver: number
}

interface Counts {
  tools: string
  operations: Record<string, Count>
}

/** How many times what is recorded there may be. */
const tolerance = 1.05

const recorded = JSON.parse(readFileSync(join(__dirname, 'instructions.json'), 'utf8')) as Counts

function runScript(...options: string[]): string {
  return execFileSync(process.execPath, [join(__dirname, 'instructions.mjs'), ...options], { encoding: 'utf8' }).trim()
}

/** Why there is nothing to count with, which `npm test` says, or to compare with; in continuous integration nothing is skipped. */
function findObstacle(): string {
  const missing = process.env['PSCTX_NO_VALGRIND'] ?? ''
  if (missing !== '' || process.env['CI']) return missing
  const tools = runScript('--tools')
  return tools === recorded.tools ? '' : `the record is of ${recorded.tools}, not of ${tools}`
}

const obstacle = findObstacle()
const suite = obstacle === '' ? describe : describe.skip

suite(`instructions of an operation${obstacle === '' ? '' : ` (${obstacle})`}`, () => {
  let measured: Counts

  beforeAll(() => {
    measured = JSON.parse(runScript()) as Counts
  }, 600_000)

  test('are counted with the tools of the record: else, node test/bench/instructions.mjs --record', () => {
    expect(measured.tools).toBe(recorded.tools)
    expect(Object.keys(measured.operations)).toEqual(Object.keys(recorded.operations))
  })

  describe.each(Object.keys(recorded.operations))('%s', (operation) => {
    test.each(['all', 'driver'] as const)('are no more than recorded, but for a twentieth: %s', (what) => {
      expect(measured.operations[operation]![what]).toBeLessThanOrEqual(
        recorded.operations[operation]![what] * tolerance,
      )
    })
  })
})
