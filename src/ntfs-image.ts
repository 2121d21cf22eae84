/** Real NTFS volumes for the demonstration and the tests: an image file, formatted by mkntfs and mounted by ntfs-3g. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A mounted image. */
export interface NtfsImage {
  readonly image: string
  /** Where it is mounted; a named stream is the file `name:stream` there. */
  readonly directory: string
  /** Unmounts it and deletes the image. */
  dispose(): void
}

/** Why no NTFS volume can be mounted here, or undefined. `PSCTX_NO_NTFS` may hold a reason found before. */
export function ntfsObstacle(): string | undefined {
  const known = process.env['PSCTX_NO_NTFS']
  if (known !== undefined && known !== '') return known
  if (process.platform !== 'linux') return 'ntfs-3g is for Linux'
  if (process.getuid?.() !== 0) return 'mounting an NTFS image needs root'
  if (!existsSync('/dev/fuse')) return '/dev/fuse is not there'
  return undefined
}

/** Runs a program, also from where administrators have theirs, which is not on everybody's path. */
function run(program: string, ...args: string[]): void {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: path } })
}

/** Makes and mounts a new volume. Throws, and leaves nothing behind, when one of the programs does. */
export function mountNtfsImage(megabytes: number): NtfsImage {
  const base = mkdtempSync(join(tmpdir(), 'psctx-ntfs-'))
  const image = join(base, 'volume.img')
  const directory = join(base, 'mount')
  try {
    writeFileSync(image, '')
    truncateSync(image, megabytes << 20)
    mkdirSync(directory)
    run('mkntfs', '-F', '-Q', '-q', image)
    run('ntfs-3g', '-o', 'streams_interface=windows', image, directory)
  } catch (error) {
    rmSync(base, { recursive: true })
    throw error
  }
  return {
    image,
    directory,
    dispose() {
      run('fusermount', '-u', directory)
      rmSync(base, { recursive: true })
    },
  }
}
