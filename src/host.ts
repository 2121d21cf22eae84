/** What only the embedded kernel offers: files to act on, the process's death, faults, and the audit of what is held. */
import { checkBytes, checkIdentifier, checkOptions } from './arguments'
import type { Identifier } from './context'
import { argumentError, explain } from './errors'
import { native, type NativeFile, type NativeFilter } from './native'
import { toNamespacePath } from './path'

/** Access rights, sharing and options as NtCreateFile takes them. */
const accessRights = { read: 0x00120089, write: 0x00120116, delete: 0x00110000, attributes: 0x00100080 } as const
const shareRights = { read: 1, write: 2, delete: 4 } as const
const dispositions = {
  supersede: 0,
  open: 1,
  create: 2,
  'open-if': 3,
  overwrite: 4,
  'overwrite-if': 5,
} as const
const directoryFile = 0x01
const synchronous = 0x20
const nonDirectoryFile = 0x40

const maximumRead = 1 << 30

/** How a file is opened in the embedded kernel. */
export interface HostOpenOptions {
  /** `['read']` when nothing is said; `'attributes'` is what a {@link Stream} opens with. */
  readonly access?: readonly (keyof typeof accessRights)[] | undefined
  /** What others may do meanwhile; everything when nothing is said. */
  readonly share?: readonly (keyof typeof shareRights)[] | undefined
  /** `'open'` when nothing is said. */
  readonly disposition?: keyof typeof dispositions | undefined
  /** Whether it must be a directory (or, `false`, must not be one). Either when nothing is said. */
  readonly directory?: boolean | undefined
}

/** What the embedded kernel holds. `contextBytes` is the pool of the driver's own tag, contexts and all. */
export interface HostAudit {
  readonly poolBytes: number
  readonly poolAllocations: number
  readonly handles: number
  readonly objects: number
  readonly irps: number
  readonly locks: number
  readonly contextBytes: number
}

function combine<T extends string>(table: Readonly<Record<T, number>>, values: unknown, argument: string): number {
  const choices = Object.keys(table).map((choice) => `'${choice}'`)
  if (!Array.isArray(values)) throw argumentError('openFile', argument, `an array of ${choices.join(', ')}`)
  return values.reduce<number>((bits, value: unknown) => {
    if (typeof value !== 'string' || !Object.hasOwn(table, value)) {
      throw argumentError('openFile', argument, `an array of ${choices.join(', ')}`)
    }
    return bits | table[value as T]
  }, 0)
}

/** An open file of the embedded kernel. Everything throws {@link PerStreamContextError}s with the file system's status. */
export class HostFile {
  readonly path: string
  readonly #native: NativeFile

  /** @internal */
  constructor(nativeFile: NativeFile, path: string) {
    this.#native = nativeFile
    this.path = path
  }

  /** Reads to the end of the file, or `length` bytes. */
  read(position = 0, length?: number): Buffer {
    return this.#run(() => {
      const wanted = length ?? Math.max(0, Math.min(this.#native.size() - position, maximumRead))
      const buffer = Buffer.alloc(wanted)
      return wanted === 0 ? buffer : buffer.subarray(0, this.#native.read(buffer, position))
    })
  }

  /** Writes and returns how many bytes were written. */
  write(data: Uint8Array, position = 0): number {
    checkBytes(data, 'data', 'writeFile', this.path)
    return this.#run(() => this.#native.write(data, position))
  }

  /** Marks the file for deletion when its last handle is closed, or takes the mark back. Needs `'delete'` access. */
  deleteOnClose(deleteOnClose = true): void {
    this.#run(() => {
      this.#native.setDeletion(deleteOnClose)
    })
  }

  /** Renames the file. Needs `'delete'` access. */
  rename(newPath: string, options: { readonly replace?: boolean } = {}): void {
    const target = toNamespacePath(newPath, 'rename', 'newPath')
    this.#run(() => {
      this.#native.changeName(target, false, options.replace === true)
    })
  }

  /** Gives the file another name: a hard link. */
  link(newPath: string, options: { readonly replace?: boolean } = {}): void {
    const target = toNamespacePath(newPath, 'link', 'newPath')
    this.#run(() => {
      this.#native.changeName(target, true, options.replace === true)
    })
  }

  /** Closes the handle. Harmless when it is closed already. */
  close(): void {
    this.#native.close()
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  #run<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw explain(error, { path: this.path })
    }
  }
}

/**
 * The embedded kernel as a filter's process sees it. Files are acted on by that process's system services. Everything throws
 * {@link PerStreamContextError}s with the status of the file system or the kernel.
 */
export class HostKernel {
  readonly #native: NativeFilter

  /** @internal */
  constructor(nativeFilter: NativeFilter) {
    this.#native = nativeFilter
  }

  /** Opens a file, a named stream or a directory, as NtCreateFile does. */
  openFile(path: string, options: HostOpenOptions = {}): HostFile {
    const namespacePath = toNamespacePath(path, 'openFile')
    checkOptions(options, 'openFile', path)
    const access = combine(accessRights, options.access ?? ['read'], 'access')
    const share = combine(shareRights, options.share ?? ['read', 'write', 'delete'], 'share')
    const disposition = options.disposition ?? 'open'
    if (!Object.hasOwn(dispositions, disposition)) {
      throw argumentError('openFile', 'disposition', `one of ${Object.keys(dispositions).join(', ')}`, path)
    }
    let createOptions = synchronous
    if (options.directory === true) createOptions |= directoryFile
    if (options.directory === false) createOptions |= nonDirectoryFile
    try {
      const file = new native.File(this.#native, namespacePath, access, share, dispositions[disposition], createOptions)
      return new HostFile(file, path)
    } catch (error) {
      throw explain(error, { path })
    }
  }

  /** Writes a whole file or named stream, creating it if it is not there. */
  writeFile(path: string, data: Uint8Array): void {
    checkBytes(data, 'data', 'writeFile', path)
    this.#with(path, { access: ['write'], disposition: 'overwrite-if', directory: false }, (file) => {
      if (data.length > 0) file.write(data)
    })
  }

  /** Reads a whole file or named stream. */
  readFile(path: string): Buffer {
    return this.#with(path, { directory: false }, (file) => file.read())
  }

  /** Makes a directory; the one above must exist. */
  mkdir(path: string): void {
    this.#with(path, { access: ['attributes'], disposition: 'create', directory: true }, () => undefined)
  }

  /** Renames a file or directory, on the same volume. */
  rename(from: string, to: string, options: { readonly replace?: boolean } = {}): void {
    this.#with(from, { access: ['delete'] }, (file) => {
      file.rename(to, options)
    })
  }

  /** Gives a file another name: a hard link. */
  link(existing: string, newPath: string): void {
    this.#with(existing, { access: ['attributes'], directory: false }, (file) => {
      file.link(newPath)
    })
  }

  /** Deletes a file, a named stream or an empty directory: at once, or when its last handle is closed. */
  unlink(path: string): void {
    this.#with(path, { access: ['delete'] }, (file) => {
      file.deleteOnClose()
    })
  }

  /**
   * Dismounts a volume of this filter by force, as `FSCTL_DISMOUNT_VOLUME` does: open files stay open and answer
   * `STATUS_VOLUME_DISMOUNTED`; their contexts go with their last handle. Throws `STATUS_OBJECT_NAME_NOT_FOUND` when it
   * is not mounted.
   */
  dismount(drive: string): void {
    if (typeof drive !== 'string' || !/^[A-Za-z]:$/.test(drive)) {
      throw argumentError('dismount', 'drive', "a drive such as 'M:'")
    }
    this.#run(() => {
      this.#native.dismount(drive.charAt(0))
    })
  }

  /**
   * Ends the process that this filter is a client by, as if it had been killed: every handle is closed, and whatever is
   * asked of the filter afterwards fails with `STATUS_PROCESS_IS_TERMINATING`. The filter is still to be closed.
   */
  killProcess(): void {
    this.#run(() => {
      this.#native.killProcess()
    })
  }

  /** Lets the `countdown`-th pool allocation from now on fail (1 is the next), of whatever thread; 0 switches that off. */
  setAllocationFault(countdown: Identifier): void {
    checkIdentifier(countdown, 'countdown', 'setAllocationFault')
    this.#run(() => {
      this.#native.failAllocation(countdown)
    })
  }

  /** What the kernel holds now, for every filter of this process. */
  audit(): HostAudit {
    return this.#run(() => this.#native.audit())
  }

  #with<T>(path: string, options: HostOpenOptions, action: (file: HostFile) => T): T {
    const file = this.openFile(path, options)
    try {
      return action(file)
    } finally {
      file.close()
    }
  }

  #run<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw explain(error)
    }
  }
}
