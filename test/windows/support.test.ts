/** Streams of the volume that cannot carry contexts, and why. */
import { openFilter, PerStreamContextError } from '../../src/index'

import { root } from './volume'

test.each([
  ['volume', 'volume'],
  ['pagefile.sys', 'no-filter-contexts'],
  ['common', 'no-advanced-header'],
])('%s: %s', (name, reason) => {
  using filter = openFilter()
  using stream = filter.openStream(`${root}\\${name}`)
  expect(stream.support()).toMatchObject({ supported: false, reason })
  expect(() => stream.insert()).toThrow(PerStreamContextError)
  expect(() => stream.lookup()).toThrow('STATUS_INVALID_DEVICE_REQUEST')
})
