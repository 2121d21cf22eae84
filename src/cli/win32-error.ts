/** Failures of Windows' services and of its other calls that are no requests to the driver: their names, and what to do. */
import { types } from 'node:util'

/** The Win32 errors that are known by name. */
const errors = {
  ERROR_INVALID_FUNCTION: 1,
  ERROR_FILE_NOT_FOUND: 2,
  ERROR_PATH_NOT_FOUND: 3,
  ERROR_ACCESS_DENIED: 5,
  ERROR_GEN_FAILURE: 31,
  ERROR_SHARING_VIOLATION: 32,
  ERROR_NOT_SUPPORTED: 50,
  ERROR_INVALID_PARAMETER: 87,
  ERROR_PROC_NOT_FOUND: 127,
  ERROR_ALREADY_EXISTS: 183,
  ERROR_BAD_EXE_FORMAT: 193,
  ERROR_EXE_MACHINE_TYPE_MISMATCH: 216,
  ERROR_INVALID_IMAGE_HASH: 577,
  ERROR_DRIVER_FAILED_PRIOR_UNLOAD: 654,
  ERROR_INVALID_SERVICE_CONTROL: 1052,
  ERROR_SERVICE_REQUEST_TIMEOUT: 1053,
  ERROR_SERVICE_DATABASE_LOCKED: 1055,
  ERROR_SERVICE_ALREADY_RUNNING: 1056,
  ERROR_SERVICE_DISABLED: 1058,
  ERROR_SERVICE_DOES_NOT_EXIST: 1060,
  ERROR_SERVICE_CANNOT_ACCEPT_CTRL: 1061,
  ERROR_SERVICE_NOT_ACTIVE: 1062,
  ERROR_SERVICE_DEPENDENCY_FAIL: 1068,
  ERROR_SERVICE_MARKED_FOR_DELETE: 1072,
  ERROR_SERVICE_EXISTS: 1073,
  ERROR_SERVICE_DEPENDENCY_DELETED: 1075,
  ERROR_DUPLICATE_SERVICE_NAME: 1078,
  ERROR_SHUTDOWN_IN_PROGRESS: 1115,
  ERROR_DRIVER_BLOCKED: 1275,
  ERROR_NO_SYSTEM_RESOURCES: 1450,
  RPC_S_SERVER_UNAVAILABLE: 1722,
  ERROR_BAD_DRIVER: 2001,
  ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION: 4551,
  ERROR_EVT_CHANNEL_NOT_FOUND: 15007,
} as const

/** The name of a Win32 error that the CLI knows. */
export type Win32ErrorName = keyof typeof errors

const names = new Map<number, Win32ErrorName>(
  Object.entries(errors).map(([name, error]) => [error, name as Win32ErrorName]),
)

const elevate = 'Run this in a terminal that was opened with "Run as administrator".'
const noFilterManager =
  'Filter Manager (the service FltMgr), which a minifilter needs, does not run: see why, or uninstall psctx and install it with --front legacy.'
const rebuild = 'Install the image of this machine’s architecture: leave --driver out, or name that file.'

/** What an error means here, and what to do about it. */
const advice: Partial<Record<Win32ErrorName, string>> = {
  ERROR_FILE_NOT_FOUND: 'The driver’s file is not where the service expects it: run `psctx driver install` again.',
  ERROR_PATH_NOT_FOUND: 'The driver’s file is not where the service expects it: run `psctx driver install` again.',
  ERROR_ACCESS_DENIED: elevate,
  ERROR_GEN_FAILURE: 'The driver’s own start failed: look into the System log, and run `psctx doctor`.',
  ERROR_SHARING_VIOLATION: 'Another program has the driver’s file open: close it, and try again.',
  ERROR_PROC_NOT_FOUND: 'This Windows lacks a routine that the driver imports: use a driver of this package.',
  ERROR_ALREADY_EXISTS:
    'The driver’s device is there already: an instance of it still runs, perhaps under another service name. Restart the machine.',
  ERROR_BAD_EXE_FORMAT: `The file is no driver for this machine. ${rebuild}`,
  ERROR_EXE_MACHINE_TYPE_MISMATCH: `The driver is for another architecture. ${rebuild}`,
  ERROR_INVALID_IMAGE_HASH:
    'Windows does not accept the driver’s signature: sign it with a test certificate, run `bcdedit /set testsigning on` (Secure Boot must be off), and restart the machine.',
  ERROR_DRIVER_FAILED_PRIOR_UNLOAD: 'An instance of the driver is still in memory: restart the machine.',
  ERROR_INVALID_SERVICE_CONTROL:
    'A legacy file system filter cannot be unloaded while the system runs: restart the machine, after which psctx is stopped until it is started again. On a test machine, `psctx driver install --allow-unload` lets it be stopped from its next start on.',
  ERROR_SERVICE_REQUEST_TIMEOUT:
    'The driver did not come up in time: look into the System log, and run `psctx doctor`.',
  ERROR_SERVICE_DATABASE_LOCKED: 'Another program has the service manager locked: try again in a moment.',
  ERROR_SERVICE_DISABLED:
    'The service is disabled: run `psctx driver install` again, which sets it to start on demand.',
  ERROR_SERVICE_DOES_NOT_EXIST: 'The driver is not installed: run `psctx driver install`.',
  ERROR_SERVICE_CANNOT_ACCEPT_CTRL: 'The driver is starting or stopping: try again in a moment.',
  ERROR_SERVICE_NOT_ACTIVE: 'The driver is not running: run `psctx driver start`.',
  ERROR_SERVICE_MARKED_FOR_DELETE:
    'The service was deleted while it was in use, and goes when it is not: close the Services window and other tools that show it, or restart the machine.',
  ERROR_SERVICE_DEPENDENCY_FAIL: noFilterManager,
  ERROR_SERVICE_DEPENDENCY_DELETED: noFilterManager,
  ERROR_DUPLICATE_SERVICE_NAME: 'Another service has the display name psctx: rename or remove that one.',
  ERROR_SHUTDOWN_IN_PROGRESS: 'Windows is shutting down: try again after the restart.',
  ERROR_DRIVER_BLOCKED:
    'Windows blocks this driver (a compatibility or block-list entry, or a policy): look into the System log for event 1205 of Kernel-IO, and run `psctx doctor`.',
  ERROR_NO_SYSTEM_RESOURCES: 'The kernel is out of memory: try again later.',
  ERROR_BAD_DRIVER: 'The file is no driver for this machine: use that of this package.',
  ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION:
    'A code integrity policy of this machine (App Control) does not admit the driver: ask who administers it, or use a test machine.',
}

/** The name of a Win32 error, or `ERROR_` and the number where it is not known. */
export function win32ErrorName(error: number): string {
  return names.get(error) ?? `ERROR_${error}`
}

/** What to do about a Win32 error. */
export function win32Advice(error: number): string {
  return (
    advice[win32ErrorName(error) as Win32ErrorName] ??
    `Look up what it means with \`net helpmsg ${error}\`, and run \`psctx doctor\`.`
  )
}

/** The members that the addon's errors of this kind carry. */
interface NativeWin32Error extends Error {
  readonly win32: number
  readonly operation: string
}

/** Whether an error is of a Win32 call that the addon made; with `name`, whether it is that error. */
export function isWin32Error(error: unknown, name?: Win32ErrorName): error is NativeWin32Error {
  if (!types.isNativeError(error)) return false
  const { win32 } = error as Partial<NativeWin32Error>
  return typeof win32 === 'number' && (name === undefined || win32 === errors[name])
}

/** A command that failed: one sentence that says what, then what to do. Told to the user as it is. */
export class CommandError extends Error {
  /** Such as `'ERROR_ACCESS_DENIED'`, where it comes from Windows. */
  readonly code: string | undefined
  readonly win32: number | undefined

  constructor(message: string, options: { cause?: unknown; win32?: number | undefined } = {}) {
    super(message, { cause: options.cause })
    this.name = 'CommandError'
    this.win32 = options.win32
    this.code = options.win32 === undefined ? undefined : win32ErrorName(options.win32)
  }
}

function describeWin32(what: string, error: number): string {
  return `${what}: ${win32ErrorName(error)} (${error}). ${win32Advice(error)}`
}

/** A command's error for what Windows would say; `what` begins the sentence: "psctx could not be stopped". */
export function makeWin32CommandError(what: string, name: Win32ErrorName): CommandError {
  return new CommandError(describeWin32(what, errors[name]), { win32: errors[name] })
}

/** The addon's Win32 error as a command's; any other error as it is. `what` begins the sentence: "psctx could not be started". */
export function explainWin32(error: unknown, what: string): unknown {
  if (!isWin32Error(error)) return error
  return new CommandError(describeWin32(what, error.win32), { cause: error, win32: error.win32 })
}
