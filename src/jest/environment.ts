/** The kernel and the volume that tests run on, from the environment. */
import { type FilterOptions, type KernelName, valueError } from '../index'

/** Where tests run. */
export interface TestEnvironment {
  readonly kernel: KernelName
  /** Such as `'T:'`; undefined on Windows where nothing is said: the volume of the directory for temporary files. */
  readonly drive: string | undefined
  /** The directory that the embedded kernel serves as the volume; undefined: the volume is in memory. */
  readonly directory: string | undefined
}

/**
 * Reads `PSCTX_KERNEL`, `host` or `windows` (Windows' own on Windows, the embedded one elsewhere when nothing is said), and
 * `PSCTX_VOLUME`: a drive such as `T:`, which on the embedded kernel is in memory, or there also `N:=/mnt/ntfs`, a drive and the
 * directory that it stands for.
 */
export function readEnvironment(operation: string): TestEnvironment {
  const { PSCTX_KERNEL: kernel = process.platform === 'win32' ? 'windows' : 'host', PSCTX_VOLUME: volume } = process.env
  if (kernel !== 'host' && kernel !== 'windows') {
    throw valueError(operation, 'PSCTX_KERNEL', `host or windows in the environment, not ${JSON.stringify(kernel)}`)
  }
  if (volume === undefined) return { kernel, drive: kernel === 'host' ? 'M:' : undefined, directory: undefined }
  const [, drive, directory] = /^([A-Za-z]:)(?:=(.+))?$/.exec(volume) ?? []
  if (drive === undefined || (kernel === 'windows' && directory !== undefined)) {
    const expected =
      kernel === 'windows' ? 'a drive such as T:' : 'a drive such as M:, or one with its directory, N:=/mnt/ntfs,'
    throw valueError(operation, 'PSCTX_VOLUME', `${expected} in the environment, not ${JSON.stringify(volume)}`)
  }
  return { kernel, drive, directory }
}

/** How a filter is opened there. */
export function toFilterOptions({ kernel, drive, directory }: TestEnvironment): FilterOptions {
  if (kernel === 'windows' || drive === undefined) return { kernel }
  return {
    kernel,
    volumes: { [drive]: directory === undefined ? { type: 'memory' } : { type: 'directory', path: directory } },
  }
}
