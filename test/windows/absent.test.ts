/** While the driver is stopped. */
import { openFilter, PerStreamContextError } from '../../src/index'

test('openFilter says that the driver is not running, and what to do', () => {
  let error: unknown
  try {
    openFilter()
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(PerStreamContextError)
  expect(error).toMatchObject({ code: 'STATUS_OBJECT_NAME_NOT_FOUND', operation: 'openFilter' })
  expect((error as Error).message).toContain('not running: install and start it')
})

test('the embedded kernel is not there instead', () => {
  expect(() => openFilter({ kernel: 'host' })).toThrow('STATUS_NOT_SUPPORTED')
})
