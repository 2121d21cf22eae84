/** The command line: which command does what, where its output goes, and what it exits with. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { formatFindings } from '../../src/cli/commands/doctor'
import { Output } from '../../src/cli/output'
import type { Surroundings } from '../../src/cli/surroundings'
import { FakeMachine, makeImage, win32Error } from './machine'
import { healthy, psctx as execute } from './surroundings'

let machine: FakeMachine
let out: string
let error: string

/** On the made-up Windows machine. */
async function psctx(line: string[], changes: Partial<Surroundings> = {}): Promise<number> {
  const result = await execute(line, { platform: 'win32', machine: () => Promise.resolve(machine), ...changes })
  out = result.out
  error = result.error
  return result.code
}

beforeEach(() => {
  machine = new FakeMachine()
})

afterEach(() => {
  machine.dispose()
})

test('the driver’s life, command by command', async () => {
  const driver = join(machine.directory, 'psctx.sys')
  writeFileSync(driver, makeImage())
  expect(await psctx(['driver', 'status'])).toBe(1)
  expect(out).toContain('not installed')
  expect(await psctx(['driver', 'install', '--driver', driver, '--allow-unload'])).toBe(0)
  expect(out.split('\n')).toHaveLength(4)
  expect(await psctx(['driver', 'start'])).toBe(0)
  expect(out).toBe('Started psctx 1.0.0, attached to 3 volumes.\n')
  expect(await psctx(['driver', 'status'])).toBe(0)
  expect(await psctx(['driver', 'status', '--json'])).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    installed: true,
    state: 'running',
    allowUnload: true,
    driver: { version: '1.0.0' },
  })
  expect(await psctx(['driver', 'stop'])).toBe(0)
  expect(await psctx(['driver', 'uninstall'])).toBe(0)
  expect(await psctx(['driver', 'status', '--json'])).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ installed: false, state: 'absent' })
  expect(error).toBe('')
})

test('a failure is one line on standard error', async () => {
  expect(await psctx(['driver', 'start'])).toBe(1)
  expect(out).toBe('')
  expect(error).toMatch(/^psctx: psctx could not be started: .* run `psctx driver install`\.\n$/)
})

test('a failure of Windows’ that no command expects is told as well', async () => {
  expect(await psctx(['driver', 'status'], { machine: () => Promise.reject(win32Error(1722)) })).toBe(1)
  expect(error).toContain('1722')
})

test.each(['install', 'start', 'stop', 'uninstall', 'status'])(
  'elsewhere there is no driver to %s',
  async (command) => {
    const never = () => Promise.reject(new Error('asked for the machine'))
    expect(await psctx(['driver', command], { platform: 'linux', machine: never })).toBe(1)
    expect(out).toBe('')
    expect(error).toBe(
      'psctx: There is no driver to manage on linux: the package runs it in its embedded kernel, which openFilter() starts by itself. ' +
        'Run `psctx doctor` to see whether that works.\n',
    )
  },
)

describe('doctor', () => {
  test('prints a table, and exits with 0 when nothing is a problem', async () => {
    expect(await psctx(['doctor'])).toBe(0)
    expect(out).toContain('psctx.node')
    expect(error).toBe('')
  })

  test('exits with 1 when something is a problem', async () => {
    const facts = () => Promise.resolve({ ...healthy, addon: { failure: 'No native build was found' } })
    expect(await psctx(['doctor'], { facts })).toBe(1)
    expect(out).toContain('PROBLEM')
    expect(await psctx(['doctor', '--json'], { facts })).toBe(1)
    const { healthy: isHealthy, findings } = JSON.parse(out) as { healthy: boolean; findings: unknown[] }
    expect(isHealthy).toBe(false)
    expect(findings[2]).toMatchObject({ check: 'addon', level: 'problem' })
  })

  test('keeps its table within the terminal, and cuts nothing off', () => {
    const path = 'C:\\' + 'directory\\'.repeat(20)
    const terminal = { columns: 80, rows: 24 } as Surroundings['terminal']
    const output = new Output({ terminal, environment: { NO_COLOR: '1' } } as unknown as Surroundings, {}, false)
    const table = formatFindings([{ check: 'addon', level: 'ok', found: path }], output)
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(table).not.toContain('…')
    expect(table.match(/direc/g)!.length).toBeGreaterThan(15)
  })
})

describe('help and version', () => {
  test.each([
    [['--help']],
    [['help']],
    [['help', 'driver']],
    [['driver', '--help']],
    [['driver', 'help', 'stop']],
    [['doctor', '-h']],
  ])('%j prints help', async (line) => {
    expect(await psctx(line)).toBe(0)
    expect(out).toContain('Usage: psctx')
    expect(error).toBe('')
  })

  test('every command is in the help, with what it exits with', async () => {
    await psctx(['--help'])
    expect(out).toContain('driver')
    expect(out).toContain('doctor')
    expect(out).toContain(
      'Exit codes: 0 all is well, 1 something is wrong, was not found or has failed, 2 wrong usage.',
    )
    await psctx(['driver', '--help'])
    for (const command of ['install', 'start', 'stop', 'uninstall', 'status']) expect(out).toContain(command)
    await psctx(['driver', 'install', '--help'])
    expect(out).toContain('--driver <file>')
    expect(out).toContain('--allow-unload')
  })

  test.each(['--version', '-V'])('%s prints the version', async (option) => {
    expect(await psctx([option])).toBe(0)
    expect(out).toBe('1.2.3\n')
  })
})

test.each([
  [[], /Usage: psctx/],
  [['driver'], /Usage: psctx driver/],
  [['nonsense'], /unknown command 'nonsense'/],
  [['driver', 'nonsense'], /unknown command 'nonsense'/],
  [['doctor', '--nonsense'], /unknown option '--nonsense'/],
  [['doctor', 'nonsense'], /too many arguments/],
  [['driver', 'install', '--driver'], /argument missing/],
  [['driver', 'start', '--driver', 'x'], /unknown option '--driver'/],
])('%j is wrong usage, and changes nothing', async (line, message) => {
  expect(await psctx(line)).toBe(2)
  expect(out).toBe('')
  expect(error).toMatch(message)
  expect(machine.services.calls).toEqual([])
})

test('a command takes either front, and says so where it is not the usual one', async () => {
  const legacy = await execute(['stat'])
  expect(legacy.out).toMatch(/^psctx \S+, a legacy filter in the embedded kernel\n/)
  expect(legacy.error).not.toContain('minifilter')
  const minifilter = await execute(['stat', '--front', 'minifilter'])
  expect(minifilter.out).toMatch(/^psctx \S+, a minifilter in the embedded kernel\n/)
  expect(minifilter.error).toContain('in this process alone, with the driver as a minifilter: M: is in memory')
  expect(JSON.parse((await execute(['stat', '--front', 'minifilter', '--json'])).out)).toHaveProperty(
    'front',
    'minifilter',
  )
})
