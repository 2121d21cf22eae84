/** Which addon a platform gets, and what it is told where there is none. */
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { addonPath, libcOf, loadAddon, prebuiltAddon } from '../../src/addon'

import { where } from './platform'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-addon-'))
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

/** An ELF program of 64 bits, as far as its program headers: a loaded segment, and its interpreter if it has one. */
function program(interpreter?: string, segments = 2): string {
  const [header, segment, load, interpret] = [64, 56, 1, 3]
  const bytes = Buffer.alloc(512)
  bytes.write('\x7fELF\x02\x01', 'latin1')
  bytes.writeBigUInt64LE(BigInt(header), 32)
  bytes.writeUInt16LE(segment, 54)
  bytes.writeUInt16LE(segments, 56)
  bytes.writeUInt32LE(load, header)
  if (interpreter !== undefined) {
    bytes.writeUInt32LE(interpret, header + segment)
    bytes.writeBigUInt64LE(256n, header + segment + 8)
    bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), header + segment + 32)
    bytes.write(`${interpreter}\0/behind/it`, 256, 'latin1')
  }
  const path = join(directory, 'program')
  writeFileSync(path, bytes)
  return path
}

describe('the C library of a program', () => {
  test.each([
    ['/lib/ld-musl-x86_64.so.1', 'musl'],
    ['/lib/ld-musl-aarch64.so.1', 'musl'],
    ['/lib64/ld-linux-x86-64.so.2', 'glibc'],
    ['/nix/store/abc-glibc-2.38/lib/ld-linux-aarch64.so.1', 'glibc'],
    [undefined, undefined],
  ])('whose interpreter is %s', (interpreter, libc) => {
    expect(libcOf(program(interpreter))).toBe(libc)
  })

  test('is not told by what lies behind its program headers', () => {
    expect(libcOf(program('/lib64/ld-linux-x86-64.so.2', 1))).toBeUndefined()
  })

  test('is glibc for the Node.js that runs this', () => {
    expect(libcOf(process.execPath)).toBe('glibc')
  })

  test('cannot be told of what is no such program', () => {
    expect(libcOf(__filename)).toBeUndefined()
  })

  test('is read from a file that is closed afterwards', () => {
    const paths = [program('/lib/ld-musl-x86_64.so.1'), __filename]
    const close = jest.spyOn(fs, 'closeSync')
    paths.forEach(libcOf)
    expect(close).toHaveBeenCalledTimes(2)
    close.mockRestore()
  })
})

test.each([
  ['win32', 'x64', undefined, 'prebuilds/win32-x64/psctx.node'],
  ['win32', 'arm64', undefined, 'prebuilds/win32-arm64/psctx.node'],
  ['linux', 'x64', 'glibc', 'prebuilds/linux-x64/psctx.glibc.node'],
  ['linux', 'arm64', 'glibc', 'prebuilds/linux-arm64/psctx.glibc.node'],
  ['linux', 'arm64', undefined, 'prebuilds/linux-arm64/psctx.glibc.node'],
] as const)('%s on %s with %s gets %s', (system, architecture, libc, path) => {
  expect(prebuiltAddon({ system, architecture, libc })).toBe(path)
})

test.each([
  ['linux', 'x64', 'musl', 'linux-x64 with musl'],
  ['linux', 'arm64', 'musl', 'linux-arm64 with musl'],
  ['linux', 'riscv64', 'glibc', 'linux-riscv64 with glibc'],
  ['darwin', 'arm64', undefined, 'darwin-arm64'],
  ['win32', 'ia32', undefined, 'win32-ia32'],
] as const)('%s on %s with %s is told what to do', (system, architecture, libc, name) => {
  expect(() => prebuiltAddon({ system, architecture, libc })).toThrow(
    expect.objectContaining<Partial<NodeJS.ErrnoException>>({
      code: 'ERR_ADDON_UNAVAILABLE',
      message: expect.stringMatching(
        new RegExp(`no prebuilt addon for ${name}, .*npm run build.*PSCTX_ADDON_PATH`),
      ) as string,
    }) as Error,
  )
})

describe('the prebuilt addon', () => {
  afterEach(() => jest.restoreAllMocks())

  test('is taken where none was built', () => {
    jest.spyOn(fs, 'existsSync').mockImplementation((path) => String(path).includes('prebuilds'))
    expect(addonPath()).toMatch(/[\\/]prebuilds[\\/]linux-\w+[\\/]psctx\.glibc\.node$/)
  })

  test('must be there', () => {
    jest.spyOn(fs, 'existsSync').mockReturnValue(false)
    expect(addonPath).toThrow(
      expect.objectContaining<Partial<NodeJS.ErrnoException>>({
        code: 'ERR_ADDON_UNAVAILABLE',
        message: expect.stringMatching(
          /psctx\.glibc\.node is not there\. Install the package again, and let a bundler leave it out of the bundle\. .*PSCTX_ADDON_PATH/,
        ) as string,
      }) as Error,
    )
  })
})

describe('the file that PSCTX_ADDON_PATH names', () => {
  afterEach(() => {
    delete process.env['PSCTX_ADDON_PATH']
  })

  test('is none where that is empty: what was built in the checkout is', () => {
    process.env['PSCTX_ADDON_PATH'] = ''
    const built = join(__dirname, '..', '..', 'build', 'Release', 'psctx.node')
    const exists = jest.spyOn(fs, 'existsSync').mockImplementation((path) => path === built)
    expect(addonPath()).toBe(built)
    exists.mockRestore()
  })

  test('is loaded when its records lie where the package takes them to be', () => {
    process.env['PSCTX_ADDON_PATH'] = join(directory, 'own.js')
    writeFileSync(join(directory, 'own.js'), 'module.exports = { open() {}, layout: { capacity: 8, reply: 16 } }')
    expect(loadAddon({ capacity: 8, reply: 16 })).toMatchObject({ layout: { capacity: 8, reply: 16 } })
  })

  test('is the addon', () => {
    process.env['PSCTX_ADDON_PATH'] = program()
    expect(addonPath()).toBe(join(directory, 'program'))
  })

  test('must be there', () => {
    process.env['PSCTX_ADDON_PATH'] = join(directory, 'absent.node')
    expect(addonPath).toThrow(`PSCTX_ADDON_PATH names ${join(directory, 'absent.node')}, which is not there.`)
  })

  test('must load', () => {
    process.env['PSCTX_ADDON_PATH'] = join(directory, 'broken.node')
    writeFileSync(join(directory, 'broken.node'), 'nothing')
    expect(loadAddon).toThrow(
      expect.objectContaining<Partial<NodeJS.ErrnoException>>({
        code: 'ERR_ADDON_UNAVAILABLE',
        message: expect.stringMatching(
          /broken\.node does not load on linux-\w+ with glibc, .*PSCTX_ADDON_PATH/,
        ) as string,
        cause: expect.objectContaining({ code: 'ERR_DLOPEN_FAILED' }) as Error,
      }) as Error,
    )
  })

  test.each([
    [{ platform: 'win32' }, 'win32-x64: '],
    [{ execPath: '/none' }, 'linux-x64, which for a prebuilt one must have glibc 2.28 or later: '],
  ] as const)('that does not load is told with what the system is: %j', (changes, said) => {
    process.env['PSCTX_ADDON_PATH'] = join(directory, 'broken.node')
    writeFileSync(join(directory, 'broken.node'), 'nothing')
    const system = said.replace('x64', process.arch)
    where(changes, () => expect(loadAddon).toThrow(`broken.node does not load on ${system}`))
  })

  test.each([
    ['nothing that opens filters', '{}', {}],
    ['no object at all', 'undefined', {}],
    ['memory laid out otherwise', '{ open() {}, layout: { capacity: 4, reply: 8 } }', { capacity: 4, reply: 16 }],
    ['an `open` of another kind', "{ open: '', layout: { reply: 16 } }", { reply: 16 }],
    ['no layout', '{ open() {} }', { reply: 16 }],
  ])('must be of this version of the package, and not one that has %s', (_, exported, layout) => {
    const path = join(directory, 'foreign.js')
    process.env['PSCTX_ADDON_PATH'] = path
    writeFileSync(path, `module.exports = ${exported}`)
    jest.resetModules()
    expect(() => loadAddon(layout)).toThrow(
      expect.objectContaining<Partial<NodeJS.ErrnoException>>({
        code: 'ERR_ADDON_UNAVAILABLE',
        message: expect.stringMatching(/foreign\.js is not the addon of this version.*PSCTX_ADDON_PATH/) as string,
      }) as Error,
    )
  })
})
