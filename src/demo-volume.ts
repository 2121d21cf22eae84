/** The volume that the demonstration runs on: a new NTFS volume where that can be had, else one in memory. */
import type { VolumeDefinition } from './index'
import { mountNtfsImage, ntfsObstacle } from './ntfs-image'

export interface DemoVolume {
  readonly drive: string
  /** What it is, for people. */
  readonly description: string
  readonly definition: VolumeDefinition
  /** Unmounts it and deletes its image. */
  dispose(): void
}

function memoryVolume(reason: string): DemoVolume {
  return {
    drive: 'M:',
    description: `a memory volume of the embedded kernel (no NTFS volume: ${reason})`,
    definition: { type: 'memory' },
    dispose: () => undefined,
  }
}

/** Makes the volume. Falls back to memory, with the reason in the description, where NTFS cannot be had. */
export function makeDemoVolume(): DemoVolume {
  const obstacle = ntfsObstacle()
  if (obstacle !== undefined) return memoryVolume(obstacle)
  try {
    const volume = mountNtfsImage(16)
    return {
      drive: 'N:',
      description: `a real NTFS volume (${volume.image}, mounted by ntfs-3g)`,
      definition: { type: 'directory', path: volume.directory },
      dispose: () => {
        volume.dispose()
      },
    }
  } catch (error) {
    return memoryVolume(error instanceof Error ? error.message : String(error))
  }
}
