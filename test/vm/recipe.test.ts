/**
 * The recipe from its command line to its exit code, through ssh, sftp and a real sshd, to a machine whose Windows programs are stand-ins
 * (standins/windows.ts): nothing of Windows itself is tested here, nor that the PowerShell scripts do what they say.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { main } from './program'
import type { MakePayload } from './recipe'
import { StandInHost } from './standins/host'
import { makeEmptyPayload } from './standins/payload'
import type { Mode, State } from './standins/windows'

const obstacle = process.env['PSCTX_NO_SSH'] ?? ''
const scripts = join(__dirname, 'scripts')

interface Run {
  readonly code: number | null
  readonly said: string
  readonly output: string
}

const describeHost = obstacle === '' ? describe : describe.skip

describeHost(`the recipe${obstacle && ` (${obstacle})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-recipe-'))
  const host = new StandInHost()
  const { windows } = host
  let runs = 0

  jest.setTimeout(30_000)
  beforeAll(async () => {
    await host.start()
    process.env = host.environment
  })
  afterAll(async () => {
    await host.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  function newOutput(): string {
    runs += 1
    return join(directory, `results-${runs}`)
  }

  async function run(
    state: Partial<State>,
    more: readonly string[] = ['--volume', 'D:'],
    key: 'key' | 'other' = 'key',
  ): Promise<Run> {
    await host.reset(state)
    const output = newOutput()
    const lines: string[] = []
    const tell = (line: string) => void lines.push(line)
    const words = [...host.arguments(key), '--output', output, '--wait', '20', ...more]
    const makePayload: MakePayload = ({ file }) => makeEmptyPayload(directory, file)
    const code = await main(['node', 'test-vm', ...words], { scripts, makePayload, tell, complain: tell })
    return { code, said: lines.join('\n'), output }
  }

  const read = ({ output }: Run, name: string) => readFileSync(join(output, name), 'utf8')

  /** The machine is as it was found: nothing of the run is on it, and its settings are those of `before`. */
  function expectAsFound(before: Partial<State> = {}): void {
    expect(windows.state).toMatchObject({
      marked: false,
      service: null,
      processes: [],
      testSigning: before.testSigning ?? { stored: null, active: false },
      verifier: before.verifier ?? {},
    })
    for (const place of ['C:\\Users\\tester', 'C:\\', 'D:\\']) {
      expect(readdirSync(windows.locate(place)).filter((name) => name.startsWith('psctx'))).toEqual([])
    }
    expect(readdirSync(windows.locate('C:\\Windows\\System32\\drivers'))).toEqual([])
  }

  /** Test signing is on already. */
  const ready: Partial<State> = { testSigning: { stored: 1, active: true } }

  test('tests on a machine, fetches the results, and leaves it as it was found', async () => {
    const result = await run(ready, ['--volume', 'C:', '--volume', 'd:\\'])
    expect(result).toMatchObject({ code: 0 })
    expect(result.said).toContain('8 passed, 0 failed, 4 skipped')
    expect(readdirSync(result.output).sort()).toEqual([
      'doctor.json',
      'events.xml',
      'facts-after.json',
      'facts-at-end.json',
      'facts-before.json',
      'jest.log',
      'junit.xml',
      'selftest-C.tap',
      'selftest-D.tap',
    ])
    expect(read(result, 'selftest-D.tap')).toContain('ok 3 - contexts are torn down')
    expect(windows.state.boots).toBe(1)
    expectAsFound(ready)
  })

  test('switches test signing and Driver Verifier on, and back to what they were, each with a restart', async () => {
    const before: Partial<State> = {
      verifier: { VerifyDrivers: 'other.sys', VerifyDriverLevel: 1 },
      testSigning: { stored: 0, active: false },
    }
    const result = await run(before, ['--volume', 'D:', '--test-signing', '--verifier'])
    expect(result).toMatchObject({ code: 0 })
    expect(windows.state.boots).toBe(3)
    expect(windows.commands).toContain('verifier.exe /standard /driver psctx.sys')
    expect(read(result, 'verifier.txt')).toContain('psctx.sys')
    expectAsFound(before)
  })

  test('tests the front that was asked for, and removes that', async () => {
    const result = await run(ready, ['--volume', 'D:', '--front', 'minifilter', '--verifier'])
    expect(result).toMatchObject({ code: 0 })
    expect(windows.commands).toEqual(
      expect.arrayContaining([
        'verifier.exe /standard /driver psctx-minifilter.sys',
        expect.stringMatching(/psctx-selftest\.exe --driver \S+\\psctx-minifilter\.sys /),
        expect.stringMatching(/driver install --driver \S+\\psctx-minifilter\.sys$/),
        'sc.exe stop psctx-minifilter',
        'sc.exe delete psctx-minifilter',
      ]),
    )
    expectAsFound(ready)
  })

  test('takes the part of the suites that its shard has', async () => {
    const volumes = ['--volume', 'C:', '--volume', 'D:']
    const result = await run(ready, [...volumes, '--shard', '2/2'])
    expect(result).toMatchObject({ code: 0 })
    expect(result.said).toContain('running the contract (C:, D:)')
    expect(windows.commands.filter((command) => command.includes('selftest.exe'))).toEqual([])
    expect(await run(ready, [...volumes, '--shard', '5/5'])).toMatchObject({
      code: 1,
      said: 'shard 5/5 has nothing to do: there are fewer suites than shards',
    })
    expect(windows.commands).toEqual([])
  })

  test.each<[Mode, RegExp]>([
    ['a test of the self-test fails', /failed: self-test \(D:\): 1 failed/],
    ['the self-test does not come to its end', /failed: self-test \(D:\): it did not come to its end/],
    ['a test of the contract fails', /failed: contract \(D:\): 1 failed/],
    ['a file of the contract has no result', /failed: contract \(D:\): no result of contract-D\.test\.js/],
  ])('fails when %s, and leaves the machine as it was found', async (mode, reason) => {
    const result = await run({ ...ready, mode })
    expect(result.code).toBe(1)
    expect(result.said).toMatch(reason)
    expectAsFound(ready)
  })

  test('fails when the machine crashes, and brings what it says of that', async () => {
    const result = await run({ ...ready, mode: 'the machine crashes' })
    expect(result.code).toBe(1)
    for (const reason of [
      'the machine restarted by itself',
      'a crash dump: C:\\Windows\\Minidump\\112726-1-01.dmp, 5 bytes',
      'a crash dump: C:\\Windows\\MEMORY.DMP',
      'the machine crashed at 2026-11-27T00:00:00Z: 0x000000c4 (0x62)',
      'self-test (D:): no result',
      'contract (D:): no result',
    ]) {
      expect(result.said).toContain(`\nfailed: ${reason}`)
    }
    expect(read(result, '112726-1-01.dmp')).toBe('crash')
    expect(existsSync(join(result.output, 'MEMORY.DMP'))).toBe(false)
    expectAsFound(ready)
  })

  test('fails when the connection is lost though the machine runs on, and connects again to put it back', async () => {
    const result = await run({ ...ready, mode: 'the connection is lost' })
    expect(result.code).toBe(1)
    expect(result.said).toContain('failed: the connection was lost')
    expect(result.said).not.toContain('restarted by itself')
    expect(windows.commands).toContain('powershell end-processes')
    expectAsFound(ready)
  })

  test('says what is to be put back by hand when the machine does not come back', async () => {
    const running = run({ mode: 'the machine crashes' }, ['--volume', 'D:', '--test-signing', '--wait', '2'])
    const timer = setInterval(() => {
      if (windows.state.boots === 2) host.returns = false // from the crash, after the restart that was asked for
    }, 5)
    const result = await running
    clearInterval(timer)
    expect(result.code).toBe(1)
    for (const remainder of [
      'test signing: bcdedit.exe /deletevalue testsigning, then restart (the machine did not come back within 2 seconds',
      'the files: cmd.exe /d /c rmdir',
      'whether it is as it was found could not be seen',
    ]) {
      expect(result.said).toContain(`not as it was found: ${remainder}`)
    }
  })

  test('is refused by a machine that does not know the key, and says so', async () => {
    const result = await run(ready, [], 'other')
    expect(result.code).toBe(1)
    expect(result.said).toContain('No key of yours is accepted')
  })

  test.each<[string, Partial<State>, string, RegExp]>([
    ['the user is no administrator', { ...ready, administrator: false }, 'D:', /is no administrator there/],
    ['the driver is installed', { ...ready, service: 'stopped' }, 'D:', /psctx driver uninstall/],
    ['another run is under way', { ...ready, marked: true }, 'D:', /Another run is under way/],
    ['the driver would not load', {}, 'D:', /--test-signing switches it on/],
    ['the volume has no file system', ready, 'E:', /E: has no file system/],
    ['there is no such volume', ready, 'F:', /no volume F:/],
  ])('touches nothing when %s', async (_, state, volume, reason) => {
    const result = await run(state, ['--volume', volume])
    expect(result.code).toBe(1)
    expect(result.said).toMatch(reason)
    expect(windows.commands).toEqual(['powershell facts'])
  })

  test('puts the machine back when a policy keeps test signing off', async () => {
    const result = await run({ policyForbidsTestSigning: true }, ['--test-signing'])
    expect(result.code).toBe(1)
    expect(result.said).toContain('a policy of the machine forbids it')
    expectAsFound()
  })

  test('puts the machine back when Ctrl-C interrupts it, and ends what runs there', async () => {
    const program = join(directory, 'main.cjs')
    const esbuild = join(__dirname, '..', '..', 'node_modules', 'esbuild', 'bin', 'esbuild')
    const options = [`--outfile=${program}`, '--bundle', '--platform=node', '--log-level=error']
    execFileSync(esbuild, [join(__dirname, 'standins', 'main.ts'), ...options])
    await host.reset({ mode: 'the self-test hangs' })
    const words = [...host.arguments('key'), '--output', newOutput(), '--volume', 'D:', '--test-signing']
    // A process group of its own, as a command on a terminal is, where Ctrl-C is for every process of the group.
    const child = spawn(process.execPath, [program, directory, scripts, ...words], {
      env: process.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (data: Buffer) => (said += data.toString()))
    const timer = setInterval(() => {
      if (windows.state.processes.length === 0) return
      clearInterval(timer)
      process.kill(-child.pid!, 'SIGINT')
    }, 5)
    const [code] = (await once(child, 'close')) as [number | null]
    clearInterval(timer)
    expect(said).toContain('interrupted: the machine is put back as it was found')
    expect(code).toBe(130)
    expect(windows.commands).toContain('powershell end-processes')
    expect(windows.state.boots).toBe(3)
    expectAsFound()
  })

  test('restarts the machine when the driver does not stop, and removes its file then', async () => {
    const result = await run({ ...ready, driverNeverStops: true })
    expect(result.code).toBe(0)
    expect(windows.state.boots).toBe(2)
    expectAsFound(ready)
  })

  test('says what it could not put back, and fails', async () => {
    const result = await run({ ...ready, filesAreInUse: true })
    expect(result.code).toBe(1)
    expect(result.said).toMatch(/not as it was found: the directory is there: rmdir \/s \/q "D:\\psctx-vm-[0-9a-f]{8}"/)
  })

  test('puts nothing back when that is asked for, and tells how to', async () => {
    const result = await run(ready, ['--volume', 'D:', '--shard', '2/2', '--keep'])
    expect(result.code).toBe(0)
    expect(result.said).toContain('not as it was found: the driver (kept): sc.exe stop psctx, sc.exe delete psctx')
    expect(windows.state).toMatchObject({ service: 'running', marked: true })
  })

  test('writes into no directory that has something in it', async () => {
    const result = await run(ready, ['--output', host.directory])
    expect(result.code).toBe(1)
    expect(result.said).toContain('is not empty')
    expect(windows.commands).toEqual([])
  })

  test.each([[['--volume', 'data']], [['--shard', '3/2']], [['--shard', '0/2']], [['--port', '0']], [['--unknown']]])(
    'takes %j for a wrong usage',
    async (words) => {
      expect(await run(ready, words)).toMatchObject({ code: 2 })
      expect(windows.commands).toEqual([])
    },
  )
})
