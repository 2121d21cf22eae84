// Import libraries: mingw-w64's own, or for arm64, where it has none, ones with the names that it has for x64; and Filter Manager's.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, run } from '../run.mjs'
import { architectures } from './architectures.mjs'
import { driverDirectory } from './directories.mjs'

/** The names that an import library of mingw-w64's for x64 has. */
function namesIn(library) {
  const path = join(architectures.x64.mingw, `lib${library}.a`)
  const { status, output } = capture('llvm-nm-19', ['--just-symbol-name', '--defined-only', '--quiet', path])
  if (status !== 0) throw new CommandError(`${path} cannot be read`)
  const names = output.split('\n').flatMap((line) => /^__imp_(\w+)$/.exec(line)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** Makes an arm64 import library of these names in `directory`, and returns its name there. */
function makeArm64Library(directory, module, names) {
  const definitions = `${module}.def`
  const library = `lib${module}.a`
  writeFileSync(join(directory, definitions), `LIBRARY ${module}\nEXPORTS\n${names.join('\n')}\n`)
  run('llvm-dlltool-19', ['-m', 'arm64', '-D', module, '-d', definitions, '-l', library], { cwd: directory })
  return library
}

/**
 * What the linker, at work in `directory`, is given for these modules, each its library's name and its own. Where two have a routine, the
 * first is asked for it. What is made has a name without a path, since a PDB tells it.
 */
export function importLibraries(architecture, directory, modules) {
  if (architecture.mingw) return modules.map(([library]) => join(architecture.mingw, `lib${library}.a`))
  return modules.map(([library, module]) => makeArm64Library(directory, module, namesIn(library)))
}

/** Makes Filter Manager's in `directory`, and returns its name there. Only on x86 does a name tell the bytes of its arguments. */
export function filterManagerLibrary(architecture, directory) {
  const definitions = readFileSync(join(driverDirectory, 'compat', 'fltmgr.def'), 'utf8')
  const isX86 = architecture === architectures.x86
  writeFileSync(join(directory, 'fltmgr.def'), isX86 ? definitions : definitions.replace(/@\d+$/gm, ''))
  const options = ['-m', architecture.dlltool, '-D', 'fltmgr.sys', '-d', 'fltmgr.def', '-l', 'libfltmgr.a']
  run('llvm-dlltool-19', isX86 ? [...options, '--kill-at'] : options, { cwd: directory })
  return 'libfltmgr.a'
}
