// Builds what lets the driver's images run under Wine: the proxy kernel, the file system hostfs.sys, Filter Manager, a library that Node.js needs.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { CommandError, capture, root, run } from '../../scripts/run.mjs'

const windows = join(root, 'test', 'windows')
const host = join(root, 'driver', 'host')
const tool = (name) => `x86_64-w64-mingw32-${name}`

/** Where the proxy finds Wine's own kernel, as a library beside it. */
const wineKernel = 'ntosbase'

/** The directory of Wine's own Windows images. */
export function findWineImages() {
  const candidates = [
    '/usr/lib/x86_64-linux-gnu/wine',
    '/usr/lib/wine',
    '/usr/lib64/wine',
    '/opt/wine-stable/lib64/wine',
  ]
  const directory = candidates.map((path) => join(path, 'x86_64-windows')).find((path) => existsSync(path))
  if (directory === undefined) throw new CommandError(`no Wine here: looked in ${candidates.join(', ')}`)
  return directory
}

/** The routines and variables that an image of Wine's really has. One it does not have is exported as a stub that ends the process. */
function listWineExports(image) {
  const stubs = new Set(capture(tool('nm'), [image]).output.match(/(?<=__wine_stub_)\S+/g))
  const table = capture(tool('objdump'), ['-p', image]).output.split('[Ordinal/Name Pointer] Table')[1] ?? ''
  const names = [...table.matchAll(/^\s*\[ *\d+\].*?(\S+)$/gm)].map(([, name]) => name)
  if (names.length === 0) throw new CommandError(`${image}: its exports cannot be told`)
  return names.filter((name) => !stubs.has(name))
}

/** Wine's kernel under another name, without the mark that makes Wine load its own instead. */
function copyWineKernel(image, target) {
  const bytes = readFileSync(image)
  const mark = bytes.indexOf('Wine builtin DLL', 0, 'latin1')
  if (mark < 0 || mark > 0x100) throw new CommandError(`${image} is not marked as a part of Wine`)
  bytes.fill(0, mark, mark + 'Wine builtin DLL'.length)
  writeFileSync(target, bytes)
}

const compile = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Werror',
  '-Wno-multichar',
  '-fno-strict-aliasing',
  `-ffile-prefix-map=${root}=.`,
  '-include',
  join(windows, 'kernel', 'image.h'),
  `-I${join(windows, 'kernel')}`,
  `-I${join(windows, 'hostfs')}`,
  `-I${join(host, 'fsd')}`,
  `-I${host}`,
  `-I${join(host, 'include')}`,
  `-I${join(root, 'driver', 'include')}`,
]
/** A kernel image: no C library. */
const compileDriver = ['-ffreestanding', '-fno-stack-protector', '-mno-stack-arg-probe', '-mno-red-zone']
const link = [
  '-Wl,--no-insert-timestamp',
  '-Wl,--disable-auto-image-base',
  '-Wl,--dynamicbase',
  '-Wl,--nxcompat',
  '-Wl,--high-entropy-va',
  '-s',
]

function objectsOf(sources, options, directory) {
  mkdirSync(directory, { recursive: true })
  run(tool('gcc-posix'), [...compile, ...options, '-c', ...sources], { cwd: directory })
  return readdirSync(directory)
    .filter((name) => name.endsWith('.o'))
    .sort()
    .map((name) => join(directory, name))
}

const sourcesIn = (directory) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => join(directory, name))

function importLibrary(name, lines, library, directory) {
  const definition = join(directory, `${library}.def`)
  writeFileSync(definition, `LIBRARY ${name}\nEXPORTS\n${lines.join('\n')}\n`)
  run(tool('dlltool'), ['-d', definition, '-l', join(directory, `lib${library}.a`)])
}

/** driver/host's sources that are the proxy kernel's too. */
const kernelSources = ['bugcheck.c', 'csq.c', 'fsrtl.c', 'irql.c', 'pin.c', 'pool.c', 'share.c'].map((name) =>
  join(host, name),
)

function buildKernel(image, objects, directory) {
  const names = listWineExports(image)
  const own = readFileSync(join(windows, 'kernel', 'kernel.def'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
  const ownNames = new Set(own.map((line) => line.split(' ')[0]))
  const forwarders = names.filter((name) => !ownNames.has(name)).map((name) => `${name} = ${wineKernel}.${name}`)

  importLibrary(
    `${wineKernel}.dll`,
    names.map((name) => (ownNames.has(name) ? `Wine${name} == ${name}` : name)),
    wineKernel,
    objects,
  )
  importLibrary('ntdll.dll', ['__wine_dbg_output'], 'wine-ntdll', objects)
  writeFileSync(join(objects, 'proxy.def'), `LIBRARY ntoskrnl.exe\nEXPORTS\n${[...own, ...forwarders].join('\n')}\n`)
  const units = objectsOf([...sourcesIn(join(windows, 'kernel')), ...kernelSources], [], join(objects, 'kernel'))
  run(tool('gcc-posix'), [
    ...link,
    '-shared',
    '-static',
    '-o',
    join(directory, 'ntoskrnl.exe'),
    ...units,
    join(objects, 'proxy.def'),
    `-L${objects}`,
    `-l${wineKernel}`,
    '-lwine-ntdll',
    '-lntdll',
  ])
  copyWineKernel(image, join(directory, `${wineKernel}.dll`))
  return [...ownNames, ...names.filter((name) => !ownNames.has(name))]
}

/** The file systems' sources but those that only a Unix machine has, and those of the embedded kernel's own start. */
function fileSystemSources() {
  const others = new Set(['directory.c', 'directory_name.c', 'pipe.c', 'start.c'])
  return sourcesIn(join(host, 'fsd')).filter((path) => !others.has(path.slice(join(host, 'fsd').length + 1)))
}

/** Links a driver of the proxy kernel's. */
function linkDriver(name, units, objects, directory) {
  run(tool('gcc-posix'), [
    ...link,
    '-nostdlib',
    '-nostartfiles',
    '-Wl,--subsystem,native:10.0',
    '-Wl,--entry,DriverEntry',
    '-o',
    join(directory, name),
    ...units,
    `-L${objects}`,
    '-lntoskrnl-proxy',
  ])
}

function buildFileSystem(objects, directory) {
  const units = [
    ...objectsOf(fileSystemSources(), compileDriver, join(objects, 'fsd')),
    ...objectsOf(
      [...sourcesIn(join(windows, 'hostfs')), join(windows, 'kernel', 'request.c')],
      compileDriver,
      join(objects, 'hostfs'),
    ),
  ]
  linkDriver('hostfs.sys', units, objects, directory)
}

/** Filter Manager's sources but those of its start in the embedded kernel, and of a minifilter that the tests there have. */
function filterManagerSources() {
  const others = new Set(['marker.c', 'start.c'])
  return sourcesIn(join(host, 'fltmgr')).filter((path) => !others.has(basename(path)))
}

/** Returns what it exports. */
function buildFilterManager(objects, directory) {
  const exports = readFileSync(join(host, 'fltmgr', 'exports.h'), 'utf8').match(/(?<=^FLTP_EXPORT\()\w+/gm)
  const definition = join(objects, 'fltmgr.def')
  writeFileSync(definition, `LIBRARY fltmgr.sys\nEXPORTS\n${exports.join('\n')}\n`)
  const options = [...compileDriver, '-DHOST_THREAD_LOCAL=']
  const units = [
    ...objectsOf([...filterManagerSources(), join(host, 'irql.c')], options, join(objects, 'fltmgr')),
    ...objectsOf(sourcesIn(join(windows, 'fltmgr')), options, join(objects, 'fltmgr-driver')),
  ]
  linkDriver('fltmgr.sys', [...units, definition], objects, directory)
  return exports
}

/** Builds everything into `directory`, from which wine.mjs takes it. */
export function buildWineParts(directory) {
  const image = join(findWineImages(), 'ntoskrnl.exe')
  const objects = join(directory, 'objects')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(objects, { recursive: true })
  const exports = buildKernel(image, objects, directory)
  importLibrary('ntoskrnl.exe', exports, 'ntoskrnl-proxy', objects)
  buildFileSystem(objects, directory)
  const filterManager = buildFilterManager(objects, directory)
  const known = [...exports, ...listWineExports(join(findWineImages(), 'hal.dll')), ...filterManager]
  writeFileSync(join(directory, 'exports'), known.join('\n'))
  run(tool('gcc'), [
    ...link,
    '-O2',
    '-shared',
    '-o',
    join(directory, 'bcryptprimitives.dll'),
    join(windows, 'bcryptprimitives.c'),
    '-ladvapi32',
  ])
}
