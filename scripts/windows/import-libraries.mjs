// Import libraries: mingw-w64's own, or for arm64, where it has none, ones with the names that it has for x64.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, run } from '../run.mjs'
import { architectures } from './architectures.mjs'

/** The names that an import library of mingw-w64's for x64 has. */
function namesIn(library) {
  const path = join(architectures.x64.mingw, `lib${library}.a`)
  const { status, output } = capture('llvm-nm-19', ['--just-symbol-name', '--defined-only', '--quiet', path])
  if (status !== 0) throw new CommandError(`${path} cannot be read`)
  const names = output.split('\n').flatMap((line) => /^__imp_(\w+)$/.exec(line)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** Makes an arm64 import library of these names in `directory`, and returns its path. */
export function makeArm64Library(directory, module, names) {
  const base = join(directory, module)
  writeFileSync(`${base}.def`, `LIBRARY ${module}\nEXPORTS\n${names.join('\n')}\n`)
  run('llvm-dlltool-19', ['-m', 'arm64', '-D', module, '-d', `${base}.def`, '-l', `${base}.a`])
  return `${base}.a`
}

/** What the linker is given for these modules, each its library's name and its own. The first that has a name is asked for it. */
export function importLibraries(architecture, directory, modules) {
  if (architecture.mingw) return modules.map(([library]) => join(architecture.mingw, `lib${library}.a`))
  return modules.map(([library, module]) => makeArm64Library(directory, module, namesIn(library)))
}
