/** LIST_VOLUMES: the volumes that the driver's file system filter knows. */
import * as abi from '../abi'
import { statusName, type StatusCode } from '../errors'

import { encodeHeader } from './header'
import { type Memory, nameOf } from './memory'

/**
 * Whether the filter is attached to a volume: `'attached'`; `'snapshot'`, a volume shadow copy, which is left alone; or
 * `'failed'`, with a status.
 */
export type VolumeAttachment = 'attached' | 'snapshot' | 'failed'

/** A volume that is mounted. */
export interface Volume {
  /** Unique while the volume is mounted; grows with every volume that is attached to. */
  readonly number: bigint
  /** The storage device, such as `\Device\HarddiskVolume3`. */
  readonly device: string
  /** The drives that stand for it, such as `['C:']`. */
  readonly mountPoints: readonly string[]
  /** The file system's driver, such as `\FileSystem\Ntfs`. */
  readonly fileSystem: string
  /** Whether the filter is attached to it. */
  readonly attachment: VolumeAttachment
  /** Why it could not be attached to, such as `'STATUS_ACCESS_DENIED'`. */
  readonly status?: StatusCode
  /** Whether the file system's driver is able to tear contexts down. */
  readonly tearsDown: boolean
  /** Contexts of every session on this volume. */
  readonly contexts: number
  /** Bytes of pool that these take. */
  readonly bytes: number
  /** The device's type, `FILE_DEVICE_…` of the WDK. */
  readonly deviceType: number
}

/** A volume as the driver tells it. */
export type KnownVolume = Omit<Volume, 'mountPoints'>

const attachments: readonly VolumeAttachment[] = ['attached', 'snapshot', 'failed']

export function encodeListVolumes(memory: Memory, after: bigint): void {
  encodeHeader(memory, 0, abi.operation.listVolumes, abi.volumesRequest.size)
  memory.setUint64(abi.volumesRequest.after, after)
}

/** Appends the entries of one page, and returns how many more there are. */
export function decodeVolumes(memory: Memory, offset: number, volumes: KnownVolume[]): number {
  let entry = offset + abi.volumesReply.size
  for (let count = memory.uint32(offset + abi.volumesReply.count); count > 0; count -= 1) {
    volumes.push(decodeVolume(memory, entry))
    entry += memory.uint32(entry + abi.volumeEntry.entrySize)
  }
  return memory.uint32(offset + abi.volumesReply.remaining)
}

function decodeVolume(memory: Memory, entry: number): KnownVolume {
  const { volumeEntry } = abi
  const names = entry + volumeEntry.size
  const deviceLength = memory.uint32(entry + volumeEntry.deviceNameLength)
  const fileSystemLength = memory.uint32(entry + volumeEntry.fileSystemLength)
  memory.checkRecord(entry, volumeEntry.size + deviceLength + fileSystemLength)
  const attachment = nameOf(attachments, memory.uint32(entry + volumeEntry.attachment))
  return {
    number: memory.uint64(entry + volumeEntry.number),
    device: memory.text(names, deviceLength),
    fileSystem: memory.text(names + deviceLength, fileSystemLength),
    attachment,
    ...(attachment === 'failed' ? { status: statusName(memory.uint32(entry + volumeEntry.status)) } : undefined),
    tearsDown: memory.uint32(entry + volumeEntry.tearsDown) !== 0,
    contexts: memory.counter(entry + volumeEntry.contexts),
    bytes: memory.counter(entry + volumeEntry.bytes),
    deviceType: memory.uint32(entry + volumeEntry.deviceType),
  }
}
