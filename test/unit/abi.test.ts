/** The facade's knowledge of the ABI is that of the compiled header. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import * as abi from '../../src/abi'

test('every number and offset in src/abi.ts is that of driver/include/psctx/abi.h', () => {
  const program = join(__dirname, '..', '..', 'build', 'Release', 'abi_dump')
  const dump: unknown = JSON.parse(execFileSync(program, { encoding: 'utf8' }))
  expect({ ...abi }).toEqual(dump)
})
