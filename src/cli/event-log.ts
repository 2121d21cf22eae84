/** Windows' event log, as its own program tells it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const timeout = 10_000

/** The events in what `wevtutil` writes: one after the other, without a root. In an event's text `<` is always escaped. */
function splitEvents(output: string): string[] {
  return output.match(/<Event[\s>][^]*?<\/Event>/g) ?? []
}

/**
 * The newest events of a channel that match an XPath query, as XML, newest first. Throws what the addon does for Win32 errors, with the
 * member `win32`, or Node.js' error when the program cannot be run.
 */
export function readEvents(
  channel: string,
  query: string,
  maximum: number,
  program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'wevtutil.exe'),
): string[] {
  const parameters = ['query-events', channel, `/query:${query}`, `/count:${maximum}`, '/reversedirection:true']
  const { error, status, stdout } = spawnSync(program, [...parameters, '/format:xml'], {
    encoding: 'utf8',
    timeout,
    windowsHide: true,
  })
  if (error !== undefined) throw error
  if (status === 0) return splitEvents(stdout)
  // Unless it was killed, it ends with the error that it met.
  const failure = new Error(`wevtutil ended with ${status}`)
  throw status === null ? failure : Object.assign(failure, { win32: status, operation: 'events' })
}
