/** The addon `psctx.node`, as it presents itself: its objects encode and send, replies are left in shared memory. */
import { join } from 'node:path'

import load from 'node-gyp-build'

import type { Identifier } from './context'

/** An open control device. Lengths that methods return are of the reply in the memory that `reply()` gives. */
export interface NativeFilter {
  readonly closed: boolean
  reply(): ArrayBuffer
  queryVersion(): number
  queryStatistics(): number
  track(
    owner: Identifier,
    instance: Identifier,
    volume: NativeStream | undefined,
    pattern: string,
    flags: number,
  ): number
  untrack(rule: Identifier): number
  queryRule(rule: Identifier): number
  /** Its reply is left in `page`. */
  enumerate(page: Uint8Array, volume: NativeStream | undefined, cursor0: Identifier, cursor1: Identifier): number
  listVolumes(after: Identifier): number
  drives(): (readonly [string, string])[]
  close(): void
  dismount(letter: string): void
  killProcess(): void
  failAllocation(countdown: Identifier): void
  audit(): NativeAudit
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

/** An open handle of a stream. `undefined` where there is no such context. */
export interface NativeStream {
  readonly closed: boolean
  query(): number
  insert(
    owner: Identifier,
    instance: Identifier,
    ifExists: number,
    pool: number,
    lifetime: number,
    data: Uint8Array,
  ): number
  lookup(owner: Identifier, instance: Identifier | undefined): number | undefined
  lookupInto(buffer: Uint8Array, owner: Identifier, instance: Identifier | undefined): number | undefined
  first(): number | undefined
  remove(owner: Identifier, instance: Identifier | undefined): number | undefined
  removeAll(owner: Identifier | undefined): number
  list(before: Identifier): number
  /** Its reply is left in `page`. */
  inspect(page: Uint8Array): number
  close(): void
}

export interface NativeBatch {
  insert(
    stream: NativeStream,
    owner: Identifier,
    instance: Identifier,
    ifExists: number,
    pool: number,
    lifetime: number,
    data: Uint8Array,
  ): void
  lookup(stream: NativeStream, owner: Identifier, instance: Identifier | undefined): void
  remove(stream: NativeStream, owner: Identifier, instance: Identifier | undefined): void
  removeAll(stream: NativeStream, owner: Identifier | undefined): void
  clear(): void
  run(): ArrayBuffer
}

/** A reader of a filter's events. */
export interface NativeEvents {
  readonly closed: boolean
  reply(): ArrayBuffer
  /** `completed` is called once, later, with the status, and the length of the reply in the memory that `reply()` gives. */
  wait(completed: (status: number, length: number) => void): void
  close(): void
}

export interface NativeFile {
  read(buffer: Uint8Array, position: number): number
  write(data: Uint8Array, position: number): number
  size(): number
  setDeletion(deleteOnClose: boolean): void
  changeName(newPath: string, isLink: boolean, replaceIfExists: boolean): void
  close(): void
}

interface Addon {
  Filter: new (
    kernel: string,
    readOnly: boolean,
    volumes: readonly (readonly [string, string | undefined])[],
  ) => NativeFilter
  Stream: new (filter: NativeFilter, path: string) => NativeStream
  Batch: new (filter: NativeFilter, replyCapacity: number) => NativeBatch
  Events: new (filter: NativeFilter, session: Identifier, types: number, capacity: number) => NativeEvents
  File: new (
    filter: NativeFilter,
    path: string,
    desiredAccess: number,
    shareAccess: number,
    disposition: number,
    createOptions: number,
  ) => NativeFile
}

/** Prebuilt for this platform, or built below `build/`. Throws when there is neither. */
export const native = load(join(__dirname, '..')) as Addon
