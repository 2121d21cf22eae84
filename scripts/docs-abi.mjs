// docs/abi.md: the reference of the contract between user mode and the driver, made of driver/include/psctx/abi.h.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError, root } from './run.mjs'

const header = join('driver', 'include', 'psctx', 'abi.h')
const sizes = { PSCTX_UINT8: 1, PSCTX_UINT16: 2, PSCTX_UINT32: 4, PSCTX_UINT64: 8 }

/** A comment's text on one line, with the header's names as code. */
function textOf(comment = '') {
  return comment
    .replace(/^\/\*+|\*+\/$/g, '')
    .replace(/^\s*\*( |$)/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[<|]/g, '\\$&')
    .replace(/\b[A-Z][A-Z\d]*(_[A-Z\d]+)+(_?\*)?|\b(INSERT|LOOKUP|REMOVE|LIST|WAIT)\b|\\[A-Z]\w+\\\w+/g, '`$&`')
}

const sentence = (text) => text.replace(/^[a-z]/, (letter) => letter.toUpperCase())

/** The header's pieces in their order: comments, constants, and records with their fields. */
function* parse(text) {
  const piece =
    /(?<comment>\/\*[\s\S]*?\*\/)|^#define (?<name>PSCTX_\w+)(?<macro>\([^)]*\))?[ \t]+(?<value>(?:\\\n|[^\n])*)$|^typedef struct \w+ \{(?<body>[\s\S]*?)\} (?<record>\w+);|(?<blank>^\n)/gm
  for (const { groups } of text.matchAll(piece)) {
    const { comment, name, macro, value, body, record, blank } = groups
    if (comment !== undefined) yield { type: 'comment', raw: comment, text: textOf(comment) }
    else if (blank !== undefined) yield { type: 'blank' }
    else if (record !== undefined) yield { type: 'record', name: record, fields: [...fieldsOf(body)] }
    else if (macro === undefined) yield constantOf(name, value)
  }
}

function constantOf(name, value) {
  const [, expression, comment] = /^([\s\S]*?)(\/\*[\s\S]*\*\/)?$/.exec(value.replace(/\\\n/g, ' ').trim())
  return { type: 'constant', name, expression: expression.trim(), raw: comment ?? '', text: textOf(comment) }
}

/** The fields of a record, with their offsets as natural alignment has them. */
function* fieldsOf(body) {
  let offset = 0
  for (const [, type, name, count, comment] of body.matchAll(
    /(PSCTX_\w+)\s+(\w+)(?:\[(\d+)\])?;(?:[ \t]*(\/\*[\s\S]*?\*\/))?/g,
  )) {
    const size = (sizes[type] ?? 8) * Number(count ?? 1)
    yield { name, type: type.replace('PSCTX_', '') + (count ? `[${count}]` : ''), offset, size, text: textOf(comment) }
    offset += size
  }
}

function sizeOf(record) {
  const { offset, size } = record.fields.at(-1)
  return offset + size
}

/** What the header asserts of itself must be what is told here. */
function check(text, records) {
  const byName = new Map(records.map((record) => [record.name, record]))
  for (const [, name, size] of text.matchAll(/sizeof\((PSCTX_\w+)\) == (\d+)/g)) {
    const told = sizes[name] ?? sizeOf(byName.get(name))
    if (told !== Number(size)) throw new CommandError(`${header}: ${name} is not understood`)
  }
  for (const [, name, field, offset] of text.matchAll(/offsetof\((PSCTX_\w+), (\w+)\) == (\d+)/g)) {
    if (byName.get(name)?.fields.find((one) => one.name === field)?.offset !== Number(offset)) {
      throw new CommandError(`${header}: ${name}.${field} is not understood`)
    }
  }
}

/** The value of an expression of numbers, names of constants and operators. */
function evaluate(expression, constants) {
  if (expression.startsWith('L"')) return undefined
  const plain = expression.replace(/([\da-f])u(ll)?\b/gi, '$1').replace(/PSCTX_\w+/g, (name) => {
    return evaluate(constants.get(name).expression, constants)
  })
  if (!/^[\da-fxA-F\s+<()]+$/.test(plain)) throw new CommandError(`${header}: ${expression} is not understood`)
  return new Function(`return ${plain.replace(/0x[\da-f]+|\d+/gi, '$&n')}`)()
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const hexadecimal = (value) => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`

/** How a constant's value is told: as the header writes it, and as a number. */
function valueOf({ expression }, constants) {
  const value = evaluate(expression, constants)
  if (value === undefined) return `\`${expression}\``
  const written = expression.replace(/([\da-f])u(ll)?\b/gi, '$1')
  return /^\d+$/.test(written) ? written : `${value} (\`${written}\`)`
}

const accesses = { R: 1n, RW: 3n }

/** The operations: their numbers, control codes, requests and replies, which their comments tell. */
function tellOperations(constants) {
  const base = evaluate('PSCTX_FUNCTION_BASE', constants)
  const device = evaluate('PSCTX_DEVICE_TYPE', constants)
  const rows = []
  for (const [name, { expression, raw }] of constants) {
    const operation = name.replace('PSCTX_OPERATION_', '')
    if (operation === name || operation === 'COUNT') continue
    const [, access, told] = /^\/\* (RW?) +([\s\S]*?) *\*\/$/.exec(raw)
    const number = evaluate(expression, constants)
    const code = (device << 16n) | (accesses[access] << 14n) | ((base + number) << 2n)
    const [request, reply = ''] = told.replace(/\s+/g, ' ').split(' -> ')
    rows.push([`\`${operation}\``, number, `\`${hexadecimal(code)}\``, access, textOf(request), textOf(reply)])
  }
  return table(['operation', 'number', 'control code', 'access', 'request', 'reply'], rows)
}

/** What stands between two blank lines: a text before it, constants and the comments among them, or a record. */
function* paragraphsOf(pieces) {
  let paragraph = []
  for (const piece of [...pieces, { type: 'blank' }]) {
    if (piece.type !== 'blank') paragraph.push(piece)
    if (piece.type === 'blank' || piece.type === 'record') {
      if (paragraph.length > 0) yield paragraph
      paragraph = []
    }
  }
}

/** What names have in common, up to a word's end. */
function titleOf(names) {
  if (names.length === 1) return names[0]
  const words = names.map((name) => name.split('_'))
  const end = words[0].findIndex((word, index) => words.some((other) => other[index] !== word))
  return end <= 1 ? undefined : `${words[0].slice(0, end).join('_')}_*`
}

/** A paragraph of the header: its heading, texts and tables. */
function* tell(paragraph, constants) {
  const names = paragraph.flatMap(({ name }) => name ?? [])
  const title = names.length === 0 ? undefined : titleOf(names)
  if (title !== undefined) yield `### ${title}`
  let rows = []
  for (const piece of [...paragraph, { type: 'end' }]) {
    if (piece.type === 'constant') {
      rows.push([`\`${piece.name}\``, valueOf(piece, constants), piece.text])
      continue
    }
    if (rows.length > 0) yield table(['constant', 'value', 'meaning'], rows)
    rows = []
    if (piece.type === 'comment') yield sentence(piece.text)
    if (piece.type === 'record') {
      yield `${sizeOf(piece)} bytes:`
      yield table(
        ['offset', 'size', 'field', 'type', 'meaning'],
        piece.fields.map(({ name, type, offset, size, text }) => [offset, size, `\`${name}\``, type, text]),
      )
    }
  }
}

/** Where the header names a status. */
function tellStatuses(paragraphs) {
  const places = new Map()
  for (const paragraph of paragraphs) {
    const names = paragraph.flatMap(({ name }) => name ?? [])
    const texts = paragraph.flatMap(({ text, fields = [] }) => [text, ...fields.map((field) => field.text)])
    for (const [status] of texts.join(' ').matchAll(/STATUS_[A-Z_]+/g)) {
      places.set(status, (places.get(status) ?? new Set()).add(`\`${titleOf(names) ?? names[0]}\``))
    }
  }
  const rows = [...places].sort(([one], [other]) => (one < other ? -1 : 1))
  return table(
    ['status', 'told at'],
    rows.map(([status, where]) => [`\`${status}\``, [...where].join(', ')]),
  )
}

/** The header's first comment: paragraphs, the last of which is a list. */
function tellRules(comment) {
  return comment
    .split(/\n \*\n/)
    .map((paragraph) => paragraph.split(/\n \* +- /).map(textOf))
    .map(([text, ...items]) => [text, '', ...items.map((item) => `- ${item}`)].join('\n').trim())
}

/** Makes links of the names that have a heading. */
function link(text) {
  const titles = new Set(Array.from(text.matchAll(/^### (\S+)$/gm), ([, title]) => title))
  return text.replace(/(?<!# )`(PSCTX_\w+\*?)`/g, (code, name) => {
    return titles.has(name) ? `[${code}](#${name.toLowerCase().replace('*', '')})` : code
  })
}

/** Writes abi.md into the directory `docs`. */
export function writeAbi(docs) {
  const text = readFileSync(join(root, header), 'utf8')
  const pieces = [...parse(text)]
  const records = pieces.filter(({ type }) => type === 'record')
  check(text, records)
  const constants = new Map(pieces.filter(({ type }) => type === 'constant').map((piece) => [piece.name, piece]))
  const [[about], ...paragraphs] = paragraphsOf(pieces)
  const isOf = (paragraph, pattern) => paragraph.some(({ name }) => pattern.test(name ?? ''))
  const operations = paragraphs.findIndex((paragraph) => isOf(paragraph, /^PSCTX_OPERATION_/))
  const isTold = (paragraph) => !isOf(paragraph, /^PSCTX_(OPERATION|IOCTL)_/)
  const told = (range) => range.filter(isTold).flatMap((paragraph) => [...tell(paragraph, constants)])
  const blocks = [
    '# The contract between user mode and the driver',
    `Made of [\`driver/include/psctx/abi.h\`](../driver/include/psctx/abi.h) by \`npm run docs\`.`,
    ...tellRules(about.raw),
    '## Names, version and limits',
    ...told(paragraphs.slice(0, operations)),
    '## Operations',
    paragraphs[operations][0].text,
    tellOperations(constants),
    ...told(paragraphs.slice(operations, operations + 3)),
    '## Records',
    ...told(paragraphs.slice(operations + 3)),
    '## Statuses',
    'Those that the header names. What the operations of the facade throw stands in [its reference](api/README.md).',
    tellStatuses(paragraphs),
  ]
  writeFileSync(join(docs, 'abi.md'), `${link(blocks.join('\n\n'))}\n`)
}
