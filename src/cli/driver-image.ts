/** The driver's image file: where the package keeps it for each architecture, and for which machine one was built. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Front } from '../index'

import { CommandError } from './win32-error'

/** IMAGE_FILE_MACHINE_*, by the name that Node has for the architecture. */
const machines: ReadonlyMap<number, string> = new Map([
  [0x014c, 'ia32'],
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
])

/** IMAGE_SUBSYSTEM_NATIVE. */
const nativeSubsystem = 1

/** The name of an IMAGE_FILE_MACHINE_* value. */
export function machineName(machine: number): string {
  return machines.get(machine) ?? `machine 0x${machine.toString(16)}`
}

/** The machine that a driver's image is for; undefined when it is none. Reads the headers alone. */
export function imageMachine(image: Buffer): string | undefined {
  const peOffset = 0x3c
  if (image.length < peOffset + 4 || image.toString('latin1', 0, 2) !== 'MZ') return undefined
  const header = image.readUInt32LE(peOffset)
  const subsystem = header + 24 + 68 // in the optional header, which follows signature and file header
  if (subsystem + 2 > image.length || image.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined
  if (image.readUInt16LE(subsystem) !== nativeSubsystem) return undefined
  return machineName(image.readUInt16LE(header + 4))
}

/** Which front an image has: a minifilter's names the module that it imports Filter Manager's routines from. */
export function imageFront(image: Buffer): Front {
  return image.toString('latin1').toLowerCase().includes('fltmgr.sys\0') ? 'minifilter' : 'legacy'
}

/** Where the package may have a driver for an architecture: installed, and in a checkout. */
export function driverCandidates(packageRoot: string, architecture: string, file: string): string[] {
  return [join(packageRoot, 'drivers', architecture, file), join(packageRoot, 'build', 'windows', architecture, file)]
}

/** The package's driver of this file name for an architecture. */
export function findDriver(packageRoot: string, architecture: string, file: string): string {
  const candidates = driverCandidates(packageRoot, architecture, file)
  const found = candidates.find((path) => existsSync(path))
  if (found === undefined) {
    throw new CommandError(
      `The package has no ${file} for ${architecture}: it is at none of ${candidates.join(', ')}. ` +
        'Name one with --driver, or build it with `npm run build:windows`.',
    )
  }
  return found
}

/** The bytes of a driver that runs on this architecture. */
export function readDriver(path: string, architecture: string): Buffer {
  let image: Buffer
  try {
    image = readFileSync(path)
  } catch (error) {
    throw new CommandError(
      `The driver ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}). ` +
        'Name the one to install with --driver.',
      { cause: error },
    )
  }
  const machine = imageMachine(image)
  if (machine === undefined) {
    throw new CommandError(`${path} is no driver image. Name the one to install with --driver.`)
  }
  if (machine !== architecture) {
    throw new CommandError(
      `${path} is a driver for ${machine}, and this machine is ${architecture}. Name the one for ${architecture} with --driver.`,
    )
  }
  return image
}
