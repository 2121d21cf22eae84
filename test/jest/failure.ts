/** What failing assertions say. */
import { stripVTControlCharacters } from 'node:util'

import type { ArgumentError } from '../../src/index'

async function thrownBy(action: () => unknown): Promise<Error> {
  try {
    await action()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The message of the assertion that fails, without colours, and without what differs from run to run. */
export async function messageOf(assertion: () => unknown): Promise<string> {
  const error = await thrownBy(assertion)
  expect(error).not.toHaveProperty('code') // an assertion's, not an argument's
  return stripVTControlCharacters(error.message)
    .replace(/psctx-[-\w]+/g, 'psctx-…')
    .replace(/(HarddiskVolume|process |age of )\d+/g, '$1…')
}

/** The error of an argument that is not what it must be. */
export async function argumentErrorOf(
  action: () => unknown,
): Promise<Pick<ArgumentError, 'code' | 'argument' | 'message'>> {
  const { code, argument, message } = (await thrownBy(action)) as ArgumentError
  return { code, argument, message }
}
