/** Contexts of a file that is opened and closed: a first test. */
import { withVolume } from 'per-stream-context/jest'

const volume = withVolume()

test('a context stays as long as its stream is open, and is torn down with it', async () => {
  const path = volume.writeFile('report.docx')
  using first = volume.filter.openStream(path)
  using second = volume.filter.openStream(path)

  const context = first.insert({ instance: 1n, data: Buffer.from('seen') })
  expect(second).toHaveContext({ instance: 1n, data: Buffer.from('seen') })

  first.close()
  expect(second).toHaveContexts(1)

  second.close()
  await expect(context).toBeTornDown({ within: 4_000 })
})
