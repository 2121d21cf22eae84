/** What the Windows binaries are as files: `npm test` builds them before. Nothing here runs them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DllCharacteristic, Machine, PortableExecutable, SectionFlag, Subsystem } from './pe'

const root = join(__dirname, '..', '..')
const built = join(root, 'build', 'windows')

/** Why there is nothing to test; set by `npm test`. */
const obstacle = process.env['PSCTX_NO_WINDOWS'] ?? ''

function read(...path: string[]): PortableExecutable {
  return new PortableExecutable(readFileSync(join(...path)))
}

/**
 * The instructions of a section that no unwind data covers and that use the stack. A leaf function, which does not, needs none; nor does
 * the linker's jump through the import table. [build/exception-handling-x64]
 */
function notUnwindable(image: PortableExecutable, path: string, section: string): string[] {
  const covered = image.functions()
  const listing = execFileSync('x86_64-w64-mingw32-objdump', ['-d', '--no-show-raw-insn', '-j', section, path], {
    encoding: 'utf8',
  })
  return listing.split('\n').filter((line) => {
    const [, address, instruction] = /^ *([0-9a-f]+):\t(.*)$/.exec(line) ?? []
    if (address === undefined || !/^(?:push|pop|call|enter|leave)|%[er]?sp/.test(instruction!)) return false
    const relative = Number(BigInt(`0x${address}`) - image.header.imageBase)
    return !covered.some(({ begin, end }) => begin <= relative && relative < end)
  })
}

const because = obstacle && ` (${obstacle})`
const describeImages = obstacle === '' ? describe : describe.skip
if (obstacle !== '' && process.env['CI'])
  throw new Error(`The Windows binaries must be tested in continuous integration: ${obstacle}`)

describeImages(`psctx.sys for x64${because}`, () => {
  const path = join(built, 'x64', 'psctx.sys')
  let image: PortableExecutable
  beforeAll(() => {
    image = read(path)
  })

  test('is an x64 image of the native subsystem with an entry point in INIT', () => {
    const init = image.section('INIT')!
    expect(image.header.machine).toBe(Machine.x64)
    expect(image.header.subsystem).toBe(Subsystem.native)
    expect(image.header.entryPoint).toBeGreaterThanOrEqual(init.address)
    expect(image.header.entryPoint).toBeLessThan(init.address + init.size)
  })

  test.each(Object.entries(DllCharacteristic))('says %s', (_, flag) => {
    expect(image.header.dllCharacteristics & flag).toBe(flag)
  })

  test('discards INIT, pages PAGE, and keeps .text', () => {
    const of = (name: string) => image.section(name)!.flags & (SectionFlag.code | SectionFlag.discardable)
    expect(of('INIT')).toBe(SectionFlag.code | SectionFlag.discardable)
    expect(of('PAGE')).toBe(SectionFlag.code)
    expect(of('.text')).toBe(SectionFlag.code)
  })

  test('has no section that is both writable and executable', () => {
    const both = image.sections.filter(({ flags }) => flags & SectionFlag.executable && flags & SectionFlag.writable)
    expect(both).toEqual([])
  })

  test('has the checksum that the kernel asks of drivers', () => {
    expect(image.header.checksum).toBe(image.computeChecksum())
  })

  test('imports from the kernel alone, and only what every kernel since NT 5.2 exports', () => {
    const known = new Set(
      readFileSync(join(__dirname, 'data', 'nt52-exports.txt'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('ntoskrnl.exe ')),
    )
    const imports = image.imports()
    expect(imports).toContain('ntoskrnl.exe FsRtlInsertPerStreamContext')
    expect(imports.filter((name) => !known.has(name))).toEqual([])
  })

  test.each(['.text', 'INIT', 'PAGE'])('can be unwound from every instruction in %s', (name) => {
    expect(notUnwindable(image, path, name)).toEqual([])
  })

  test("has the package's version", () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(image.fileVersion()?.join('.')).toBe(`${version}.0`)
  })

  test('is installed by its INF under that version, as a file system driver', () => {
    const lines = readFileSync(join(built, 'x64', 'psctx.inf'), 'utf8').split(/\r?\n/)
    const value = (key: string) =>
      lines.flatMap((line) => new RegExp(`^${key} *= *([^;]*?) *(?:;.*)?$`).exec(line)?.[1] ?? [])
    expect(value('DriverVer').map((text) => text.split(',')[1])).toEqual([image.fileVersion()?.join('.')])
    expect(value('ServiceBinary')).toEqual(['%13%\\psctx.sys'])
    expect(value('ServiceType')).toEqual(['2'])
  })

  test('has no time stamp, and names its PDB without a path', () => {
    expect(image.header.timeDateStamp).toBe(0)
    expect(image.debug()).toEqual({ pdb: 'psctx.pdb', timeDateStamp: 0 })
  })
})

describeImages(`psctx.node for x64${because}`, () => {
  let image: PortableExecutable
  beforeAll(() => {
    image = read(built, 'x64', 'psctx.node')
  })

  test.each(Object.entries(DllCharacteristic))('says %s', (_, flag) => {
    expect(image.header.machine).toBe(Machine.x64)
    expect(image.header.dllCharacteristics & flag).toBe(flag)
  })

  test('has no section that is both writable and executable', () => {
    const both = image.sections.filter(({ flags }) => flags & SectionFlag.executable && flags & SectionFlag.writable)
    expect(both).toEqual([])
  })

  test('imports from node.exe and what is part of every Windows', () => {
    const modules = [...new Set(image.imports().map((name) => name.split(' ')[0]!))]
    const allowed = ['advapi32.dll', 'kernel32.dll', 'msvcrt.dll', 'node.exe', 'ntdll.dll']
    expect(modules.filter((module) => !allowed.includes(module))).toEqual([])
    expect(modules).toContain('node.exe')
  })

  test('asks node.exe for Node-API alone, of the version that node-api-headers has', () => {
    const headers = join(root, 'node_modules', 'node-api-headers', 'def', 'node_api.def')
    const known = new Set(readFileSync(headers, 'utf8').split(/\s+/))
    const asked = image.imports().flatMap((name) => (name.startsWith('node.exe ') ? [name.split(' ')[1]!] : []))
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((name) => !/^(?:napi|node_api)_/.test(name) || !known.has(name))).toEqual([])
  })
})

describeImages(`another build, elsewhere${because}`, () => {
  let elsewhere: string
  beforeAll(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'psctx-windows-'))
    execFileSync(process.execPath, [join(root, 'scripts', 'build-windows.mjs'), elsewhere], { stdio: 'inherit' })
  }, 300_000)
  afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

  test.each(['psctx.sys', 'psctx.pdb', 'psctx.node'])('gives the same %s, byte for byte', (name) => {
    const [first, second] = [built, elsewhere].map((directory) => readFileSync(join(directory, 'x64', name)))
    expect(second!.equals(first!)).toBe(true)
  })
})
