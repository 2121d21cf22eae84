/** `psctx inspect` and `psctx watch`, on the embedded kernel in place of Windows. */
import { run, type Surroundings } from '../../src/cli/program'
import { openFilter, type Filter } from '../../src/index'

let filter: Filter
let out: string
let error: string

async function psctx(line: string[], changes: Partial<Surroundings> = {}): Promise<number> {
  out = ''
  error = ''
  const unexpected = () => Promise.reject(new Error('not asked for'))
  return run(line, {
    version: '1.2.3',
    platform: 'win32',
    columns: 80,
    out: (text) => (out += text),
    error: (text) => (error += text),
    machine: unexpected,
    facts: unexpected,
    filter: (options) => Promise.resolve(openFilter({ kernel: 'host', ...options })),
    interrupted: () => new AbortController().signal,
    ...changes,
  })
}

const openings = (count: number) => {
  for (let index = 0; index < count; index += 1) filter.openStream('M:\\report.docx').close()
}

beforeEach(() => {
  filter = openFilter({ kernel: 'host' })
  filter.host!.writeFile('M:\\report.docx', Buffer.from('text'))
})

afterEach(() => {
  filter.close()
})

test('inspect tells who holds a context on a stream', async () => {
  const stream = filter.openStream('M:\\report.docx')
  expect(await psctx(['inspect', 'M:\\report.docx'])).toBe(0)
  expect(out).toBe('No filter holds a per-stream context on M:\\report.docx.\n')
  stream.insert()
  expect(await psctx(['inspect', 'M:\\report.docx'])).toBe(0)
  expect(out).toMatch(/another user of psctx .* PsCtx\.sys\+0x[0-9a-f]+ /)
  expect(await psctx(['inspect', 'M:\\report.docx', '--json'])).toBe(0)
  expect(JSON.parse(out)).toMatchObject([{ holder: 'other-session', module: 'PsCtx.sys' }])
})

test('inspect says why there is nothing to tell', async () => {
  expect(await psctx(['inspect', 'M:\\none'])).toBe(1)
  expect(error).toMatch(/^psctx: .*M:\\none.*STATUS_OBJECT_NAME_NOT_FOUND/)
  expect(await psctx(['inspect', 'M:'])).toBe(1)
  expect(error).toContain('volume')
  expect(await psctx(['inspect'])).toBe(2)
})

test('watch tells of the openings and the teardown of what matches, and leaves nothing behind', async () => {
  const watching = psctx(['watch', '*\\REPORT.DOCX', '--count', '4'])
  setImmediate(() => openings(1))
  expect(await watching).toBe(0)
  const lines = out.trimEnd().split('\n')
  expect(lines.map((line) => line.split('  ')[1]!.trim())).toEqual(['inserted', 'tracked', 'cleanup', 'torn-down'])
  expect(lines[3]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z {2}torn-down .*\\report\.docx {2}after \d+\.\d ms$/)
  expect(filter.statistics().total).toMatchObject({ sessions: 1, contexts: 0 })
  openings(1)
  expect(filter.statistics().total.contexts).toBe(0)
})

test('watch ends when it is interrupted', async () => {
  const controller = new AbortController()
  const watching = psctx(['watch', '*.docx', '--json'], { interrupted: () => controller.signal })
  setImmediate(() => {
    openings(2)
    setTimeout(() => controller.abort(), 50)
  })
  expect(await watching).toBe(0)
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; name: string })
  expect(events.filter(({ type }) => type === 'torn-down')).toHaveLength(2)
  expect(events.every(({ name }) => name.endsWith('report.docx'))).toBe(true)
})

test.each([[['watch']], [['watch', '*', '--count', '0']], [['watch', '*', '--count', 'many']]])(
  'wrong usage: %p',
  async (line) => {
    expect(await psctx(line)).toBe(2)
    expect(error).not.toBe('')
  },
)

test('elsewhere than on Windows both say what there is instead', async () => {
  for (const line of [
    ['inspect', 'M:\\report.docx'],
    ['watch', '*'],
  ]) {
    expect(await psctx(line, { platform: 'linux' })).toBe(1)
    expect(error).toContain('embedded kernel')
  }
})
