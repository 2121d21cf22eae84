/** `psctx report`: what a recording of `psctx watch --json` comes to, as one page. */
import { computeFigures } from './figures'
import { page } from './page'
import { readEvent } from './read'
import { RecordingBuilder } from './recording'
import { style } from './style'
import { emptyDocument, recordingDocument } from './template'

export { ReportInputError } from './read'

/**
 * The page for a recording: an HTML document that is complete by itself. `lines` are those that `psctx watch --json` prints, each an event
 * as `JSON.stringify(event, jsonReplacer)` writes it; blank ones are skipped. Throws {@link ReportInputError} at the first line that is no
 * event.
 *
 * @example
 * ```ts
 * const lines = createInterface({ input: createReadStream('events.ndjson') })
 * await writeFile('report.html', await renderReport(lines))
 * ```
 */
export async function renderReport(lines: AsyncIterable<string> | Iterable<string>): Promise<string> {
  const builder = new RecordingBuilder()
  let line = 0
  for await (const text of lines) {
    line += 1
    const event = readEvent(text, line)
    if (event !== undefined) builder.add(event)
  }
  const recording = builder.finish()
  if (recording.events.type.length === 0 && recording.others.length === 0) return emptyDocument(style)
  // The page runs the text of these two, which must not refer to anything around them: a bundler's helpers (esbuild's keepNames) included.
  return recordingDocument({
    json: JSON.stringify(recording),
    script: `(${String(page)})(${String(computeFigures)})`,
    style,
  })
}
