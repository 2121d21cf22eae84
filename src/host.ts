/** What only the embedded kernel offers: files to act on, the process's death, faults, and the audit of what is held. */
import { checkBoolean, checkBytes, checkInteger, checkOptions, checkString, choose } from './arguments'
import { closedError, constructorError, isFailure, typeError, valueError } from './errors'
import type { Answer, NativeHostSession } from './native'
import { toNamespacePath } from './path'
import { answerError, Session } from './session'

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

/** Bytes of one transfer. */
const maximumTransfer = 1 << 30

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

/** What the embedded kernel holds. */
export interface HostAudit {
  /** Bytes of pool, whoever allocated them. */
  readonly poolBytes: number
  /** Pieces of pool. */
  readonly poolAllocations: number
  /** Open handles, of every process. */
  readonly handles: number
  /** Objects, such as files and devices, that are referenced. */
  readonly objects: number
  /** I/O requests that are under way. */
  readonly irps: number
  /** Locks that any thread holds. */
  readonly locks: number
  /** Bytes of pool of the driver's own tag, contexts and all. */
  readonly contextBytes: number
}

/** Whether a file of the new name is replaced. */
export interface HostRenameOptions {
  /** Not when nothing is said: `STATUS_OBJECT_NAME_COLLISION` if there is one. */
  readonly replace?: boolean | undefined
}

const openKeys: ReadonlySet<string> = new Set(['access', 'share', 'disposition', 'directory'])
const renameKeys: ReadonlySet<string> = new Set(['replace'])

function combine<T extends string>(table: Readonly<Record<T, number>>, values: unknown, argument: string): number {
  if (!Array.isArray(values)) {
    throw typeError('openFile', argument, `an array of ${Object.keys(table).join(', ')}`)
  }
  return values.reduce<number>((bits, value: unknown) => bits | choose(table, value, argument, 'openFile'), 0)
}

function toReplace(options: unknown, operation: string): boolean {
  checkOptions(options, operation, renameKeys)
  const { replace = false }: { replace?: unknown } = options
  checkBoolean(replace, 'replace', operation)
  return replace
}

/** @internal */
export let makeHostFile: (session: Session, native: NativeHostSession, handle: number, path: string) => HostFile

/** An open file of the embedded kernel. Everything throws {@link PerStreamContextError}s with the file system's status. */
export class HostFile {
  /** As it was passed to `openFile`. */
  readonly path: string
  readonly #session: Session
  readonly #native: NativeHostSession
  /** Zero when it is closed. */
  #handle: number

  static {
    makeHostFile = (session, native, handle, path) => new HostFile(session, native, handle, path)
  }

  private constructor(session: Session, native: NativeHostSession, handle: number, path: string) {
    if (!(session instanceof Session)) throw constructorError('HostFile', 'filter.host.openFile()')
    this.path = path
    this.#session = session
    this.#native = native
    this.#handle = handle
    session.closeWith(this, handle)
  }

  /** Reads to the end of the file, or `length` bytes; at most 1 GiB. */
  read(position = 0, length?: number): Buffer {
    checkInteger(position, 0, Number.MAX_SAFE_INTEGER, 'position', 'readFile')
    if (length !== undefined) checkInteger(length, 0, maximumTransfer, 'length', 'readFile')
    const size = length ?? this.#answer(this.#native.querySize(this.#handle), 'readFile') - position
    const buffer = Buffer.alloc(Math.max(0, Math.min(size, maximumTransfer)))
    return buffer.subarray(0, this.#answer(this.#native.readFile(this.#handle, buffer, position), 'readFile'))
  }

  /** Writes and returns how many bytes were written; at most 1 GiB. */
  write(data: Uint8Array, position = 0): number {
    checkBytes(data, 'data', 'writeFile')
    checkInteger(position, 0, Number.MAX_SAFE_INTEGER, 'position', 'writeFile')
    return this.#answer(this.#native.writeFile(this.#handle, data, position), 'writeFile')
  }

  /** Marks the file for deletion when its last handle is closed, or takes the mark back. Needs `'delete'` access. */
  deleteOnClose(deleteOnClose = true): void {
    checkBoolean(deleteOnClose, 'deleteOnClose', 'deleteOnClose')
    this.#answer(this.#native.setDeletion(this.#handle, deleteOnClose), 'deleteOnClose')
  }

  /** Renames the file. Needs `'delete'` access. */
  rename(newPath: string, options: HostRenameOptions = {}): void {
    const target = toNamespacePath(newPath, 'rename', 'newPath')
    const replace = toReplace(options, 'rename')
    this.#answer(this.#native.changeName(this.#handle, target, false, replace), 'rename')
  }

  /** Gives the file another name: a hard link. */
  link(newPath: string, options: HostRenameOptions = {}): void {
    const target = toNamespacePath(newPath, 'link', 'newPath')
    const replace = toReplace(options, 'link')
    this.#answer(this.#native.changeName(this.#handle, target, true, replace), 'link')
  }

  /** Closes the handle. Harmless when it is closed already. */
  close(): void {
    if (this.#handle === 0) return
    this.#session.closeHandle(this.#handle, this)
    this.#handle = 0
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }

  #answer(answer: Answer, operation: string): number {
    if (isFailure(answer)) throw answerError(answer, operation, this.path)
    return answer
  }
}

/** @internal */
export let makeHostKernel: (session: Session) => HostKernel

/**
 * The embedded kernel as a filter's process sees it. Files are acted on by that process's system services. Everything throws
 * {@link PerStreamContextError}s with the status of the file system or the kernel.
 */
export class HostKernel {
  readonly #session: Session
  readonly #native: NativeHostSession

  static {
    makeHostKernel = (session) => new HostKernel(session)
  }

  private constructor(session: Session) {
    if (!(session instanceof Session)) throw constructorError('HostKernel', "openFilter({ kernel: 'host' })")
    this.#session = session
    this.#native = session.native as NativeHostSession
  }

  /** Opens a file, a named stream or a directory, as NtCreateFile does. */
  openFile(path: string, options: HostOpenOptions = {}): HostFile {
    const namespacePath = toNamespacePath(path, 'openFile')
    checkOptions(options, 'openFile', openKeys)
    const { directory } = options
    const access = combine(accessRights, options.access ?? ['read'], 'access')
    const share = combine(shareRights, options.share ?? ['read', 'write', 'delete'], 'share')
    const disposition = choose(dispositions, options.disposition ?? 'open', 'disposition', 'openFile')
    if (directory !== undefined) checkBoolean(directory, 'directory', 'openFile')
    const kind = directory === undefined ? 0 : directory ? directoryFile : nonDirectoryFile
    const handle = this.#native.openFile(namespacePath, access, share, disposition, synchronous | kind)
    if (isFailure(handle)) throw answerError(handle, 'openFile', path)
    return makeHostFile(this.#session, this.#native, handle, path)
  }

  /** Writes a whole file or named stream, creating it if it is not there. */
  writeFile(path: string, data: Uint8Array): void {
    checkBytes(data, 'data', 'writeFile')
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
  rename(from: string, to: string, options: HostRenameOptions = {}): void {
    this.#with(from, { access: ['delete'] }, (file) => {
      file.rename(to, options)
    })
  }

  /** Gives a file another name: a hard link. */
  link(existing: string, newPath: string, options: HostRenameOptions = {}): void {
    this.#with(existing, { access: ['attributes'], directory: false }, (file) => {
      file.link(newPath, options)
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
    checkString(drive, 'drive', 'dismount')
    if (!/^[A-Za-z]:$/.test(drive)) throw valueError('dismount', 'drive', "a drive such as 'M:'")
    this.#answer(this.#native.dismount(drive.charAt(0).toUpperCase()), 'dismount')
  }

  /**
   * Ends the process that this filter is a client by, as if it had been killed: every handle is closed, and whatever is
   * asked of the filter afterwards fails with `STATUS_PROCESS_IS_TERMINATING`. The filter is still to be closed.
   */
  killProcess(): void {
    this.#answer(this.#native.killProcess(), 'killProcess')
  }

  /** Lets the `countdown`-th pool allocation from now on fail (1 is the next), of whatever thread; 0 switches that off. */
  setAllocationFault(countdown: number): void {
    checkInteger(countdown, 0, Number.MAX_SAFE_INTEGER, 'countdown', 'setAllocationFault')
    this.#answer(this.#native.failAllocation(countdown), 'setAllocationFault')
  }

  /** What the kernel holds now, for every filter of this process. */
  audit(): HostAudit {
    const audit = this.#native.audit()
    if (typeof audit === 'number') throw closedError('audit')
    return audit
  }

  #with<T>(path: string, options: HostOpenOptions, action: (file: HostFile) => T): T {
    const file = this.openFile(path, options)
    try {
      return action(file)
    } finally {
      file.close()
    }
  }

  #answer(answer: Answer, operation: string): void {
    if (isFailure(answer)) throw answerError(answer, operation)
  }
}
