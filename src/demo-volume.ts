/** The volume that the demonstration runs on: a new NTFS volume mounted by ntfs-3g where that can be had, else one in memory. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { VolumeDefinition } from './index'

export interface DemoVolume {
  readonly drive: string
  /** What it is, for people. */
  readonly description: string
  readonly definition: VolumeDefinition
  /** Unmounts it and deletes its image. */
  dispose(): void
}

/** Why no NTFS volume can be mounted here, or undefined. `PSCTX_NO_NTFS` may hold a reason found before. */
function obstacle(): string | undefined {
  const known = process.env['PSCTX_NO_NTFS']
  if (known !== undefined && known !== '') return known
  if (process.getuid?.() !== 0) return 'mounting an NTFS image needs root'
  if (!existsSync('/dev/fuse')) return '/dev/fuse is not there'
  return undefined
}

function memoryVolume(reason: string): DemoVolume {
  return {
    drive: 'M:',
    description: `a memory volume of the embedded kernel (no NTFS volume: ${reason})`,
    definition: { type: 'memory' },
    dispose: () => undefined,
  }
}

/** A 16 MiB NTFS volume in an image file, whose named streams ntfs-3g shows as `file:name`. */
function ntfsVolume(): DemoVolume {
  const base = mkdtempSync(join(tmpdir(), 'psctx-demo-'))
  const image = join(base, 'volume.img')
  const mount = join(base, 'mount')
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: searchPath() } })
  }
  try {
    writeFileSync(image, '')
    truncateSync(image, 16 << 20)
    mkdirSync(mount)
    run('mkntfs', '-F', '-Q', '-q', image)
    run('ntfs-3g', '-o', 'streams_interface=windows', image, mount)
  } catch (error) {
    rmSync(base, { recursive: true })
    throw error
  }
  return {
    drive: 'N:',
    description: `a real NTFS volume (${image}, mounted by ntfs-3g)`,
    definition: { type: 'directory', path: mount },
    dispose() {
      run('fusermount', '-u', mount)
      rmSync(base, { recursive: true })
    },
  }
}

/** mkntfs lies in a directory that is not on everybody's path. */
function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
}

/** Makes the volume. Falls back to memory, with the reason in the description, where NTFS cannot be had. */
export function makeDemoVolume(): DemoVolume {
  const reason = obstacle()
  if (reason !== undefined) return memoryVolume(reason)
  try {
    return ntfsVolume()
  } catch (error) {
    return memoryVolume(error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : String(error))
  }
}
