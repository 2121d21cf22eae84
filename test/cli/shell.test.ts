/** `psctx shell`: its scripts, its prompt, and how it reads a line. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'

import { linesOf } from '../../src/cli/lines'
import { quote, splitLine } from '../../src/cli/shell/words'
import type { Surroundings } from '../../src/cli/surroundings'
import { jsonReviver, type ShellLine } from '../../src/json'
import { Execution, psctx, shell } from './surroundings'

const head = 'write M:\\a.txt --data text\nopen h M:\\a.txt\n'

describe('a line', () => {
  const words = (line: string) => splitLine(line).map(({ text }) => text)

  test.each([
    ['', []],
    ['  \t ', []],
    ['a  b\tc', ['a', 'b', 'c']],
    [String.raw`open h M:\new\table\u0041`, ['open', 'h', String.raw`M:\new\table\u0041`]],
    [String.raw`M:\"my documents"\a "b\"`, ['M:\\my documents\\a', 'b\\']],
    [`"" '' "a""b" 'it''s' 'say "x"'`, ['', '', 'a"b', "it's", 'say "x"']],
    ['a # b', ['a']],
    ['# a', []],
    ['M:\\a#1 "#b"', ['M:\\a#1', '#b']],
    ['🦊 "🐾 x"', ['🦊', '🐾 x']],
  ])('%s has the words %j', (line, expected) => {
    expect(words(line)).toEqual(expected)
  })

  test('whose quote is not closed says so', () => {
    expect(splitLine('a "b c').at(-1)).toMatchObject({ text: 'b c', start: 2, openQuote: '"' })
  })

  test.each(['a', '', 'a b', '"', "it's", '#a', '&', 'M:\\my documents\\', 'a\tb'])(
    'a word is quoted so that it is read again: %j',
    (word) => {
      expect(words(quote(word))).toEqual([word])
      expect(splitLine(quote('&'))[0]!.isQuoted).toBe(true)
    },
  )
})

test('text comes in lines, however it is cut, with LF or CRLF, and without a byte order mark', async () => {
  const bytes = Buffer.from('\ufeffone\r\n\r\nzw🦊ei\nthree\r')
  for (const size of [1, 2, 3, 5, 100]) {
    const chunks = async function* () {
      await Promise.resolve()
      for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
    }
    const lines: string[] = []
    for await (const line of linesOf(chunks())) lines.push(line)
    expect(lines).toEqual(['one', '', 'zw🦊ei', 'three'])
  }
})

describe('a script', () => {
  test('keeps one session open from line to line, with LF or CRLF, comments and the program’s name', async () => {
    const script = `${head}# a comment\n\npsctx insert h --data "seen"  # another\nlookup h --raw\n`
    for (const text of [script, script.replaceAll('\n', '\r\n'), `\ufeff${script.trimEnd()}`]) {
      const { code, out, error } = await shell(text)
      expect({ code, error }).toEqual({ code: 0, error: '' })
      expect(out).toMatch(/^wrote 4 bytes\nh: it can carry contexts\ninserted: .*\nseen$/)
    }
  })

  test('ends at the first line that fails, and says which', async () => {
    const { code, out, error } = await shell('handles\nlookup M:\\none\nhandles\n')
    expect({ code, out }).toEqual({ code: 1, out: 'No handle is open.\n' })
    expect(error).toMatch(/^psctx: line 2: .*STATUS_OBJECT_NAME_NOT_FOUND.*\n$/)
    expect(await shell('nonsense\n')).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^psctx: line 1: unknown command/) as string,
    })
    expect(await shell('handles "\n')).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^psctx: line 1: A quote/) as string,
    })
  })

  test.each([
    [`${head}insert h\ninsert h\n`, 'Say --if-exists keep, replace or add'],
    ['lookup nobody\n', 'There is no handle nobody'],
  ])('says in the words of the shell what to do: %j', async (script, said) => {
    const { code, error } = await shell(script)
    expect(code).toBe(1)
    expect(error).toContain(said)
  })

  test('goes on with --keep-going, and still comes to the first failure', async () => {
    const { code, out, error } = await shell('nonsense\nlookup M:\\none\nhandles\n', '--keep-going')
    expect({ code, out }).toEqual({ code: 2, out: 'No handle is open.\n' })
    expect(error.match(/^psctx: line \d/gm)).toEqual(['psctx: line 1', 'psctx: line 2'])
  })

  test('shows the teardown of a stream with its last handle', async () => {
    const { out } = await shell(
      `${head}open other M:\\a.txt\ninsert h\ninsert h --instance 1\nclose h\nclose other\nhandles`,
    )
    expect(out).toMatch(/^h: closed\nother: closed; 2 contexts torn down\nNo handle is open\.\n$/m)
  })

  test('says at once that a context has gone with its stream', async () => {
    const { code, error } = await psctx(['shell'], {}, 'write M:\\a.txt\ninsert M:\\a.txt\n')
    expect(code).toBe(0)
    expect(error).toMatch(/^psctx: line 2: the file system has torn the context down: .*`open NAME M:\\a\.txt`.*\n$/m)
  })

  test('makes things happen to files', async () => {
    const { code, out } = await shell(
      [
        'mkdir M:\\d',
        'write M:\\d\\a.txt --data-hex 4142',
        'rename M:\\d\\a.txt M:\\b.txt',
        'link M:\\b.txt M:\\c.txt',
        'unlink M:\\b.txt',
        'read M:\\c.txt',
        'write M:\\b.txt --data new',
        'rename M:\\b.txt M:\\c.txt --replace',
        'read M:\\c.txt',
        'dismount M:',
      ].join('\n'),
    )
    expect(code).toBe(0)
    expect(out).toMatch(
      /renamed to M:\\b\.txt\nalso named M:\\c\.txt\ndeleted M:\\b\.txt\nAB\n.*\n.*\nnew\ndismounted M:\n$/,
    )
  })

  test('runs commands in the background, waits for their end, and ends them', async () => {
    const { code, out } = await shell(
      `write M:\\a.txt\nwatch *.txt --count 4 &\nopen h M:\\a.txt\nclose h\nwait 1\ntrack * &\nopen h M:\\a.txt\nstop 2\nstop`,
    )
    expect(code).toBe(0)
    expect(out.match(/inserted|tracked|cleanup|torn-down/g)).toEqual(['inserted', 'tracked', 'cleanup', 'torn-down'])
    expect(out).toContain('*: 1 open matched, 1 given a context, 0 missed\n')
    expect(await shell('wait 3')).toMatchObject({ code: 2 })
    expect(await shell('nonsense &')).toMatchObject({ code: 2 })
  })

  test('ends what is in the background with its last line', async () => {
    const { code, out } = await shell('watch * &\nwrite M:\\a.txt --data x')
    expect(code).toBe(0)
    expect(out).toMatch(/torn-down/)
  })

  test('--json is a line for each document and event', async () => {
    const { code, out } = await shell(`${head}watch &\ninsert h --data-hex ff\nlookup h\nstop\n`, '--json')
    expect(code).toBe(0)
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line, jsonReviver) as ShellLine)
    const names = lines.map((line) => ('command' in line ? line.command : line.type))
    expect(names.sort()).toEqual(['insert', 'inserted', 'lookup', 'open', 'write'])
  })

  test('--read-only changes nothing', async () => {
    const { code, error } = await shell('insert M:\\\n', '--read-only')
    expect({ code, error }).toEqual({ code: 1, error: expect.stringContaining('STATUS_ACCESS_DENIED') as string })
  })

  test('standard input is the script’s own', async () => {
    expect(await shell('write M:\\a --data-file -')).toMatchObject({ code: 2 })
    expect(await shell('report -')).toMatchObject({ code: 2 })
  })

  test('exit ends it', async () => {
    expect(await shell('exit\nnonsense')).toMatchObject({ code: 0, out: '', error: '' })
  })

  test('Ctrl-C ends a command, then the shell when nothing runs', async () => {
    const execution = new Execution(['shell', '--quiet'])
    execution.input.write(`${head}watch\nhandles\n`)
    await execution.until(() => execution.out.includes('h: it can'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    execution.interrupt()
    await execution.until(() => execution.out.includes('M:\\a.txt'))
    execution.interrupt()
    expect(await execution.code).toBe(0)
  })
})

describe('the prompt', () => {
  const keys = '\t\u0003\u0004'
  /** Before and after Tab, Ctrl-C and Ctrl-D. */
  const keyBoundary = new RegExp(`(?<=[${keys}])|(?=[${keys}])`)
  let directory: string
  let execution: Execution
  let screen: string

  /** Starts the shell on a terminal that is made of pipes. */
  function start(...options: string[]): void {
    const output = new PassThrough()
    screen = ''
    output.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    const live = () => Promise.resolve({ draw: () => undefined, end: () => undefined })
    const terminal = Object.assign({ columns: 80, rows: 24, live }, { output })
    const input = Object.assign(new PassThrough(), { isTTY: true })
    const environment = { XDG_STATE_HOME: join(directory, 'state') }
    const changes: Partial<Surroundings> = { terminal, input, environment }
    execution = new Execution(['shell', '--quiet', ...options], changes)
    type = async (keys, expected) => {
      screen = ''
      // Keys that come at once are pasted text, in which Tab is a blank.
      for (const part of keys.split(keyBoundary)) {
        input.write(part)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await execution.until(() =>
        expected instanceof RegExp ? expected.test(execution.out + screen) : screen.includes(expected),
      )
    }
  }
  let type: (keys: string, expected: string | RegExp) => Promise<void>

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'psctx-shell-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('takes commands, ends one by Ctrl-C and clears a line by it, and ends by Ctrl-D', async () => {
    start()
    await type('write M:\\a.txt --data x\r', /wrote 1 byte/)
    await type('watch\r', 'watch')
    await type('\u0003', 'psctx> ')
    await type('nonsense', 'nonsense')
    await type('\u0003', '^C')
    await type('handles\r', /No handle is open/)
    expect(execution.error).toBe('')
    await type('nonsense\r', 'psctx> ')
    expect(execution.error).toMatch(/^psctx: unknown command 'nonsense'/)
    await type('\u0004', '\n')
    expect(await execution.code).toBe(0)
  })

  test('completes commands, options, their values, handles and paths', async () => {
    mkdirSync(join(directory, 'volume', 'my letters'), { recursive: true })
    writeFileSync(join(directory, 'volume', 'my letters', 'to you.txt'), '')
    start('--volume', `N:=${join(directory, 'volume')}`)
    await type('op\trep N:\\MY\tto\t\r', /rep: it can carry contexts/)
    await type('inser\trep\t--po\tn\t\r', /inserted: owner 0/)
    await type('list rep\t\r', /nonpaged/)
    await type('\u0004', '\n')
    expect(await execution.code).toBe(0)
    expect(execution.error).toBe('')
  })

  test('keeps its history in the user’s state directory, for the user alone', async () => {
    start()
    await type('handles\r', /No handle is open/)
    await type('stat\r', /contexts inserted/)
    await type('\u0004', '\n')
    expect(await execution.code).toBe(0)
    const history = join(directory, 'state', 'psctx', 'history')
    expect(readFileSync(history, 'utf8')).toBe('handles\nstat\n')
    expect(statSync(history).mode & 0o777).toBe(0o600)
    start()
    await type('\u001b[A', 'stat')
    await type('\u0003\u0004', '\n')
    expect(await execution.code).toBe(0)
  })

  test('says once that no history can be kept, and goes on', async () => {
    writeFileSync(join(directory, 'state'), 'a file')
    start()
    await type('handles\r', /No handle is open/)
    await type('exit\r', 'exit')
    expect(await execution.code).toBe(0)
    expect(execution.error).toMatch(/^psctx: no history is kept: .*\(E[A-Z]+\)\..*\n$/)
  })

  test('Ctrl-D ends a command that goes on, too', async () => {
    start()
    await type('watch\r', 'watch')
    await type('\u0004', '\n')
    expect(await execution.code).toBe(0)
  })
})
