/** Requests that do not wait: to the driver's control device, and through its filter to a file. */
import { versionReply } from '../../src/abi'

import { audit } from './control'
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
import { pendingFile } from './volume'

/** PSCTX_IOCTL_QUERY_VERSION, whose request is a PSCTX_HEADER and nothing else. */
const queryVersion = 0x8a536000
const request = Buffer.from([8, 0, 0, 0, 3, 0, 0, 0])

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
  const { streams } = audit()
  const file = openOverlapped(pendingFile)
  const overlapped = newOverlapped()
  expect(errorOf(readFile(file, Buffer.alloc(1), 1, null, overlapped))).toBe(ERROR_IO_PENDING)
  expect(audit().streams).toBe(streams + 1n)
  expect(errorOf(cancelIoEx(file, overlapped))).toBe(0)
  expect(resultOf(file, overlapped).error).toBe(ERROR_OPERATION_ABORTED)
  closeOverlapped(overlapped)
  closeHandle(file)
  expect(audit().streams).toBe(streams)
})
