// Copies of those two of mingw-w64's kernel headers that do not know arm64, with the one edit that makes them accept it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError } from '../run.mjs'
import { mingwHeaders } from './directories.mjs'

/** What ends their choice by architecture; driver/compat/ntifs.h supplies what the driver needs for arm64. */
const refusal = '#else\n#error Unknown Architecture\n#endif\n'
const acceptance = '#elif !defined(_M_ARM64)\n#error Unknown Architecture\n#endif\n'

/** Writes the copies to `directory`, which goes into the include path ahead of the originals. */
export function writeArm64Headers(directory) {
  for (const name of ['ntddk.h', 'wdm.h']) {
    const path = join(mingwHeaders, 'ddk', name)
    const parts = readFileSync(path, 'latin1').replaceAll('\r\n', '\n').split(refusal)
    if (parts.length !== 2)
      throw new CommandError(
        `${path} refuses unknown architectures in ${parts.length - 1} places, not in one as expected`,
      )
    writeFileSync(join(directory, name), parts.join(acceptance), 'latin1')
  }
}
