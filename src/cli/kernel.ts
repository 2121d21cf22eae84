/** Which kernel a command acts on, and how it comes to its filter and its streams. */
import { statSync } from 'node:fs'

import { InvalidArgumentError, Option, type Command } from 'commander'

import type { Filter, Front, Stream } from '../index'

import { UsageError } from './failure'
import type { Output } from './output'
import type { Runtime, Volumes } from './runtime'
import { CommandError } from './win32-error'

export interface KernelOptions {
  readonly volume?: Volumes
  readonly front?: Front
}

/** What there is when nothing is said. */
const memory: Volumes = { 'M:': { type: 'memory' } }

function addVolume(text: string, volumes: Volumes = {}): Volumes {
  const [, letter, path] = /^([A-Za-z]):(?:=(.+))?$/s.exec(text) ?? []
  if (letter === undefined) {
    throw new InvalidArgumentError('Write DRIVE:=DIRECTORY, such as N:=/mnt/ntfs, or DRIVE: alone for one in memory.')
  }
  const drive = `${letter.toUpperCase()}:`
  if (drive in volumes) throw new InvalidArgumentError(`${drive} is there twice. Give every volume a drive of its own.`)
  return { ...volumes, [drive]: path === undefined ? { type: 'memory' } : { type: 'directory', path } }
}

/** The options that choose the kernel's volumes and front; in the shell they are the shell's. */
export function addKernelOptions(command: Command, runtime: Runtime): Command {
  if (runtime.shell !== undefined) return command
  return command
    .addOption(
      new Option(
        '--volume <volume>',
        'embedded kernel: a volume, N:=/mnt/ntfs (a directory) or P: (in memory); may be repeated',
      ).argParser(addVolume),
    )
    .addOption(
      new Option('--front <front>', 'embedded kernel: as what the driver is loaded (default: legacy)').choices([
        'legacy',
        'minifilter',
      ]),
    )
    .option('-q, --quiet', 'no notes on standard error')
}

function describeVolumes(volumes: Volumes): string {
  return Object.entries(volumes)
    .map(([drive, volume]) =>
      volume.type === 'memory' ? `${drive} is in memory and begins empty` : `${drive} is ${volume.path}`,
    )
    .join(', ')
}

/** Throws where a volume's directory is none. */
function checkDirectories(volumes: Volumes): void {
  for (const [drive, volume] of Object.entries(volumes)) {
    if (volume.type === 'memory' || statSync(volume.path, { throwIfNoEntry: false })?.isDirectory() === true) continue
    throw new CommandError(
      `${volume.path}, which is to be ${drive}, is no directory. Name one that is there with --volume ${drive}=DIRECTORY.`,
    )
  }
}

/** Opens the driver: Windows' own, or in the embedded kernel, which is said then. `ends` says when its contexts end. */
export async function openKernel(
  runtime: Runtime,
  options: KernelOptions,
  output: Output,
  readOnly: boolean,
  ends: string,
): Promise<{ filter: Filter; volumes: Volumes }> {
  const { surroundings } = runtime
  if (runtime.isWindows) {
    if (options.volume !== undefined) {
      throw new UsageError('On Windows there are the volumes of Windows. Leave --volume out.')
    }
    if (options.front !== undefined) {
      throw new UsageError(
        'On Windows the driver is what was installed as: see `psctx driver status`. Leave --front out.',
      )
    }
    return { filter: await surroundings.open({ readOnly }), volumes: {} }
  }
  const volumes = { ...memory, ...options.volume }
  checkDirectories(volumes)
  const { front } = options
  const filter = await surroundings.open({ kernel: 'host', volumes, front, readOnly })
  const as = front === 'minifilter' ? ', with the driver as a minifilter' : ''
  output.note(`embedded kernel, in this process alone${as}: ${describeVolumes(volumes)}; ${ends}.`)
  return { filter, volumes }
}

/** What a command may do on its filter. */
export interface Access {
  readonly filter: Filter
  readonly volumes: Volumes
}

/** Opens the driver for one command, or takes the shell's. */
export async function withFilter(
  runtime: Runtime,
  options: KernelOptions,
  output: Output,
  readOnly: boolean,
  action: (access: Access) => Promise<void> | void,
): Promise<void> {
  if (runtime.shell !== undefined) return action(runtime.shell)
  const ends = 'its contexts end with this command (`psctx shell` keeps them)'
  const access = await openKernel(runtime, options, output, readOnly, ends)
  try {
    await action(access)
  } finally {
    access.filter.close()
  }
}

/** What to do about a path that begins with no drive, off Windows; undefined for one that does. */
export function adviseDrive(path: string): string | undefined {
  if (/^[A-Za-z]:/.test(path) || path.startsWith('\\\\')) return undefined
  const named = path === '' ? 'What has no name' : path
  return `${named} is on no volume of the embedded kernel. Make its directory one with --volume N:=DIRECTORY, and name it from there on, as N:/ or N:/file.`
}

/** The drive of a path on a volume in memory. */
function memoryDrive(path: string, volumes: Volumes): string | undefined {
  const drive = /^(?:\\\\[?.]\\)?([A-Za-z]:)/.exec(path)?.[1]?.toUpperCase()
  return drive !== undefined && volumes[drive]?.type === 'memory' ? drive : undefined
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Makes a file on a volume in memory, with its directories, where there is none yet. */
function makeFile({ filter, volumes }: Access, path: string): void {
  if (memoryDrive(path, volumes) === undefined || path.endsWith(':')) return
  const steps = path.replace(/^\\\\[?.]\\/, '').split(/[\\/]+/)
  const last = steps.pop()
  for (let depth = 2; depth <= steps.length; depth += 1) {
    try {
      filter.host!.mkdir(steps.slice(0, depth).join('\\'))
    } catch (error) {
      if (!isCode(error, 'STATUS_OBJECT_NAME_COLLISION')) throw error
    }
  }
  if (last !== '') filter.host!.openFile(path, { access: ['attributes'], disposition: 'open-if' }).close()
}

/**
 * Opens a stream for one command, or takes the one that the shell keeps open by that name. `close` closes it early, and tells whether
 * contexts were torn down by that. With `make`, a file that is not there is made on a volume that begins empty.
 */
export async function withStream(
  runtime: Runtime,
  { filter, volumes }: Access,
  path: string,
  action: (stream: Stream, close: () => boolean) => Promise<void> | void,
  { make = false } = {},
): Promise<void> {
  const handle = runtime.shell?.handles.get(path)
  if (handle !== undefined) return action(handle, () => false)
  runtime.shell?.paths.add(path)
  let stream: Stream
  try {
    if (make && runtime.shell === undefined) makeFile({ filter, volumes }, path)
    stream = filter.openStream(path)
  } catch (error) {
    if (runtime.shell === undefined && !runtime.isWindows && /^[A-Za-z]:[^\\/]/.test(path)) {
      const advice = 'Quote it, since a shell takes backslashes away, or write it as M:/directory/file.'
      throw new CommandError(`${path} is no full path, which has a backslash after the drive. ${advice}`, {
        cause: error,
      })
    }
    if (runtime.shell !== undefined && isCode(error, 'STATUS_OBJECT_PATH_SYNTAX_BAD') && /^[\w-]+$/.test(path)) {
      throw new CommandError(
        `There is no handle ${path}, and it is no full path. \`handles\` tells those that are open.`,
        {
          cause: error,
        },
      )
    }
    const advice = runtime.shell === undefined && !runtime.isWindows ? adviseDrive(path) : undefined
    if (advice !== undefined) throw new CommandError(advice, { cause: error })
    const isMissing = isCode(error, 'STATUS_OBJECT_NAME_NOT_FOUND', 'STATUS_OBJECT_PATH_NOT_FOUND')
    const drive = memoryDrive(path, volumes)
    if (runtime.shell !== undefined || !isMissing || drive === undefined) throw error
    throw new CommandError(
      `There is no ${path}: ${drive} is in memory, and begins empty with every command. Name a file of a directory with --volume N:=DIRECTORY, or write and open it in \`psctx shell\`.`,
      { cause: error },
    )
  }
  try {
    await action(stream, () => {
      const before = filter.statistics().session.tornDown
      stream.close()
      return filter.statistics().session.tornDown > before
    })
  } finally {
    stream.close()
  }
}
