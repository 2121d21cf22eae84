/** The volumes that the driver's file system filter knows. */
import type { Replies } from './codec'
import type { NativeFilter } from './native'

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
  readonly attachment: VolumeAttachment
  /** Why it could not be attached to, such as `'STATUS_ACCESS_DENIED'`. */
  readonly status?: string
  /** Whether the file system's driver is able to tear contexts down. */
  readonly tearsDown: boolean
  /** Contexts of every session on this volume, and the bytes that they take. */
  readonly contexts: number
  readonly bytes: number
  /** The device's type, `FILE_DEVICE_…` of the WDK. */
  readonly deviceType: number
}

/** Asks for the volumes, and puts their drives to them. */
export function listVolumes(filter: NativeFilter, replies: Replies): Volume[] {
  const drives = filter.drives()
  const volumes: Volume[] = []
  for (let after = 0n; ;) {
    filter.listVolumes(after)
    const page = replies.volumes(0)
    for (const volume of page.volumes) {
      const device = volume.device.toLowerCase()
      const mountPoints = drives.filter(([, target]) => target.toLowerCase() === device).map(([drive]) => drive)
      volumes.push({ ...volume, mountPoints })
      after = volume.number
    }
    if (page.remaining === 0 || page.volumes.length === 0) return volumes
  }
}
