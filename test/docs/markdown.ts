/** The documents of this package, and what they are made of: blocks of code, headings, links. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import type * as Marked from 'marked' with { 'resolution-mode': 'import' }

export const root = join(__dirname, '..', '..')

// Its main module is an ES module, which Jest does not take.
const { lexer, walkTokens } = createRequire(__filename)(
  join(root, 'node_modules', 'marked', 'lib', 'marked.umd.js'),
) as typeof Marked

/** A block of code. */
export interface Block {
  /** Its document, from the top level on. */
  readonly document: string
  /** The line that it begins with, from 1. */
  readonly line: number
  /** What it is written in, such as `ts`. */
  readonly language: string
  /** What stands behind the language: how it is to be tested. */
  readonly note: string
  readonly text: string
}

/** A document of this package. */
export interface MarkdownDocument {
  /** Its file, from the top level on. */
  readonly path: string
  readonly blocks: readonly Block[]
  /** What links may name behind `#`. */
  readonly anchors: ReadonlySet<string>
  /** What links and pictures lead to. */
  readonly targets: readonly string[]
}

/** The anchor that GitHub gives a heading. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

/** A heading as it is read: without what marks code, links and emphasis. */
function toText(tokens: readonly Marked.Token[]): string {
  return tokens
    .map((token) => {
      if ('tokens' in token && Array.isArray(token.tokens)) return toText(token.tokens)
      return 'text' in token ? String(token.text) : ''
    })
    .join('')
}

function readDocument(path: string): MarkdownDocument {
  const text = readFileSync(join(root, path), 'utf8')
  const blocks: Block[] = []
  const anchors = new Set<string>()
  const targets: string[] = []
  let position = 0
  void walkTokens(lexer(text), (token) => {
    switch (token.type) {
      case 'code': {
        // Blocks come in their order, so that each is found behind the one before; in a list it may be indented.
        const { lang = '', text: code } = token as Marked.Tokens.Code
        position = text.indexOf(`\`\`\`${lang}`, position) + 3
        const line = text.slice(0, position).split('\n').length
        const [, language = '', note = ''] = /^(\S*)\s*(.*)$/.exec(lang)!
        blocks.push({ document: path, line, language, note, text: code })
        position = text.indexOf('```', position) + 3
        break
      }
      case 'heading': {
        const anchor = toAnchor(toText((token as Marked.Tokens.Heading).tokens))
        let unique = anchor
        for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`
        anchors.add(unique)
        break
      }
      case 'link':
      case 'image':
        targets.push((token as Marked.Tokens.Link).href)
        break
      case 'html':
        for (const [, target] of token.raw.matchAll(/(?:href|src)="([^"]*)"/g)) targets.push(target!)
        break
    }
  })
  return { path, blocks, anchors, targets }
}

/** Every document of this package. */
export const documents: readonly MarkdownDocument[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].map(readDocument)

/** Every block of code, in the order in which they stand. */
export const blocks: readonly Block[] = documents.flatMap((document) => document.blocks)

/** A block's name in a test. */
export function nameOf({ document, line }: Block): string {
  return `${document}, line ${line}`
}
