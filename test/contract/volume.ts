/** What the contract suite needs of a volume, and the volumes that the embedded kernel mounts. */
import { openFilter, type Filter, type FilterOptions, type Front, type KernelName } from '../../src/index'
import { mountNtfsImage } from '../../src/ntfs-image'

/**
/**
 * What a volume may lack. A paging file is at `pagefile.sys`; the rules for names are those of Windows for files and drives; a drive letter
 * is the volume's `root`; the list lock is one that the driver can take, for `inspect()`; allocation faults are those that can be asked for.
 */
export type VolumeFeature =
  | 'paging file'
  | 'long paths'
  | 'name rules'
  | 'drive letter'
  | 'list lock'
  | 'tracking by name'
  | 'dismount'
  | 'allocation faults'

/** Acts on the files of a volume, beside the filter. */
export interface VolumeFiles {
  write(path: string, data: Uint8Array): void
  mkdir(path: string): void
  rename(from: string, to: string): void
  link(existing: string, newPath: string): void
  unlink(path: string): void
  dismount(): void
  /** Lets the `countdown`-th pool allocation from now on fail; 0 switches that off. */
  setAllocationFault(countdown: number): void
}

export interface ContractVolume {
  readonly kernel: KernelName
  /** By which the driver hears of what is done on it. */
  readonly front: Front
  /** What paths on the volume begin with, such as a drive letter with its colon. */
  readonly root: string
  /** The directory of the volume that files are made in, from its root on, such as `\\made`; the root itself if there is none. */
  readonly directory?: string
  /** The volume itself. */
  readonly volumePath: string
  /** What a directory is opened by. */
  directoryPath(path: string): string
  /** A named pipe. */
  readonly pipe: string
  /** Opens a filter, with the volume mounted. */
  open(options?: Pick<FilterOptions, 'readOnly'>): Filter
  files(filter: Filter): VolumeFiles
  /** How many volumes the driver is attached to. */
  attachedVolumes(): number
  /** Has another process insert contexts, of either pool, on the stream at `path`, and die with them. */
  insertAndDie(path: string, filter: Filter): Promise<void>
  /** Throws if the driver holds something that it should have given back; called after each test, when all filters are closed. */
  check(): void | Promise<void>
  dispose(): void
}

/** A volume of the embedded kernel. */
function hostVolume(
  front: Front,
  root: string,
  open: (options?: Pick<FilterOptions, 'readOnly'>) => Filter,
  dispose: () => void,
): ContractVolume {
  return {
    kernel: 'host',
    front,
    root,
    volumePath: root,
    directoryPath: (path) => path,
    pipe: '\\\\.\\pipe\\psctx-contract',
    open,
    files({ host }) {
      return {
        write: (path, data) => host!.writeFile(path, data),
        mkdir: (path) => host!.mkdir(path),
        rename: (from, to) => host!.rename(from, to),
        link: (existing, newPath) => host!.link(existing, newPath),
        unlink: (path) => host!.unlink(path),
        dismount: () => host!.dismount(root),
        setAllocationFault: (countdown) => host!.setAllocationFault(countdown),
      }
    },
    attachedVolumes: () => 1,
    check: () => undefined, // closing the last filter has done that
    insertAndDie(path) {
      const filter = open()
      try {
        const stream = filter.openStream(path)
        stream.insert({ instance: 1n, pool: 'nonpaged', data: Buffer.alloc(1000) })
        stream.insert({ instance: 2n, data: Buffer.alloc(1000) })
        filter.host!.killProcess()
        expect(() => stream.lookup()).toThrow('STATUS_PROCESS_IS_TERMINATING')
      } finally {
        filter.close()
      }
      return Promise.resolve()
    },
    dispose,
  }
}

export function memoryVolume(front: Front = 'legacy'): ContractVolume {
  return hostVolume(
    front,
    'M:',
    (options) => openFilter({ kernel: 'host', front, volumes: { 'M:': { type: 'memory' } }, ...options }),
    () => undefined,
  )
}

/** A new NTFS volume, and the directory below which its files can be seen without the filter. */
export function ntfsVolume(front: Front = 'legacy'): ContractVolume & { readonly mountPoint: string } {
  const image = mountNtfsImage(64)
  const mountPoint = image.directory
  const volumes = { 'N:': { type: 'directory', path: mountPoint } } as const
  const volume = hostVolume(
    front,
    'N:',
    (options) => openFilter({ kernel: 'host', front, volumes, ...options }),
    () => image.dispose(),
  )
  return { ...volume, mountPoint }
}
