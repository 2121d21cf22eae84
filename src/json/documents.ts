/**
 * What each command of `psctx` prints with `--json`: read it with `JSON.parse(text, jsonReviver)`. A document names its command; `watch` and
 * `track` print one line of JSON after another instead, and so does `shell --json`.
 */
import type {
  FilterEvent,
  FilterLimits,
  FilterStatistics,
  InsertionResult,
  InspectedContext,
  KernelName,
  ListedContext,
  StreamContext,
  StreamSupport,
  TrackingStatistics,
  Volume,
} from '../index'

/** `psctx insert`. */
export interface InsertDocument extends InsertionResult {
  readonly command: 'insert'
  /** As it was given, as in every document. */
  readonly path: string
  readonly owner: bigint
  readonly instance: bigint
  /** Bytes. */
  readonly dataLength: number
  /** Whether the file system tore the stream down, and the context with it, when the command closed it. */
  readonly tornDown: boolean
}

/** `psctx lookup`. */
export interface LookupDocument {
  readonly command: 'lookup'
  readonly path: string
  /** `null` when there is none, which is exit code 1. */
  readonly context: StreamContext | null
}

/** `psctx remove`. */
export interface RemoveDocument {
  readonly command: 'remove'
  readonly path: string
  /** How many; none without `--all` is exit code 1. */
  readonly removed: number
  /** The context that was removed; `null` when there was none, and with `--all`. */
  readonly context: StreamContext | null
}

/** `psctx list`. */
export interface ListDocument {
  readonly command: 'list'
  /** `null`: every stream. */
  readonly path: string | null
  readonly contexts: readonly ListedContext[]
}

/** `psctx inspect`. */
export interface InspectDocument {
  readonly command: 'inspect'
  readonly path: string
  /** From the head of the stream's list. */
  readonly contexts: readonly InspectedContext[]
}

/** A line of `psctx watch --json`. */
export type WatchLine = FilterEvent

/** A line of `psctx track --json`: one at the beginning, one whenever something has changed, and one at the end. */
export interface TrackLine extends TrackingStatistics {
  readonly command: 'track'
  readonly match: string
  /** When it was asked for. */
  readonly date: Date
  /** With `--count`: the contexts of the rule that are there, and what was done with their streams. */
  readonly contexts?: readonly ListedContext[]
}

/** `psctx volumes`. */
export interface VolumesDocument {
  readonly command: 'volumes'
  readonly kernel: KernelName
  readonly volumes: readonly Volume[]
}

/** `psctx stat`. */
export interface StatDocument {
  readonly command: 'stat'
  readonly kernel: KernelName
  /** Of the driver. */
  readonly version: string
  readonly statistics: FilterStatistics
  readonly limits: FilterLimits
}

/** `psctx report --output FILE`. */
export interface ReportDocument {
  readonly command: 'report'
  readonly output: string
  /** Bytes of the page. */
  readonly bytes: number
}

/** Something that `psctx doctor` looked at: what was found, and what to do where something is to be done. */
export interface Finding {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown'
  readonly found: string
  readonly advice?: string
}

/** `psctx doctor`. */
export interface DoctorDocument {
  readonly command: 'doctor'
  /** Whether nothing is a problem; exit code 1 if not. */
  readonly healthy: boolean
  readonly findings: readonly Finding[]
}

/** A service's state, as Windows has them. */
export type ServiceState =
  'stopped' | 'start-pending' | 'stop-pending' | 'running' | 'continue-pending' | 'pause-pending' | 'paused' | 'unknown'

/** What a running driver says of itself, or why it could not be asked. */
export type DriverAnswer =
  | { readonly version: string; readonly statistics: FilterStatistics }
  | { readonly code: string; readonly message: string }

/** The driver as `psctx driver status` tells it. */
export interface DriverStatus {
  readonly installed: boolean
  readonly state: ServiceState | 'absent'
  readonly imagePath: string | null
  readonly allowUnload: boolean
  /** Whether it takes the request to stop; what Windows says of the running driver. */
  readonly stoppable: boolean
  readonly driver: DriverAnswer | null
}

/** `psctx driver status`. */
export interface DriverStatusDocument extends DriverStatus {
  readonly command: 'driver status'
}

/** `psctx driver install`, `start`, `stop` and `uninstall`. */
export interface DriverDocument {
  readonly command: 'driver install' | 'driver start' | 'driver stop' | 'driver uninstall'
  /** What was done, sentence by sentence. */
  readonly done: readonly string[]
}

/** `open` in the shell. */
export interface OpenDocument {
  readonly command: 'open'
  /** The handle's name. */
  readonly name: string
  readonly path: string
  readonly support: StreamSupport
}

/** `close` in the shell. */
export interface CloseDocument {
  readonly command: 'close'
  readonly name: string
  readonly path: string
  /** How many contexts of this session the file system tore down as the handle was closed. */
  readonly tornDown: number
}

/** `handles` in the shell. */
export interface HandlesDocument {
  readonly command: 'handles'
  readonly handles: readonly { readonly name: string; readonly path: string }[]
}

/** `write` in the shell. */
export interface WriteDocument {
  readonly command: 'write'
  readonly path: string
  readonly bytes: number
}

/** `read` in the shell. */
export interface ReadDocument {
  readonly command: 'read'
  readonly path: string
  readonly data: Buffer
}

/** `mkdir`, `unlink` and `dismount` in the shell. */
export interface FileDocument {
  readonly command: 'mkdir' | 'unlink' | 'dismount'
  readonly path: string
}

/** `rename` and `link` in the shell. */
export interface NameDocument {
  readonly command: 'rename' | 'link'
  readonly path: string
  readonly newPath: string
}

/** What a command prints as one document, told apart by `command`. */
export type CommandDocument =
  | InsertDocument
  | LookupDocument
  | RemoveDocument
  | ListDocument
  | InspectDocument
  | VolumesDocument
  | StatDocument
  | ReportDocument
  | DoctorDocument
  | DriverDocument
  | DriverStatusDocument
  | OpenDocument
  | CloseDocument
  | HandlesDocument
  | WriteDocument
  | ReadDocument
  | FileDocument
  | NameDocument

/** A line of `psctx shell --json`: a command's document, or a line of `watch` or `track`. */
export type ShellLine = CommandDocument | TrackLine | WatchLine
