/** Reads what the programs on the machine have written: TAP, JUnit, entries of the event log. */
import { DOMParser, onErrorStopParsing, type Document } from '@xmldom/xmldom'

/** What a suite came to. `problems`: why its counts are not to be trusted. */
export interface Result {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly problems: readonly string[]
}

/** The counts of TAP version 13. A plan that is missing or not kept, and `Bail out!`, are problems. */
export function readTap(text: string): Result {
  const lines = text.split(/\r?\n/)
  const ok = lines.filter((line) => line.startsWith('ok '))
  const skipped = ok.filter((line) => / # SKIP\b/.test(line)).length
  const failed = lines.filter((line) => line.startsWith('not ok ')).length
  const problems = lines.filter((line) => line.startsWith('Bail out!'))
  const plan = lines.flatMap((line) => /^1\.\.(\d+)$/.exec(line)?.[1] ?? [])
  if (plan.length !== 1) problems.push('it did not come to its end: there is no plan')
  else if (Number(plan[0]) !== ok.length + failed) {
    problems.push(`${ok.length + failed} results, and ${plan[0]} were planned`)
  }
  if (ok.length - skipped === 0) problems.push('nothing passed')
  return { passed: ok.length - skipped, failed, skipped, problems }
}

function parse(text: string): Document {
  return new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml')
}

/** The counts of a JUnit file, whose suites are named by their files, each of `files` (the ends of their paths) among them. */
export function readJUnit(text: string, files: readonly string[]): Result {
  const document = parse(text)
  const suites = Array.from(document.getElementsByTagName('testsuite'))
  const sum = (name: string) => suites.reduce((total, suite) => total + Number(suite.getAttribute(name) ?? 0), 0)
  const skipped = sum('skipped')
  const failed = sum('failures') + sum('errors')
  const passed = sum('tests') - failed - skipped
  const paths = suites.map((suite) => (suite.getAttribute('name') ?? '').replaceAll('\\', '/'))
  const problems = files
    .filter((file) => !paths.some((path) => path.endsWith(file)))
    .map((file) => `no result of ${file}`)
  if (passed === 0) problems.push('nothing passed')
  return { passed, failed, skipped, problems }
}

export interface LogEntry {
  readonly id: number
  readonly provider: string
  readonly time: string
  readonly data: readonly string[]
}

/** Reads what `wevtutil.exe qe … /f:xml /e:Events /uni:true` has written, in UTF-16 or, from systems that heed that not, in bytes. */
export function readEvents(bytes: Buffer): LogEntry[] {
  const text = bytes.includes(0) ? bytes.toString('utf16le') : bytes.toString('latin1')
  const document = parse(text.slice(text.indexOf('<')))
  return Array.from(document.getElementsByTagName('Event'), (event) => {
    const first = (name: string) => event.getElementsByTagName(name)[0]
    return {
      id: Number(first('EventID')?.textContent),
      provider: first('Provider')?.getAttribute('Name') ?? '',
      time: first('TimeCreated')?.getAttribute('SystemTime') ?? '',
      data: Array.from(event.getElementsByTagName('Data'), (data) => data.textContent ?? ''),
    }
  })
}

const crashProviders = new Set(['Microsoft-Windows-WER-SystemErrorReporting', 'BugCheck'])

/** What of the log means that the run has failed: a bugcheck, or that Windows has blocked this driver. */
export function findBadNews(entries: readonly LogEntry[]): string[] {
  return entries.flatMap(({ id, provider, time, data }) => {
    const text = data.join(', ')
    if (id === 1001 && crashProviders.has(provider)) return [`the machine crashed at ${time}: ${text}`]
    if (id === 1205 && provider === 'Microsoft-Windows-Kernel-IO' && /psctx/i.test(text)) {
      return [`Windows blocked the driver at ${time}: ${text}`]
    }
    return []
  })
}

/** The query of the System log for the entries behind number `newest` that the run is about. */
export function eventQuery(newest: number): string {
  const condition = `(EventID=1001 or EventID=1205) and EventRecordID &gt; ${newest}`
  return `<QueryList><Query Path="System"><Select Path="System">*[System[${condition}]]</Select></Query></QueryList>\n`
}
