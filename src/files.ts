/** Files acted on by the kernel's own services: what Node.js's `fs` has no words for, and the embedded kernel's only way. */
import { checkBoolean, checkBytes, checkIdentifier, checkInteger, checkOptions, choose, lengthOf } from './arguments'
import {
  decodeEndOfFile,
  decodeIndexNumber,
  encodeDisposition,
  encodeEndOfFile,
  encodeName,
  encodeReadOnly,
  fileInformation,
  internalSize,
  standardSize,
} from './codec/file-information'
import type { Identifier } from './context'
import { constructorError, isFailure, statusOf, typeError, valueError } from './errors'
import { type Answer, fileOperations, type NativeSession } from './native'
import { toNamespacePath } from './path'
import { answerError, Session } from './session'

/** Access rights, sharing and options as NtCreateFile takes them. */
const accessRights = {
  read: 0x00120089,
  write: 0x00120116,
  delete: 0x00110000,
  attributes: 0x00100080,
  'write-attributes': 0x00100180,
  security: 0x00160000,
} as const
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
const noIntermediateBuffering = 0x08
const openByFileId = 0x2000

/** What a file system says of what it does not do. The usual advice is about contexts. */
const invalidDeviceRequest = statusOf('STATUS_INVALID_DEVICE_REQUEST') | 0
const unknownAdvice = 'The file system does not do this with this file: go without it, or use another file system.'

/** Bytes of one transfer. */
const maximumTransfer = 1 << 30

/** How a file is opened. */
export interface HostOpenOptions {
  /** `['read']` when nothing is said; `'attributes'` is what a {@link Stream} opens with. */
  readonly access?: readonly (keyof typeof accessRights)[] | undefined
  /** What others may do meanwhile; everything when nothing is said. */
  readonly share?: readonly (keyof typeof shareRights)[] | undefined
  /** `'open'` when nothing is said. */
  readonly disposition?: keyof typeof dispositions | undefined
  /** Whether it must be a directory (or, `false`, must not be one). Either when nothing is said. */
  readonly directory?: boolean | undefined
  /** Whether the file system may keep bytes in its cache; it may when nothing is said. */
  readonly buffering?: boolean | undefined
  /** Opens the file with this number ({@link HostFile.id}) on the volume that the path is, such as `M:`, under whatever name. */
  readonly id?: Identifier | undefined
}

/** Whether a file of the new name is replaced. */
export interface HostRenameOptions {
  /** Not when nothing is said: `STATUS_OBJECT_NAME_COLLISION` if there is one. */
  readonly replace?: boolean | undefined
}

const openKeys: ReadonlySet<string> = new Set(['access', 'share', 'disposition', 'directory', 'buffering', 'id'])
const renameKeys: ReadonlySet<string> = new Set(['replace'])

function combine<T extends string>(table: Readonly<Record<T, number>>, values: unknown, argument: string): number {
  if (!Array.isArray(values)) {
    throw typeError('openFile', argument, `an array of ${Object.keys(table).join(', ')}`)
  }
  let bits = 0
  for (const value of values as unknown[]) bits |= choose(table, value, argument, 'openFile')
  return bits
}

function toReplace(options: unknown, operation: string): boolean {
  checkOptions(options, operation, renameKeys)
  const { replace = false }: { replace?: unknown } = options
  checkBoolean(replace, 'replace', operation)
  return replace
}

/** A full path may end in a file's number, in eight bytes. [ntifs/nf-ntifs-ntcreatefile] */
function toIdPath(volume: string, id: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(id)
  return `${volume.replace(/\\$/, '')}\\${bytes.toString('utf16le')}`
}

let makeHostSection: (session: Session, handle: number) => HostSection

/** A section of a file. Made by {@link HostFile.map}. */
export class HostSection {
  readonly #session: Session
  /** Zero when it is closed. */
  #handle: number

  static {
    makeHostSection = (session, handle) => new this(session, handle)
  }

  private constructor(session: Session, handle: number) {
    if (!(session instanceof Session)) throw constructorError('HostSection', 'file.map()')
    this.#session = session
    this.#handle = handle
    session.closeWith(this, handle)
  }

  /** Gives the file up. Harmless when it is closed already. */
  close(): void {
    if (this.#handle === 0) return
    this.#session.closeHandle(this.#handle, this)
    this.#handle = 0
  }

  /** Closes the section at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close()
  }
}

let sizeOf: (file: HostFile) => number

/** @internal */
export let makeHostFile: (session: Session, native: NativeSession, handle: number, path: string) => HostFile

/** An open file. Everything throws {@link PerStreamContextError}s with the file system's status. */
export class HostFile {
  /** As it was passed to `openFile`. */
  readonly path: string
  readonly #session: Session
  readonly #native: NativeSession
  /** Zero when it is closed. */
  #handle: number

  static {
    makeHostFile = (session, native, handle, path) => new this(session, native, handle, path)
    sizeOf = (file) => file.#size()
  }

  private constructor(session: Session, native: NativeSession, handle: number, path: string) {
    if (!(session instanceof Session)) throw constructorError('HostFile', 'filter.host.openFile()')
    this.path = path
    this.#session = session
    this.#native = native
    this.#handle = handle
    session.closeWith(this, handle)
  }

  /** Reads to the end of the file, or `length` bytes where there are as many; at most 1 GiB. */
  read(position = 0, length = maximumTransfer): Buffer {
    checkInteger(position, 0, Number.MAX_SAFE_INTEGER, 'position', 'readFile')
    checkInteger(length, 0, maximumTransfer, 'length', 'readFile')
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.#size() - position)))
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
    this.#set(fileInformation.disposition, encodeDisposition(deleteOnClose), 'deleteOnClose')
  }

  /** Renames the file. Needs `'delete'` access. */
  rename(newPath: string, options: HostRenameOptions = {}): void {
    const target = toNamespacePath(newPath, 'rename', 'newPath')
    this.#set(fileInformation.rename, encodeName(target, toReplace(options, 'rename')), 'rename')
  }

  /** Gives the file another name: a hard link. */
  link(newPath: string, options: HostRenameOptions = {}): void {
    const target = toNamespacePath(newPath, 'link', 'newPath')
    this.#set(fileInformation.link, encodeName(target, toReplace(options, 'link')), 'link')
  }

  /** The number of the file on its volume, which all its streams and hard links share. */
  get id(): bigint {
    const record = Buffer.alloc(internalSize)
    this.#answer(this.#native.queryInformation(this.#handle, record, fileInformation.internal), 'id')
    return decodeIndexNumber(record)
  }

  /** Cuts the stream, or lets it grow, to so many bytes. Needs `'write'` access. */
  resize(bytes: number): void {
    checkInteger(bytes, 0, Number.MAX_SAFE_INTEGER, 'bytes', 'resize')
    this.#set(fileInformation.endOfFile, encodeEndOfFile(bytes), 'resize')
  }

  /** Makes the file read-only, or takes that back. Needs `'write-attributes'` access. */
  setReadOnly(readOnly: boolean): void {
    checkBoolean(readOnly, 'readOnly', 'setReadOnly')
    this.#set(fileInformation.basic, encodeReadOnly(readOnly), 'setReadOnly')
  }

  /** Has what was written reach the disk. Needs `'write'` access. */
  flush(): void {
    this.#operate(fileOperations.flush, 'flush')
  }

  /** Keeps a range of bytes from every other open, or throws `STATUS_LOCK_NOT_GRANTED` at once. */
  lock(position: number, length: number): void {
    this.#operate(fileOperations.lock, 'lock', position, length)
  }

  /** Gives up the very range that was locked, or throws `STATUS_RANGE_NOT_LOCKED`. */
  unlock(position: number, length: number): void {
    this.#operate(fileOperations.unlock, 'unlock', position, length)
  }

  /** Reads the list of who may access the file, and sets the same. Needs `'security'` access. */
  rewriteSecurity(): void {
    this.#operate(fileOperations.rewriteSecurity, 'rewriteSecurity')
  }

  /** Says that the file may have holes. Throws `STATUS_INVALID_DEVICE_REQUEST` where files have none. */
  setSparse(): void {
    this.#operate(fileOperations.setSparse, 'setSparse')
  }

  /** Has the file compressed. Throws `STATUS_INVALID_DEVICE_REQUEST` where files are not. */
  setCompressed(): void {
    this.#operate(fileOperations.setCompressed, 'setCompressed')
  }

  /** A section of the file's bytes, to read: what a program has mapped keeps the stream in use when every handle is closed. */
  map(): HostSection {
    const handle = this.#native.mapFile(this.#handle)
    if (isFailure(handle)) throw answerError(handle, 'map', this.path)
    return makeHostSection(this.#session, handle)
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

  #size(): number {
    const record = Buffer.alloc(standardSize)
    this.#answer(this.#native.queryInformation(this.#handle, record, fileInformation.standard), 'readFile')
    return decodeEndOfFile(record)
  }

  #operate(operation: number, name: string, position = 0, length = 0): void {
    checkInteger(position, 0, Number.MAX_SAFE_INTEGER, 'position', name)
    checkInteger(length, 0, Number.MAX_SAFE_INTEGER, 'length', name)
    this.#answer(this.#native.operateFile(this.#handle, operation, position, length), name)
  }

  #set(informationClass: number, record: Uint8Array, operation: string): void {
    this.#answer(this.#native.setInformation(this.#handle, record, informationClass), operation)
  }

  #answer(answer: Answer, operation: string): number {
    if (!isFailure(answer)) return answer
    const isUnknown = answer === invalidDeviceRequest
    throw answerError(answer, operation, this.path, isUnknown ? unknownAdvice : undefined)
  }
}

/** Files, as the filter's process acts on them. Everything throws {@link PerStreamContextError}s with the file system's status. */
export class Files {
  readonly #session: Session
  readonly #native: NativeSession

  /** @internal */
  constructor(session: Session) {
    if (!(session instanceof Session)) throw constructorError('Files', 'filter.host')
    this.#session = session
    this.#native = session.native
  }

  /** Opens a file, a named stream or a directory, as NtCreateFile does. */
  openFile(path: string, options: HostOpenOptions = {}): HostFile {
    const namespacePath = toNamespacePath(path, 'openFile')
    checkOptions(options, 'openFile', openKeys)
    const { directory, buffering = true, id } = options
    const access = combine(accessRights, options.access ?? ['read'], 'access')
    const share = combine(shareRights, options.share ?? ['read', 'write', 'delete'], 'share')
    const disposition = choose(dispositions, options.disposition ?? 'open', 'disposition', 'openFile')
    if (directory !== undefined) checkBoolean(directory, 'directory', 'openFile')
    checkBoolean(buffering, 'buffering', 'openFile')
    if (id !== undefined) checkIdentifier(id, 'id', 'openFile')
    const kind = directory === undefined ? 0 : directory ? directoryFile : nonDirectoryFile
    const createOptions =
      synchronous | kind | (buffering ? 0 : noIntermediateBuffering) | (id === undefined ? 0 : openByFileId)
    const name = id === undefined ? namespacePath : toIdPath(namespacePath, BigInt(id))
    const handle = this.#native.openFile(name, access, share, disposition, createOptions)
    if (isFailure(handle)) throw answerError(handle, 'openFile', path)
    return makeHostFile(this.#session, this.#native, handle, path)
  }

  /** Writes a whole file or named stream of up to 1 GiB, creating it if it is not there. */
  writeFile(path: string, data: Uint8Array): void {
    checkBytes(data, 'data', 'writeFile')
    const length = lengthOf(data)
    if (length > maximumTransfer)
      throw valueError('writeFile', 'data', `at most ${maximumTransfer} bytes, not ${length}`)
    this.#with(path, { access: ['write'], disposition: 'overwrite-if', directory: false }, (file) => {
      if (length > 0) file.write(data)
    })
  }

  /** Reads a whole file or named stream of up to 1 GiB; what is longer is read by {@link HostFile.read}, which says from where. */
  readFile(path: string): Buffer {
    return this.#with(path, { directory: false }, (file) => {
      const bytes = sizeOf(file)
      if (bytes > maximumTransfer)
        throw valueError('readFile', 'path', `that of a file of at most ${maximumTransfer} bytes, not ${bytes}`)
      return file.read()
    })
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

  #with<T>(path: string, options: HostOpenOptions, action: (file: HostFile) => T): T {
    const file = this.openFile(path, options)
    try {
      return action(file)
    } finally {
      file.close()
    }
  }
}
