/** Holds the kernel's structures, as the mingw build of the driver sees them, against the WDK's layouts on x64. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const driver = join(root, 'driver')
const obstacle = process.env['PSCTX_NO_WINDOWS'] ?? ''

/** Longer in the WDK. The driver does not make these, it only reads what comes before. */
const shorter = new Set(['FSRTL_ADVANCED_FCB_HEADER', 'DEVICE_OBJECT'])

const sources = readdirSync(join(driver, 'src'))
  .map((name) => readFileSync(join(driver, 'src', name), 'utf8'))
  .join('\n')

interface Structure {
  name: string
  size: number
  fields: { path: string; offset: number }[]
}

/** The structures that the driver names, or points to. Bit fields, which have no offset in C, are left out. */
function structures(): Structure[] {
  const found: Structure[] = []
  for (const line of readFileSync(join(root, 'test', 'host', 'data', 'wdk-layouts.txt'), 'utf8').split('\n')) {
    const [name, x64] = line.trim().split(' ')
    if (line === '' || line.startsWith('#') || x64 === '-') continue
    if (!line.startsWith(' ')) found.push({ name: name!, size: Number(x64), fields: [] })
    else if (!name!.includes(':')) found.at(-1)!.fields.push({ path: name!, offset: Number(x64) })
  }
  return found.filter(({ name }) => new RegExp(`\\bP?${name}\\b`).test(sources))
}

/** An assertion of C; its message is what a test looks for. */
function assertion(expression: string, value: number, message: string): string {
  return `_Static_assert(${expression} == ${value}, "${message}");`
}

/**
 * What the compiler says of assertions of all that. A field that mingw-w64 does not have is an error there that is no test's: the
 * driver, which compiles, does not use it.
 */
function compile(all: Structure[]): string {
  const assertions = all.flatMap(({ name, size, fields }) => [
    ...(shorter.has(name) ? [] : [assertion(`sizeof(${name})`, size, `size of ${name}`)]),
    ...fields.map(({ path, offset }) => assertion(`__builtin_offsetof(${name}, ${path})`, offset, `${name}.${path}`)),
  ])
  const directories = ['-I', join(driver, 'compat'), '-isystem', '/usr/x86_64-w64-mingw32/include/ddk']
  const options = ['-std=c11', '-D_WIN32_WINNT=0x0A00', '-DNTDDI_VERSION=0x0A000000', '-fsyntax-only', '-xc', '-']
  const { stderr } = spawnSync('x86_64-w64-mingw32-gcc-posix', [...directories, ...options], {
    input: ['#include <ntifs.h>', assertion('0', 1, 'the assertions are compiled'), ...assertions].join('\n'),
    encoding: 'utf8',
  })
  return stderr
}

const describeLayouts = obstacle === '' ? describe : describe.skip
describeLayouts(`a structure of the kernel in the mingw build${obstacle && ` (${obstacle})`}`, () => {
  const all = structures()
  let failed: string[]
  beforeAll(() => {
    failed = Array.from(compile(all).matchAll(/static assertion failed: "(.*)"/g), ([, message]) => message!)
    expect(failed).toContain('the assertions are compiled')
  })

  test.each(all.map(({ name }) => name))('%s has the size and the offsets of the WDK', (name) => {
    expect(failed.filter((message) => message === `size of ${name}` || message.startsWith(`${name}.`))).toEqual([])
  })
})
