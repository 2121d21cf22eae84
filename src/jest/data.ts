/** A context's data for people: as text where it is text, else as a hex dump from where it differs. */
import { count } from './contexts'
import type { MatcherContext } from './matcher'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lineLength = 16
/** Lines of a dump above and below the one that differs. */
const around = 1

/** The text that the bytes are in UTF-8; undefined where they are none, or where a person could not read it. */
export function textOf(data: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(data)
    return /^[\P{C}\t\r\n]*$/u.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The index of the first byte that is not the same; undefined if there is none. */
export function firstDifference(expected: Uint8Array, received: Uint8Array): number | undefined {
  const index = expected.findIndex((byte, at) => byte !== received[at])
  if (index !== -1) return index
  return received.length > expected.length ? expected.length : undefined
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => hex(byte, 2)).join(' ')
}

/** The lines of a dump from `start` to `end`, both on line boundaries; those that have no byte are left out. */
function dump(data: Uint8Array, start: number, end: number): string[] {
  const lines: string[] = []
  for (let offset = start; offset < Math.min(end, data.length); offset += lineLength) {
    const bytes = data.subarray(offset, offset + lineLength)
    const characters = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
    lines.push(`  ${hex(offset, 8)}  ${hexBytes(bytes).padEnd(3 * lineLength - 1)}  |${characters.join('')}|`)
  }
  return lines
}

/** Data in one line. */
export function describeData(data: Uint8Array): string {
  const text = textOf(data)
  if (text === undefined) return data.length <= lineLength ? hexBytes(data) : `${data.length} bytes, which are no text`
  return text.length <= 80 ? JSON.stringify(text) : `${data.length} bytes of text`
}

/** Where two pieces of data that are not the same differ. */
export function describeDifference(context: MatcherContext, expected: Uint8Array, received: Uint8Array): string {
  const { utils } = context
  const [expectedText, receivedText] = [textOf(expected), textOf(received)]
  if (expectedText !== undefined && receivedText !== undefined) {
    const diff = (expectedText + receivedText).includes('\n') ? utils.diff(expectedText, receivedText) : undefined
    return (
      diff ?? `Expected data: ${utils.printExpected(expectedText)}\nReceived data: ${utils.printReceived(receivedText)}`
    )
  }
  const index = firstDifference(expected, received)!
  const line = index - (index % lineLength)
  const start = Math.max(0, line - around * lineLength)
  const end = line + (1 + around) * lineLength
  const caret = ' '.repeat(12 + 3 * (index % lineLength))
  return [
    `The first difference is at offset ${index} (0x${hex(index, 1)}).`,
    '',
    `Expected data: ${count(expected.length, 'byte')}`,
    ...dump(expected, start, end).map((text) => utils.EXPECTED_COLOR(text)),
    `Received data: ${count(received.length, 'byte')}`,
    ...dump(received, start, end).map((text) => utils.RECEIVED_COLOR(text)),
    `${caret}^^ in the line of 0x${hex(line, 8)}`,
  ].join('\n')
}
