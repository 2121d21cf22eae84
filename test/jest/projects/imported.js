/** A test of a program that imports what it needs from @jest/globals. */
const runner = require('@jest/globals')
const { matchers, withVolume } = require('per-stream-context/jest')

const { expect, test } = runner
expect.extend(matchers)
const volume = withVolume({ runner })

test('a context is torn down with its stream', async () => {
  const stream = volume.filter.openStream(volume.writeFile('a.txt'))
  const context = stream.insert({ instance: 1n })
  stream.close()
  await expect(context).toBeTornDown()
})
