/** The page in a real browser: Chromium, offline. What it shows of a run on the embedded kernel, and what it must never do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildSync } from 'esbuild'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

import * as facade from '../../src/index'
import { openFilter, type FilterEvent } from '../../src/index'
import { renderReport } from '../../src/report/index'

import { record, toLines } from './recordings'

jest.setTimeout(60_000)

const executablePath = '/usr/bin/chromium'
const obstacle = process.env['PSCTX_NO_CHROMIUM'] ?? ''
const suite = obstacle === '' || process.env['CI'] ? describe : describe.skip

/** What a file may be called on a volume that was written elsewhere. */
const hostile = '\\</script><img src=x onerror="document.title=\'run\'"><!--<script>.docx'

/** Two opens of one file that overlap, a third of another, which is left open, and a context of a request. */
async function recordRun(): Promise<FilterEvent[]> {
  const filter = openFilter({ kernel: 'host' })
  const { host } = filter
  for (const name of ['report.docx', 'open.docx']) host!.writeFile(`M:\\${name}`, Buffer.from('text'))
  const iterator = filter.events()
  const rule = filter.track({ match: '*.docx', count: true })
  const first = filter.openStream('M:\\report.docx')
  const second = filter.openStream('M:\\report.docx')
  first.insert({ owner: 7n, instance: 1n })
  first.remove({ owner: 7n, instance: 1n })
  first.close()
  second.close()
  const held = filter.openStream('M:\\open.docx')
  const events: FilterEvent[] = []
  for await (const event of iterator) {
    events.push(event)
    if (events.length === 10) break
  }
  rule.close()
  held.close()
  filter.close()
  return events
}

suite(`the page in Chromium${obstacle === '' ? '' : ` (${obstacle})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-report-'))
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let run: FilterEvent[]
  let runPage: string
  /** What the page asked for besides itself, said to the console, or threw. */
  let complaints: string[]

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    run = await recordRun()
    runPage = await renderReport(toLines(run))
  })

  afterAll(async () => {
    await browser.close()
    rmSync(directory, { recursive: true })
  })

  beforeEach(async () => {
    complaints = []
    context = await browser.newContext({ offline: true })
    page = await context.newPage()
    page.on('request', (request) => {
      if (request.url() !== pathOfPage()) complaints.push(request.url())
    })
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
  })

  afterEach(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })

  const pathOfPage = () => `file://${join(directory, 'report.html')}`

  async function show(text: string): Promise<void> {
    writeFileSync(join(directory, 'report.html'), text)
    await page.goto(pathOfPage())
  }

  const tile = (label: string) => page.locator('.tile', { has: page.getByText(label, { exact: true }) }).locator('dd')
  const cells = (table: string) =>
    page
      .locator(`#${table} tbody tr`)
      .evaluateAll((rows) => rows.map((row) => Array.from(row.children, ({ textContent }) => textContent)))
  const lives = () => page.locator('#rows tr')

  test('shows the figures of a run', async () => {
    await show(runPage)
    expect(run.map(({ type }) => type)).toEqual([
      ...['inserted', 'tracked', 'tracked', 'inserted', 'removed', 'cleanup', 'cleanup', 'torn-down'],
      ...['inserted', 'tracked'],
    ])
    const processId = String('processId' in run[0]! ? run[0].processId : '')
    await expect(tile('Events').innerText()).resolves.toMatch(/^10\s+3 opens, 2 cleanups$/)
    await expect(tile('Streams').innerText()).resolves.toMatch(/^3\s/)
    await expect(tile('Contexts').innerText()).resolves.toMatch(/^3\s+1 torn down, 1 removed, 1 alive at the end$/)
    await expect(tile('Dropped or missed').innerText()).resolves.toMatch(/^0\s/)
    await expect(page.locator('#doubts').isVisible()).resolves.toBe(false)
    expect(await cells('processes')).toEqual([[processId, '3', '2', '3', '1', '0']])
    const [longest, ...others] = await cells('streams')
    expect(longest).toEqual([
      '\\report.docx',
      expect.stringMatching(/ µs$| ms$|^0 s$/),
      'torn down',
      '1',
      '0',
      '2',
      '2',
    ])
    expect(others.map(([name, outlived]) => [name, outlived])).toEqual([
      [expect.stringMatching(/\\report\.docx$/), '–'],
      ['\\open.docx', '–'],
    ])
    await expect(lives().count()).resolves.toBe(3)
    const drawing = lives()
      .first()
      .getByRole('img', { name: /^\\report\.docx, sequence \d+, inserted at 0 s, 2 opens, 2 cleanups, torn down at / })
    await expect(drawing.locator('.held, .open, .cleanup, .start, .end.torn-down').count()).resolves.toBe(5)
  })

  test('never runs what a name says, nor lets it hide what it is', async () => {
    const turned = '\\\u202excod.exe\n'
    await show(
      await renderReport(
        toLines(
          record([
            { type: 'inserted', name: hostile },
            { type: 'inserted', sequence: 2n, name: turned },
          ]),
        ),
      ),
    )
    await expect(page.title()).resolves.toBe('Per-stream contexts')
    await expect(page.locator('img').count()).resolves.toBe(0)
    expect((await cells('streams')).map(([name]) => name)).toEqual([hostile, '\\‹U+202E›xcod.exe‹U+000A›'])
    await page.locator('#streams .name').first().click()
    await expect(lives().count()).resolves.toBe(1)
  })

  test('refuses scripts, styles and requests that are not its own', async () => {
    await show(runPage)
    const outcome = await page.evaluate(`(async () => {
      const script = document.createElement('script')
      script.textContent = 'document.title = "run"'
      document.body.append(script)
      const request = await fetch('https://example.invalid/').then(() => 'sent', () => 'refused')
      return [document.title, request]
    })()`)
    expect(outcome).toEqual(['Per-stream contexts', 'refused'])
    expect(complaints.filter((text) => text.includes('Content Security Policy'))).not.toEqual([])
    complaints = []
  })

  test('selects by name, process and type, in tables and timeline alike', async () => {
    const recording = record([
      { type: 'inserted', sequence: 1n, name: '\\one.txt', processId: 8 },
      { type: 'tracked', sequence: 1n, name: '\\one.txt', processId: 8 },
      { type: 'inserted', sequence: 2n, name: '\\two.txt', processId: 12 },
      { type: 'removed', sequence: 2n, name: '\\two.txt', processId: 12 },
      { type: 'inserted', sequence: 3n, name: '\\three.doc', processId: 12 },
    ])
    await show(await renderReport(toLines(recording)))
    const seen = async () => ({
      lives: await page.locator('#rows .file').allTextContents(),
      streams: (await cells('streams')).map(([name]) => name),
      processes: (await cells('processes')).map(([process]) => process),
      selected: await page.locator('#selected').innerText(),
    })
    await page.getByLabel('Name', { exact: true }).fill('*.TXT')
    expect(await seen()).toEqual({
      lives: ['one.txt', 'two.txt'],
      streams: ['\\one.txt', '\\two.txt'],
      processes: ['8', '12'],
      selected: '4 of 5 events, 2 of 3 contexts.',
    })
    await page.getByLabel('Process', { exact: true }).selectOption('12')
    expect(await seen()).toMatchObject({
      lives: ['two.txt'],
      processes: ['12'],
      selected: '2 of 5 events, 1 of 3 contexts.',
    })
    await page.getByRole('button', { name: 'Reset' }).click()
    await expect(page.locator('#selected').innerText()).resolves.toBe('All 5 events of 3 contexts.')
    await page.getByRole('checkbox', { name: 'inserted' }).uncheck()
    expect(await seen()).toMatchObject({ lives: ['one.txt', 'two.txt'], selected: '2 of 5 events, 2 of 3 contexts.' })
    await page.getByLabel('Name', { exact: true }).fill('none')
    expect(await seen()).toEqual({
      lives: [],
      streams: ['Nothing is selected.'],
      processes: ['Nothing is selected.'],
      selected: '0 of 5 events, 0 of 3 contexts.',
    })
  })

  test('is used from the keyboard: to zoom, to pan, and to turn pages', async () => {
    const minutes = Array.from(
      { length: 60 },
      (_, index) => ({ type: 'inserted', at: index * 60_000, sequence: BigInt(index) }) as const,
    )
    await show(await renderReport(toLines(record(minutes))))
    const axis = () => page.locator('#axis text').allTextContents()
    const rows = () => page.locator('#rows-shown').innerText()
    expect((await axis()).every((label) => label.endsWith(' min'))).toBe(true)
    await expect(rows()).resolves.toMatch(/^1–25 of 60 contexts/)
    for (let presses = 0; presses < 40; presses += 1) {
      if (await page.locator('#timeline:focus').count()) break
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('PageDown')
    await expect(rows()).resolves.toMatch(/^26–50 of 60 contexts/)
    await page.keyboard.press('PageUp')
    const whole = await axis()
    await page.keyboard.press('+')
    await page.keyboard.press('ArrowRight')
    await expect(page.locator('#window').innerText()).resolves.toBe('29 min 30 s from 2026-01-01 00:29:30.000 UTC')
    expect(await axis()).not.toEqual(whole)
    await page.keyboard.press('0')
    expect(await axis()).toEqual(whole)
  })

  test('zooms to the window that is dragged over', async () => {
    await show(
      await renderReport(
        toLines(
          record([
            { type: 'inserted', at: 0 },
            { type: 'tracked', at: 100_000 },
          ]),
        ),
      ),
    )
    const box = (await page.locator('#overview').boundingBox())!
    await page.mouse.move(box.x + box.width * 0.25, box.y + 9)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.75, box.y + 9)
    await page.mouse.up()
    await expect(page.locator('#window').innerText()).resolves.toMatch(
      /^(50|49\.9|50\.1) s from 2026-01-01 00:00:2[45]/,
    )
  })

  test('tells first what is lost', async () => {
    const events = record([
      { type: 'dropped', count: 1200 },
      { type: 'missed', number: 1201, count: 3, rule: 1n, processId: 4 },
    ])
    await show(await renderReport(toLines(events)))
    const note = page.getByRole('note', { name: 'Before you rely on this' })
    await expect(note.innerText()).resolves.toMatch(/1,200 events dropped[^]*3 opens missed/)
    await expect(tile('Dropped or missed').innerText()).resolves.toMatch(/^1,203\s/)
  })

  test('is readable in light, in dark, on paper and on a narrow screen', async () => {
    await show(runPage)
    const look = async () =>
      page.evaluate<{ ink: number; page: number; overflow: number }>(`(() => {
        const { color, backgroundColor } = getComputedStyle(document.body)
        const light = (text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765
        return { ink: light(color), page: light(backgroundColor), overflow: document.documentElement.scrollWidth - innerWidth }
      })()`)
    await page.emulateMedia({ colorScheme: 'light' })
    const light = await look()
    expect(light.page - light.ink).toBeGreaterThan(0.7)
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await look()
    expect(dark.ink - dark.page).toBeGreaterThan(0.7)
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' })
    expect(await look()).toMatchObject({ ink: 0, page: 1 })
    await expect(page.getByRole('button', { name: 'Zoom in' }).isVisible()).resolves.toBe(false)
    await expect(page.getByLabel('Name', { exact: true }).isVisible()).resolves.toBe(false)
    await expect(lives().first().isVisible()).resolves.toBe(true)
    await page.pdf()
    await expect(page.locator('#overview svg').getAttribute('viewBox')).resolves.not.toMatch(/^0 0 680 /)
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(page.locator('#overview svg').getAttribute('viewBox')).resolves.toMatch(/^0 0 680 /)
    await page.emulateMedia({ media: 'screen' })
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await page.setViewportSize({ width: 360, height: 700 })
    expect((await look()).overflow).toBe(0)
  })

  test('shows 100 000 events, and says what is left out', async () => {
    const events = Array.from({ length: 20_000 }, (_, index) => {
      const one = { sequence: BigInt(index), name: `\\file ${index % 500}`, at: index }
      return [
        { ...one, type: 'inserted' },
        { ...one, type: 'tracked' },
        { ...one, type: 'cleanup' },
        { ...one, type: 'tracked', at: index + 0.5 },
        { ...one, type: 'torn-down', at: index + 0.75 },
      ] as const
    })
    await show(await renderReport(toLines(record(events.flat()))))
    await expect(tile('Events').innerText()).resolves.toMatch(/^100,000\s/)
    await expect(lives().count()).resolves.toBe(25)
    await expect(page.locator('#rows-shown').innerText()).resolves.toMatch(/^1–25 of 20,000 contexts/)
    await expect(page.locator('#streams-rest').innerText()).resolves.toBe(
      '400 more are left out: select fewer to see them.',
    )
    await page.getByLabel('Name', { exact: true }).fill('file 499')
    await expect(tile('Events').innerText()).resolves.toMatch(/^200 of 100,000\s/)
  })

  test('is the same when the package is bundled and made small', async () => {
    const { outputFiles } = buildSync({
      entryPoints: [join(__dirname, '../../src/report/index.ts')],
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      external: ['../index'],
    })
    const bundle = { exports: {} as { renderReport: typeof renderReport } }
    const resolve = (name: string): unknown => (name === '../index' ? facade : jest.requireActual<object>(name))
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what was just built
    const load = new Function('module', 'require', outputFiles[0]!.text) as (module: object, require: object) => void
    load(bundle, resolve)
    await show(await bundle.exports.renderReport(toLines(run)))
    await expect(tile('Contexts').innerText()).resolves.toMatch(/^3\s+1 torn down, 1 removed, 1 alive at the end$/)
    await expect(lives().count()).resolves.toBe(3)
  })
})
