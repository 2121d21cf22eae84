/** How the shell reads a line: words, quotes, comments, and `&`. A backslash is a backslash, as in Windows' paths. */

export const quotingHelp = [
  'Words are separated by blanks. Within "…" or \'…\' blanks belong to the word, and the quote itself is written twice.',
  'A backslash is a backslash everywhere. # at the beginning of a word begins a comment.',
].join('\n')

/** A word; where it begins in the line, and the quote that it is still in at the line's end. */
export interface Word {
  readonly text: string
  readonly start: number
  readonly openQuote: string | undefined
  /** Whether any of it was quoted, so that it is no sign. */
  readonly isQuoted: boolean
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t'

/** The words of a line, up to a comment. The last one may be in a quote that is not closed. */
export function splitLine(line: string): Word[] {
  const words: Word[] = []
  let index = 0
  for (;;) {
    while (isBlank(line[index])) index += 1
    if (index >= line.length || line[index] === '#') return words
    const start = index
    let text = ''
    let quote: string | undefined
    let isQuoted = false
    for (; index < line.length && (quote !== undefined || !isBlank(line[index])); index += 1) {
      const character = line[index]!
      if (character === quote) {
        if (line[index + 1] === quote) {
          text += quote
          index += 1
        } else {
          quote = undefined
        }
      } else if (quote === undefined && (character === '"' || character === "'")) {
        quote = character
        isQuoted = true
      } else {
        text += character
      }
    }
    words.push({ text, start, openQuote: quote, isQuoted })
  }
}

/** A word as it is written so that it is read as `text`. */
export function quote(text: string): string {
  if (text !== '' && !/[ \t"']|^#|^&$/.test(text)) return text
  return `"${text.replaceAll('"', '""')}"`
}
