/** A reader of PE images: what their tests ask about, and nothing of what they do not. Layouts: "PE Format" in Microsoft's documentation. */

export const Machine = { x64: 0x8664, arm64: 0xaa64, x86: 0x14c } as const
export const Subsystem = { native: 1, console: 3 } as const
export const DllCharacteristic = { highEntropy: 0x20, dynamicBase: 0x40, nxCompatible: 0x100 } as const
/** Asked of drivers alone: the other images have no load configuration. */
export const guardsControlFlow = 0x4000
export const GuardFlag = { instrumented: 0x100, functionTable: 0x400 } as const
export const SectionFlag = {
  code: 0x20,
  discardable: 0x0200_0000,
  executable: 0x2000_0000,
  writable: 0x8000_0000,
} as const

const Directory = { imports: 1, resources: 2, exceptions: 3, debug: 6, loadConfiguration: 10 } as const
const debugTypeCodeView = 2
const resourceTypeVersion = 16

export interface Section {
  name: string
  address: number
  size: number
  flags: number
}

/** What unwind data covers: the code from `begin` up to `end`, as addresses relative to the image. */
export interface FunctionRange {
  begin: number
  end: number
}

/** Of the load configuration directory, with addresses relative to the image. [debug/pe-format] */
export interface ControlFlowGuard {
  flags: number
  /** Where the addresses of the routines are that a call asks, or goes through; 0 for one that there is not. */
  check: number
  dispatch: number
  /** The routines that the image itself has put there. */
  routines: number[]
  /** What may be called indirectly. */
  functions: number[]
}

interface Header {
  machine: number
  timeDateStamp: number
  subsystem: number
  /** As one number, by which they compare: the major part is in the upper 16 bits. */
  subsystemVersion: number
  dllCharacteristics: number
  entryPoint: number
  imageBase: bigint
  checksum: number
}

export class PortableExecutable {
  readonly header: Header
  readonly sections: readonly Section[]
  readonly #rawOffsets: ReadonlyMap<Section, number>
  readonly #directories: readonly { address: number; size: number }[]
  readonly #checksumOffset: number
  readonly #is64Bit: boolean

  constructor(readonly bytes: Buffer) {
    const signature = bytes.readUInt32LE(0x3c)
    if (bytes.toString('latin1', signature, signature + 4) !== 'PE\0\0') throw new Error('not a PE image')
    const file = signature + 4
    const optional = file + 20
    this.#is64Bit = bytes.readUInt16LE(optional) === 0x20b
    // What follows the fields that are as long as an address.
    const directories = optional + (this.#is64Bit ? 108 : 92)

    this.#checksumOffset = optional + 64
    this.header = {
      machine: bytes.readUInt16LE(file),
      timeDateStamp: bytes.readUInt32LE(file + 4),
      entryPoint: bytes.readUInt32LE(optional + 16),
      imageBase: this.#is64Bit ? bytes.readBigUInt64LE(optional + 24) : BigInt(bytes.readUInt32LE(optional + 28)),
      checksum: bytes.readUInt32LE(this.#checksumOffset),
      subsystem: bytes.readUInt16LE(optional + 68),
      subsystemVersion: bytes.readUInt16LE(optional + 48) * 0x1_0000 + bytes.readUInt16LE(optional + 50),
      dllCharacteristics: bytes.readUInt16LE(optional + 70),
    }
    this.#directories = Array.from({ length: bytes.readUInt32LE(directories) }, (_, index) => ({
      address: bytes.readUInt32LE(directories + 4 + index * 8),
      size: bytes.readUInt32LE(directories + 8 + index * 8),
    }))

    const table = optional + bytes.readUInt16LE(file + 16)
    const rawOffsets = new Map<Section, number>()
    for (let index = 0; index < bytes.readUInt16LE(file + 2); index += 1) {
      const entry = table + index * 40
      const section = {
        name: bytes.toString('latin1', entry, entry + 8).replace(/\0+$/, ''),
        size: bytes.readUInt32LE(entry + 8),
        address: bytes.readUInt32LE(entry + 12),
        flags: bytes.readUInt32LE(entry + 36),
      }
      rawOffsets.set(section, bytes.readUInt32LE(entry + 20))
    }
    this.#rawOffsets = rawOffsets
    this.sections = [...rawOffsets.keys()]
  }

  section(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name)
  }

  /** The place in the file of an address relative to the image. */
  offset(address: number): number {
    for (const [section, raw] of this.#rawOffsets) {
      if (address >= section.address && address < section.address + section.size) return raw + address - section.address
    }
    throw new Error(`no section has the address ${address.toString(16)}`)
  }

  #text(address: number): string {
    const start = this.offset(address)
    return this.bytes.toString('latin1', start, this.bytes.indexOf(0, start))
  }

  /** The names imported from each module, in lower case, as `module name`. An import by number is `module #number`. */
  imports(): string[] {
    return [...this.importSlots().keys()]
  }

  /** Likewise, and where the loader puts the address of each, relative to the image. */
  importSlots(): Map<string, number> {
    const slots = new Map<string, number>()
    const { address } = this.#directories[Directory.imports]!
    for (let entry = this.offset(address); this.bytes.readUInt32LE(entry + 12) !== 0; entry += 20) {
      const module = this.#text(this.bytes.readUInt32LE(entry + 12)).toLowerCase()
      let thunk = this.offset(this.bytes.readUInt32LE(entry) || this.bytes.readUInt32LE(entry + 16))
      let slot = this.bytes.readUInt32LE(entry + 16)
      const width = this.#is64Bit ? 8 : 4
      const read = () => (this.#is64Bit ? this.bytes.readBigUInt64LE(thunk) : BigInt(this.bytes.readUInt32LE(thunk)))
      for (let value; (value = read()) !== 0n; thunk += width, slot += width) {
        const byNumber = value >> BigInt(width * 8 - 1) !== 0n
        slots.set(`${module} ${byNumber ? `#${value & 0xffffn}` : this.#text(Number(value) + 2)}`, slot)
      }
    }
    return slots
  }

  /** What the unwind data covers, by address. An x86 image has none. [build/exception-handling-x64, build/arm64-exception-handling] */
  functions(): FunctionRange[] {
    const { address, size } = this.#directories[Directory.exceptions]!
    const table = size === 0 ? 0 : this.offset(address)
    const word = (offset: number) => this.bytes.readUInt32LE(offset)
    if (this.header.machine === Machine.x64) {
      return Array.from({ length: size / 12 }, (_, index) => ({
        begin: word(table + index * 12),
        end: word(table + index * 12 + 4),
      }))
    }
    return Array.from({ length: size / 8 }, (_, index) => {
      const begin = word(table + index * 8)
      const unwind = word(table + index * 8 + 4)
      // Packed data tells the length itself, in instructions; otherwise the record it points to does.
      const instructions = unwind & 3 ? (unwind >>> 2) & 0x7ff : word(this.offset(unwind)) & 0x3_ffff
      return { begin, end: begin + instructions * 4 }
    })
  }

  /** What the load configuration says of Control Flow Guard. */
  controlFlowGuard(): ControlFlowGuard | undefined {
    const { address, size } = this.#directories[Directory.loadConfiguration]!
    if (size === 0) return undefined
    const start = this.offset(address)
    const width = this.#is64Bit ? 8 : 4
    const read = (offset: number) =>
      this.#is64Bit ? this.bytes.readBigUInt64LE(offset) : BigInt(this.bytes.readUInt32LE(offset))
    const relative = (value: bigint) => (value === 0n ? 0 : Number(value - this.header.imageBase))
    const member = (index: number) => read(start + (this.#is64Bit ? 112 : 72) + index * width)
    const [check, dispatch, table] = [0, 1, 2].map((index) => relative(member(index)))
    const flags = Number(member(4) & 0xffff_ffffn)
    const entry = 4 + (flags >>> 28)
    return {
      flags,
      check: check!,
      dispatch: dispatch!,
      routines: [check!, dispatch!].flatMap((place) => (place === 0 ? [] : relative(read(this.offset(place))))),
      functions: Array.from({ length: Number(member(3)) }, (_, index) =>
        this.bytes.readUInt32LE(this.offset(table!) + index * entry),
      ),
    }
  }

  /** The PDB that the debug directory names, as it is written there, and its time stamp. */
  debug(): { pdb: string; timeDateStamp: number } | undefined {
    const { address, size } = this.#directories[Directory.debug]!
    for (let index = 0; index < size / 28; index += 1) {
      const entry = this.offset(address) + index * 28
      if (this.bytes.readUInt32LE(entry + 12) === debugTypeCodeView) {
        const record = this.bytes.readUInt32LE(entry + 20) // "RSDS", an identifier of 16 bytes, the age, the path
        return { pdb: this.#text(record + 24), timeDateStamp: this.bytes.readUInt32LE(entry + 4) }
      }
    }
    return undefined
  }

  /** The numbers of the version resource's file version, major first. */
  fileVersion(): number[] | undefined {
    const { address, size } = this.#directories[Directory.resources]!
    if (size === 0) return undefined
    const root = this.offset(address)
    const child = (directory: number, id?: number): number | undefined => {
      const count = this.bytes.readUInt16LE(directory + 12) + this.bytes.readUInt16LE(directory + 14)
      for (let entry = directory + 16; entry < directory + 16 + count * 8; entry += 8) {
        if (id === undefined || this.bytes.readUInt32LE(entry) === id)
          return root + (this.bytes.readUInt32LE(entry + 4) & 0x7fff_ffff)
      }
      return undefined
    }
    const names = child(root, resourceTypeVersion)
    const languages = names === undefined ? undefined : child(names)
    const data = languages === undefined ? undefined : child(languages)
    if (data === undefined) return undefined
    const version = this.bytes.indexOf(Buffer.from('bd04effe', 'hex'), this.offset(this.bytes.readUInt32LE(data)))
    return [10, 8, 14, 12].map((field) => this.bytes.readUInt16LE(version + field))
  }

  /** The checksum that the image should have: a sum of its 16-bit words with carry, without the checksum, and its length. */
  computeChecksum(): number {
    let sum = 0
    for (let offset = 0; offset < this.bytes.length; offset += 2) {
      if (offset === this.#checksumOffset || offset === this.#checksumOffset + 2) continue
      sum += offset + 1 < this.bytes.length ? this.bytes.readUInt16LE(offset) : this.bytes.readUInt8(offset)
      sum = (sum & 0xffff) + (sum >>> 16)
    }
    return sum + this.bytes.length
  }
}
