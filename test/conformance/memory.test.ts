/** The file systems of the embedded kernel that are not broken: in memory every check passes but those that say why not. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { conformance, conformanceChecks } from '../../src/conformance'
import { openFilter, type Filter } from '../../src/index'

import { collect, errorOf, idsOf, runInMemory, type Results } from './run'

describe('a memory volume', () => {
  let results: Results
  beforeAll(async () => {
    results = await runInMemory()
  })

  test('passes every check but those that cannot judge it', () => {
    expect(idsOf(results, 'fail')).toEqual([])
    expect(idsOf(results, 'information')).toEqual(['support.volume']) // the driver's own answer
    expect(idsOf(results, 'not-supported')).toEqual(['support.compressed-file']) // memory has none
    expect(idsOf(results, 'pass')).toHaveLength(conformanceChecks.length - 3) // and the load has not been asked for
  })

  test('tears down at once', () => {
    const endings = [...results.values()].flatMap(({ ending }) => ending ?? [])
    expect(new Set(endings)).toEqual(new Set(['torn-down']))
  })

  test('is told with evidence, a page and a time for each check', () => {
    for (const { sentence, evidence, documentation, hint, milliseconds } of results.values()) {
      expect(sentence).toMatch(/^[A-Z].*\.$/)
      expect(evidence).toMatch(/\.$/)
      expect(documentation).toMatch(/^https:\/\/learn\.microsoft\.com\/windows-hardware\/drivers\//)
      expect(hint).toBeUndefined()
      expect(milliseconds).toBeGreaterThan(0)
    }
  })
})

test('checks are told in the order in which they are listed, one by one, with their progress', async () => {
  const filter = openFilter({ kernel: 'host' })
  const progress: string[] = []
  const told: string[] = []
  const checks = ['teardown.once', 'support.directory', 'identity.case']
  const run = conformance('M:', {
    filter,
    checks,
    progress: ({ id, finished, total }) => progress.push(`${id} ${finished}/${total}`),
  })
  for await (const { id } of run) told.push(id)
  filter.close()
  expect(told).toEqual(['support.directory', 'identity.case', 'teardown.once'])
  expect([...new Set(progress)]).toEqual(['support.directory 0/3', 'identity.case 1/3', 'teardown.once 2/3'])
})

test('without a filter the checks open the driver, and close it', async () => {
  const results = await collect('M:\\', { checks: ['identity.two-opens'] })
  expect(idsOf(results, 'pass')).toEqual(['identity.two-opens'])
  using filter = openFilter()
  expect(filter.statistics().total.sessions).toBe(1)
})

test('a filter’s own contexts, files and streams are left alone', async () => {
  const filter = openFilter({ kernel: 'host' })
  filter.host!.writeFile('M:\\mine', Buffer.from('content'))
  const stream = filter.openStream('M:\\mine')
  stream.insert({ instance: 7n })
  await collect('M:\\', { filter })
  expect(stream.contexts()).toHaveLength(1)
  expect(filter.statistics().session).toMatchObject({ contexts: 1, inserted: 1 })
  expect(filter.host!.readFile('M:\\mine').toString()).toBe('content')
  filter.close()
})

test('cycles by the ten thousand leave the kernel’s memory as it was', async () => {
  const filter = openFilter({ kernel: 'host' })
  const cycle = () => collect('M:\\', { filter, checks: ['teardown.ten-thousand-cycles'] })
  await cycle()
  const before = filter.host!.audit()
  for (let round = 0; round < 3; round += 1) {
    const result = (await cycle()).get('teardown.ten-thousand-cycles')!
    expect(result).toMatchObject({ verdict: 'pass', ending: 'torn-down' })
    expect(result.evidence).toContain('for a thousand of them 0.00 contexts and 0 bytes more')
  }
  expect(filter.host!.audit()).toEqual(before)
  filter.close()
})

describe('a directory of this machine', () => {
  let directory: string
  let filter: Filter
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'psctx-checked-'))
    writeFileSync(join(directory, 'mine'), 'content')
    filter = openFilter({ kernel: 'host', volumes: { 'D:': { type: 'directory', path: directory } } })
  })
  afterEach(() => {
    filter.close()
    rmSync(directory, { recursive: true })
  })

  test('fails nothing, and has nothing more in it afterwards, dismounted or not', async () => {
    const results = await collect('D:\\', { filter, dismount: true })
    expect(idsOf(results, 'fail')).toEqual([])
    expect(readdirSync(directory)).toEqual(['mine'])
  })

  test('of a file system without named streams has its files told apart', async () => {
    const results = await collect('D:\\', { filter, checks: ['support.named-stream', 'identity.streams-of-a-file'] })
    expect(idsOf(results, 'not-supported')).toEqual(['support.named-stream'])
    expect(results.get('identity.streams-of-a-file')).toMatchObject({
      verdict: 'pass',
      evidence: '2 streams of two files have a context of their own each.',
    })
  })

  test('has nothing more in it when the loop is left', async () => {
    const checks = conformanceChecks.filter(({ needs }) => needs === undefined).map(({ id }) => id)
    for (const last of checks.filter((_, index) => index % 7 === 0)) {
      for await (const { id } of conformance('D:\\', { filter, checks })) if (id === last) break
      expect(readdirSync(directory)).toEqual(['mine'])
    }
  })

  test('has nothing more in it when a signal ends the run, in the middle of a check or between two', async () => {
    for (const share of [0, 0.05, 0.5]) {
      const controller = new AbortController()
      const run = collect('D:\\', {
        filter,
        checks: ['support.read-only-file', 'teardown.once', 'teardown.ten-thousand-cycles'],
        signal: controller.signal,
        progress: (told) => {
          if (told.id === 'teardown.ten-thousand-cycles' && told.share >= share) controller.abort('enough')
        },
      })
      await expect(run).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' })
      expect(readdirSync(directory)).toEqual(['mine'])
    }
    expect(filter.statistics().total.contexts).toBe(0)
  })

  test('has nothing more in it when something throws', async () => {
    const failing = (told: { share: number }) => {
      if (told.share > 0.5) throw new Error('made up')
    }
    const run = collect('D:\\', { filter, checks: ['teardown.ten-thousand-cycles'], progress: failing })
    await expect(run).rejects.toThrow('made up')
    expect(readdirSync(directory)).toEqual(['mine'])
  })

  test('is not touched by a run that is aborted before it begins', async () => {
    const run = collect('D:\\', { filter, signal: AbortSignal.abort() })
    await expect(run).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
    expect(readdirSync(directory)).toEqual(['mine'])
  })

  test('that is not there is an error of the first step', async () => {
    await expect(collect('D:\\missing', { filter })).rejects.toMatchObject({ code: 'STATUS_OBJECT_PATH_NOT_FOUND' })
  })
})

test.each<[string, unknown, unknown, string]>([
  ['a directory that is no string', 1, {}, 'directory'],
  ['an unknown option', 'M:', { fast: true }, 'fast'],
  ['a check that there is not', 'M:', { checks: ['survival.everything'] }, 'checks'],
  ['checks that are no array', 'M:', { checks: 'load' }, 'checks'],
  ['the load without seconds', 'M:', { checks: ['load'] }, 'checks'],
  ['the dismount that is not allowed', 'M:', { checks: ['teardown.dismount'] }, 'checks'],
  ['no seconds', 'M:', { seconds: 0 }, 'seconds'],
  ['seconds that are no number', 'M:', { seconds: '1' }, 'seconds'],
  ['a dismount that is no boolean', 'M:', { dismount: 'yes' }, 'dismount'],
  ['a signal that is none', 'M:', { signal: {} }, 'signal'],
  ['progress that is no function', 'M:', { progress: 1 }, 'progress'],
  ['a filter that is none', 'M:', { filter: {} }, 'filter'],
])('%s is an error of the call', (_, directory, options, argument) => {
  const { code, ...error } = errorOf(() => conformance(directory as string, options as object))
  expect(error).toMatchObject({ argument })
  expect(code).toMatch(/^ERR_INVALID_ARG_(?:TYPE|VALUE)$/)
})
