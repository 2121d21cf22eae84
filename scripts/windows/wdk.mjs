// Builds the driver's images with clang-cl and lld-link against a Windows Driver Kit that the user has, without driver/compat.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

import { CommandError, root, run } from '../run.mjs'
import { architectures } from './architectures.mjs'
import { clang } from './compile.mjs'
import { driverDirectory, emptied } from './directories.mjs'
import { driverSources, images, subsystemVersionOf } from './images.mjs'
import { writeOverlay } from './overlay.mjs'

/** How deep below the kit's directory its parts may be: packages lay out PACKAGE/c/Include/VERSION/km. */
const maximumDepth = 6

/** Every directory below `directory` that has this file, whatever the case of its name. */
function directoriesWith(directory, file, depth = maximumDepth) {
  const entries = readdirSync(directory, { withFileTypes: true })
  const here = entries.some((entry) => entry.name.toLowerCase() === file) ? [directory] : []
  const below = entries.filter((entry) => entry.isDirectory() && depth > 0)
  return [...here, ...below.flatMap((entry) => directoriesWith(join(directory, entry.name), file, depth - 1))]
}

/** The one of them that ends in this path, of the highest version if there are several. */
function newest(directories, ending) {
  const byVersion = new Intl.Collator('en', { numeric: true })
  return directories
    .filter((path) => path.toLowerCase().endsWith(ending))
    .sort(byVersion.compare)
    .at(-1)
}

/** The kit's directories of headers, the compiler's own last. */
function findHeaders(kit) {
  const parts = [
    ['ntifs.h', '/km'],
    ['ntdef.h', '/shared'],
    ['excpt.h', '/km/crt'],
  ]
  return parts.map(([file, ending]) => {
    const directory = newest(directoriesWith(kit, file), ending)
    if (directory === undefined) throw new CommandError(`${kit} has no Include${ending} with ${file}: not a driver kit`)
    return directory
  })
}

/** The libraries to link with, or undefined where the kit has none for the architecture. */
function findLibraries(kit, { libraries }) {
  const directory = newest(directoriesWith(kit, 'ntoskrnl.lib'), `/km/${libraries}`)
  if (directory === undefined) return undefined
  const files = readdirSync(directory)
  const find = (...names) => files.find((file) => names.includes(file.toLowerCase()))
  // The stack's cookie, initialised by the entry point that comes with its check. FastFailK needs Windows 8.
  const cookie = find('bufferoverflowk.lib') ?? find('bufferoverflowfastfailk.lib')
  if (cookie === undefined) throw new CommandError(`${directory} has no BufferOverflowK.lib`)
  // The HAL before the kernel: on x86 both libraries of a newer kit may have a routine that NT 5.2 has in the HAL alone.
  const names = [cookie, find('hal.lib'), find('ntoskrnl.lib')]
  const filterManager = find('fltmgr.lib')
  if (filterManager === undefined) throw new CommandError(`${directory} has no FltMgr.lib`)
  return {
    kernel: names.filter((name) => name !== undefined).map((name) => join(directory, name)),
    filterManager: join(directory, filterManager),
  }
}

function compile(wdk, headers, overlay, objects) {
  const options = [
    `--target=${wdk.target}`,
    '/c',
    '/std:c11',
    '/O2',
    '/Z7',
    '/W4',
    '/WX',
    '/kernel',
    '/GS',
    '/Brepro',
    '/clang:-mgeneral-regs-only',
    ...wdk.compile,
    '-DNTDDI_VERSION=0x0A000010',
    '-D_WIN32_WINNT=0x0A00',
    ...headers.flatMap((directory) => ['-imsvc', directory]),
    '-Xclang',
    '-ivfsoverlay',
    '-Xclang',
    overlay,
    `/clang:-ffile-prefix-map=${root}=.`,
    `-I${join(driverDirectory, 'include')}`,
    `-I${join(driverDirectory, 'src')}`,
  ]
  // Behind '--': a path that begins with a slash may look like an option.
  run(clang, ['--driver-mode=cl', ...options, '--', ...driverSources], { cwd: objects })
}

function link(image, architecture, libraries, objects) {
  const { wdk } = architecture
  const resource = `${image.name}.res`
  run(
    'x86_64-w64-mingw32-windres',
    [...image.definitions, join(driverDirectory, 'psctx.rc'), '-O', 'res', '-o', resource],
    { cwd: objects },
  )
  const options = [
    '/driver',
    '/nologo',
    `/machine:${wdk.machine}`,
    `/subsystem:native,${subsystemVersionOf(image, architecture).replace(/\.(\d)$/, '.0$1')}`,
    '/entry:GsDriverEntry',
    '/nodefaultlib',
    '/release',
    '/opt:ref',
    '/dynamicbase',
    '/nxcompat',
    '/section:INIT,ERD',
    '/debug',
    `/pdb:${image.name}.pdb`,
    `/pdbaltpath:${image.name}.pdb`,
    '/pdbsourcepath:.',
    '/brepro',
    ...wdk.link,
    `/out:${image.name}.sys`,
  ]
  const units = image.sources.map((path) => `${basename(path, '.c')}.obj`)
  const imported = [...(image.filterManager ? [libraries.filterManager] : []), ...libraries.kernel]
  run('lld-link-19', [...options, ...units, resource, ...imported], { cwd: objects })
}

/**
 * Compiles the driver for every architecture in `output/<architecture>`, and links it for those that the kit has libraries for, one at
 * least; with `check` it is only compiled, for which headers alone are enough.
 */
export function buildWithKit(kit, output, check) {
  const headers = findHeaders(kit)
  const overlay = join(emptied(output), 'overlay.json')
  writeOverlay(overlay, headers)
  const linked = []
  for (const [name, architecture] of Object.entries(architectures)) {
    const objects = emptied(join(output, name))
    const libraries = check ? undefined : findLibraries(kit, architecture.wdk)
    compile(architecture.wdk, headers, overlay, objects)
    if (libraries !== undefined) {
      for (const image of images) link(image, architecture, libraries, objects)
      linked.push(name)
    }
    console.log(
      `${name}: ${libraries === undefined ? 'compiled' : images.map((image) => join(objects, `${image.name}.sys`)).join(', ')}`,
    )
  }
  if (!check && linked.length === 0)
    throw new CommandError(`${kit} has no Lib/VERSION/km/ARCHITECTURE with ntoskrnl.lib; --check needs none`)
}
