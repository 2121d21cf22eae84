/** What this package throws, and the only place that knows NTSTATUS values. */

/** The NTSTATUS values that are known by name. */
const statuses = {
  STATUS_SUCCESS: 0x00000000,
  STATUS_BUFFER_OVERFLOW: 0x80000005,
  STATUS_NO_MORE_FILES: 0x80000006,
  STATUS_DEVICE_BUSY: 0x80000011,
  STATUS_STOPPED_ON_SYMLINK: 0x8000002d,
  STATUS_UNSUCCESSFUL: 0xc0000001,
  STATUS_NOT_IMPLEMENTED: 0xc0000002,
  STATUS_INVALID_INFO_CLASS: 0xc0000003,
  STATUS_INFO_LENGTH_MISMATCH: 0xc0000004,
  STATUS_ACCESS_VIOLATION: 0xc0000005,
  STATUS_INVALID_HANDLE: 0xc0000008,
  STATUS_INVALID_PARAMETER: 0xc000000d,
  STATUS_NO_SUCH_DEVICE: 0xc000000e,
  STATUS_NO_SUCH_FILE: 0xc000000f,
  STATUS_INVALID_DEVICE_REQUEST: 0xc0000010,
  STATUS_END_OF_FILE: 0xc0000011,
  STATUS_NO_MEMORY: 0xc0000017,
  STATUS_INVALID_FILE_FOR_SECTION: 0xc0000020,
  STATUS_ACCESS_DENIED: 0xc0000022,
  STATUS_BUFFER_TOO_SMALL: 0xc0000023,
  STATUS_OBJECT_TYPE_MISMATCH: 0xc0000024,
  STATUS_OBJECT_NAME_INVALID: 0xc0000033,
  STATUS_OBJECT_NAME_NOT_FOUND: 0xc0000034,
  STATUS_OBJECT_NAME_COLLISION: 0xc0000035,
  STATUS_OBJECT_PATH_INVALID: 0xc0000039,
  STATUS_OBJECT_PATH_NOT_FOUND: 0xc000003a,
  STATUS_OBJECT_PATH_SYNTAX_BAD: 0xc000003b,
  STATUS_SHARING_VIOLATION: 0xc0000043,
  STATUS_QUOTA_EXCEEDED: 0xc0000044,
  STATUS_FILE_LOCK_CONFLICT: 0xc0000054,
  STATUS_LOCK_NOT_GRANTED: 0xc0000055,
  STATUS_DELETE_PENDING: 0xc0000056,
  STATUS_REVISION_MISMATCH: 0xc0000059,
  STATUS_PRIVILEGE_NOT_HELD: 0xc0000061,
  STATUS_RANGE_NOT_LOCKED: 0xc000007e,
  STATUS_DISK_FULL: 0xc000007f,
  STATUS_INSUFFICIENT_RESOURCES: 0xc000009a,
  STATUS_MEDIA_WRITE_PROTECTED: 0xc00000a2,
  STATUS_DEVICE_NOT_READY: 0xc00000a3,
  STATUS_FILE_IS_A_DIRECTORY: 0xc00000ba,
  STATUS_NOT_SUPPORTED: 0xc00000bb,
  STATUS_BAD_NETWORK_PATH: 0xc00000be,
  STATUS_NOT_SAME_DEVICE: 0xc00000d4,
  STATUS_INTERNAL_ERROR: 0xc00000e5,
  STATUS_INVALID_USER_BUFFER: 0xc00000e8,
  STATUS_DIRECTORY_NOT_EMPTY: 0xc0000101,
  STATUS_NOT_A_DIRECTORY: 0xc0000103,
  STATUS_NAME_TOO_LONG: 0xc0000106,
  STATUS_PROCESS_IS_TERMINATING: 0xc000010a,
  STATUS_IMAGE_ALREADY_LOADED: 0xc000010e,
  STATUS_TOO_MANY_OPENED_FILES: 0xc000011f,
  STATUS_CANCELLED: 0xc0000120,
  STATUS_CANNOT_DELETE: 0xc0000121,
  STATUS_FILE_DELETED: 0xc0000123,
  STATUS_MAPPED_FILE_SIZE_ZERO: 0xc000011e,
  STATUS_FILE_CLOSED: 0xc0000128,
  STATUS_INVALID_DEVICE_STATE: 0xc0000184,
  STATUS_IO_DEVICE_ERROR: 0xc0000185,
  STATUS_INVALID_BUFFER_SIZE: 0xc0000206,
  STATUS_NOT_FOUND: 0xc0000225,
  STATUS_TOO_MANY_LINKS: 0xc0000265,
  STATUS_VOLUME_DISMOUNTED: 0xc000026e,
  STATUS_FLT_VOLUME_NOT_FOUND: 0xc01c0014,
} as const

/** The name of an NTSTATUS value that this package knows. */
export type StatusName = keyof typeof statuses

const names = new Map<number, StatusName>(
  Object.entries(statuses).map(([name, status]) => [status, name as StatusName]),
)

/** Such as `'STATUS_NOT_FOUND'`; `'STATUS_0x…'` where this package does not know the name. */
export type StatusCode = StatusName | (string & {})

/** What to do next, for the statuses where that does not depend on the operation. */
const advice: Partial<Record<StatusName, string>> = {
  STATUS_BUFFER_OVERFLOW: 'The data is longer than the buffer: pass a larger one.',
  STATUS_INFO_LENGTH_MISMATCH:
    'Driver and package do not agree on a record: install the driver that belongs to this package.',
  STATUS_INVALID_HANDLE: 'The handle is not open in this process any more: open the stream again.',
  STATUS_INVALID_DEVICE_REQUEST: 'This stream cannot carry per-stream contexts: see its `support()`.',
  STATUS_ACCESS_DENIED: 'A filter that was opened with `readOnly` cannot change anything.',
  STATUS_OBJECT_NAME_INVALID: 'Use a name that the file system allows: drive:\\directory\\file:stream.',
  STATUS_OBJECT_NAME_NOT_FOUND: 'There is no file or stream of this name: create it first.',
  STATUS_OBJECT_NAME_COLLISION: 'There is one already: use another name.',
  STATUS_OBJECT_PATH_NOT_FOUND: 'There is no such volume or directory: mount or create it first.',
  STATUS_OBJECT_PATH_SYNTAX_BAD: 'Use a full path, from the drive letter on.',
  STATUS_SHARING_VIOLATION: 'Another open of the file does not share it: close that one first.',
  STATUS_QUOTA_EXCEEDED: "A limit of the filter is reached (see `limits`): remove contexts that aren't needed.",
  STATUS_FILE_LOCK_CONFLICT: 'A part of these bytes is locked already: wait until it is unlocked.',
  STATUS_LOCK_NOT_GRANTED: 'A part of these bytes is locked already: wait until it is unlocked.',
  STATUS_INVALID_FILE_FOR_SECTION: 'Only a file has bytes to map, and not a directory or a volume.',
  STATUS_MAPPED_FILE_SIZE_ZERO: 'An empty file has nothing to map: write to it first.',
  STATUS_DELETE_PENDING: 'The file is being deleted: its last handle must be closed first.',
  STATUS_REVISION_MISMATCH:
    'Driver and package are of different versions: install the driver that belongs to this package.',
  STATUS_INSUFFICIENT_RESOURCES: 'The kernel is out of memory; nothing was changed. Try again later.',
  STATUS_NOT_SUPPORTED: 'This kernel does not offer it.',
  STATUS_NAME_TOO_LONG: 'A path has at most 32767 characters.',
  STATUS_PROCESS_IS_TERMINATING: "The filter's process was ended: close the filter and open a new one.",
  STATUS_CANCELLED: 'The request was cancelled, as with the end of its process: begin again.',
  STATUS_FILE_CLOSED: 'It was closed, or its filter was: open it again.',
  STATUS_INVALID_BUFFER_SIZE: 'A context holds at most 65536 bytes, and a batch 1 MiB of requests and of replies.',
  STATUS_VOLUME_DISMOUNTED: 'The volume was dismounted: close the stream, and mount the volume again.',
}

const fileAdvice: Partial<Record<StatusName, string>> = {
  STATUS_ACCESS_DENIED:
    'Its file system does not let this process open it so: look at its permissions, and at what it is (a link, a file that is read-only).',
  STATUS_STOPPED_ON_SYMLINK: 'It is a symbolic link that leads out of the volume: open what it leads to.',
}

/** Of what is done to a file that is open with the access that it needs. */
function fileOperation(access: string): Partial<Record<StatusName, string>> {
  return {
    STATUS_ACCESS_DENIED: `The file was not opened with ${access} access.`,
    STATUS_INVALID_DEVICE_REQUEST: 'Its file system does not do this, or not with what it is, such as a volume.',
  }
}

/** What depends on the operation. */
const adviceFor: Readonly<Record<string, Partial<Record<StatusName, string>>>> = {
  openFilter: { STATUS_ACCESS_DENIED: 'Run as an administrator, who may open the driver.' },
  minifilters: {
    STATUS_ACCESS_DENIED: 'Run as an administrator, who may ask Filter Manager.',
    STATUS_NOT_SUPPORTED: 'There is no Filter Manager here that can be asked.',
    STATUS_FLT_VOLUME_NOT_FOUND: 'Filter Manager is not attached to this volume, so that no minifilter is.',
  },
  open: fileAdvice,
  openFile: fileAdvice,
  readFile: fileOperation("`'read'`"),
  writeFile: fileOperation("`'write'`"),
  resize: fileOperation("`'write'`"),
  flush: fileOperation("`'write'`"),
  lock: fileOperation("`'read'` or `'write'`"),
  unlock: fileOperation("`'read'` or `'write'`"),
  map: fileOperation("`'read'`"),
  setReadOnly: fileOperation("`'write-attributes'`"),
  setSparse: fileOperation("`'write'`"),
  setCompressed: fileOperation("`'write'`"),
  rewriteSecurity: fileOperation("`'security'`"),
  deleteOnClose: fileOperation("`'delete'`"),
  rename: {
    ...fileOperation("`'delete'`"),
    STATUS_ACCESS_DENIED: "The file was not opened with `'delete'` access, or what is to be replaced is in use.",
  },
  dismount: { STATUS_OBJECT_NAME_NOT_FOUND: 'No volume of that letter is mounted for this filter.' },
  link: {
    ...fileOperation("`'attributes'`"),
    STATUS_ACCESS_DENIED: 'What is to be replaced is in use, or the file system has no links.',
  },
  id: fileOperation("`'attributes'`"),
}

/** An NTSTATUS value as an unsigned number, by its name. */
export function statusOf(name: StatusName): number {
  return statuses[name]
}

/** The name of an NTSTATUS value, or `STATUS_0x` and eight digits where it is not known. */
export function statusName(status: number): string {
  const unsigned = status >>> 0
  return names.get(unsigned) ?? `STATUS_0x${unsigned.toString(16).toUpperCase().padStart(8, '0')}`
}

/** Whether a status is a success or informational, as `NT_SUCCESS` has it. */
export function isSuccess(status: number): boolean {
  return status >>> 0 < 0x80000000
}

/** Whether what the addon returned is the NTSTATUS of an error or a warning, and not a length. */
export function isFailure(answer: number): boolean {
  return answer < 0
}

/** What an error is made of. */
export interface PerStreamContextErrorInit {
  /** The NTSTATUS. */
  readonly status: number
  /** What was to be done. */
  readonly operation: string
  /** The stream or file, as the caller named it. */
  readonly path?: string | undefined
  /** What to do next; the usual advice for the status and the operation when nothing is said. */
  readonly advice?: string | undefined
  /** Bytes that a buffer must have. */
  readonly required?: number | undefined
}

/** What the driver, the kernel or a file system said. Wrong arguments are `TypeError`s and `RangeError`s: see {@link ArgumentError}. */
export class PerStreamContextError extends Error {
  /** The name of the status, such as `'STATUS_INVALID_DEVICE_REQUEST'`. */
  readonly code: StatusCode
  /** The NTSTATUS as an unsigned number. */
  readonly status: number
  /** What was to be done, such as `'insert'`. */
  readonly operation: string
  /** The stream or file, as the caller named it. */
  readonly path?: string
  /** With `STATUS_BUFFER_OVERFLOW`: how many bytes the buffer must have. */
  readonly required?: number

  constructor(init: PerStreamContextErrorInit) {
    const code = statusName(init.status)
    const name = code as StatusName
    const subject = init.path === undefined ? '' : ` of ${shorten(init.path)}`
    const next = init.advice ?? adviceFor[init.operation]?.[name] ?? advice[name] ?? ''
    super(`${init.operation}${subject} failed with ${code}. ${next}`.trimEnd())
    this.name = 'PerStreamContextError'
    this.code = code
    this.status = init.status >>> 0
    this.operation = init.operation
    if (init.path !== undefined) this.path = init.path
    if (init.required !== undefined) this.required = init.required
  }
}

/** A path as it stands in a message: long ones lose their middle. */
function shorten(path: string): string {
  const printable = JSON.stringify(path).slice(1, -1).replaceAll('\\\\', '\\')
  return printable.length <= 200 ? printable : `${printable.slice(0, 100)}…${printable.slice(-99)}`
}

/** An argument that is not what it must be: a programmer's error. */
export type ArgumentError =
  | (TypeError & {
      /** It is of the wrong type. */
      readonly code: 'ERR_INVALID_ARG_TYPE'
      /** Its name. */
      readonly argument: string
    })
  | (RangeError & {
      /** Its value is wrong. */
      readonly code: 'ERR_INVALID_ARG_VALUE'
      /** Its name. */
      readonly argument: string
    })

function describe(operation: string, argument: string, expected: string): string {
  return `${operation}: \`${argument}\` must be ${expected}.`
}

/** The error for an argument of another type: `expected` says what it must be. */
export function typeError(operation: string, argument: string, expected: string): ArgumentError {
  return Object.assign(new TypeError(describe(operation, argument, expected)), {
    code: 'ERR_INVALID_ARG_TYPE' as const,
    argument,
  })
}

/** The error for an argument of the right type and a wrong value. */
export function valueError(operation: string, argument: string, expected: string): ArgumentError {
  return Object.assign(new RangeError(describe(operation, argument, expected)), {
    code: 'ERR_INVALID_ARG_VALUE' as const,
    argument,
  })
}

/** The error for what has been closed. */
export function closedError(operation: string, path?: string): PerStreamContextError {
  return new PerStreamContextError({ status: statuses.STATUS_FILE_CLOSED, operation, path })
}

/** Who calls a constructor that is not his to call. */
export function constructorError(type: string, maker: string): TypeError {
  return Object.assign(new TypeError(`A ${type} is made by ${maker}.`), { code: 'ERR_ILLEGAL_CONSTRUCTOR' as const })
}
