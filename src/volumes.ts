/** The volumes that the driver's file system filter knows, and how callers name one. */
import { decodeVolumes, encodeListVolumes, type KnownVolume, type Volume } from './codec/volumes'
import { statusOf } from './errors'
import { layout } from './native'
import { toNamespacePath } from './path'
import { answerError, reply, type Session } from './session'

const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode('A'.charCodeAt(0) + index))
const noSuchDrive = statusOf('STATUS_OBJECT_NAME_NOT_FOUND') | 0

/** What drive letters stand for: a device by its name, and the drives. */
function findDrives(session: Session): Map<string, string[]> {
  const drives = new Map<string, string[]>()
  for (const letter of letters) {
    const device = session.native.queryDrive(letter)
    if (typeof device === 'string') {
      const key = device.toLowerCase()
      drives.set(key, [...(drives.get(key) ?? []), `${letter}:`])
    } else if (device !== noSuchDrive) {
      throw answerError(device, 'volumes')
    }
  }
  return drives
}

/** Asks for the volumes, and puts their drives to them. */
export function listVolumes(session: Session): Volume[] {
  const volumes: KnownVolume[] = []
  for (let after = 0n; ;) {
    const told = volumes.length
    encodeListVolumes(session.memory, after)
    session.request(session.native.listVolumes, layout.replyLength, 'volumes')
    const remaining = decodeVolumes(session.memory, reply, volumes)
    if (remaining === 0 || volumes.length === told) break
    after = volumes.at(-1)!.number
  }
  const drives = findDrives(session)
  return volumes.map((volume) => ({ ...volume, mountPoints: drives.get(volume.device.toLowerCase()) ?? [] }))
}

/** Opens a file of the volume that is meant: of a drive, its root directory. */
export function openVolume(session: Session, volume: unknown, operation: string): number {
  const isDrive = typeof volume === 'string' && /^[A-Za-z]:$/.test(volume)
  const path = toNamespacePath(isDrive ? `${volume}\\` : volume, operation, 'volume')
  return session.openStream(path, operation, volume as string)
}
