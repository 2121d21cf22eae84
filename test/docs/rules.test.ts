/** Holds docs/rules.md to the tests that it names. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const sources = join(root, 'test', 'host')

/** The tests that a table's rows name, in their last cells. */
function namedTests(): string[] {
  const rows = readFileSync(join(root, 'docs', 'rules.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
  return rows.flatMap((row) => (row.split('|')[2] ?? '').split(';').map((name) => name.trim()))
}

test('every test that the rules name is one of the embedded kernel', () => {
  const text = readdirSync(sources)
    .filter((name) => name.endsWith('.c'))
    .map((name) => readFileSync(join(sources, name), 'utf8'))
    .join('\n')
  const names = namedTests()

  expect(names.length).toBeGreaterThan(60)
  expect(names.filter((name) => !text.includes(`"${name}"`))).toEqual([])
})
