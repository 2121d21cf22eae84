/** Results as other programs read them: lines of JSON, TAP, JUnit's XML, and a row of a table in Markdown. */
import { jsonReplacer } from '../index'

import type { ConformanceResult } from './conformance'
import type { ConformanceSummary } from './summary'

/** The line of a result. */
export interface ConformanceResultLine extends ConformanceResult {
  /** Tells it from the lines of other commands. */
  readonly command: 'conformance'
}

/** The last line. */
export interface ConformanceSummaryLine {
  /** Tells it from the lines of other commands. */
  readonly command: 'conformance'
  /** What the run comes to. */
  readonly summary: ConformanceSummary
}

/** A line of JSON: a result, or at the end the summary. */
export type ConformanceLine = ConformanceResultLine | ConformanceSummaryLine

/** A result, or the summary at the end, as one line of JSON without its end. */
export function toJsonLine(line: ConformanceResult | ConformanceSummary): string {
  const told: ConformanceLine =
    'counts' in line ? { command: 'conformance', summary: line } : { command: 'conformance', ...line }
  return JSON.stringify(told, jsonReplacer)
}

/** Text of TAP in one line: `#` begins a directive. */
function tapText(text: string): string {
  return text.replace(/[\\#]/g, '\\$&').replace(/\s+/g, ' ')
}

const tapDirectives = {
  pass: '',
  fail: '',
  'not-supported': ' # SKIP not supported',
  information: ' # SKIP information',
}

/** TAP 14. What is not supported, or information alone, is a test that was skipped. */
export function toTap(results: readonly ConformanceResult[]): string {
  const points = results.flatMap(
    ({ id, sentence, verdict, evidence, ending, hint, documentation, milliseconds }, index) => {
      const point = `${verdict === 'fail' ? 'not ok' : 'ok'} ${index + 1} - ${tapText(`${id}: ${sentence}`)}${tapDirectives[verdict]}`
      const facts = Object.entries({ verdict, evidence, ending, hint, documentation, duration_ms: milliseconds })
      const told = facts
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
      return [point, '  ---', ...told, '  ...']
    },
  )
  return ['TAP version 14', `1..${results.length}`, ...points, ''].join('\n')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text of XML, without characters that it cannot have. */
function xmlText(text: string): string {
  // eslint-disable-next-line no-control-regex -- controls but for tabs and ends of lines are no characters of XML
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, ' ').replace(/[&<>"]/g, (one) => entities[one]!)
}

/** A file of JUnit's results, one suite for each subject. */
export function toJUnit(
  results: readonly ConformanceResult[],
  { fileSystem, system, driver }: ConformanceSummary,
): string {
  const seconds = (all: readonly ConformanceResult[]) =>
    (all.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000).toFixed(3)
  const attributes = (all: readonly ConformanceResult[]) => {
    const number = (...verdicts: readonly string[]) => all.filter(({ verdict }) => verdicts.includes(verdict)).length
    const skipped = number('not-supported', 'information')
    return `tests="${all.length}" failures="${number('fail')}" errors="0" skipped="${skipped}" time="${seconds(all)}"`
  }
  const cases = (all: readonly ConformanceResult[]) =>
    all.flatMap((result) => {
      const { id, sentence, verdict, evidence, hint, documentation } = result
      const text = xmlText(evidence)
      const inside = {
        pass: `<system-out>${text}</system-out>`,
        fail: `<failure message="${text}">${xmlText(`${sentence}\n${hint ?? ''}\n${documentation}`)}</failure>`,
        'not-supported': `<skipped message="${text}"/>`,
        information: `<skipped message="${text}"/>`,
      }
      const head = `<testcase name="${xmlText(id)}" classname="${xmlText(`conformance.${subjectOf(id)}`)}" time="${seconds([result])}">`
      return [`    ${head}`, `      ${inside[verdict]}`, '    </testcase>']
    })
  const properties = Object.entries({ fileSystem, system, driver }).map(
    ([name, value]) => `      <property name="${name}" value="${xmlText(value)}"/>`,
  )
  const suites = subjectsOf(results).flatMap(([subject, all]) => [
    `  <testsuite name="${subject}" ${attributes(all)}>`,
    '    <properties>',
    ...properties,
    '    </properties>',
    ...cases(all),
    '  </testsuite>',
  ])
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="conformance" ${attributes(results)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

const subjects = ['support', 'identity', 'matching', 'survival', 'teardown', 'load'] as const

function subjectOf(id: string): string {
  return id.split('.', 1)[0]!
}

/** The subjects that there are results of, with these. */
function subjectsOf(results: readonly ConformanceResult[]): [string, ConformanceResult[]][] {
  return subjects
    .map((subject): [string, ConformanceResult[]] => [subject, results.filter(({ id }) => subjectOf(id) === subject)])
    .filter(([, all]) => all.length > 0)
}

function cell(text: string): string {
  return text.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ')
}

/** What became of streams that nobody had open, if that is worth telling. */
function endingOf(results: readonly ConformanceResult[]): string | undefined {
  const endings = results.flatMap(({ ending }) => ending ?? [])
  return (['lost', 'kept', 'late'] as const).find((ending) => endings.includes(ending))
}

/** A subject in a few words: passes of those that were judged, what failed, what there is not, and what became of contexts. */
function describeSubject(results: readonly ConformanceResult[]): string {
  const names = (wanted: ConformanceResult['verdict']) =>
    results.filter(({ verdict }) => verdict === wanted).map(({ id }) => id.replace(/^[^.]+\./, ''))
  const [passed, failed, missing, told] = [names('pass'), names('fail'), names('not-supported'), names('information')]
  const ending = endingOf(results)
  return [
    ...(passed.length + failed.length > 0 ? [`${passed.length} of ${passed.length + failed.length}`] : []),
    ...(failed.length > 0 ? [`**failed: ${failed.join(', ')}**`] : []),
    ...(missing.length > 0 ? [`none here: ${missing.join(', ')}`] : []),
    ...(told.length > 0 ? [`not judged: ${told.join(', ')}`] : []),
    ...(ending === undefined ? [] : [ending]),
  ].join('; ')
}

/** The head of the table that rows of {@link toMarkdown} belong to. */
export const markdownHead = [
  `| file system | system | driver | ${subjects.join(' | ')} |`,
  `| --- | --- | --- | ${subjects.map(() => '---').join(' | ')} |`,
].join('\n')

/** A row of the table of file systems: where it was made, and each subject in a few words. */
export function toMarkdown(results: readonly ConformanceResult[], summary: ConformanceSummary): string {
  const columns = subjects.map(
    (subject) => describeSubject(results.filter(({ id }) => subjectOf(id) === subject)) || '–',
  )
  const { fileSystem, system, driver } = summary
  return `| ${[fileSystem, system, `psctx ${driver}`, ...columns].map(cell).join(' | ')} |`
}
