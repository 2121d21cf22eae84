/** What the Windows binaries are as files: `npm test` builds them before. Nothing here runs them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  DllCharacteristic,
  GuardFlag,
  guardsControlFlow,
  Machine,
  PortableExecutable,
  SectionFlag,
  Subsystem,
} from './pe'

const root = join(__dirname, '..', '..')
const built = join(root, 'build', 'windows')

/** Why there is nothing to test; set by `npm test`. */
const obstacle = process.env['PSCTX_NO_WINDOWS'] ?? ''
/** Why the addon for arm64 is not there; likewise. */
const noZig = process.env['PSCTX_NO_ZIG'] ?? ''

function read(...path: string[]): PortableExecutable {
  return new PortableExecutable(readFileSync(join(...path)))
}

/** An instruction that uses the stack or calls, by architecture. */
const usesStack = {
  x64: /^(?:push|pop|call|enter|leave)|%[er]?sp/,
  arm64: /^(?:bl|blr)\b|\bsp\b/,
}

/**
 * The instructions of a section that no unwind data covers and that use the stack. A leaf function, which does not, needs none; nor does
 * the linker's jump through the import table. [build/exception-handling-x64, build/arm64-exception-handling]
 */
function notUnwindable(image: PortableExecutable, path: string, section: string, uses: RegExp): string[] {
  const covered = image.functions()
  const listing = execFileSync('llvm-objdump-19', ['-d', '--no-show-raw-insn', '-j', section, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const instructions = listing.split('\n').flatMap((line) => {
    const [, address, instruction] = /^ *([0-9a-f]+):\s+(.*)$/.exec(line) ?? []
    return address === undefined ? [] : [{ line, address, instruction: instruction!.trim() }]
  })
  expect(instructions.length).toBeGreaterThan(0)
  return instructions
    .filter(({ address, instruction }) => {
      if (!uses.test(instruction)) return false
      const relative = Number(BigInt(`0x${address}`) - image.header.imageBase)
      return !covered.some(({ begin, end }) => begin <= relative && relative < end)
    })
    .map(({ line }) => line)
}

/** How the routine begins that checks a call, which returns, and after it on x64 the one that makes it, which jumps. */
const letsThrough = { x64: ['c3', 'ffe0'], arm64: ['c0035fd6'], x86: ['c3'] }

/** The address of a routine relative to the image, as its PDB has it. */
function addressOf(image: PortableExecutable, pdb: string, name: string): number {
  const listing = execFileSync('llvm-pdbutil-19', ['dump', '--publics', pdb], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const [, section, offset] = new RegExp(`\`_?${name}(?:@\\d+)?\`\\s+flags = function, addr = (\\d+):(\\d+)`).exec(
    listing,
  )!
  return image.sections[Number(section) - 1]!.address + Number(offset)
}

/** How many instructions of a section name this address, relative to the image, in whole. */
function countUses(image: PortableExecutable, path: string, section: string, address: number): number {
  const listing = execFileSync('llvm-objdump-19', ['-d', '--no-show-raw-insn', '-j', section, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const whole = (image.header.imageBase + BigInt(address)).toString(16)
  return listing.split('\n').filter((line) => new RegExp(`\\t.*\\b0x${whole}\\b`).test(line)).length
}

/**
 * How a routine, named as its PDB does, goes on to what the loader has put into an import's slot: the mnemonics, in order. arm64 puts the
 * slot's address together of two instructions, in the register that is jumped to.
 */
function transfers(image: PortableExecutable, path: string, pdb: string, name: string, slot: number): string[] {
  const symbols = execFileSync('llvm-pdbutil-19', ['dump', '--symbols', pdb], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const [, section, offset, size] = new RegExp(
    `PROC32 .*\`${name}\`\\s+.*addr = (\\d+):(\\d+), code size = (\\d+)`,
  ).exec(symbols)!
  const begin = image.header.imageBase + BigInt(image.sections[Number(section) - 1]!.address + Number(offset))
  const listing = execFileSync(
    'llvm-objdump-19',
    ['-d', '--no-show-raw-insn', `--start-address=${begin}`, `--stop-address=${begin + BigInt(size!)}`, path],
    { encoding: 'utf8' },
  )
  const place = image.header.imageBase + BigInt(slot)
  const registers = new Map<string, bigint>()
  return listing.split('\n').flatMap((line) => {
    const [, mnemonic, operands] = /^ *[0-9a-f]+:\s+(\S+)\s+(.*)$/.exec(line) ?? []
    const [, page, base] = mnemonic === 'adrp' ? /^(x\d+), (0x\w+)/.exec(operands!)! : []
    const [, loaded, added] = mnemonic === 'ldr' ? (/^(x\d+), \[\1, #(0x\w+)\]/.exec(operands!) ?? []) : []
    if (page !== undefined) registers.set(page, BigInt(base!))
    if (loaded !== undefined) registers.set(loaded, (registers.get(loaded) ?? 0n) + BigInt(added!))
    const target = /# (0x\w+)/.exec(operands ?? '')?.[1]
    const goes = /^(?:call|jmp)/.test(mnemonic ?? '') && target !== undefined && BigInt(target) === place
    const branches = /^(?:br|blr)$/.test(mnemonic ?? '') && registers.get(operands!.trim()) === place
    return goes || branches ? [mnemonic!] : []
  })
}

/** What is said of images on every architecture; addresses above 4 GB only where there are such. */
function characteristics(machine: keyof typeof Machine): [string, number][] {
  return Object.entries(DllCharacteristic).filter(([name]) => name !== 'highEntropy' || machine !== 'x86')
}

function writableAndExecutable(image: PortableExecutable): string[] {
  return image.sections
    .filter(({ flags }) => flags & SectionFlag.executable && flags & SectionFlag.writable)
    .map(({ name }) => name)
}

/** The driver's images: Windows 7 is the first whose Filter Manager the minifilter is for. */
const drivers = (['psctx', 'psctx-minifilter'] as const).flatMap((name) =>
  (['x64', 'arm64', 'x86'] as const).map((machine) => [name, machine] as const),
)

/** What the minifilter has of Filter Manager, as Windows 7 has it, and the legacy filter has none of. */
const ofFilterManager = [
  'FltAllocateContext',
  'FltAttachVolume',
  'FltEnumerateVolumes',
  'FltGetDeviceObject',
  'FltGetFileNameInformation',
  'FltGetFileSystemType',
  'FltGetVolumeContext',
  'FltGetVolumeName',
  'FltIsVolumeSnapshot',
  'FltObjectDereference',
  'FltReferenceContext',
  'FltRegisterFilter',
  'FltReleaseContext',
  'FltReleaseFileNameInformation',
  'FltSetVolumeContext',
  'FltStartFiltering',
  'FltUnregisterFilter',
].map((name) => `fltmgr.sys ${name}`)

/** NT 5.2 is the first that has all the driver needs; there was no Windows on arm64 before 10.0. */
const oldest = { x64: 0x5_0002, arm64: 0xa_0000, x86: 0x5_0002 } as const

/** On x86 these routines of the kernel's are the HAL's, and the kernel of NT 5.2 does not export them. */
const inHalOnX86 = [
  'ExAcquireFastMutex',
  'ExReleaseFastMutex',
  'ExTryToAcquireFastMutex',
  'KfAcquireSpinLock',
  'KfReleaseSpinLock',
]

/** What is a routine of the kernel's on x86, and elsewhere read from a page that it shares. */
const inKernelOnX86 = ['KeQueryInterruptTime', 'KeQuerySystemTime']

const because = obstacle && ` (${obstacle})`
const describeImages = obstacle === '' ? describe : describe.skip
if (obstacle !== '' && process.env['CI'])
  throw new Error(`The Windows binaries must be tested in continuous integration: ${obstacle}`)

describeImages.each(drivers)(`%s.sys for %s${because}`, (name, machine) => {
  const isMinifilter = name === 'psctx-minifilter'
  const path = join(built, machine, `${name}.sys`)
  let image: PortableExecutable
  beforeAll(() => {
    image = read(path)
  })

  test('is an image of the native subsystem, of the oldest version, with an entry point in INIT', () => {
    const init = image.section('INIT')!
    expect(image.header.machine).toBe(Machine[machine])
    expect(image.header.subsystem).toBe(Subsystem.native)
    expect(image.header.subsystemVersion).toBe(isMinifilter ? Math.max(oldest[machine], 0x6_0001) : oldest[machine])
    expect(image.header.entryPoint).toBeGreaterThanOrEqual(init.address)
    expect(image.header.entryPoint).toBeLessThan(init.address + init.size)
  })

  test.each(characteristics(machine))('says %s', (_, flag) => {
    expect(image.header.dllCharacteristics & flag).toBe(flag)
  })

  test('discards INIT, pages PAGE, and keeps .text', () => {
    const of = (name: string) => image.section(name)!.flags & (SectionFlag.code | SectionFlag.discardable)
    expect(of('INIT')).toBe(SectionFlag.code | SectionFlag.discardable)
    expect(of('PAGE')).toBe(SectionFlag.code)
    expect(of('.text')).toBe(SectionFlag.code)
  })

  test('has no section that is both writable and executable', () => {
    expect(writableAndExecutable(image)).toEqual([])
  })

  test('has the checksum that the kernel asks of drivers', () => {
    expect(image.header.checksum).toBe(image.computeChecksum())
  })

  test('imports only what every kernel since NT 5.2 exports, each name from the module that has it', () => {
    const known = new Set(
      readFileSync(join(__dirname, 'data', 'nt52-exports.txt'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('ntoskrnl.exe ')),
    )
    if (machine === 'x86') {
      for (const name of inHalOnX86) {
        known.delete(`ntoskrnl.exe ${name}`)
        known.add(`hal.dll ${name}`)
      }
      for (const name of inKernelOnX86) known.add(`ntoskrnl.exe ${name}`)
    }
    const imports = image.imports()
    expect(imports).toContain('ntoskrnl.exe FsRtlInsertPerStreamContext')
    expect(imports).toContain(`${machine === 'x86' ? 'hal.dll' : 'ntoskrnl.exe'} ExAcquireFastMutex`)
    const fromFilterManager = imports.filter((name) => name.startsWith('fltmgr.sys '))
    expect(fromFilterManager.sort()).toEqual(isMinifilter ? ofFilterManager : [])
    expect(imports.filter((name) => !known.has(name) && !fromFilterManager.includes(name))).toEqual([])
  })

  if (machine !== 'x86') {
    test.each(['.text', 'INIT', 'PAGE'])('can be unwound from every instruction in %s', (section) => {
      expect(notUnwindable(image, path, section, usesStack[machine])).toEqual([])
    })

    test('does not come back to FreeCallback once that has given up its hold on the driver', () => {
      const slot = image.importSlots().get('ntoskrnl.exe ExReleaseRundownProtection')!
      const pdb = join(built, machine, `${name}.pdb`)
      expect(transfers(image, path, pdb, 'PsctxTearDownContext', slot)).toEqual([machine === 'x64' ? 'jmpq' : 'br'])
    })
  }

  test('guards its stack from an entry point on that makes the guard, and stops the system when it is overrun', () => {
    const pdb = join(built, machine, `${name}.pdb`)
    const failed = addressOf(image, pdb, '__stack_chk_fail')
    expect(image.header.entryPoint).toBe(addressOf(image, pdb, 'PsctxProtectedEntry'))
    expect(image.imports()).toContain('ntoskrnl.exe KeBugCheckEx')
    expect(['INIT', 'PAGE'].filter((section) => countUses(image, path, section, failed) > 0)).toEqual(['INIT', 'PAGE'])
  })

  test('guards indirect calls, and lets all of them through on a kernel that does not', () => {
    const guard = image.controlFlowGuard()!
    expect(image.header.dllCharacteristics & guardsControlFlow).toBe(guardsControlFlow)
    expect(guard.flags & GuardFlag.instrumented).toBe(GuardFlag.instrumented)
    expect(guard.flags & GuardFlag.functionTable).toBe(GuardFlag.functionTable)
    expect(guard.functions).toContain(image.header.entryPoint)
    expect(guard.functions).toEqual([...new Set(guard.functions)].sort((one, other) => one - other))
    const code = guard.routines.map((address) =>
      image.bytes.toString('hex', image.offset(address), image.offset(address) + 4),
    )
    expect(code).toEqual(letsThrough[machine].map((start) => expect.stringMatching(`^${start}`) as string))
    if (machine !== 'arm64') {
      // arm64 puts an address together of two instructions.
      const place = machine === 'x64' ? guard.dispatch : guard.check
      expect(['.text', 'PAGE'].filter((section) => countUses(image, path, section, place) > 0)).toEqual([
        '.text',
        'PAGE',
      ])
    }
  })

  test("has the package's version", () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(image.fileVersion()?.join('.')).toBe(`${version}.0`)
  })

  test('is installed by its INF under that version, as a file system driver', () => {
    const lines = readFileSync(join(built, machine, `${name}.inf`), 'utf8').split(/\r?\n/)
    const value = (key: string) =>
      lines.flatMap((line) => new RegExp(`^${key} *= *([^;]*?) *(?:;.*)?$`).exec(line)?.[1] ?? [])
    expect(value('DriverVer').map((text) => text.split(',')[1])).toEqual([image.fileVersion()?.join('.')])
    expect(value('ServiceBinary')).toEqual([`%13%\\${name}.sys`])
    expect(value('ServiceType')).toEqual(['2'])
  })

  test('has no time stamp, and names its PDB without a path', () => {
    expect(image.header.timeDateStamp).toBe(0)
    expect(image.debug()).toEqual({ pdb: `${name}.pdb`, timeDateStamp: 0 })
  })
})

describeImages(`a driver that is signed with a certificate of one's own${because}`, () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'psctx-sign-'))
    const subject = ['-subj', '/CN=psctx test', '-addext', 'extendedKeyUsage=codeSigning']
    const key = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject]
    execFileSync('openssl', [...key, '-keyout', 'psctx.key', '-out', 'psctx.crt'], { cwd: directory, stdio: 'ignore' })
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each(['x64', 'arm64', 'x86'])('has a signature that holds, and a checksum: %s', (architecture) => {
    const signed = join(directory, `${architecture}.sys`)
    const source = join(built, architecture, 'psctx.sys')
    const certificate = ['-certs', 'psctx.crt', '-key', 'psctx.key']
    execFileSync('osslsigncode', ['sign', '-h', 'sha256', ...certificate, '-in', source, '-out', signed], {
      cwd: directory,
    })
    execFileSync('osslsigncode', ['verify', '-CAfile', 'psctx.crt', signed], { cwd: directory }) // throws if it does not
    const image = read(signed)
    expect(image.header.checksum).toBe(image.computeChecksum())
  })
})

describeImages.each(noZig === '' ? (['x64', 'arm64'] as const) : (['x64'] as const))(
  `psctx.node for %s${because}`,
  (machine) => {
    let image: PortableExecutable
    beforeAll(() => {
      image = read(built, machine, 'psctx.node')
    })

    test.each(characteristics(machine))('says %s', (_, flag) => {
      expect(image.header.machine).toBe(Machine[machine])
      expect(image.header.dllCharacteristics & flag).toBe(flag)
    })

    test('has no section that is both writable and executable', () => {
      expect(writableAndExecutable(image)).toEqual([])
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
  },
)

describeImages.each(['x64', 'arm64', 'x86'] as const)(`psctx-selftest.exe for %s${because}`, (machine) => {
  let image: PortableExecutable
  beforeAll(() => {
    image = read(built, machine, 'psctx-selftest.exe')
  })

  test('is a console program of the oldest version', () => {
    expect(image.header.machine).toBe(Machine[machine])
    expect(image.header.subsystem).toBe(Subsystem.console)
    expect(image.header.subsystemVersion).toBe(oldest[machine])
  })

  test.each(characteristics(machine))('says %s', (_, flag) => {
    expect(image.header.dllCharacteristics & flag).toBe(flag)
  })

  test('has no section that is both writable and executable', () => {
    expect(writableAndExecutable(image)).toEqual([])
  })

  test('imports only what Windows has had since NT 5.2', () => {
    const known = new Set(readFileSync(join(__dirname, 'data', 'nt52-user-exports.txt'), 'utf8').split('\n'))
    const imports = image.imports()
    expect(imports.length).toBeGreaterThan(0)
    expect(imports.filter((name) => !known.has(name))).toEqual([])
  })

  test('has no time stamp, and names its PDB without a path', () => {
    expect(image.header.timeDateStamp).toBe(0)
    expect(image.debug()).toEqual({ pdb: 'psctx-selftest.pdb', timeDateStamp: 0 })
  })
})

describeImages(`another build, elsewhere${because}`, () => {
  let elsewhere: string
  beforeAll(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'psctx-windows-'))
    const options = noZig === '' ? [] : ['--without-zig']
    const script = join(root, 'scripts', 'build-windows.mjs')
    execFileSync(process.execPath, [script, ...options, elsewhere], { stdio: 'inherit' })
  }, 300_000)
  afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

  const files = [
    'psctx.sys',
    'psctx.pdb',
    'psctx-minifilter.sys',
    'psctx-minifilter.pdb',
    'psctx.node',
    'psctx-selftest.exe',
  ]
  const all = ['x64', 'arm64', 'x86'].flatMap((machine) => files.map((name) => join(machine, name)))
  const absent = [join('x86', 'psctx.node'), ...(noZig === '' ? [] : [join('arm64', 'psctx.node')])]
  test.each(all.filter((path) => !absent.includes(path)))('gives the same %s, byte for byte', (path) => {
    const [first, second] = [built, elsewhere].map((directory) => readFileSync(join(directory, path)))
    expect(second!.equals(first!)).toBe(true)
  })
})
