/** What an action throws, which must be of the kind that is asked for. */
import { PerStreamContextError, type ArgumentError } from '../../src/index'

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** What the driver or the kernel said. */
export function failureOf(action: () => unknown): PerStreamContextError {
  const error = thrownBy(action)
  if (error instanceof PerStreamContextError) return error
  throw error
}

/** What is said of an argument that is not what it must be. */
export function argumentErrorOf(action: () => unknown): ArgumentError {
  const error = thrownBy(action)
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error
  expect(error).toHaveProperty('code', error instanceof TypeError ? 'ERR_INVALID_ARG_TYPE' : 'ERR_INVALID_ARG_VALUE')
  return error as ArgumentError
}
