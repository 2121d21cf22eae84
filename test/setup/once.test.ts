/** Shows when what `npm start` and `npm test` build is built again: `once` of scripts/setup.mjs, in a checkout of its own. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const scripts = join(__dirname, '..', '..', 'scripts')

/** Makes `product` of `source`, and `more` with the stamp `whole`; of a source that is broken half of it, and then ends. */
const program = `
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from './scripts/setup.mjs'

const [stamp, more] = process.argv.slice(1)
once(stamp, {
  inputs: ['source'],
  products: ['product', 'more'],
  more,
  make() {
    appendFileSync('made', '.')
    rmSync('more', { force: true })
    const source = readFileSync('source/file', 'utf8')
    writeFileSync('product', source)
    if (source === 'broken') process.exit(1)
    if (stamp === 'whole') writeFileSync('more', source)
  },
})`

let checkout: string

function write(name: string, text: string): void {
  writeFileSync(join(checkout, name), text)
}

/** Whether asking for it builds it. */
function isBuilt(stamp = 'part', more = stamp): boolean {
  const times = () => (existsSync(join(checkout, 'made')) ? readFileSync(join(checkout, 'made')).length : 0)
  const before = times()
  spawnSync(process.execPath, ['--input-type=module', '--eval', program, stamp, more], { cwd: checkout })
  return times() > before
}

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'psctx-checkout-'))
  for (const name of ['scripts', 'source']) mkdirSync(join(checkout, name))
  for (const name of ['run.mjs', 'setup.mjs']) cpSync(join(scripts, name), join(checkout, 'scripts', name))
  write('source/file', 'first')
  expect(isBuilt()).toBe(true)
})

afterEach(() => rmSync(checkout, { recursive: true }))

test('what was built of the same sources is not built again', () => {
  expect(isBuilt()).toBe(false)
})

test('what was built of other sources is built again: of one that says something else, of fewer, of more', () => {
  write('source/file', 'second')
  expect(isBuilt()).toBe(true)
  write('source/another', '')
  expect(isBuilt()).toBe(true)
  rmSync(join(checkout, 'source', 'another'))
  expect(isBuilt()).toBe(true)
  expect(isBuilt()).toBe(false)
})

test('what is gone is built again', () => {
  rmSync(join(checkout, 'product'))
  expect(isBuilt()).toBe(true)
})

test('what was built by hand of other sources, which are gone since, is built again', () => {
  write('product', 'of another branch')
  expect(isBuilt()).toBe(true)
})

test('what a build of other sources, which are gone since, has left when it was ended is built again', () => {
  write('source/file', 'broken')
  expect(isBuilt()).toBe(true)
  write('source/file', 'first')
  expect(isBuilt()).toBe(true)
  expect(readFileSync(join(checkout, 'product'), 'utf8')).toBe('first')
})

test('who asks for a part takes the whole that is there, until the part is built in its place', () => {
  expect(isBuilt('whole')).toBe(true)
  expect(isBuilt('part', 'whole')).toBe(false)
  write('source/file', 'second')
  expect(isBuilt('part', 'whole')).toBe(true)
  write('source/file', 'first')
  expect(isBuilt('whole')).toBe(true)
})
