/** A test of a program that imports what it needs from Vitest. */
import * as runner from 'vitest'
import { expect, test } from 'vitest'
import { matchers, withVolume } from 'per-stream-context/jest'

expect.extend(matchers)
const volume = withVolume({ runner })

test('a context is torn down with its stream', async () => {
  const stream = volume.filter.openStream(volume.writeFile('a.txt'))
  const context = stream.insert({ instance: 1n, data: Buffer.from('one\ntwo') })
  expect(stream).toHaveContext({ instance: 1n })
  expect(stream).not.toHaveContexts(2)
  expect([stream]).toEqual([expect.toSupportContexts()])
  expect(() => expect(stream).toHaveContext({ instance: 1n, data: Buffer.from('one\nthree') })).toThrow('- three')
  expect(() => expect(stream).not.toHaveContexts(1)).toThrow('expect(stream).not.toHaveContexts(count)')
  await expect(context).not.toBeTornDown({ within: 20 })
  await expect(expect(context).toBeTornDown({ within: 20 })).rejects.toThrow(
    'still there: owner 0, instance 1, 7 bytes',
  )
  stream.close()
  await expect(context).toBeTornDown()
  await expect(() => volume.filter.statistics()).toLeaveNoContexts()
})

test('this one leaves a context, and fails', () => {
  volume.filter.openStream(volume.writeFile('a.txt')).insert({ instance: 1n })
})
