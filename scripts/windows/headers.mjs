// Copies of those two of mingw-w64's kernel headers that do not know arm64, with the edits that make them right for it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CommandError } from '../run.mjs'
import { mingwHeaders } from './directories.mjs'

/** What ends a choice by architecture; driver/compat/ntifs.h supplies what the driver needs for arm64. */
const refusal = {
  places: 1,
  from: '#else\n#error Unknown Architecture\n#endif\n',
  to: '#elif !defined(_M_ARM64)\n#error Unknown Architecture\n#endif\n',
}

/** Packing and padding of 32-bit structures, IO_STACK_LOCATION among them. arm64 has those of x64. */
const only32Bits = {
  places: 5,
  from: '#if !defined(_AMD64_) && !defined(_IA64_)\n',
  to: '#if !defined(_WIN64)\n',
}

const edits = { 'ntddk.h': [refusal], 'wdm.h': [refusal, only32Bits] }

/** Writes the copies to `directory`, which goes into the include path ahead of the originals. */
export function writeArm64Headers(directory) {
  for (const [name, changes] of Object.entries(edits)) {
    const path = join(mingwHeaders, 'ddk', name)
    let text = readFileSync(path, 'latin1').replaceAll('\r\n', '\n')
    for (const { places, from, to } of changes) {
      const parts = text.split(from)
      if (parts.length - 1 !== places)
        throw new CommandError(`${path} has this in ${parts.length - 1} places, not in ${places} as expected:\n${from}`)
      text = parts.join(to)
    }
    writeFileSync(join(directory, name), text, 'latin1')
  }
}
