// The compiler and linker options that the driver and the kernel self-test share, and what of clang's differs by architecture.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root, runBeside } from '../run.mjs'
import { driverDirectory, mingwHeaders } from './directories.mjs'

export const clang = 'clang-19'

/** For gcc as well. */
export const compileOptions = [
  '-std=c11',
  '-O2',
  '-g',
  '-ffreestanding',
  '-fno-ident',
  '-fno-strict-aliasing',
  // No C library: nothing that checks the stack or grows it.
  '-fno-stack-protector',
  '-mno-stack-arg-probe',
  // Unwind data for every function: the kernel unwinds through any of them.
  '-fasynchronous-unwind-tables',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Werror',
  // The same bytes from any checkout.
  `-ffile-prefix-map=${root}=.`,
  `-I${join(driverDirectory, 'include')}`,
]

/** Start-up code and libraries are named, none is implied; data and code are on pages of their own. */
export const linkOptions = [
  '-nostdlib',
  '-nostartfiles',
  '-Wl,--dynamicbase',
  '-Wl,--nxcompat',
  '-Wl,--no-insert-timestamp',
]

export function clangCompileOptions(architecture) {
  return [
    `--target=${architecture.target}`,
    ...architecture.compile,
    '-gcodeview',
    '-gno-codeview-command-line',
    '-fdebug-compilation-dir=.',
    '-fms-extensions',
    // A header of clang's that mingw-w64 includes warns of its own deprecation.
    '-Wno-#warnings',
    '-nostdlibinc',
    '-idirafter',
    mingwHeaders,
  ]
}

/** Compiles `sources` with clang in `objects`, after `header`, once for all of them: most of the time for a source goes into the system's headers. */
export async function clangCompile(options, header, sources, objects) {
  writeFileSync(join(objects, 'header.h'), `#include <${header}>\n`)
  const precompile = ['-x', 'c-header', 'header.h', '-o', 'header.pch']
  const compile = ['-include-pch', 'header.pch', '-c', ...sources]
  // What lies in `objects` is named likewise wherever that is.
  const common = [...options, `-ffile-prefix-map=${objects}=.`]
  for (const command of [precompile, compile]) await runBeside(clang, [...common, ...command], { cwd: objects })
}

export function clangLinkOptions(architecture, name) {
  return [
    `--target=${architecture.target}`,
    '-fuse-ld=lld-19',
    ...architecture.link,
    '-Wl,-Xlink=/release', // with a checksum
    `-Wl,--pdb=${name}.pdb`,
    `-Wl,-Xlink=/pdbaltpath:${name}.pdb`, // what the image says of where that is
    '-Wl,-Xlink=/pdbsourcepath:.',
  ]
}
