/** Text as it can be shown: names without what a terminal would obey, bytes, and how many there are of something. */

/** What a terminal would obey instead of showing it: controls, and marks that turn the direction of text. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu
const exceptLines = /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

/** A name or a message as it can be shown, in one line. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** Bytes as the text that they are, or `undefined` when that cannot be shown as it is. */
export function asText(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
    return exceptLines.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** Bytes in lines of 16: offset, hexadecimal, ASCII. */
export function hexDump(data: Uint8Array): string {
  const lines: string[] = []
  for (let offset = 0; offset < data.length; offset += 16) {
    const row = [...data.subarray(offset, offset + 16)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'))
    const halves = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`.padEnd(48)
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${halves}  |${text}|`)
  }
  return lines.join('\n')
}

/** How much there is of something. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
