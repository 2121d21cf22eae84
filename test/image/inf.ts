/** A reader of INF files: sections of lines, comments and quotes off. Format: "General Syntax Rules for INF Files" in Microsoft's documentation. */

export interface Line {
  /** What stands before the equals sign, if there is one. */
  key: string | undefined
  values: string[]
}

/** The sections by name, in lower case, in which the format does not tell them apart. */
export function readInf(text: string): Map<string, Line[]> {
  const sections = new Map<string, Line[]>()
  let lines: Line[] | undefined
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/;(?=(?:[^"]*"[^"]*")*[^"]*$).*/, '').trim()
    if (line === '') continue
    const header = /^\[(.+)\]$/.exec(line)
    if (header) {
      const name = header[1]!.toLowerCase()
      lines = sections.get(name) ?? []
      sections.set(name, lines)
      continue
    }
    if (lines === undefined) throw new Error(`before the first section: ${line}`)
    const [, key, rest] = /^([^="]+)=(.*)$/.exec(line) ?? [undefined, undefined, line]
    lines.push({ key: key?.trim(), values: rest.split(',').map((value) => value.trim().replace(/^"(.*)"$/, '$1')) })
  }
  return sections
}
