/** What other programs read: JSON lines, TAP, JUnit's XML and Markdown; and what a run comes to. */
import { DOMParser } from '@xmldom/xmldom'

import {
  conformanceEnvironment,
  markdownHead,
  summarize,
  toJsonLine,
  toJUnit,
  toMarkdown,
  toTap,
  type ConformanceResult,
  type ConformanceSummary,
} from '../../src/conformance'
import { openFilter } from '../../src/index'

const base = { sentence: 'A promise.', documentation: 'https://example.com/page', milliseconds: 1.5 }
const results: ConformanceResult[] = [
  { ...base, id: 'support.directory', verdict: 'pass', evidence: 'Seen.' },
  { ...base, id: 'support.volume', verdict: 'information', evidence: 'Told # and \\.' },
  { ...base, id: 'identity.case', verdict: 'not-supported', evidence: 'None.' },
  { ...base, id: 'teardown.once', verdict: 'fail', evidence: '<3 & "lost"\u0007|', hint: 'A | cause.', ending: 'lost' },
]
const place = { fileSystem: 'Some|Fs', kernel: 'windows', system: 'Windows 10.0.26100', driver: '1.0.0' } as const
const summary: ConformanceSummary = summarize(results, place)

test('a run comes to 1 if something failed, to 2 if nothing could be judged, and else to 0', () => {
  expect(summary.counts).toEqual({ pass: 1, fail: 1, 'not-supported': 1, information: 1 })
  expect(summary.exitCode).toBe(1)
  expect(summarize(results.slice(0, 3), place).exitCode).toBe(0)
  expect(summarize(results.slice(1, 3), place).exitCode).toBe(2)
})

test('TAP has a plan, a point for each check, and skips what is no judgement', () => {
  const lines = toTap(results).split('\n')
  expect(lines.slice(0, 2)).toEqual(['TAP version 14', '1..4'])
  expect(lines.filter((line) => /^(?:not )?ok /.test(line))).toEqual([
    'ok 1 - support.directory: A promise.',
    'ok 2 - support.volume: A promise. # SKIP information',
    'ok 3 - identity.case: A promise. # SKIP not supported',
    'not ok 4 - teardown.once: A promise.',
  ])
  expect(lines).toContain('  hint: "A | cause."')
  expect(lines.filter((line) => line === '  ---')).toHaveLength(4)
})

test('JUnit’s XML is well-formed and counts', () => {
  const problems: string[] = []
  const parser = new DOMParser({ onError: (level, message) => void problems.push(`${level}: ${message}`) })
  const document = parser.parseFromString(toJUnit(results, summary), 'text/xml')
  expect(problems).toEqual([])
  const all = document.documentElement!
  expect([all.getAttribute('tests'), all.getAttribute('failures'), all.getAttribute('skipped')]).toEqual([
    '4',
    '1',
    '2',
  ])
  const suites = Array.from(document.getElementsByTagName('testsuite'), (suite) => suite.getAttribute('name'))
  expect(suites).toEqual(['support', 'identity', 'teardown'])
  const [failure] = Array.from(document.getElementsByTagName('failure'))
  expect(failure?.getAttribute('message')).toBe('<3 & "lost" |')
  expect(failure?.textContent).toContain('A | cause.')
})

test('a row of Markdown has the columns of its head, and no others', () => {
  const columns = (line: string) => line.split(/(?<!\\)\|/).length
  const row = toMarkdown(results, summary)
  expect(new Set([...markdownHead.split('\n'), row].map(columns)).size).toBe(1)
  expect(row).toBe(
    '| Some\\|Fs | Windows 10.0.26100 | psctx 1.0.0 | 1 of 1; not judged: volume | none here: case | – | – | 0 of 1; **failed: once**; lost | – |',
  )
})

test('a line of JSON is a result, or the summary', () => {
  expect(JSON.parse(toJsonLine(results[0]!))).toEqual({ command: 'conformance', ...results[0] })
  expect(JSON.parse(toJsonLine(summary))).toEqual({ command: 'conformance', summary })
})

test('where a run is made is told by the driver and the operating system', () => {
  using filter = openFilter({
    kernel: 'host',
    volumes: { 'M:': { type: 'memory' }, 'P:': { type: 'directory', path: '/proc' } },
  })
  const environment = conformanceEnvironment('M:\\', filter)
  expect(environment).toMatchObject({ fileSystem: 'HostMemory', kernel: 'host', driver: filter.version })
  expect(environment.system).toMatch(/^embedded kernel, Linux /)
  expect(conformanceEnvironment('P:\\some', filter).fileSystem).toBe('HostDirectory on proc')
})
