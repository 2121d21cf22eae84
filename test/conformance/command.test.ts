/** `psctx conformance`: formats, exit codes, the question before a dismount, and what an interruption leaves. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import type { Surroundings } from '../../src/cli/surroundings'
import type { ConformanceLine } from '../../src/conformance'
import { openFilter } from '../../src/index'
import { Execution, psctx } from '../cli/surroundings'

const main = join(__dirname, '..', '..', 'dist', 'cli', 'main.js')
const few = 'support.default-stream,teardown.once,survival.rename'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-checked-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A kernel whose volume M: is broken. */
const broken: Partial<Surroundings> = {
  open: () =>
    Promise.resolve(
      openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory', fault: 'torn-down-on-rename' } } }),
    ),
}

test('people are told in a table, with the cause of a failure below it', async () => {
  const fine = await psctx(['conformance', 'M:\\', '--checks', few])
  expect(fine.code).toBe(0)
  expect(fine.out).toMatch(/│ pass\s+│ survival\.rename/)
  expect(fine.out).toContain('3 passed, 0 failed, 0 not here, 0 not judged')
  const failed = await psctx(['conformance', 'M:\\', '--checks', few], broken)
  expect(failed.code).toBe(1)
  expect(failed.out).toMatch(/│ FAIL\s+│ survival\.rename/)
  expect(failed.out).toContain('survival.rename: A context outlives a rename')
  expect(failed.out).toContain('FsRtlTeardownPerStreamContexts belongs')
})

test('each format is what it is called', async () => {
  const xml = join(directory, 'results.xml')
  const json = await psctx(['conformance', 'M:\\', '--checks', few, '--json', '--junit', xml])
  const lines = json.out.trimEnd().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as ConformanceLine)
  expect(parsed).toHaveLength(4)
  expect(parsed[0]).toMatchObject({ command: 'conformance', id: 'support.default-stream', verdict: 'pass' })
  expect(parsed[3]).toMatchObject({ summary: { fileSystem: 'HostMemory', counts: { pass: 3 }, exitCode: 0 } })
  expect(readFileSync(xml, 'utf8')).toMatch(/^<\?xml .*<testsuites name="conformance" tests="3"/s)
  expect((await psctx(['conformance', 'M:\\', '--checks', few, '--tap'])).out).toMatch(/^TAP version 14\n1\.\.3\nok 1/)
  const row = (await psctx(['conformance', 'M:\\', '--checks', few, '--markdown'])).out
  expect(row).toMatch(/^\| HostMemory \| embedded kernel, .* \| 1 of 1 \| – \| – \| 1 of 1 \| 1 of 1 \| – \|\n$/)
})

test.each([
  [['conformance', 'M:\\', '--checks', 'survival.everything'], 'There is no check "survival.everything"'],
  [['conformance', 'M:\\', '--seconds', 'many'], 'Write how many seconds'],
  [['conformance', 'M:\\', '--json', '--tap'], 'Say one of them'],
  [['conformance', 'M:\\', '--dismount'], 'Say --yes'],
  [['conformance', 'M:\\', '--checks', 'load'], 'Say --seconds, too'],
  [['conformance', 'M:\\', '--checks', 'teardown.dismount'], 'Say --dismount, too'],
  [['conformance', '/tmp'], '--volume N:=DIRECTORY'],
  [['conformance', 'N:/', '--volume', 'N:=/none/such'], 'Name one that is there with --volume'],
  [['conformance', 'M:\\missing'], 'The checks could not run: openFile of M:\\missing'],
])('%j ends with 2, and says why', async (line, said) => {
  const { code, out, error } = await psctx(line)
  expect([code, out]).toEqual([2, ''])
  expect(error).toContain(said)
})

test('what could not be judged at all ends with 2', async () => {
  expect((await psctx(['conformance', 'M:\\', '--checks', 'support.volume'])).code).toBe(2)
})

describe('on a terminal', () => {
  const screen = () => {
    const output = new PassThrough()
    const drawn: string[] = []
    const live = () => Promise.resolve({ draw: (text: string) => void drawn.push(text), end: () => undefined })
    return { terminal: { columns: 100, rows: 30, output, live }, output, drawn }
  }

  /** Answers the question with a word. */
  async function answer(word: string): Promise<{ code: number; asked: string; out: string; drawn: string[] }> {
    const { terminal, output, drawn } = screen()
    const line = ['conformance', 'M:\\', '--checks', 'teardown.dismount', '--dismount']
    const input = Object.assign(new PassThrough(), { isTTY: true })
    input.write(`${word}\n`)
    const execution = new Execution(line, { terminal, input })
    const code = await execution.code
    return { code, asked: String(output.read() ?? ''), out: execution.out, drawn }
  }

  test('a dismount is asked for, and made when that is answered', async () => {
    const yes = await answer('y')
    expect(yes.asked).toContain('Dismount the volume of M:\\? ')
    expect(yes.code).toBe(0)
    expect(yes.out).toMatch(/│ .*teardown\.dismount/)
    expect(yes.drawn.join()).toContain('The checks begin')
    const no = await answer('')
    expect([no.code, no.out]).toEqual([2, ''])
  })
})

test('Ctrl-C ends it, and everything is removed', async () => {
  const line = ['conformance', 'N:\\', '--volume', `N:=${directory}`]
  const execution = new Execution(line)
  await execution.until(() => readdirSync(directory).length > 0)
  execution.interrupt()
  expect(await execution.code).toBe(2)
  expect(execution.error).toContain('interrupted')
  expect(readdirSync(directory)).toEqual([])
})

test('so does a signal that ends the process', async () => {
  const line = [main, 'conformance', 'N:\\', '--volume', `N:=${directory}`, '--seconds', '60']
  const child = spawn(process.execPath, line, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  while (readdirSync(directory).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  child.kill('SIGTERM')
  expect(await ended).toBe(2)
  expect(readdirSync(directory)).toEqual([])
}, 60_000)

test('and so does a reader that has seen enough', async () => {
  const line = [main, 'conformance', 'N:\\', '--volume', `N:=${directory}`, '--json', '--quiet']
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await ended).toBe(2)
  expect(readdirSync(directory)).toEqual([])
}, 60_000)
