/** Holds the kernel's structures and Filter Manager's, as the mingw build of the driver sees them, against the WDK's layouts on every architecture. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const driver = join(root, 'driver')
const obstacle = process.env['PSCTX_NO_WINDOWS'] ?? ''

/** Longer in the WDK. The driver does not make these, it only reads what comes before. */
const shorter = new Set(['FSRTL_ADVANCED_FCB_HEADER', 'DEVICE_OBJECT'])

const sources = readdirSync(join(driver, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.[ch]$/.test(name))
  .map((name) => readFileSync(join(driver, 'src', name), 'utf8'))
  .join('\n')

/** What mingw-w64 has no header of is held against the WDK as a whole. */
const declarations = readFileSync(join(driver, 'compat', 'fltKernel.h'), 'utf8')

const data = (name: string) => readFileSync(join(root, 'test', 'host', 'data', name), 'utf8')

/** The columns of the WDK's layouts, and clang's names of the architectures. */
const columns = ['x64', 'arm64', 'x86'] as const
type Machine = (typeof columns)[number]
const targets = { x64: 'x86_64', arm64: 'aarch64', x86: 'i686' } as const

interface Structure {
  name: string
  size: number
  fields: { path: string; offset: number }[]
}

/** The structures that a text names, or points to. Bit fields, which have no offset in C, are left out. */
function structures(machine: Machine, layouts: string, text: string): Structure[] {
  const found: Structure[] = []
  for (const line of layouts.split('\n')) {
    const [name, ...numbers] = line.trim().split(' ')
    const number = numbers[columns.indexOf(machine)]
    if (line === '' || line.startsWith('#') || number === '-') continue
    if (!line.startsWith(' ')) found.push({ name: name!, size: Number(number), fields: [] })
    else if (!name!.includes(':')) found.at(-1)!.fields.push({ path: name!, offset: Number(number) })
  }
  // Of a member that has members, which may be without a name, those tell.
  for (const structure of found) {
    const { fields } = structure
    structure.fields = fields.filter(({ path }) => !fields.some((field) => field.path.startsWith(`${path}.`)))
  }
  return found.filter(({ name }) => new RegExp(`\\bP?${name}\\b`).test(text))
}

/** An assertion of C; its message is what a test looks for. */
function assertion(expression: string, value: number, message: string): string {
  return `_Static_assert(${expression} == ${value}, "${message}");`
}

/**
 * What the compiler says of assertions of all that. A field that mingw-w64 does not have is an error there that is no test's: the
 * driver, which compiles, does not use it.
 */
function compile(machine: Machine, all: Structure[]): string {
  const assertions = all.flatMap(({ name, size, fields }) => [
    ...(shorter.has(name) ? [] : [assertion(`sizeof(${name})`, size, `size of ${name}`)]),
    ...fields.map(({ path, offset }) => assertion(`__builtin_offsetof(${name}, ${path})`, offset, `${name}.${path}`)),
  ])
  const headers = '/usr/share/mingw-w64/include'
  // Where the build puts the headers that it makes know arm64.
  const patched = join(root, 'build', 'windows', 'objects', machine, 'driver', 'include')
  expect(existsSync(join(patched, 'wdm.h'))).toBe(machine === 'arm64')
  const directories = ['-I', join(driver, 'compat'), '-isystem', patched, '-isystem', join(headers, 'ddk')]
  const options = [
    `--target=${targets[machine]}-w64-windows-gnu`,
    '-std=c11',
    '-fms-extensions',
    '-Wno-#warnings',
    '-ferror-limit=0',
    '-D_WIN32_WINNT=0x0A00',
    '-DNTDDI_VERSION=0x0A000000',
    '-nostdlibinc',
    '-idirafter',
    headers,
    '-fsyntax-only',
    '-xc',
    '-',
  ]
  const { stderr } = spawnSync('clang-19', [...directories, ...options], {
    input: ['#include <fltKernel.h>', assertion('0', 1, 'the assertions are compiled'), ...assertions].join('\n'),
    encoding: 'utf8',
  })
  return stderr
}

const describeLayouts = obstacle === '' ? describe : describe.skip
describeLayouts.each(columns)(
  `a structure of the kernel in the mingw build for %s${obstacle && ` (${obstacle})`}`,
  (machine) => {
    const all = [
      ...structures(machine, data('wdk-layouts.txt'), sources),
      ...structures(machine, data('wdk-flt-layouts.txt'), declarations),
    ]
    let failed: string[]
    beforeAll(() => {
      const messages = compile(machine, all).matchAll(/static assertion failed due to requirement '.*': (.*)$/gm)
      failed = Array.from(messages, ([, message]) => message!)
      expect(failed).toContain('the assertions are compiled')
    })

    test.each(all.map(({ name }) => name))('%s has the size and the offsets of the WDK', (name) => {
      expect(failed.filter((message) => message === `size of ${name}` || message.startsWith(`${name}.`))).toEqual([])
    })
  },
)
