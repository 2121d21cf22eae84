/** The addon as the CLI needs it: found and loaded when a command asks for it, so that its absence can be reported. */
import { join } from 'node:path'

import { loadAddon } from '../addon'
import type { ServiceManager } from './service'
import type { System } from './system'

/** The package's top level, in a checkout and where it is installed. */
export const packageRoot = join(__dirname, '..', '..')

/** What psctx.node has on Windows beyond what the facade uses. */
export interface WindowsAddon {
  readonly service: ServiceManager
  readonly system: System
}

/** Throws when there is none for this platform, or when it does not load. */
export function loadWindowsAddon(): WindowsAddon {
  return loadAddon() as WindowsAddon
}
