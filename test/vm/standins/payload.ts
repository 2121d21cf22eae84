/** What the recipe copies to a machine whose programs are stand-ins: files with nothing in them. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Payload } from '../recipe'

export function makeEmptyPayload(directory: string, driver: string): Payload {
  const file = (name: string) => join(directory, name)
  for (const name of ['node.exe', driver, 'psctx-selftest.exe']) writeFileSync(file(name), name)
  execFileSync('tar', ['-cf', file('payload.tar'), '-C', directory, 'node.exe'])
  return { archive: file('payload.tar'), driver: file(driver), selfTest: file('psctx-selftest.exe') }
}
