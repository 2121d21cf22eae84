/** What the addon does not use of kernel32: overlapped requests, and their cancellation. */
import { createRequire } from 'node:module'

import type Koffi from 'koffi' with { 'resolution-mode': 'import' }

// It has a CommonJS build, but declares its types for ES modules alone.
const koffi = createRequire(__filename)('koffi') as typeof Koffi

const library = koffi.load('kernel32.dll')

export const GENERIC_READ = 0x80000000
export const ERROR_IO_PENDING = 997
export const ERROR_OPERATION_ABORTED = 995

const shareAll = 7
const openExisting = 3
const fileFlagOverlapped = 0x40000000
const overlappedSize = 32
const eventOffset = 24

const createFile = library.func(
  'intptr_t __stdcall CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, intptr_t)',
) as (...parameters: unknown[]) => number
const createEvent = library.func('intptr_t __stdcall CreateEventW(void *, int, int, void *)') as (
  ...parameters: unknown[]
) => number
const lastError = library.func('uint32_t __stdcall GetLastError()') as () => number

export const closeHandle = library.func('int __stdcall CloseHandle(intptr_t)') as (handle: number) => number
export const readFile = library.func('int __stdcall ReadFile(intptr_t, void *, uint32_t, void *, void *)') as (
  file: number,
  buffer: Buffer,
  length: number,
  read: null,
  overlapped: Buffer,
) => number
export const deviceIoControl = library.func(
  'int __stdcall DeviceIoControl(intptr_t, uint32_t, void *, uint32_t, void *, uint32_t, void *, void *)',
) as (
  device: number,
  code: number,
  input: Buffer,
  inputLength: number,
  output: Buffer,
  outputLength: number,
  returned: null,
  overlapped: Buffer,
) => number
export const cancelIoEx = library.func('int __stdcall CancelIoEx(intptr_t, void *)') as (
  file: number,
  overlapped: Buffer,
) => number
const getOverlappedResult = library.func(
  'int __stdcall GetOverlappedResult(intptr_t, void *, _Out_ uint32_t *, int)',
) as (file: number, overlapped: Buffer, transferred: [number], wait: number) => number

/** Zero for a call that succeeded, else the thread's last error. */
export function errorOf(succeeded: number): number {
  return succeeded ? 0 : lastError()
}

export function openOverlapped(path: string): number {
  const file = createFile(path, GENERIC_READ, shareAll, null, openExisting, fileFlagOverlapped, 0)
  if (file === -1) throw new Error(`CreateFileW ${path}: error ${lastError()}`)
  return file
}

/** An OVERLAPPED with an event of its own. */
export function newOverlapped(): Buffer {
  const overlapped = Buffer.alloc(overlappedSize)
  overlapped.writeBigInt64LE(BigInt(createEvent(null, 1, 0, null)), eventOffset)
  return overlapped
}

export function closeOverlapped(overlapped: Buffer): void {
  closeHandle(Number(overlapped.readBigInt64LE(eventOffset)))
}

/** Waits for a request's end, and tells its error and how many bytes it transferred. */
export function resultOf(file: number, overlapped: Buffer): { error: number; transferred: number } {
  const transferred: [number] = [0]
  const error = errorOf(getOverlappedResult(file, overlapped, transferred, 1))
  return { error, transferred: transferred[0] }
}
