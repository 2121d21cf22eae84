/** docs/fronts.md: what it says of each front is shown by a test that is there, or it says that nothing shows it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './markdown'

const named = /`(test\/[^`]+)` “([^”]+)”/g

/** The table's rows, each with its cells. */
const rows = readFileSync(join(root, 'docs', 'fronts.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [^|-]/.test(line))
  .map((line) => line.slice(1, -1).split('|'))
  .filter(([first]) => first!.trim() !== '')
  .map((cells) => cells.map((cell) => cell.trim()))

test('the table has a cell for each front', () => {
  expect(rows.length).toBeGreaterThan(10)
  for (const cells of rows) expect(cells).toHaveLength(3)
})

test.each(rows.map(([what, legacy, minifilter]) => ({ what, legacy, minifilter })))(
  '$what: each cell names a test, or says that there is none',
  ({ legacy, minifilter }) => {
    const isShown = (cell: string): boolean =>
      [...cell.matchAll(named)].length > 0 || cell.includes('not testable here')
    expect(isShown(legacy!)).toBe(true)
    expect(isShown(minifilter!) || minifilter!.endsWith(', the same')).toBe(true)
  },
)

test('every test that is named is there', () => {
  const missing = rows.flat().flatMap((cell) =>
    [...cell.matchAll(named)].flatMap(([, path, name]) => {
      // A sentence of C may stand in two pieces, one below the other.
      const text = readFileSync(join(root, path!), 'utf8').replace(/"\s*\n\s*"/g, '')
      return text.includes(name!) ? [] : [`${path}: ${name}`]
    }),
  )
  expect(missing).toEqual([])
})
