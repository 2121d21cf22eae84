/** Text that comes in pieces, line by line: ends of lines are LF or CRLF, and a mark of the byte order is none of it. */
import { StringDecoder } from 'node:string_decoder'

export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isFirst = true
  const finish = (line: string): string => {
    const text = isFirst ? line.replace(/^\ufeff/, '') : line
    isFirst = false
    return text.replace(/\r$/, '')
  }
  for await (const chunk of chunks) {
    const lines = (typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))).split('\n')
    lines[0] = rest + lines[0]!
    rest = lines.pop()!
    for (const line of lines) yield finish(line)
  }
  rest += decoder.end()
  if (rest !== '') yield finish(rest)
}
