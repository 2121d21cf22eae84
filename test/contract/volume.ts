/** The volumes that the contract suite runs on: how to have one, and how to open a filter with it mounted. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openFilter, type Filter, type FilterOptions } from '../../src/index'

export interface ContractVolume {
  /** The drive letter with its colon. */
  readonly drive: string
  /** A stream that the file system keeps free of filter contexts, if it has one. */
  readonly pagingFile?: string
  /** The directory below which the volume's files can be seen without the filter, if they can. */
  readonly directory?: string
  prepare(): void
  dispose(): void
  open(options?: Pick<FilterOptions, 'readOnly'>): Filter
}

export function memoryVolume(): ContractVolume {
  return {
    drive: 'M:',
    pagingFile: 'M:\\pagefile.sys',
    prepare: () => undefined,
    dispose: () => undefined,
    open: (options) => openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } }, ...options }),
  }
}

/** Why a real NTFS volume cannot be mounted here, or undefined. */
export function ntfsObstacle(): string | undefined {
  if (process.env['PSCTX_NO_NTFS']) return process.env['PSCTX_NO_NTFS']
  if (process.platform !== 'linux') return 'ntfs-3g is for Linux'
  if (process.getuid?.() !== 0) return 'mounting needs root'
  if (!existsSync('/dev/fuse')) return '/dev/fuse is not there'
  return undefined
}

/** A new NTFS volume in an image file, mounted with ntfs-3g so that named streams are files `name:stream`. */
export function ntfsVolume(): ContractVolume {
  const base = mkdtempSync(join(tmpdir(), 'psctx-ntfs-'))
  const image = join(base, 'volume.img')
  const directory = join(base, 'mount')
  return {
    drive: 'N:',
    directory,
    prepare() {
      writeFileSync(image, '')
      truncateSync(image, 64 << 20)
      execFileSync('mkntfs', ['-F', '-Q', '-q', image], { stdio: 'pipe' })
      execFileSync('mkdir', [directory])
      execFileSync('ntfs-3g', ['-o', 'streams_interface=windows', image, directory], { stdio: 'pipe' })
    },
    dispose() {
      execFileSync('fusermount', ['-u', directory], { stdio: 'pipe' })
      rmSync(base, { recursive: true })
    },
    open: (options) =>
      openFilter({ kernel: 'host', volumes: { 'N:': { type: 'directory', path: directory } }, ...options }),
  }
}
