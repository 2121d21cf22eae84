/** The parts of the recipe that need no machine: what it makes of facts and results, what it puts back, and the command lines it sends. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { registrations } from '../../src/cli/service'

import { findDifferences, findObstacles, newDumps, parseFacts, testSigningUndo, type Facts } from './facts'
import { powershellCommand, type ScriptName } from './machine'
import { makeProgram, parseShard, takeShard } from './options'
import { planUnits } from './recipe'
import { eventQuery, findBadNews, readEvents, readJUnit, readTap } from './results'
import { UndoStack } from './undo'

const driver = registrations.legacy

const clean: Facts = {
  version: '10.0.26100.0',
  architecture: 'AMD64',
  home: 'C:\\Users\\tester',
  systemRoot: 'C:\\Windows',
  marked: false,
  secureBoot: false,
  testSigning: false,
  storedTestSigning: {},
  verifier: {},
  service: false,
  driverFile: false,
  directories: [],
  volumes: [{ drive: 'C:', fileSystem: 'NTFS', free: 2 ** 40 }],
  dumps: [],
  newestEvent: 1,
}

describe('facts', () => {
  test('are read from JSON; what is no answer of Windows is told', () => {
    expect(parseFacts('{"administrator":false}\r\n')).toBeUndefined()
    expect(parseFacts(JSON.stringify({ administrator: true, ...clean }))).toMatchObject(clean)
    expect(() => parseFacts('powershell.exe: command not found')).toThrow('not what a Windows machine answers')
    expect(() => parseFacts('{}')).toThrow('administrator')
  })

  const wishes = { volumes: ['C:'], testSigning: true, verifier: false }

  test.each<[string, Partial<Facts>, typeof wishes, string]>([
    ['Secure Boot', { secureBoot: true }, wishes, 'Secure Boot is on'],
    ['an unsigned driver', {}, { ...wishes, testSigning: false }, '--test-signing'],
    ['a 32-bit machine', { architecture: 'x86' }, wishes, 'x86'],
    ['a full disk', { volumes: [{ drive: 'C:', fileSystem: 'NTFS', free: 1 }] }, wishes, '500 MiB'],
    ["a driver's file", { driverFile: true }, wishes, 'psctx driver uninstall'],
  ])('tell of %s', (_, facts, wanted, obstacle) => {
    expect(findObstacles({ ...clean, ...facts }, wanted)).toEqual([expect.stringContaining(obstacle)])
  })

  test('tell of nothing where nothing is in the way; Secure Boot is not, where test signing is on all the same', () => {
    expect(findObstacles(clean, wishes)).toEqual([])
    expect(findObstacles({ ...clean, secureBoot: true, testSigning: true }, wishes)).toEqual([])
  })

  test.each<[string, Partial<Facts>, string]>([
    ['the mark', { marked: true }, 'reg.exe delete'],
    ['the service', { service: true }, 'sc.exe delete psctx'],
    ["the driver's file", { driverFile: true }, 'C:\\Windows\\System32\\drivers\\psctx.sys'],
    ['a directory', { directories: ['D:\\psctx-vm-1'] }, 'rmdir /s /q "D:\\psctx-vm-1"'],
    ['test signing that is stored', { storedTestSigning: { '{1}': 1 } }, 'bcdedit.exe /deletevalue testsigning'],
    ['test signing that still holds', { testSigning: true }, 'restart'],
    ['Driver Verifier', { verifier: { VerifyDrivers: { kind: 'String', value: 'psctx.sys' } } }, 'verifier.exe /reset'],
  ])('that differ are told: %s', (_, facts, byHand) => {
    expect(findDifferences(clean, clean, driver)).toEqual([])
    expect(findDifferences(clean, { ...clean, ...facts }, driver)).toEqual([expect.stringContaining(byHand)])
  })

  test('that are the same in another order do not differ', () => {
    const one = { kind: 'DWord', value: 1 }
    const before = { ...clean, verifier: { VerifyDriverLevel: one, VerifierOptions: one } }
    const after = { ...clean, verifier: { VerifierOptions: { value: 1, kind: 'DWord' }, VerifyDriverLevel: one } }
    expect(findDifferences(before, after, driver)).toEqual([])
  })

  test.each<[Record<string, number>, Record<string, number>, string | undefined]>([
    [{}, {}, undefined],
    [{ a: 1 }, { a: 1 }, undefined],
    [{}, { a: 1 }, 'bcdedit.exe /deletevalue testsigning'],
    [{ a: 0 }, { a: 1 }, 'bcdedit.exe /set testsigning off'],
    [{ b: 1 }, { b: 1, a: 1 }, 'bcdedit.exe /deletevalue testsigning'],
  ])('test signing that was %j and is %j is put back by %s', (before, now, command) => {
    expect(testSigningUndo({ ...clean, storedTestSigning: before }, { ...clean, storedTestSigning: now })).toBe(command)
  })

  test('tell which dumps have come, also where one was overwritten', () => {
    const dump = (path: string, written: string) => ({ path, bytes: 1, written })
    const before = { ...clean, dumps: [dump('a.dmp', '1'), dump('MEMORY.DMP', '1')] }
    const after = { ...clean, dumps: [dump('a.dmp', '1'), dump('MEMORY.DMP', '2'), dump('b.dmp', '2')] }
    expect(newDumps(before, after).map(({ path }) => path)).toEqual(['MEMORY.DMP', 'b.dmp'])
  })
})

describe('results', () => {
  test.each([
    ['1..2\nok 1 - a\nok 2 - b # SKIP c\n', 1, 0, 1, []],
    ['ok 1 - a\r\nnot ok 2 - b\r\n1..2\r\n', 1, 1, 0, []],
    ['ok 1 - a\n', 1, 0, 0, ['it did not come to its end: there is no plan']],
    ['ok 1 - a\n1..3\n', 1, 0, 0, ['1 results, and 3 were planned']],
    ['1..0\n', 0, 0, 0, ['nothing passed']],
    [
      'Bail out! no driver\n',
      0,
      0,
      0,
      ['Bail out! no driver', 'it did not come to its end: there is no plan', 'nothing passed'],
    ],
  ])('of TAP %j are counted', (text, passed, failed, skipped, problems) => {
    expect(readTap(text)).toEqual({ passed, failed, skipped, problems })
  })

  test('of JUnit are counted, and a file without results is told', () => {
    const text = `<testsuites><testsuite name="C:\\s\\contract-D.test.js" tests="10" failures="2" errors="1" skipped="3"/></testsuites>`
    expect(readJUnit(text, ['contract-D.test.js'])).toEqual({ passed: 4, failed: 3, skipped: 3, problems: [] })
    expect(readJUnit(text, ['contract-E.test.js']).problems).toEqual(['no result of contract-E.test.js'])
    expect(() => readJUnit('<testsuites>', [])).toThrow()
  })

  const event = (id: number, provider: string, data: string) =>
    `<Event><System><Provider Name='${provider}'/><EventID>${id}</EventID><TimeCreated SystemTime='T'/></System>` +
    `<EventData><Data Name='x'>${data}</Data></EventData></Event>`

  test.each(['utf16le', 'latin1'] as const)(
    'of the event log are read in %s; only what is about this run is bad',
    (encoding) => {
      const text = `<Events>${[
        event(1001, 'Microsoft-Windows-WER-SystemErrorReporting', '0x000000c4'),
        event(1001, 'Something else', 'Größe'),
        event(1205, 'Microsoft-Windows-Kernel-IO', '\\Driver\\psctx'),
        event(1205, 'Microsoft-Windows-Kernel-IO', '\\Driver\\another'),
      ].join('')}</Events>`
      const entries = readEvents(Buffer.from(text, encoding))
      expect(entries).toHaveLength(4)
      expect(entries[1]).toEqual({ id: 1001, provider: 'Something else', time: 'T', data: ['Größe'] })
      expect(findBadNews(entries)).toEqual([
        'the machine crashed at T: 0x000000c4',
        'Windows blocked the driver at T: \\Driver\\psctx',
      ])
    },
  )

  test('of an empty event log are none, and the query for it is XML', () => {
    expect(readEvents(Buffer.from('<Events></Events>'))).toEqual([])
    expect(eventQuery(5)).toContain('EventRecordID &gt; 5')
  })
})

describe('shards', () => {
  test.each([1, 2, 3, 4, 7])('of %i share everything out, in parts that differ by one at most', (count) => {
    const list = ['a', 'b', 'c', 'd', 'e']
    const parts = Array.from({ length: count }, (_, index) => takeShard(list, { index: index + 1, count }))
    expect(parts.flat()).toEqual(list)
    const lengths = parts.map(({ length }) => length)
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
  })

  test('are parts of all suites on all volumes', () => {
    const volumes = ['C:', 'D:']
    expect(planUnits({ volumes, shard: parseShard('1/1') }).map(({ suite, drive }) => `${suite} ${drive}`)).toEqual([
      'self-test C:',
      'self-test D:',
      'contract C:',
      'contract D:',
    ])
    expect(planUnits({ volumes, shard: parseShard('2/4') })).toEqual([{ suite: 'self-test', drive: 'D:' }])
  })

  test.each(['0/1', '2/1', '1', 'a/b', '1/2/3', '-1/2'])('%s is none', (text) => {
    expect(() => parseShard(text)).toThrow('A shard is i/n')
  })
})

describe('what is put back', () => {
  test('is put back in reverse order, each once, whatever fails', async () => {
    const stack = new UndoStack()
    const done: string[] = []
    for (const name of ['a', 'b', 'c']) {
      stack.push(name, `${name} by hand`, async () => {
        await Promise.resolve()
        done.push(name)
        if (name === 'b') throw new Error('no')
      })
    }
    expect(stack.list().map(({ what }) => what)).toEqual(['c', 'b', 'a'])
    expect(await stack.unwind(() => undefined)).toEqual([{ what: 'b', byHand: 'b by hand', reason: 'no' }])
    expect(await stack.unwind(() => undefined)).toEqual([])
    expect(done).toEqual(['c', 'b', 'a'])
  })
})

describe('PowerShell commands', () => {
  const scripts = join(__dirname, 'scripts')

  test.each<[ScriptName, Record<string, string>]>([
    ['facts', {}],
    ['mark', {}],
    ['end-processes', { directory: 'psctx-vm-01234567' }],
    ['restore-verifier', { values: '{"VerifyDrivers":{"kind":"String","value":"a.sys"}}' }],
  ])(
    '%s fit into a command line of cmd.exe, and have no character that a shell takes for its own',
    (name, variables) => {
      const command = powershellCommand(scripts, name, variables)
      expect(command.length).toBeLessThan(8191)
      expect(command).toMatch(/^[A-Za-z0-9 .+/=-]+$/)
    },
  )

  test('set variables to texts, whatever is in them, and are not cut off', () => {
    const command = powershellCommand(scripts, 'restore-verifier', { values: "it's $x `n" })
    const text = Buffer.from(command.split(' ').at(-1)!, 'base64').toString('utf16le')
    expect(text).toContain("$values = 'it''s $x `n'\n")
    expect(() => powershellCommand(scripts, 'mark', { x: 'y'.repeat(8000) })).toThrow('too long')
  })
})

describe('docs/testing-on-windows.md', () => {
  const root = join(__dirname, '..', '..')
  const text = readFileSync(join(root, 'docs', 'testing-on-windows.md'), 'utf8')

  test('shows commands that are right', async () => {
    const commands = [...text.matchAll(/^npm run test:vm -- (.*)$/gm)].map(([, words]) => words!)
    expect(commands).not.toEqual([])
    for (const words of commands) {
      const seen: unknown[] = []
      await makeProgram(async (options) => {
        seen.push(options.target.destination)
        await Promise.resolve()
      }).parseAsync(['node', 'test-vm', ...words.split(' ')])
      expect(seen).toEqual(['admin@192.0.2.7'])
    }
  })

  test('tells all options, and no others', () => {
    const told = [...text.matchAll(/^\| .*\|$/gm)].flatMap(([row]) => row.split('|')[1]!.match(/--[a-z-]+/g) ?? [])
    const { options } = makeProgram(() => Promise.resolve())
    expect(told.sort()).toEqual(options.map(({ long }) => long).sort())
  })

  test('calls the reusable workflow with inputs and secrets that it has', () => {
    const workflow = readFileSync(join(root, '.github', 'workflows', 'windows-vm.yml'), 'utf8')
    for (const name of ['hosts', 'arguments', 'ssh-key', 'known-hosts']) {
      expect(text).toMatch(new RegExp(`^      ${name}: `, 'm'))
      expect(workflow).toMatch(new RegExp(`^      ${name}:$`, 'm'))
    }
  })
})

const noDriver = process.env['PSCTX_NO_WINDOWS'] ?? ''
const testDriver = noDriver === '' ? test : test.skip

testDriver(`the driver is signed for the run alone, and the key is thrown away${noDriver && ` (${noDriver})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-signed-'))
  try {
    const driver = join(__dirname, '..', '..', 'build', 'windows', 'x64', 'psctx.sys')
    const signed = join(directory, 'signed.sys')
    const module = pathToFileURL(join(__dirname, 'payload.mjs')).href
    const script = `(await import(${JSON.stringify(module)})).signDriver(...process.argv.slice(1))`
    const options = { env: { ...process.env, TMPDIR: directory } }
    execFileSync(process.execPath, ['--input-type=module', '--eval', script, driver, signed], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // The certificate is nobody's whom this machine trusts, which is not what is asked here.
    const { stdout } = spawnSync('osslsigncode', ['verify', '-in', signed], { encoding: 'utf8' })
    expect(stdout).toContain('CN=psctx test')
    expect(stdout).toMatch(/Current message digest\s*: (\w+)\s+Calculated message digest\s*: \1/)
    expect(readdirSync(directory)).toEqual(['signed.sys'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
