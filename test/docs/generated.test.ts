/** What is made of the sources is what they make. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DOMParser } from '@xmldom/xmldom'

import { root } from './markdown'

const docs = join(root, 'docs')
let made: string

beforeAll(() => {
  made = mkdtempSync(join(tmpdir(), 'psctx-made-'))
  execFileSync(process.execPath, [join(root, 'scripts', 'docs.mjs'), made], { stdio: ['ignore', 'ignore', 'inherit'] })
}, 120_000)
afterAll(() => rmSync(made, { recursive: true }))

function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}

test.each([
  ['abi.md', 'driver/include/psctx/abi.h'],
  ['commands.md', 'what psctx says of itself'],
])('docs/%s is made of %s (npm run docs)', (name) => {
  expect(readFileSync(join(docs, name), 'utf8')).toBe(readFileSync(join(made, name), 'utf8'))
})

test('docs/api is made of the sources (npm run docs)', () => {
  expect(filesOf(join(docs, 'api'))).toEqual(filesOf(join(made, 'api')))
})

/** The text of a picture, line by line. What depends on the machine, a volume in memory or on an image, is made one. */
function read(path: string): string[] {
  const picture = new DOMParser().parseFromString(readFileSync(path, 'utf8'), 'image/svg+xml')
  const lines = new Map<string, string>()
  for (const text of Array.from(picture.getElementsByTagName('text'))) {
    const y = text.getAttribute('y')!
    lines.set(y, (lines.get(y) ?? '') + (text.textContent ?? ''))
  }
  return Array.from(lines.values(), (line) =>
    line
      .replaceAll('\u00a0', ' ')
      .trimEnd()
      .replace(/^volume: .*/, 'volume')
      .replace(/\b[MN]:/g, 'X:'),
  )
}

test('docs/start.svg shows what npm start prints (npm run docs)', () => {
  const lines = read(join(docs, 'start.svg'))
  expect(lines).toEqual(read(join(made, 'start.svg')))
  expect(lines[0]).toBe('$ npm start')
  expect(lines.filter((line) => line.endsWith(' ok'))).toHaveLength(13)
})
