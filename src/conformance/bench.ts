/** What a check works with: a session of the driver and a directory of its own, and everything that it makes, which ends with it. */
import { win32 } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import {
  openFilter,
  optionsOf,
  PerStreamContextError,
  type Filter,
  type HostFile,
  type HostOpenOptions,
  type StatusName,
  type Stream,
} from '../index'

import { inform, notSupported } from './judgement'

/** What a file system answers that has no such thing. */
const cannot: ReadonlySet<string> = new Set<StatusName>([
  'STATUS_INVALID_DEVICE_REQUEST',
  'STATUS_NOT_SUPPORTED',
  'STATUS_NOT_IMPLEMENTED',
  'STATUS_INVALID_INFO_CLASS',
  'STATUS_INVALID_PARAMETER',
])

export function isStatus(error: unknown, ...names: readonly StatusName[]): error is PerStreamContextError {
  return error instanceof PerStreamContextError && (names as readonly string[]).includes(error.code)
}

/** What checks of one run have in common. */
export interface Place {
  readonly base: Filter
  /** Everything that the run makes lies below it. */
  readonly directory: string
  /** How long a file system is waited for, in milliseconds. */
  readonly patience: number
  /** How long it is waited for where it may keep streams: less, once that was in vain. */
  keptPatience: number
  readonly seconds: number
  readonly signal: AbortSignal | undefined
  /** How much of the check is done, from 0 to 1. */
  readonly advance: (share: number) => void
}

interface Closable {
  close(): void
}

/** Milliseconds between two looks. */
const interval = 20
/** How often what is in use for a moment, by a scanner perhaps, is tried again to be removed. */
const removals = 50

export class Bench {
  /** Nobody else's contexts are among those of this session. */
  readonly filter: Filter
  readonly place: Place
  readonly #directory: string
  readonly #open: Closable[] = []
  /** What may be there, in the order in which it was made. */
  readonly #paths = new Set<string>()

  constructor(place: Place, name: string) {
    this.place = place
    this.#directory = win32.join(place.directory, name)
    this.filter = openFilter(optionsOf(place.base))
    try {
      this.mkdir(this.#directory)
    } catch (error) {
      this.filter.close()
      throw error
    }
  }

  get files(): Filter['files'] {
    return this.filter.files
  }

  /** The drive, such as `M:`; undefined where the directory is on none. */
  get drive(): string | undefined {
    return /^(?:\\\\[?.]\\)?([A-Za-z]:)/.exec(this.#directory)?.[1]?.toUpperCase()
  }

  /** The path of a file of the check's own, which is removed if it is there at the end. */
  path(name: string): string {
    const path = win32.join(this.#directory, name)
    this.#paths.add(path)
    return path
  }

  mkdir(path: string): string {
    this.#paths.add(path)
    this.filter.files.mkdir(path)
    return path
  }

  /** Makes a file, or a named stream of one. */
  make(name: string, data = ''): string {
    const path = this.path(name)
    this.files.writeFile(path, Buffer.from(data))
    return path
  }

  /** Opens a stream, which is closed at the end if it has not been. */
  open(path: string): Stream {
    return this.keep(this.filter.openStream(path))
  }

  openFile(path: string, options: HostOpenOptions): HostFile {
    return this.keep(this.files.openFile(path, options))
  }

  /** Opens a file for as long as something is done to it. */
  withFile<T>(path: string, options: HostOpenOptions, action: (file: HostFile) => T): T {
    using file = this.files.openFile(path, options)
    return action(file)
  }

  /** Another session of the driver. */
  another(): Filter {
    return this.keep(openFilter(optionsOf(this.place.base)))
  }

  keep<T extends Closable>(opened: T): T {
    this.#open.push(opened)
    return opened
  }

  /** Does what a file system or a kernel may be unable to do; `others` are answers that say so here. */
  attempt<T>(action: () => T, ...others: readonly StatusName[]): T {
    try {
      return action()
    } catch (error) {
      if (!(error instanceof PerStreamContextError)) throw error
      if (cannot.has(error.code) || (others as readonly string[]).includes(error.code)) {
        notSupported(`It cannot be done here: ${error.operation} answers ${error.code}.`)
      }
      inform(`Nothing can be judged: ${error.message}`)
    }
  }

  /** How many contexts of this session the driver has. */
  live(): number {
    return this.filter.statistics().session.contexts
  }

  /** Lets everything else in the process go on. Throws when the run is to end. */
  async pause(milliseconds = 0): Promise<void> {
    await setTimeout(milliseconds, undefined, this.place.signal === undefined ? {} : { signal: this.place.signal })
  }

  /** Waits for at most so long, in milliseconds, with requests to the volume in between. Returns how long it took, or undefined. */
  async until(isSo: () => boolean, within: number): Promise<number | undefined> {
    const start = performance.now()
    while (!isSo()) {
      if (performance.now() - start >= within) return undefined
      await this.pause(interval)
      this.#touch()
    }
    return performance.now() - start
  }

  /** Asks something of the volume: some file systems let go with the next request only. It may have been dismounted. */
  #touch(): void {
    try {
      this.files.openFile(this.#directory, { access: ['attributes'] }).close()
    } catch (error) {
      if (!(error instanceof PerStreamContextError)) throw error
    }
  }

  /** Has the file system let a stream go by the means that are documented for it: it is flushed, and an unbuffered handle is closed. */
  press(path: string): void {
    this.withFile(path, { access: ['read', 'write'], buffering: false }, (file) => {
      try {
        file.flush()
      } catch (error) {
        if (!(error instanceof PerStreamContextError)) throw error // what cannot be flushed need not be
      }
    })
  }

  /** Closes everything, removes everything, and ends the session with its contexts. */
  async clear(): Promise<void> {
    try {
      for (const opened of this.#open.reverse()) opened.close()
      await removeAll(this.place.base, [...this.#paths].reverse())
    } finally {
      this.filter.close()
    }
  }
}

/** Removes what is there of these paths. Not hastened by a signal: what was made is removed. */
export async function removeAll(base: Filter, paths: readonly string[]): Promise<void> {
  using filter = openFilter(optionsOf(base)) // which the embedded kernel mounts a volume for that was dismounted
  for (const path of paths) await remove(filter, path)
}

async function remove({ files }: Filter, path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      files.unlink(path)
      return
    } catch (error) {
      if (isStatus(error, 'STATUS_OBJECT_NAME_NOT_FOUND', 'STATUS_OBJECT_PATH_NOT_FOUND')) return
      if (!(error instanceof PerStreamContextError) || attempt === removals) throw error
      if (isStatus(error, 'STATUS_ACCESS_DENIED', 'STATUS_CANNOT_DELETE')) makeWritable(files, path)
      await setTimeout(interval)
    }
  }
}

/** It may be that it was read-only; anything else is told by the next attempt to remove it. */
function makeWritable(files: Filter['files'], path: string): void {
  try {
    using file = files.openFile(path, { access: ['write-attributes'] })
    file.setReadOnly(false)
  } catch (error) {
    if (!(error instanceof PerStreamContextError)) throw error
  }
}
