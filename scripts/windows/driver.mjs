// Builds psctx.sys with mingw-w64's kernel headers: by clang and lld for every architecture, and by gcc as a check.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

import { run } from '../run.mjs'
import { clang, clangCompileOptions, clangLinkOptions, compileOptions, linkOptions } from './compile.mjs'
import { driverDirectory, emptied, mingwHeaders } from './directories.mjs'
import { writeArm64Headers } from './headers.mjs'
import { importLibraries } from './import-libraries.mjs'

/** The driver's sources, in an order that does not depend on the file system. No two have the same name: each object has its source's. */
export const driverSources = readdirSync(join(driverDirectory, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.c'))
  .sort()
  .map((name) => join(driverDirectory, 'src', name))

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

/** Compiles the driver in `objects` and links it there. Names are relative: a PDB, and by its hash the image, tells the command that made it. */
function compileAndLink({ compiler, compile, link, libraries, more = [], objects }) {
  const options = { cwd: objects }
  const sources = [...driverSources, ...more]
  run(compiler, [...driverCompileOptions, ...compile, '-isystem', join(mingwHeaders, 'ddk'), '-c', ...sources], options)
  const units = sources.map((path) => basename(path, '.c') + '.o')
  run(compiler, [...link, ...linkOptions, '-o', 'psctx.sys', ...units, ...libraries], options)
}

/** The driver that is shipped, its PDB and its INF, in `directory`. */
export function buildDriver(architecture, objects, directory) {
  const headers = join(objects, 'include')
  mkdirSync(headers)
  const compile = [...clangCompileOptions(architecture), ...protection.compile]
  if (!architecture.mingw) {
    writeArm64Headers(headers)
    compile.push('-isystem', 'include')
  }
  run('x86_64-w64-mingw32-windres', [join(driverDirectory, 'psctx.rc'), '-O', 'res', '-o', 'psctx.res'], {
    cwd: objects,
  })
  compileAndLink({
    compiler: clang,
    compile,
    link: [
      ...clangLinkOptions(architecture, 'psctx'),
      ...protection.link,
      `-Wl,--subsystem,native:${architecture.subsystemVersion}`,
      `-Wl,--entry,${architecture.entry(protection.entry, 8)}`,
      '-Wl,-Xlink=/driver',
      '-Xlinker',
      '-Xlink=/section:INIT,ERD', // discarded after DriverEntry
    ],
    libraries: ['psctx.res', ...importLibraries(architecture, objects, modules)],
    more: [protection.source],
    objects,
  })
  for (const name of ['psctx.sys', 'psctx.pdb']) copyFileSync(join(objects, name), join(directory, name))
  copyFileSync(join(driverDirectory, 'psctx.inf'), join(directory, 'psctx.inf'))
}

/** The same for x64 by gcc and GNU ld, as a check alone: GNU ld cannot make a section discardable. */
export function checkDriverWithGcc(objects) {
  compileAndLink({
    compiler: 'x86_64-w64-mingw32-gcc-posix',
    // The processor's own data is at address zero of a segment, which gcc takes for a null pointer's.
    compile: ['-mno-red-zone', '--param=min-pagesize=0'],
    link: ['-Wl,--subsystem,native:5.2', '-Wl,--entry,DriverEntry', '-Wl,--high-entropy-va'],
    libraries: ['-lntoskrnl'],
    objects: emptied(objects),
  })
}
