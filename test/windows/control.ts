/** The control device of hostfs.sys, the file system below the driver: text commands in, NTSTATUS and a result out. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const controlDevice = '\\\\.\\PsHostFsControl'
const maximumReply = 4096

/** Has the file system carry out a command, and returns the result's bytes. Throws when the status is not STATUS_SUCCESS. */
export function command(...words: readonly string[]): Buffer {
  const line = words.join('|')
  const device = openSync(controlDevice, 'r+')
  try {
    writeSync(device, Buffer.from(line, 'utf16le'))
    const reply = Buffer.alloc(maximumReply)
    const length = readSync(device, reply, 0, reply.length, null)
    const status = reply.readUInt32LE(0)
    if (status !== 0) throw new Error(`${line}: status 0x${status.toString(16).padStart(8, '0')}`)
    return reply.subarray(4, length)
  } finally {
    closeSync(device)
  }
}
