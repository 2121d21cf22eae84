/** Requests that do not wait: to the driver's control device, and through its filter to a file. */
import { versionReply } from '../../src/abi'

import { command } from './control'
import {
  cancelIoEx,
  closeHandle,
  closeOverlapped,
  deviceIoControl,
  errorOf,
  ERROR_IO_PENDING,
  ERROR_OPERATION_ABORTED,
  newOverlapped,
  openOverlapped,
  readFile,
  resultOf,
} from './kernel32'
import { root, writeFile } from './volume'

/** PSCTX_IOCTL_QUERY_VERSION, whose request is a PSCTX_HEADER and nothing else. */
const queryVersion = 0x8a536000
const request = Buffer.from([8, 0, 0, 0, 1, 0, 0, 0])

test('many overlapped requests to the driver are each answered once', () => {
  const device = openOverlapped('\\\\.\\PsCtx')
  const asked = Array.from({ length: 32 }, () => {
    const overlapped = newOverlapped()
    const reply = Buffer.alloc(versionReply.size)
    const error = errorOf(
      deviceIoControl(device, queryVersion, request, request.length, reply, reply.length, null, overlapped),
    )
    return { overlapped, reply, error }
  })
  for (const { overlapped, reply, error } of asked) {
    expect([0, ERROR_IO_PENDING]).toContain(error)
    expect(resultOf(device, overlapped)).toEqual({ error: 0, transferred: versionReply.size })
    expect(reply.readUInt32LE(versionReply.maximumDataLength)).toBe(65536)
    closeOverlapped(overlapped)
  }
  closeHandle(device)
})

test('a read that is pending below the filter is cancelled when it is asked for', () => {
  writeFile(`${root}\\slow.txt`, Buffer.from('slow'))
  command('create', 'slow.txt:pending')
  const file = openOverlapped(`${root}\\slow.txt:pending`)
  const overlapped = newOverlapped()
  expect(errorOf(readFile(file, Buffer.alloc(1), 1, null, overlapped))).toBe(ERROR_IO_PENDING)
  expect(Number(command('pending').toString('utf16le'))).toBe(1)
  expect(errorOf(cancelIoEx(file, overlapped))).toBe(0)
  expect(resultOf(file, overlapped).error).toBe(ERROR_OPERATION_ABORTED)
  expect(Number(command('pending').toString('utf16le'))).toBe(0)
  closeOverlapped(overlapped)
  closeHandle(file)
})
