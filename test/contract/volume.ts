/** The volumes that the contract suite runs on: how to have one, and how to open a filter with it mounted. */
import { openFilter, type Filter, type FilterOptions } from '../../src/index'
import { mountNtfsImage } from '../../src/ntfs-image'

export interface ContractVolume {
  /** The drive letter with its colon. */
  readonly drive: string
  /** A stream that the file system keeps free of filter contexts, if it has one. */
  readonly pagingFile?: string
  open(options?: Pick<FilterOptions, 'readOnly'>): Filter
  dispose(): void
}

export function memoryVolume(): ContractVolume {
  return {
    drive: 'M:',
    pagingFile: 'M:\\pagefile.sys',
    open: (options) => openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } }, ...options }),
    dispose: () => undefined,
  }
}

/** A new NTFS volume, and the directory below which its files can be seen without the filter. */
export function ntfsVolume(): ContractVolume & { readonly directory: string } {
  const image = mountNtfsImage(64)
  const { directory } = image
  return {
    drive: 'N:',
    directory,
    open: (options) =>
      openFilter({ kernel: 'host', volumes: { 'N:': { type: 'directory', path: directory } }, ...options }),
    dispose: () => image.dispose(),
  }
}
