/** A directory of a test's own, on the volume that tests run on. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { Filter } from '../index'

import type { TestEnvironment } from './environment'

export interface TestDirectory {
  /** As filters have it, such as `M:\psctx-1f0c`. */
  readonly path: string
  writeFile(path: string, data: Uint8Array): void
  remove(): void
}

const prefix = 'psctx-'

/** Removes a tree; Node.js tries again where somebody, such as a scanner, still has a file open. */
function removal(directory: string): () => void {
  return () => {
    rmSync(directory, { recursive: true, maxRetries: 10 })
  }
}

/** Makes a directory. The filter is one of that environment's. */
export function makeTestDirectory(
  { drive, directory }: TestEnvironment,
  { host }: Pick<Filter, 'host'>,
): TestDirectory {
  if (host === undefined) {
    const path = mkdtempSync(drive === undefined ? join(tmpdir(), prefix) : `${drive}\\${prefix}`)
    return { path, writeFile: writeFileSync, remove: removal(path) }
  }
  const writeFile = host.writeFile.bind(host)
  if (directory !== undefined) {
    const outside = mkdtempSync(join(directory, prefix))
    return { path: `${drive}\\${basename(outside)}`, writeFile, remove: removal(outside) }
  }
  const path = `${drive}\\${prefix}${randomUUID()}`
  host.mkdir(path)
  return { path, writeFile, remove: () => undefined } // the volume goes with its last filter
}
