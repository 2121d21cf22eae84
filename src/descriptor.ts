/** The stream that an open file of Node.js stands for: of Windows by its handle, of the embedded kernel by its place on a directory volume. */
import { type BigIntStats, fstatSync, readlinkSync, realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'

import { decodeIndexNumber, fileInformation, internalSize } from './codec/file-information'
import {
  closedError,
  isFailure,
  PerStreamContextError,
  statusOf,
  type StatusName,
  typeError,
  valueError,
} from './errors'
import type { HostVolume, NativeHostSession, NativeWindowsSession } from './native'
import { answerError, type Session } from './session'

/** A handle that is the session's, and what the stream is called. */
export interface OpenedDescriptor {
  readonly handle: number
  readonly path: string
}

const maximumDescriptor = 2 ** 31 - 1
const expectedFile = 'a file descriptor, or an object that has one as its `fd`, such as a FileHandle'
const expectedOpen = `an open file: a descriptor from 0 to ${maximumDescriptor}. A FileHandle that is closed has none`

const noFileAdvice =
  'It is a pipe, a socket or a device, not a file of a file system. Pass the descriptor of a file or a directory.'

const deletedAdvice = 'The file has no name any more: insert its contexts before it is deleted.'
const movedAdvice =
  'The name that it was opened by is gone, or another file’s by now: open the file again by a name that it has.'
const elsewhereAdvice =
  "It lies on none of this filter's volumes: name a directory above it, as in `volumes: { 'N:': { type: 'directory', path } }`."
const nameAdvice = 'A name on its way from the directory of the volume is not UTF-8, or has a backslash.'

function failure(name: StatusName, path: string, advice?: string): PerStreamContextError {
  return new PerStreamContextError({ status: statusOf(name), operation: 'stream', path, advice })
}

/** The error for what is no file system's file. */
export function noFileError(path: string): PerStreamContextError {
  return failure('STATUS_INVALID_DEVICE_REQUEST', path, noFileAdvice)
}

/** The descriptor that is meant. An object is asked once, since a getter of the caller's may run. */
function toDescriptor(file: unknown): number {
  const descriptor: unknown = typeof file === 'object' && file !== null ? (file as { fd?: unknown }).fd : file
  if (typeof descriptor !== 'number') throw typeError('stream', 'file', expectedFile)
  if (!Number.isInteger(descriptor) || descriptor < 0 || descriptor > maximumDescriptor) {
    throw valueError('stream', 'file', expectedOpen)
  }
  return descriptor
}

function statOf(descriptor: number, name: string): BigIntStats {
  try {
    return fstatSync(descriptor, { bigint: true })
  } catch {
    throw failure('STATUS_INVALID_HANDLE', name, 'There is no open file of this descriptor: it was closed.')
  }
}

/** Where a file lies on a volume, from the directory on; undefined: elsewhere. */
function below(directory: string, file: string): string | undefined {
  let path
  try {
    path = relative(realpathSync(directory), file)
  } catch {
    return undefined // the volume's directory is gone
  }
  return path === '..' || path.startsWith(`..${sep}`) ? undefined : path
}

/** The path of an open file on the volume whose directory is the nearest above it. */
function findOnVolumes(descriptor: number, name: string, volumes: readonly HostVolume[]): string {
  const link = readlinkSync(`/proc/self/fd/${descriptor}`, 'buffer')
  const file = link.toString()
  const [nearest] = volumes
    .flatMap(([letter, directory]) => {
      const path = directory === undefined ? undefined : below(directory, file)
      return path === undefined ? [] : [{ letter, path }]
    })
    .sort((one, other) => one.path.length - other.path.length)
  if (nearest === undefined) throw failure('STATUS_OBJECT_PATH_NOT_FOUND', name, elsewhereAdvice)
  if (nearest.path.includes('\\') || !Buffer.from(file).equals(link)) {
    throw failure('STATUS_OBJECT_NAME_INVALID', name, nameAdvice)
  }
  return `${nearest.letter}:\\${nearest.path.replaceAll(sep, '\\')}`
}

function indexNumberOf(native: NativeHostSession, handle: number, path: string): bigint {
  const record = Buffer.alloc(internalSize)
  const answer = native.queryInformation(handle, record, fileInformation.internal)
  if (isFailure(answer)) throw answerError(answer, 'stream', path)
  return decodeIndexNumber(record)
}

/** Opens by the name that Linux has for an open file, which may be one that is gone. */
function openByName(session: Session, path: string): number {
  try {
    return session.openStream(`\\\\?\\${path}`, 'stream', path)
  } catch (error) {
    if (!(error instanceof PerStreamContextError) || error.code !== 'STATUS_OBJECT_NAME_NOT_FOUND') throw error
    throw failure('STATUS_OBJECT_NAME_NOT_FOUND', path, movedAdvice)
  }
}

/** Opens the stream on the embedded kernel: by name, and what was opened must be the same file. */
function openOnVolume(session: Session, descriptor: number, name: string, volumes: readonly HostVolume[]) {
  const stats = statOf(descriptor, name)
  if (!stats.isFile() && !stats.isDirectory()) throw noFileError(name)
  if (stats.nlink === 0n) throw failure('STATUS_FILE_DELETED', name, deletedAdvice)
  const path = findOnVolumes(descriptor, name, volumes)
  const handle = openByName(session, path)
  try {
    const index = indexNumberOf(session.native as NativeHostSession, handle, path)
    if (index !== stats.ino) throw failure('STATUS_OBJECT_NAME_NOT_FOUND', path, movedAdvice)
  } catch (error) {
    session.closeHandle(handle)
    throw error
  }
  return { handle, path }
}

/** Opens the stream of a file that the caller has open. `volumes` are the embedded kernel's; undefined: it is the kernel of Windows. */
export function openDescriptor(
  session: Session,
  file: unknown,
  volumes: readonly HostVolume[] | undefined,
): OpenedDescriptor {
  const descriptor = toDescriptor(file)
  const path = `fd ${descriptor}`
  if (session.isClosed) throw closedError('stream', path)
  if (volumes !== undefined) return openOnVolume(session, descriptor, path, volumes)
  const handle = (session.native as NativeWindowsSession).openDescriptor(descriptor)
  if (isFailure(handle)) throw answerError(handle, 'stream', path)
  return { handle, path }
}
