/** The control device of hostfs.sys, the file system below the driver: text commands in, NTSTATUS and a result out. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const controlDevice = '\\\\.\\PsHostFsControl'
const maximumReply = 4096

/** A command that the file system refused. */
export class CommandStatus extends Error {
  constructor(
    line: string,
    readonly status: number,
  ) {
    super(`${line}: status 0x${status.toString(16).padStart(8, '0')}`)
  }
}

/** Has the file system carry out a command, and returns the result's bytes. Throws when the status is not STATUS_SUCCESS. */
export function command(...words: readonly string[]): Buffer {
  const line = words.join('|')
  const device = openSync(controlDevice, 'r+')
  try {
    writeSync(device, Buffer.from(line, 'utf16le'), 0, undefined, 0)
    const reply = Buffer.alloc(maximumReply)
    const length = readSync(device, reply, 0, reply.length, 0)
    const status = reply.readUInt32LE(0)
    if (status !== 0) throw new CommandStatus(line, status)
    return reply.subarray(4, length)
  } finally {
    closeSync(device)
  }
}

/** What the file system and the kernel below count: see hostfs/command.c. */
export interface Audit {
  readonly bytes: bigint
  readonly allocations: bigint
  readonly streams: bigint
  readonly contexts: bigint
  readonly references: bigint
}

export function audit(): Audit {
  const counters = command('audit')
  const at = (index: number): bigint => counters.readBigUInt64LE(8 * index)
  return { bytes: at(0), allocations: at(1), streams: at(2), contexts: at(3), references: at(4) }
}
