// Builds the driver's images with mingw-w64's kernel headers: by clang and lld for every architecture, and by gcc as a check.
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'

import { run, runBeside } from '../run.mjs'
import { clang, clangCompile, clangCompileOptions, clangLinkOptions, compileOptions, linkOptions } from './compile.mjs'
import { driverDirectory, mingwHeaders } from './directories.mjs'
import { writeArm64Headers } from './headers.mjs'
import { driverSources, images, subsystemVersionOf } from './images.mjs'
import { filterManagerLibrary, importLibraries } from './import-libraries.mjs'
import { architectures } from './architectures.mjs'

/**
 * Where the kernel's routines are. On x86 the HAL has those of fast mutexes and of the IRQL, and the kernel has them under other names or not
 * at all: NT 5.2 loads no driver that asks the wrong one of the two. Elsewhere the HAL has nothing that the driver needs.
 */
const modules = [
  ['hal', 'hal.dll'],
  ['ntoskrnl', 'ntoskrnl.exe'],
]

const driverCompileOptions = [
  ...compileOptions,
  // The floating-point and vector registers are the interrupted thread's.
  '-mgeneral-regs-only',
  '-Wframe-larger-than=512',
  '-D_WIN32_WINNT=0x0A00',
  '-DNTDDI_VERSION=0x0A000000',
  `-I${join(driverDirectory, 'compat')}`,
  `-I${join(driverDirectory, 'src')}`,
]

/** What compiler and linker add to guard the stack and indirect calls, and the source that it needs. By clang and lld alone. */
const protection = {
  source: join(driverDirectory, 'compat', 'protection.c'),
  compile: ['-fstack-protector-strong', '-mguard=cf'],
  link: ['-mguard=cf'],
  entry: 'PsctxProtectedEntry',
}

/** What either compiler is asked, with options of its own. */
function optionsOf(options) {
  return [...driverCompileOptions, ...options, '-isystem', join(mingwHeaders, 'ddk')]
}

/** Links an image of what has been compiled in `objects`. */
function link({ image, compiler, options, libraries, more = [], objects }) {
  const units = [...image.sources, ...more].map((path) => basename(path, '.c') + '.o')
  run(compiler, [...options, ...linkOptions, '-o', `${image.name}.sys`, ...units, ...libraries], { cwd: objects })
}

/** The images that are shipped, their PDBs and their INFs, in `directory`. */
export async function buildDriver(architecture, objects, directory) {
  const headers = join(objects, 'include')
  mkdirSync(headers)
  const options = [...clangCompileOptions(architecture), ...protection.compile]
  if (!architecture.mingw) {
    writeArm64Headers(headers)
    options.push('-isystem', 'include') // relative, as a PDB may tell it
  }
  const sources = [...driverSources, protection.source]
  await clangCompile(optionsOf(options), 'ntifs.h', sources, objects)
  const libraries = importLibraries(architecture, objects, modules)
  const filterManager = filterManagerLibrary(architecture, objects)
  for (const image of images) {
    const resource = `${image.name}.res`
    run(
      'x86_64-w64-mingw32-windres',
      [...image.definitions, join(driverDirectory, 'psctx.rc'), '-O', 'res', '-o', resource],
      { cwd: objects },
    )
    link({
      image,
      compiler: clang,
      options: [
        ...clangLinkOptions(architecture, image.name),
        ...protection.link,
        `-Wl,--subsystem,native:${subsystemVersionOf(image, architecture)}`,
        `-Wl,--entry,${architecture.entry(protection.entry, 8)}`,
        '-Wl,-Xlink=/driver',
        '-Xlinker',
        '-Xlink=/section:INIT,ERD', // discarded after DriverEntry
      ],
      libraries: [resource, ...(image.filterManager ? [filterManager] : []), ...libraries],
      more: [protection.source],
      objects,
    })
    for (const ending of ['sys', 'pdb']) {
      copyFileSync(join(objects, `${image.name}.${ending}`), join(directory, `${image.name}.${ending}`))
    }
    copyFileSync(join(driverDirectory, `${image.name}.inf`), join(directory, `${image.name}.inf`))
  }
}

/** The same for x64 by gcc and GNU ld, as a check alone: GNU ld cannot make a section discardable. */
export async function checkDriverWithGcc(objects) {
  const compiler = 'x86_64-w64-mingw32-gcc-posix'
  // The processor's own data is at address zero of a segment, which gcc takes for a null pointer's.
  const options = optionsOf(['-mno-red-zone', '--param=min-pagesize=0'])
  await runBeside(compiler, [...options, '-c', ...driverSources], { cwd: objects })
  const filterManager = filterManagerLibrary(architectures.x64, objects)
  for (const image of images) {
    link({
      image,
      compiler,
      options: [
        `-Wl,--subsystem,native:${subsystemVersionOf(image, architectures.x64)}`,
        '-Wl,--entry,DriverEntry',
        '-Wl,--high-entropy-va',
      ],
      libraries: [...(image.filterManager ? [filterManager] : []), '-lntoskrnl'],
      objects,
    })
  }
}
