/** Finds out what `psctx doctor` judges. Nothing here changes anything, and nothing that fails keeps the rest from being told. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { openFilter, type StreamSupport } from '../index'
import type { WindowsAddon } from './addon'
import type { DriverFacts, Fact, HostFacts, WindowsFacts } from './doctor'
import { readEvents } from './event-log'
import {
  allowUnloadValue,
  altitudeValue,
  blockLegacyFilters,
  filterManager,
  findInstalled,
  registrations,
  serviceKey,
} from './service'
import { type Drive, driveType } from './system'
import { isWin32Error, win32ErrorName } from './win32-error'

/** What an action comes to, or why it failed. */
export function find<T>(what: string, action: () => T): Fact<T> {
  try {
    return { value: action() }
  } catch (error) {
    if (isWin32Error(error)) {
      const code = win32ErrorName(error.win32)
      return { failure: `${what}: ${code} (${error.win32})`, code }
    }
    if (!(error instanceof Error)) return { failure: `${what}: ${String(error)}` }
    return { failure: error.message, code: (error as NodeJS.ErrnoException).code }
  }
}

const control = String.raw`SYSTEM\CurrentControlSet\Control`
const sevenDays = 7 * 24 * 60 * 60 * 1000
const blockQuery = `*[System[Provider[@Name='Microsoft-Windows-Kernel-IO'] and EventID=1205 and TimeCreated[timediff(@SystemTime) <= ${sevenDays}]]]`
const newestEvents = 5

/** The drives whose root is opened: no network drive, whose server may let one wait. */
function isAsked({ type, win32 }: Drive): boolean {
  return win32 === undefined && type !== driveType.remote
}

function askDriver(drives: readonly Drive[]): DriverFacts {
  const filter = openFilter({ kernel: 'windows', readOnly: true })
  try {
    const roots = new Map<string, Fact<StreamSupport>>()
    for (const { drive } of drives.filter(isAsked)) {
      const fact = find(`${drive} could not be opened`, () => {
        const stream = filter.openStream(`${drive}\\`)
        try {
          return stream.support()
        } finally {
          stream.close()
        }
      })
      roots.set(drive, fact)
    }
    return { version: filter.version, statistics: filter.statistics(), roots }
  } finally {
    filter.close()
  }
}

/** The state of a Windows system. */
export function findWindowsFacts({ service, system }: WindowsAddon): WindowsFacts {
  const registry = (what: string, key: string, value: string) =>
    find(`${what} could not be read`, () => system.readDword(key, value))
  const drives = find('The drives could not be listed', () => system.drives())
  return {
    elevated: find('The rights could not be determined', () => system.elevated()),
    nativeMachine: find('The architecture could not be determined', () => system.nativeMachine()),
    service: find('The service could not be queried', () => findInstalled(service)[0]),
    filterManager: find('Filter Manager could not be looked for', () => service.query(filterManager)),
    altitude: find('The altitude could not be read', () =>
      system.readString(serviceKey(registrations.minifilter.service, altitudeValue.key), altitudeValue.name),
    ),
    allowUnload: registry(allowUnloadValue, serviceKey(registrations.legacy.service), allowUnloadValue),
    driver: find('The driver could not be asked', () => askDriver('value' in drives ? drives.value : [])),
    codeIntegrity: find('Code integrity could not be queried', () => system.codeIntegrity()),
    secureBoot: registry('The state of Secure Boot', `${control}\\SecureBoot\\State`, 'UEFISecureBootEnabled'),
    blockLegacyFilters: registry(blockLegacyFilters.name, blockLegacyFilters.key, blockLegacyFilters.name),
    blockEvents: find('The System log could not be read', () => readEvents('System', blockQuery, newestEvents)),
    drives,
  }
}

/** Does what the embedded kernel is for; throws when anything of it is not as it should be. */
function exerciseHostKernel(): string {
  const filter = openFilter({ kernel: 'host' })
  try {
    const path = 'M:\\doctor.txt:notes'
    filter.host?.writeFile('M:\\doctor.txt', Buffer.from('file'))
    filter.host?.writeFile(path, Buffer.from('stream'))
    const stream = filter.openStream(path)
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    const found = stream.lookup({ instance: 1n })?.data.toString()
    if (found !== 'seen') throw new Error(`A lookup found ${String(found)} instead of what was inserted.`)
    stream.remove({ instance: 1n })
    stream.close()
    const { contexts } = filter.statistics().total
    if (contexts !== 0) throw new Error(`${contexts} contexts were left.`)
    return filter.version
  } finally {
    filter.close() // audits the kernel as a whole
  }
}

function isOnPath(program: string): boolean {
  const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  return path.split(delimiter).some((directory) => existsSync(join(directory, program)))
}

/** What a system without a driver offers. */
export function findHostFacts(): HostFacts {
  return {
    kernel: find('The embedded kernel failed', exerciseHostKernel),
    ntfs3g: isOnPath('ntfs-3g'),
    fuse: existsSync('/dev/fuse'),
    root: process.getuid?.() === 0,
  }
}
