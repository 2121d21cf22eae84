// Builds psctx-selftest.exe, the test of the driver that runs on a Windows machine without anything installed there.
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { root, run } from '../run.mjs'
import { clang, clangCompile, clangCompileOptions, clangLinkOptions, compileOptions, linkOptions } from './compile.mjs'
import { importLibraries } from './import-libraries.mjs'

const sources = join(root, 'test', 'kernel')

/** What every Windows since NT 5.2 has; no C library. */
const modules = ['kernel32', 'ntdll', 'advapi32'].map((name) => [name, `${name}.dll`])

/** Builds it from every source in test/kernel. */
export async function buildSelfTest(architecture, objects, directory) {
  const names = readdirSync(sources)
    .filter((name) => name.endsWith('.c'))
    .sort()
  const options = [
    ...clangCompileOptions(architecture),
    ...compileOptions,
    '-D_WIN32_WINNT=0x0502',
    '-DWINVER=0x0502',
    `-I${sources}`,
  ]
  const paths = names.map((name) => join(sources, name))
  await clangCompile(options, 'nt.h', paths, objects)
  run(
    clang,
    [
      ...clangLinkOptions(architecture, 'psctx-selftest'),
      ...linkOptions,
      `-Wl,--subsystem,console:${architecture.subsystemVersion}`,
      // A cdecl routine without arguments.
      `-Wl,--entry,${architecture.entry('mainCRTStartup', 0).replace(/@0$/, '')}`,
      '-o',
      'psctx-selftest.exe',
      ...names.map((name) => name.replace(/\.c$/, '.o')),
      ...importLibraries(architecture, objects, modules),
    ],
    { cwd: objects },
  )
  copyFileSync(join(objects, 'psctx-selftest.exe'), join(directory, 'psctx-selftest.exe'))
}
