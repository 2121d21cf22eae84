/** A test of a program that uses Jest's globals. */
/* global describe, expect, it, test */
const { openFilter, Stream } = require('per-stream-context')
const { watched, withFilter, withVolume } = require('per-stream-context/jest')

describe('with a volume', () => {
  const volume = withVolume()

  test('a context is torn down with its stream', async () => {
    const stream = volume.filter.openStream(volume.writeFile('a.txt', 'text'))
    expect(stream).toBeInstanceOf(Stream)
    expect(stream).toSupportContexts()
    const context = stream.insert({ instance: 1n, data: Buffer.from('seen') })
    expect(stream).toHaveContext({ instance: 1n, data: Buffer.from('seen') })
    expect([stream]).toEqual([expect.toHaveContexts(1)])
    stream.close()
    await expect(context).toBeTornDown()
  })

  test('this one leaves a context, and fails', () => {
    volume.filter.openStream(volume.writeFile('a.txt')).insert({ instance: 1n })
  })
})

describe('with a filter', () => {
  const setUp = withFilter()

  it('leaves nothing', async () => {
    expect(setUp.filter.volumes()).toHaveLength(1)
    await expect(() => watched(openFilter()).close()).toLeaveNoContexts()
  })
})
