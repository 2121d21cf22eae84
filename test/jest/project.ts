/** Projects of people who have installed this package, and other ones. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const root = join(__dirname, '..', '..')

export interface Project {
  readonly directory: string
  dispose(): void
}

/** Makes a project, with this package as it is installed, with `packages` and with copies of `files`, by their names there. */
export function makeProject(packages: readonly string[], files: Readonly<Record<string, string>>): Project {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-project-'))
  const modules = join(directory, 'node_modules')
  const own = join(modules, 'per-stream-context')
  for (const path of ['package.json', 'dist', join('build', 'Release', 'psctx.node')]) {
    cpSync(join(root, path), join(own, path), { recursive: true })
  }
  for (const name of packages) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  writeFileSync(join(directory, 'package.json'), '{}')
  for (const [name, source] of Object.entries(files)) cpSync(join(root, 'test', source), join(directory, name))
  return { directory, dispose: () => rmSync(directory, { recursive: true }) }
}
