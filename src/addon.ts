/**
 * Where the addon `psctx.node` is: the file that the environment variable PSCTX_ADDON_PATH names, else what was built in this checkout, else
 * the package's prebuilt one for this platform. Where there is none, the error names the platform and says what to do.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'

export type CLibrary = 'glibc' | 'musl'

export interface Platform {
  /** As `process.platform` and `process.arch` have them. */
  readonly system: string
  readonly architecture: string
  /** What Node.js is linked with on Linux; undefined where that cannot be told. */
  readonly libc?: CLibrary | undefined
}

/** The version of glibc that the addons for Linux need. */
const oldestGlibc = '2.28'

/** The package's top level, seen from src/ and from dist/. */
const packageRoot = join(__dirname, '..')

const remedy =
  'Build one in a clone of the repository with `npm run build`, and name it in the environment variable PSCTX_ADDON_PATH.'

/** The C library of an ELF program, by its interpreter; undefined when it has none, or is no such program. Throws when it cannot be read. */
export function libcOf(program: string): CLibrary | undefined {
  const file = openSync(program, 'r')
  const read = (position: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    readSync(file, bytes, 0, length, position)
    return bytes
  }
  try {
    const header = read(0, 64)
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined // 64 bits, little-endian
    const [table, size, count] = [header.readBigUInt64LE(32), header.readUInt16LE(54), header.readUInt16LE(56)]
    for (let index = 0; index < count; index += 1) {
      const segment = read(Number(table) + index * size, 56)
      const [type, isInterpreter] = [segment.readUInt32LE(0), 3]
      if (type !== isInterpreter) continue
      const path = read(Number(segment.readBigUInt64LE(8)), Math.min(Number(segment.readBigUInt64LE(32)), 4096))
      return basename(path.toString('latin1')).startsWith('ld-musl-') ? 'musl' : 'glibc'
    }
    return undefined
  } finally {
    closeSync(file)
  }
}

function thisPlatform(): Platform {
  const { platform: system, arch: architecture, execPath } = process
  if (system !== 'linux') return { system, architecture }
  try {
    return { system, architecture, libc: libcOf(execPath) }
  } catch {
    return { system, architecture } // loading tells what is wrong
  }
}

function describe({ system, architecture, libc }: Platform): string {
  return `${system}-${architecture}${libc === undefined ? '' : ` with ${libc}`}`
}

function unavailable(message: string, options?: ErrorOptions): Error {
  return Object.assign(new Error(`per-stream-context: ${message}`, options), { code: 'ERR_ADDON_UNAVAILABLE' })
}

/** The prebuilt addon of a platform, within the package; its tags are those of node-gyp-build. Throws where there is none. */
export function prebuiltAddon(platform: Platform): string {
  const { system, architecture, libc } = platform
  const isBuilt = ['win32', 'linux'].includes(system) && ['x64', 'arm64'].includes(architecture) && libc !== 'musl'
  if (!isBuilt) {
    throw unavailable(
      `There is no prebuilt addon for ${describe(platform)}, but for win32-x64, win32-arm64, and linux-x64 and linux-arm64 with glibc. ${remedy}`,
    )
  }
  return join('prebuilds', `${system}-${architecture}`, system === 'linux' ? 'psctx.glibc.node' : 'psctx.node')
}

/** The path of the addon. Throws an error with the code ERR_ADDON_UNAVAILABLE where there is none. */
export function addonPath(): string {
  const named = process.env['PSCTX_ADDON_PATH']
  if (named !== undefined && named !== '') {
    const path = resolve(named)
    if (!existsSync(path)) throw unavailable(`PSCTX_ADDON_PATH names ${path}, which is not there.`)
    return path
  }
  const built = join(packageRoot, 'build', 'Release', 'psctx.node')
  if (existsSync(built)) return built
  const path = join(packageRoot, prebuiltAddon(thisPlatform()))
  if (!existsSync(path)) {
    throw unavailable(
      `${path} is not there. Install the package again, and let a bundler leave it out of the bundle. ${remedy}`,
    )
  }
  return path
}

/** Whether it is this package's addon, and of this version: its records lie in its memory where the package takes them to be. */
function isOurs(addon: unknown, layout: Readonly<Record<string, number>>): boolean {
  const { open, layout: told } = (addon ?? {}) as { open?: unknown; layout?: Readonly<Record<string, unknown>> }
  return typeof open === 'function' && Object.entries(layout).every(([name, place]) => told?.[name] === place)
}

/**
 * The addon itself, whose memory is laid out so. Throws an error with the code ERR_ADDON_UNAVAILABLE where there is none, where it does not
 * load, and where it is another one.
 */
export function loadAddon(layout: Readonly<Record<string, number>> = {}): unknown {
  const path = addonPath()
  let addon: unknown
  try {
    addon = createRequire(__filename)(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const needed =
      process.platform === 'linux' ? `, which for a prebuilt one must have glibc ${oldestGlibc} or later` : ''
    throw unavailable(`${path} does not load on ${describe(thisPlatform())}${needed}: ${reason}. ${remedy}`, {
      cause: error,
    })
  }
  if (!isOurs(addon, layout)) {
    throw unavailable(`${path} is not the addon of this version of the package. ${remedy}`)
  }
  return addon
}
