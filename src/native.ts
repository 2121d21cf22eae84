/** The addon `psctx.node`, as it presents itself: a transport. Requests and replies are encoded and decoded here, in memory that it shares. */
import { loadAddon } from './addon'

/** The length of a reply, or an NTSTATUS, which is negative. */
export type Answer = number

/** The number of a handle, or an NTSTATUS, which is negative. */
export type HandleAnswer = number

/** An open control device. A request lies at the beginning of the memory, and its reply is left behind it: see {@link layout}. */
export interface NativeSession {
  readonly memory: ArrayBuffer
  readonly queryVersion: () => Answer
  readonly queryStatistics: () => Answer
  readonly queryStream: () => Answer
  readonly insert: () => Answer
  readonly lookup: () => Answer
  readonly remove: () => Answer
  readonly removeAll: () => Answer
  readonly list: () => Answer
  readonly track: () => Answer
  readonly untrack: () => Answer
  readonly queryRule: () => Answer
  readonly listVolumes: () => Answer
  /** Leaves its reply in `page`, as does the next. */
  enumerate(page: Uint8Array): Answer
  inspect(page: Uint8Array): Answer
  readonly batch: (request: ArrayBuffer, reply: ArrayBuffer) => Answer
  openStream(path: string): HandleAnswer
  /** Calls `completed` once, later. Returns a function after which a handle is closed at once; STATUS_CANCELLED is told. */
  startOpening(path: string, completed: (handle: HandleAnswer) => void): (() => void) | Answer
  /** Harmless when it is closed already. */
  readonly closeHandle: (handle: number) => void
  openFile(
    path: string,
    desiredAccess: number,
    shareAccess: number,
    disposition: number,
    createOptions: number,
  ): HandleAnswer
  readFile(handle: number, buffer: Uint8Array, position: number): Answer
  writeFile(handle: number, data: Uint8Array, position: number): Answer
  /** Leaves a record of this FILE_INFORMATION_CLASS in memory that is aligned to 8 bytes. */
  queryInformation(handle: number, record: Uint8Array, informationClass: number): Answer
  setInformation(handle: number, record: Uint8Array, informationClass: number): Answer
  /** The range is of `lock` and `unlock` alone. */
  operateFile(handle: number, operation: number, position: number, length: number): Answer
  /** A section of the file. */
  mapFile(handle: number): HandleAnswer
  queryDrive(letter: string): string | Answer
  /** Of the volume that an open file lies on, which on the embedded kernel is told by its drive's letter. In no order. */
  listMinifilters(handle: number, drive: string): NativeMinifilter[] | Answer
  openReader(): NativeReader | Answer
  /** A string says what the kernel still held. */
  close(): string | Answer
}

export interface NativeMinifilter {
  readonly filter: string
  readonly instance: string
  readonly altitude: string
}

/** What that of Windows has beside that. */
export interface NativeWindowsSession extends NativeSession {
  /** A handle of the session's own for the file of a descriptor, which stays as it is. */
  openDescriptor(descriptor: number): HandleAnswer
}

/** What the embedded kernel's has beside that. */
export interface NativeHostSession extends NativeSession {
  dismount(letter: string): Answer
  killProcess(): Answer
  failAllocation(countdown: number): Answer
  audit(): NativeAudit | Answer
}

export interface NativeAudit {
  readonly poolBytes: number
  readonly poolAllocations: number
  readonly handles: number
  readonly objects: number
  readonly irps: number
  readonly locks: number
  readonly contextBytes: number
}

/** The operations of `operateFile`. */
export const fileOperations = {
  flush: 0,
  lock: 1,
  unlock: 2,
  rewriteSecurity: 3,
  setSparse: 4,
  setCompressed: 5,
} as const

/** A reader of a session's events. Its memory begins with the request of `subscribe`; the replies of `wait` follow. */
export interface NativeReader {
  readonly memory: ArrayBuffer
  subscribe(): Answer
  /** Calls `completed` once, later. */
  wait(completed: (answer: Answer) => void, keepsAlive: boolean): Answer
  /** Whether what waits keeps the process alive. */
  keepAlive(keepsAlive: boolean): void
  /** Harmless when it is closed already. */
  close(): void
}

/** A drive's letter; of a directory volume, the directory; of a memory volume that is broken on purpose, its fault. */
export type HostVolume = readonly [letter: string, directory?: string | undefined, fault?: string | undefined]

interface Addon {
  /** The front is that of the embedded kernel's driver. */
  open: (kernel: string, readOnly: boolean, volumes: readonly HostVolume[], front: number) => NativeSession | Answer
  readonly layout: Readonly<Record<keyof typeof layout, number>>
}

/** Where things lie in the memory of a session, and of a reader; an addon that has it otherwise does not load. */
export const layout = {
  capacity: 65584,
  reply: 65592,
  replyLength: 131072,
  readerReply: 24,
  readerReplyLength: 131072,
} as const

/** PSCTX_ADDON_PATH's, or built below `build/`, or prebuilt for this platform. Throws when there is none: see addon.ts. */
export const native = loadAddon(layout) as Addon
