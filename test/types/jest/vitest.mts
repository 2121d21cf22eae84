/** A test that imports what it needs from Vitest. */
import { expect, test } from 'vitest'
import * as runner from 'vitest'
import { matchers, withVolume } from 'per-stream-context/jest'

const volume = withVolume({ runner })
expect.extend(matchers)

test('matchers', async () => {
  const stream = volume.filter.openStream(volume.writeFile('a.txt'))
  expect(stream).toSupportContexts()
  expect(stream).toHaveContext({ owner: 7, instance: 1n, data: new Uint8Array(1) })
  expect(stream).not.toHaveContexts(2)
  await expect(Promise.resolve(stream)).resolves.toHaveContexts(1)
  expect([stream]).toEqual([expect.toHaveContext({ instance: 1n }), expect.not.toHaveContexts(1)])
  // @ts-expect-error a number
  expect(stream).toHaveContexts('1')
  // @ts-expect-error an owner is no context
  expect(stream).toHaveContext({ owner: 7 })
  const torn: Promise<void> = expect(stream.insert()).toBeTornDown({ within: 1 })
  await torn
  await expect(async () => Promise.resolve()).not.toLeaveNoContexts()
  // @ts-expect-error milliseconds
  await expect(stream.insert()).toBeTornDown({ within: '1 s' })
})
