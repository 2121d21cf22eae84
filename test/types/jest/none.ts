/** A program that has neither Jest nor Vitest, and runs hooks of its own. */
import { openFilter } from 'per-stream-context'
import {
  matchers,
  watched,
  withVolume,
  type ExpectedContext,
  type TestRunner,
  type TestVolume,
} from 'per-stream-context/jest'

const runner: TestRunner = {
  beforeEach: (action: () => void, timeout?: number) => [action, timeout],
  afterEach: (action: () => Promise<void>) => action(),
}
const volume: TestVolume = withVolume({ runner, within: 100 })
const path: string = volume.writeFile('a.txt', 'text') + volume.directory
export const expected: ExpectedContext = { instance: 1n, data: Buffer.from(path) }
// @ts-expect-error which context is meant must be said
export const unnamed: ExpectedContext = { data: Buffer.from(path) }
export const names = Object.keys(matchers).map((name: string) => name)
watched(openFilter()).close()
