// `npm run build:windows [-- DIRECTORY]`: builds the Windows binaries from Linux into build/windows, or into DIRECTORY.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'

import { CommandError, root, run } from './run.mjs'
import { installDependencies, provide } from './setup.mjs'

const driver = join(root, 'driver')

/** The driver's sources, in an order that does not depend on the file system. */
const sources = readdirSync(join(driver, 'src'))
  .filter((name) => name.endsWith('.c'))
  .sort()

const compileOptions = [
  '-std=c11',
  '-O2',
  '-g',
  '-ffreestanding',
  '-fno-ident',
  '-fno-strict-aliasing',
  // No C library: nothing that checks the stack or grows it, and an interrupt may use what is below the stack pointer.
  '-fno-stack-protector',
  '-mno-stack-arg-probe',
  '-mno-red-zone',
  // Unwind data for every function: the kernel unwinds through any of them.
  '-fasynchronous-unwind-tables',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Werror',
  '-Wframe-larger-than=512',
  // The same bytes from any checkout.
  `-ffile-prefix-map=${root}=.`,
  '-D_WIN32_WINNT=0x0A00',
  '-DNTDDI_VERSION=0x0A000000',
  `-I${join(driver, 'compat')}`,
  `-I${join(driver, 'include')}`,
  `-I${join(driver, 'src')}`,
  '-isystem',
  '/usr/x86_64-w64-mingw32/include/ddk',
]

/** A kernel image: no start-up code, no library but the kernel's, data and code on pages of their own. */
const linkOptions = [
  '-nostdlib',
  '-nostartfiles',
  '-Wl,--subsystem,native:10.0',
  '-Wl,--entry,DriverEntry',
  '-Wl,--dynamicbase',
  '-Wl,--nxcompat',
  '-Wl,--high-entropy-va',
  '-Wl,--no-insert-timestamp',
]

/** An empty directory at this path. */
function emptied(directory) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  return directory
}

/**
 * Compiles the driver in `objects` and links it there with its version resource to psctx.sys. Names are relative: a PDB, and by
 * its hash the image, tells the command that made it.
 */
function buildDriver({ compiler, compile, link, objects }) {
  const options = { cwd: objects }
  run(compiler, [...compile, ...compileOptions, '-c', ...sources.map((name) => join(driver, 'src', name))], options)
  run('x86_64-w64-mingw32-windres', [join(driver, 'psctx.rc'), '-O', 'coff', '-o', 'psctx.res.o'], options)
  const units = [...sources.map((name) => name.replace(/\.c$/, '.o')), 'psctx.res.o']
  run(compiler, [...link, ...linkOptions, '-o', 'psctx.sys', ...units, '-lntoskrnl'], options)
}

/** The driver that is shipped, by clang and lld, with its PDB. */
function buildWithClang(objects, directory) {
  const target = '--target=x86_64-w64-windows-gnu'
  buildDriver({
    compiler: 'clang-19',
    compile: [
      target,
      '-gcodeview',
      '-gno-codeview-command-line',
      '-fdebug-compilation-dir=.',
      '-fms-extensions',
      // A header of clang's that mingw-w64 includes warns of its own deprecation.
      '-Wno-#warnings',
    ],
    link: [
      target,
      '-fuse-ld=lld-19',
      '-Wl,-Xlink=/driver',
      '-Wl,-Xlink=/release', // with a checksum
      '-Xlinker',
      '-Xlink=/section:INIT,ERD', // discarded after DriverEntry
      '-Wl,--pdb=psctx.pdb',
      '-Wl,-Xlink=/pdbaltpath:psctx.pdb', // what the image says of where that is
      '-Wl,-Xlink=/pdbsourcepath:.',
    ],
    objects,
  })
  for (const name of ['psctx.sys', 'psctx.pdb']) copyFileSync(join(objects, name), join(directory, name))
}

/** The same by gcc and GNU ld, as a check alone: GNU ld cannot make a section discardable. */
function buildWithGcc(objects) {
  buildDriver({ compiler: 'x86_64-w64-mingw32-gcc-posix', compile: [], link: [], objects })
}

/** The addon, whose transport is then that of Windows. */
function buildAddon(objects, directory) {
  const toolchain = join(root, 'binding', 'mingw-x64.cmake')
  const options = [`-DCMAKE_TOOLCHAIN_FILE=${toolchain}`, '-DCMAKE_BUILD_TYPE=Release', '-DPSCTX_TESTS=OFF']
  run('cmake', ['-S', root, '-B', objects, ...options])
  run('cmake', ['--build', objects, '--parallel', String(availableParallelism())])
  copyFileSync(join(objects, 'Release', 'psctx.node'), join(directory, 'psctx.node'))
}

/** Builds everything below `output`; `output/x64` has what is to be copied to a Windows machine. */
function buildWindows(output) {
  const reasons = provide(['build', 'windows'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
  installDependencies()
  const directory = emptied(join(output, 'x64'))
  buildWithGcc(emptied(join(output, 'objects', 'driver-gcc')))
  buildWithClang(emptied(join(output, 'objects', 'driver-clang')), directory)
  copyFileSync(join(driver, 'psctx.inf'), join(directory, 'psctx.inf'))
  buildAddon(emptied(join(output, 'objects', 'addon')), directory)
}

try {
  buildWindows(resolve(process.argv[2] ?? join(root, 'build', 'windows')))
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
