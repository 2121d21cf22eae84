/** The commands on contexts, on the embedded kernel: what each of them tells, to people and as JSON, and what it exits with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { jsonReviver, type InsertDocument, type TrackLine, type WatchLine } from '../../src/json'
import { Filter, openFilter, PerStreamContextError, Stream } from '../../src/index'
import { Execution, psctx, shell } from './surroundings'

const path = 'M:\\report.docx'
let directory: string
/** Another session on the same volume, as another program on Windows would have. */
let filter: Filter
let stream: Stream

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-cli-'))
  filter = openFilter()
  filter.host!.writeFile(path, Buffer.from('text'))
  stream = filter.openStream(path)
})
afterEach(() => {
  filter.close()
  rmSync(directory, { recursive: true })
})

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what is expected
const parse = <T = unknown>(text: string): T => JSON.parse(text, jsonReviver) as T

/** Opens and closes the stream so many times, by another handle than the one that is open. */
const openings = (count: number) => {
  for (let index = 0; index < count; index += 1) filter.openStream(path).close()
}

describe('insert', () => {
  test('tells what it did, and that the context ends with the command', async () => {
    const { code, out, error } = await psctx(['insert', path, '--owner', '0xff', '--instance', '7', '--data', 'seen'])
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^inserted: owner 255, instance 7, 4 bytes, sequence \d+\n$/) as string,
    })
    expect(error).toMatch(
      /^psctx: embedded kernel, .*\npsctx: the context ends with this command, .*`psctx shell`.*\n$/,
    )
    expect(stream.inspect()).toEqual([])
  })

  test('makes the file on a volume in memory, which begins empty, and says when the stream was torn down', async () => {
    const { code, out, error } = await psctx(['insert', 'P:/one/two/a.txt:notes', '--volume', 'P:', '--json'])
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(parse<InsertDocument>(out)).toMatchObject({ path: 'P:/one/two/a.txt:notes', instance: 0n, tornDown: true })
    expect((await psctx(['insert', 'P:\\a.txt', '--volume', 'P:'])).error).toContain('torn the context down')
  })

  test('makes nothing in a directory, whose files are the user’s', async () => {
    const volume = ['--volume', `N:=${directory}`]
    const { code, error } = await psctx(['insert', 'N:\\a.txt', '--quiet', ...volume])
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringContaining('STATUS_OBJECT_NAME_NOT_FOUND') as string,
    })
    writeFileSync(join(directory, 'a.txt'), '')
    expect((await psctx(['insert', 'N:\\a.txt', '--quiet', ...volume])).code).toBe(0)
  })

  test.each([
    ['--data', 'ümlaut 🦊', Buffer.from('ümlaut 🦊')],
    ['--data', '', Buffer.alloc(0)],
    ['--data-hex', '00 fF:41', Buffer.from([0, 255, 65])],
    ['--data-file', '-', Buffer.from('from input')],
  ])('takes data by %s %j', async (option, value, data) => {
    const execution = new Execution(['insert', path, option, value, '--json'])
    execution.input.end('from input')
    expect(await execution.code).toBe(0)
    expect(parse<InsertDocument>(execution.out).dataLength).toBe(data.length)
  })

  test('takes data from a file, and no more than it needs of one that is too long', async () => {
    const file = join(directory, 'data')
    writeFileSync(file, 'in a file')
    expect(parse<InsertDocument>((await psctx(['insert', path, '--data-file', file, '--json'])).out).dataLength).toBe(9)
    const { code, error } = await psctx(['insert', path, '--quiet', '--data-file', '/dev/zero'])
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(/^psctx: The data has more than 65536 bytes.*\n$/) as string,
    })
  })
})

describe('lookup, remove and list', () => {
  const head = `write ${path} --data text\nopen h ${path}\n`

  test('find what their session has inserted, and print data as text where it is some', async () => {
    const { code, out } = await shell(
      `${head}insert h --instance 1 --data "two\twords"\nlookup h --instance 1\nlookup h --raw\nlist h\nremove h\nlist`,
    )
    expect(code).toBe(0)
    expect(out).toMatch(/^owner 0, instance 1, paged pool, lifetime session, sequence \d+, 9 bytes\ntwo\twords\n/m)
    expect(out).toMatch(/^removed owner 0, instance 1.*\n.*\nThis session has no context anywhere\.\n$/m)
  })

  test('print other data as a dump', async () => {
    const { out } = await shell(`${head}insert h --data-hex "00 1b5b316d 41"\nlookup h`)
    expect(out).toContain('00000000  00 1b 5b 31 6d 41                                 |..[1mA|\n')
  })

  test('--raw is the bytes and nothing else', async () => {
    const execution = new Execution(['shell', '--quiet'])
    execution.input.end(`${head}insert h --data-hex 00ff0a\nlookup h --raw`)
    expect(await execution.code).toBe(0)
    expect(execution.bytes.subarray(-3)).toEqual(Buffer.from([0, 255, 10]))
  })

  test('say that there is nothing, what to do, and exit with 1', async () => {
    for (const command of ['lookup', 'remove']) {
      const { code, out, error } = await psctx([command, path, '--quiet'])
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(error).toMatch(/^psctx: There is no such context on M:\\report\.docx\. .*`psctx shell`.*\n$/)
      const json = await psctx([command, path, '--json'])
      expect(json).toMatchObject({ code: 1, error: '' })
      expect(parse(json.out)).toMatchObject({ command, context: null })
    }
  })

  test('--all removes an owner’s contexts, or everybody’s of the session', async () => {
    const { out } = await shell(
      `${head}insert h --owner 1\ninsert h --owner 1 --instance 2\ninsert h --owner 2\nremove h --all --owner 1\nremove h --all`,
    )
    expect(out).toContain('removed 2 contexts\nremoved 1 context\n')
  })
})

test('inspect tells whose the contexts on a stream are', async () => {
  expect((await psctx(['inspect', path])).out).toBe('No filter holds a per-stream context on M:\\report.docx.\n')
  stream.insert()
  expect((await psctx(['inspect', path])).out).toMatch(/another user of psctx .* PsCtx\.sys\+0x[0-9a-f]+ /)
})

test('reading commands open the driver for looking only', async () => {
  const opened: unknown[] = []
  const open: NonNullable<Parameters<typeof psctx>[1]>['open'] = (options) => {
    opened.push(options.readOnly)
    return Promise.resolve(openFilter(options))
  }
  for (const line of [['lookup', path], ['list', path], ['inspect', path], ['volumes'], ['stat']]) {
    await psctx(line, { open })
  }
  expect(opened).toEqual([true, true, true, true, true])
})

describe('inspect, where Filter Manager has a context', () => {
  const entry = {
    holder: 'other-filter',
    module: 'fltMgr.sys',
    offset: 16,
    ownerKind: 'unknown',
    ownerToken: '1',
  } as const
  const minifilters = [
    { filter: 'WdFilter', instance: 'WdFilter Instance', altitude: '328010' },
    { filter: 'luafv', instance: 'luafv', altitude: '135000' },
  ]
  afterEach(() => {
    jest.restoreAllMocks()
  })

  function inspect(...options: string[]) {
    return psctx(['inspect', 'M:', ...options])
  }

  test('says on whose behalf, and names the candidates with their altitudes', async () => {
    const told = { ...entry, filterManager: true, minifilters } as const
    jest.spyOn(Stream.prototype, 'inspect').mockReturnValue([told])
    const { code, out } = await inspect('--quiet')
    expect(code).toBe(0)
    expect(out).toContain(
      'fltMgr.sys: Filter Manager’s own, on behalf of the minifilters that have set a context here.',
    )
    expect(out).toMatch(/328010.*WdFilter.*WdFilter Instance[^]*135000.*luafv/)
    const document = JSON.parse((await inspect('--json')).out) as { contexts: unknown }
    expect(document.contexts).toEqual([told])
  })

  test('says that none is attached', async () => {
    jest.spyOn(Stream.prototype, 'inspect').mockReturnValue([{ ...entry, filterManager: true, minifilters: [] }])
    expect((await inspect()).out).toContain('None is attached to this volume.')
  })

  test('says why they could not be listed', async () => {
    jest.spyOn(Stream.prototype, 'inspect').mockReturnValue([{ ...entry, filterManager: true }])
    jest.spyOn(Filter.prototype, 'minifilters').mockImplementation((path) => {
      throw new PerStreamContextError({ status: 0xc00000bb, operation: 'minifilters', path })
    })
    const { code, out, error } = await inspect()
    expect(code).toBe(0)
    expect(out).toContain('fltMgr.sys: Filter Manager’s own')
    expect(error).toMatch(/minifilters could not be listed: .*STATUS_NOT_SUPPORTED.*no Filter Manager here/)
  })
})

test('on Windows nothing is said of an embedded kernel, and there is no volume to name', async () => {
  const { error } = await psctx(['stat'], { platform: 'win32' })
  expect(error).toBe('')
  expect(await psctx(['stat', '--volume', 'N:'], { platform: 'win32' })).toMatchObject({ code: 2, out: '' })
  expect(await psctx(['stat', '--front', 'legacy'], { platform: 'win32' })).toMatchObject({ code: 2, out: '' })
})

describe('watch', () => {
  test('tells a stream’s life in lines, sums it up beside them, and leaves nothing behind', async () => {
    stream.close()
    const execution = new Execution(['watch', '*\\REPORT.DOCX', '--count', '4', '--on', 'M:'])
    await execution.until(() => execution.isInterruptible)
    openings(1)
    expect(await execution.code).toBe(0)
    const types = execution.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)[1])
    expect(types).toEqual(['inserted', 'tracked', 'cleanup', 'torn-down'])
    expect(execution.error).toContain(
      'psctx: 4 events: 1 inserted, 1 tracked, 1 cleanup, 1 torn-down; 1 open matched, 1 given a context, 0 missed\n',
    )
    openings(1)
    expect(filter.statistics().total).toMatchObject({ sessions: 1, contexts: 0 })
  })

  test('Ctrl-C ends it, after what happened before has been told', async () => {
    const execution = new Execution(['watch', '*.docx', '--json'])
    await execution.until(() => execution.isInterruptible)
    openings(100)
    execution.interrupt()
    expect(await execution.code).toBe(0)
    expect(execution.isInterruptible).toBe(false)
    const events = execution.out
      .trimEnd()
      .split('\n')
      .map((line) => parse<WatchLine>(line))
    expect(events.filter(({ type }) => type === 'cleanup')).toHaveLength(100)
    expect(execution.error).toBe('')
  })

  test('on a terminal it draws a view of the latest streams and events', async () => {
    stream.close()
    const drawn: string[] = []
    const live = () => Promise.resolve({ draw: (text: string) => drawn.push(text), end: () => drawn.push('end') })
    const terminal = { columns: 100, rows: 30, output: process.stdout, live }
    const execution = new Execution(['watch', '*.docx', '--count', '4'], { terminal })
    await execution.until(() => execution.isInterruptible)
    openings(1)
    expect(await execution.code).toBe(0)
    expect(drawn.at(-1)).toBe('end')
    expect(drawn.at(-2)).toMatch(/gone.* 1 +0 +torn-down +\\report\.docx/)
    expect(drawn.at(-2)).toContain('\u001b[')
    expect(execution.out).toBe('')
  })
})

describe('track', () => {
  test('counts what is done with streams until Ctrl-C', async () => {
    const execution = new Execution(['track', '*.docx', '--count', '--json'])
    await execution.until(() => execution.out !== '')
    openings(2)
    filter.host!.writeFile(path, Buffer.from('longer'))
    execution.interrupt()
    expect(await execution.code).toBe(0)
    const lines = execution.out
      .trimEnd()
      .split('\n')
      .map((line) => parse<TrackLine>(line))
    expect(lines[0]).toMatchObject({ matched: 0, contexts: [] })
    expect(lines.at(-1)).toMatchObject({ matched: 3, inserted: 1, missed: 0 })
    expect(lines.at(-1)!.contexts![0]!.tracked).toMatchObject({ opens: 3, cleanups: 3, writes: 1, bytesWritten: 6 })
  })

  test('prints a table of the streams at the end', async () => {
    const execution = new Execution(['track', '*.docx', '--count'])
    await execution.until(() => execution.out !== '')
    openings(2)
    execution.interrupt()
    expect(await execution.code).toBe(0)
    expect(execution.out).toMatch(/\*\.docx: 2 opens matched, 1 given a context, 0 missed\n/)
    expect(execution.out).toMatch(/\\report\.docx +│ 2 +│ 0 /)
  })
})

describe('report', () => {
  const event = '{"type":"volume-attached","number":1,"time":"1","date":"2026-01-01T00:00:00.000Z","name":"x"}\n'

  test('reads a file, or standard input, and writes a page', async () => {
    const [events, page] = [join(directory, 'events.ndjson'), join(directory, 'report.html')]
    writeFileSync(events, event)
    expect(await psctx(['report', events, '--output', page])).toMatchObject({ code: 0, error: '' })
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/i)
    const { code, out } = await psctx(['report', '-'], {}, event)
    expect({ code, out }).toEqual({ code: 0, out: `${readFileSync(page, 'utf8')}\n` })
  })

  test('names the line that is no event, and writes nothing', async () => {
    const page = join(directory, 'report.html')
    const { code, error } = await psctx(['report', '-', '--output', page], {}, `${event}nonsense\n`)
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(/^psctx: Line 2 of standard input .*\n$/) as string,
    })
    expect(error.match(/is no event|Record events/g)).toHaveLength(1) // said once
    expect(() => readFileSync(page)).toThrow('ENOENT')
  })

  test('says what cannot be read or written', async () => {
    expect((await psctx(['report', join(directory, 'none')])).error).toMatch(/cannot be read \(ENOENT\)\. .*\n$/)
    expect((await psctx(['report', directory])).error).toMatch(/cannot be read \(EISDIR\)\. .*\n$/)
    const { code, error } = await psctx(['report', '-', '--output', directory], {}, event)
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(/could not be written \(EISDIR\)\. .*\n$/) as string,
    })
  })

  test('does not fill a terminal with it', async () => {
    const terminal = { columns: 80, rows: 24, output: process.stdout, live: () => Promise.reject(new Error('none')) }
    expect(await psctx(['report', '-'], { terminal }, event)).toMatchObject({ code: 2, out: '' })
  })
})

test.each([
  [['insert', path, '--owner', '-1']],
  [['insert', path, '--owner', '']],
  [['insert', path, '--owner', '1e3']],
  [['insert', path, '--owner', '18446744073709551616']],
  [['insert', path, '--instance', '0x10000000000000000']],
  [['insert', path, '--instance', '0x']],
  [['insert', path, '--data', 'a', '--data-hex', '00']],
  [['insert', path, '--data-hex', '0']],
  [['insert', path, '--data-hex', 'xy']],
  [['insert', path, '--pool', 'swimming']],
  [['insert', path, '--volume', 'N=/tmp']],
  [['insert', path, '--front', 'filter']],
  [['insert', path, '--volume', 'N:', '--volume', 'n:']],
  [['insert']],
  [['lookup', path, '--raw', '--json']],
  [['remove', path, '--all', '--instance', '1']],
  [['list', path, '--on', 'M:']],
  [['watch']],
  [['watch', '']],
  [['watch', '*', '--count', '0']],
  [['watch', '*', '--count', 'many']],
  [['watch', '*', '--on', '']],
  [['track', '*'.repeat(1025)]],
  [['report', '-', '--json']],
  [['completion', 'tcsh']],
])('wrong usage is exit code 2 and a line that says what to do: %j', async (line) => {
  const { code, out, error } = await psctx(line)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(error.replace(/^psctx: embedded kernel.*\n/, '')).toMatch(/^psctx: .+[.)].*\n$/)
})

test.each([
  [['inspect', 'M:\\none']],
  [['inspect', 'M:\\none\\none']],
  [['inspect', 'Q:\\a']],
  [['inspect', 'M:']],
  [['inspect', '']],
  [['inspect', 'M:report.docx']],
  [['inspect', `M:\\${'a'.repeat(40000)}`]],
  [['inspect', 'M:\\\u001b[31mred']],
  [['insert', 'M:\\a?b']],
  [['watch', '*', '--on', 'Q:']],
  [['list', '--on', 'Q:']],
  [['stat', '--volume', 'N:=/none/such']],
  [['stat', '--volume', 'N:=/dev/null']],
])('what fails is exit code 1 and one line that says what to do: %j', async (line) => {
  const { code, out, error } = await psctx([...line, '--quiet'])
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(error).toMatch(/^psctx: .+\. .+[.)]\n$/)
  expect(error).not.toContain('\u001b')
})

test.each(['M:\\🦊.txt', 'M:\\🦊.txt:🐾', `M:\\${'long '.repeat(50)}`, 'M:\\directory\\', 'M:\\a.txt:stream:$DATA'])(
  'any name is a name: %s',
  async (name) => {
    const { code, out } = await psctx(['insert', name, '--json'])
    expect(code).toBe(0)
    expect(parse<InsertDocument>(out)).toMatchObject({ path: name, outcome: 'inserted' })
  },
)
