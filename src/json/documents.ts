/**
 * What each command of `psctx` prints with `--json`: read it with `JSON.parse(text, jsonReviver)`. A document names its command; `watch` and
 * `track` print one line of JSON after another instead, and so does `shell --json`.
 */
import type {
  FilterEvent,
  FilterLimits,
  FilterStatistics,
  Front,
  InsertionResult,
  InspectedContext,
  KernelName,
  ListedContext,
  StreamContext,
  StreamSupport,
  TrackingStatistics,
  Volume,
} from '../index'

/** What every document has. */
export interface NamedDocument<Command extends string> {
  /** The command that printed it. */
  readonly command: Command
}

/** What documents about a file or stream have. */
export interface PathDocument<Command extends string> extends NamedDocument<Command> {
  /** As it was given. */
  readonly path: string
}

/** `psctx insert`. */
export interface InsertDocument extends PathDocument<'insert'>, InsertionResult {
  /** 0 if none was said. */
  readonly owner: bigint
  /** 0 if none was said. */
  readonly instance: bigint
  /** Bytes. */
  readonly dataLength: number
  /** Whether the file system tore the stream down, and the context with it, when the command closed it. */
  readonly tornDown: boolean
}

/** `psctx lookup`. */
export interface LookupDocument extends PathDocument<'lookup'> {
  /** `null` when there is none, which is exit code 1. */
  readonly context: StreamContext | null
}

/** `psctx remove`. */
export interface RemoveDocument extends PathDocument<'remove'> {
  /** How many; none without `--all` is exit code 1. */
  readonly removed: number
  /** The context that was removed; `null` when there was none, and with `--all`. */
  readonly context: StreamContext | null
}

/** `psctx list`. */
export interface ListDocument extends NamedDocument<'list'> {
  /** `null`: every stream. */
  readonly path: string | null
  /** Those of one stream from the youngest on, all of them in no order. */
  readonly contexts: readonly ListedContext[]
}

/** `psctx inspect`. */
export interface InspectDocument extends PathDocument<'inspect'> {
  /** From the head of the stream's list. */
  readonly contexts: readonly InspectedContext[]
}

/** A line of `psctx watch --json`. */
export type WatchLine = FilterEvent

/** A line of `psctx track --json`: one at the beginning, one whenever something has changed, and one at the end. */
export interface TrackLine extends NamedDocument<'track'>, TrackingStatistics {
  /** The rule’s pattern, as it was given. */
  readonly match: string
  /** When it was asked for. */
  readonly date: Date
  /** With `--count`: the contexts of the rule that are there, and what was done with their streams. */
  readonly contexts?: readonly ListedContext[]
}

/** `psctx volumes`. */
export interface VolumesDocument extends NamedDocument<'volumes'> {
  /** The kernel that the volumes are of. */
  readonly kernel: KernelName
  /** Those that the driver knows, attached or not. */
  readonly volumes: readonly Volume[]
}

/** `psctx stat`. */
export interface StatDocument extends NamedDocument<'stat'> {
  /** The kernel that the driver runs in. */
  readonly kernel: KernelName
  /** Of the driver. */
  readonly version: string
  /** By which the driver hears of opens and requests. */
  readonly front: Front
  /** The driver’s counters. */
  readonly statistics: FilterStatistics
  /** What the command’s own filter may hold. */
  readonly limits: FilterLimits
}

/** `psctx report --output FILE`. */
export interface ReportDocument extends NamedDocument<'report'> {
  /** The file that was written, as it was given. */
  readonly output: string
  /** Bytes of the page. */
  readonly bytes: number
}

/** Something that `psctx doctor` looked at: what was found, and what to do where something is to be done. */
export interface Finding {
  /** What was looked at, such as `driver`. */
  readonly check: string
  /** How bad it is; `'unknown'`: it could not be found out. */
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown'
  /** What was found, in a sentence. */
  readonly found: string
  /** What to do; not there when there is nothing to do. */
  readonly advice?: string
}

/** `psctx doctor`. */
export interface DoctorDocument extends NamedDocument<'doctor'> {
  /** Whether nothing is a problem; exit code 1 if not. */
  readonly healthy: boolean
  /** In the order in which they were looked at. */
  readonly findings: readonly Finding[]
}

/** A service's state, as Windows has them. */
export type ServiceState =
  'stopped' | 'start-pending' | 'stop-pending' | 'running' | 'continue-pending' | 'pause-pending' | 'paused' | 'unknown'

/** What a running driver says of itself, or why it could not be asked. */
export type DriverAnswer =
  | {
      /** The driver’s, such as `1.0.0`. */
      readonly version: string
      /** Its own, whatever its service is called. */
      readonly front: Front
      /** Its counters. */
      readonly statistics: FilterStatistics
    }
  | {
      /** The error’s, such as `STATUS_ACCESS_DENIED`. */
      readonly code: string
      /** The error’s, with what to do. */
      readonly message: string
    }

/** The driver as `psctx driver status` tells it. */
export interface DriverStatus {
  /** Whether the driver’s service exists. */
  readonly installed: boolean
  /** As which of its two fronts it is installed; `null`: there is no service. */
  readonly front: Front | null
  /** The service’s; `'absent'`: there is none. */
  readonly state: ServiceState | 'absent'
  /** The driver’s file, as the service names it; `null`: there is no service. */
  readonly imagePath: string | null
  /** Whether a legacy filter was installed with `--allow-unload`, which holds from its next start on. A minifilter needs no leave. */
  readonly allowUnload: boolean
  /** Whether it takes the request to stop; what Windows says of the running driver. */
  readonly stoppable: boolean
  /** `null`: it does not run. */
  readonly driver: DriverAnswer | null
}

/** `psctx driver status`. */
export interface DriverStatusDocument extends NamedDocument<'driver status'>, DriverStatus {}

/** `psctx driver install`, `start`, `stop` and `uninstall`. */
export interface DriverDocument extends NamedDocument<
  'driver install' | 'driver start' | 'driver stop' | 'driver uninstall'
> {
  /** What was done, sentence by sentence. */
  readonly done: readonly string[]
}

/** `open` in the shell. */
export interface OpenDocument extends PathDocument<'open'> {
  /** The handle's name. */
  readonly name: string
  /** Whether the stream can carry contexts. */
  readonly support: StreamSupport
}

/** `close` in the shell. */
export interface CloseDocument extends PathDocument<'close'> {
  /** The handle's name. */
  readonly name: string
  /** How many contexts of this session the file system tore down as the handle was closed. */
  readonly tornDown: number
}

/** `handles` in the shell. */
export interface HandlesDocument extends NamedDocument<'handles'> {
  /** Those that are open, in the order of their opening. */
  readonly handles: readonly {
    /** The handle's name. */
    readonly name: string
    /** As it was given. */
    readonly path: string
  }[]
}

/** `write` in the shell. */
export interface WriteDocument extends PathDocument<'write'> {
  /** How many were written. */
  readonly bytes: number
}

/** `read` in the shell. */
export interface ReadDocument extends PathDocument<'read'> {
  /** The whole stream. */
  readonly data: Buffer
}

/** `mkdir`, `unlink` and `dismount` in the shell. */
export type FileDocument = PathDocument<'mkdir' | 'unlink' | 'dismount'>

/** `rename` and `link` in the shell. */
export interface NameDocument extends PathDocument<'rename' | 'link'> {
  /** The other name, as it was given. */
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
