/** How the event log is asked, of a program that stands in for Windows'. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { readEvents } from '../../src/cli/event-log'
import { find } from '../../src/cli/facts'

let directory: string
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'psctx-events-'))))
afterAll(() => rmSync(directory, { recursive: true }))

/** A program that does this. */
function program(script: string): string {
  const path = join(directory, 'wevtutil')
  writeFileSync(path, `#!${process.execPath}\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

test('is asked for the newest events first, at most so many, and told event by event', () => {
  const wevtutil = program(String.raw`
    const asked = process.argv.slice(2).map((argument) => argument.replaceAll('<', '&lt;'))
    process.stdout.write("\r\n<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/></Event>\r\n")
    process.stdout.write('<Event>\r\n<EventData><Data>' + asked.join('|') + '</Data></EventData></Event>')
    process.stdout.write('<Events>no event</Events><Event>and no end')`)
  expect(readEvents('System', "*[System[TimeCreated[timediff(@SystemTime) <= 5]] and 'a b']", 7, wevtutil)).toEqual([
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/></Event>",
    '<Event>\r\n<EventData><Data>query-events|System|/query:*[System[TimeCreated[timediff(@SystemTime) &lt;= 5]] and ' +
      "'a b']|/count:7|/reversedirection:true|/format:xml</Data></EventData></Event>",
  ])
})

test('no event is no error', () => {
  expect(readEvents('System', '*', 1, program(''))).toEqual([])
})

test('what the program ends with is the Win32 error that it met', () => {
  const failed = find('read', () => readEvents('None', '*', 1, program('process.exit(5)')))
  expect(failed).toEqual({ failure: 'read: ERROR_ACCESS_DENIED (5)', code: 'ERROR_ACCESS_DENIED' })
})

test('a program that is not there, or is killed, is an error that is no number', () => {
  const absent = find('read', () => readEvents('System', '*', 1, join(directory, 'none')))
  expect(absent).toMatchObject({ failure: expect.stringContaining('ENOENT') as string })
  const killed = find('read', () => readEvents('System', '*', 1, program('process.kill(process.pid, "SIGKILL")')))
  expect(killed).toEqual({ failure: 'wevtutil ended with null', code: undefined })
})
