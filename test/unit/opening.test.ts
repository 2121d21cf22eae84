/** Streams that are opened off the event loop. */
import { getEventListeners } from 'node:events'

import { openFilter, PerStreamContextError, Stream, type Filter } from '../../src/index'

let filter: Filter
let handles: number

beforeEach(() => {
  filter = openFilter()
  filter.host!.writeFile('M:\\a', Buffer.from('a'))
  handles = filter.host!.audit().handles
})
afterEach(() => filter.close())

test('openStreamAsync opens what openStream does', async () => {
  const stream = await filter.openStreamAsync('M:\\a')
  expect(stream).toBeInstanceOf(Stream)
  expect(stream.path).toBe('M:\\a')
  stream.insert({ data: Buffer.from('seen') })
  expect(filter.openStream('M:\\a').lookup()?.data.toString()).toBe('seen')
})

test('many are opened at once, and each is another', async () => {
  const streams = await Promise.all(Array.from({ length: 100 }, () => filter.openStreamAsync('M:\\a')))
  streams.forEach((stream, instance) => stream.insert({ instance }))
  expect(filter.host!.audit().handles).toBe(handles + 100)
  for (const stream of streams) stream.close()
  expect(filter.host!.audit().handles).toBe(handles)
})

test('what fails rejects, as openStream throws', async () => {
  await expect(filter.openStreamAsync('M:\\none')).rejects.toMatchObject({
    code: 'STATUS_OBJECT_NAME_NOT_FOUND',
    operation: 'open',
    path: 'M:\\none',
  })
  await expect(filter.openStreamAsync('')).rejects.toBeInstanceOf(PerStreamContextError)
  await expect(filter.openStreamAsync(5 as never)).rejects.toThrow('open: `path` must be a string')
  await expect(filter.openStreamAsync('M:\\a', 5 as never)).rejects.toThrow('open: `options` must be an object')
  const noSignal = { signal: 5 as never }
  await expect(filter.openStreamAsync('M:\\a', noSignal)).rejects.toThrow('open: `signal` must be an AbortSignal')
})

test('an abort before and during the open rejects, and leaves no handle', async () => {
  const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: 'reason' }
  await expect(filter.openStreamAsync('M:\\a', { signal: AbortSignal.abort('reason') })).rejects.toMatchObject(aborted)
  const controller = new AbortController()
  const opening = filter.openStreamAsync('M:\\a', { signal: controller.signal })
  controller.abort('reason')
  await expect(opening).rejects.toMatchObject(aborted)
  await filter.openStreamAsync('M:\\a', { signal: new AbortController().signal }).then((stream) => stream.close())
  while (filter.host!.audit().handles !== handles) await new Promise(setImmediate)
})

test('an open that has ended listens to its signal no more', async () => {
  const { signal } = new AbortController()
  const stream = await filter.openStreamAsync('M:\\a', { signal })
  await expect(filter.openStreamAsync('M:\\none', { signal })).rejects.toThrow()
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  stream.close()
})

test('a filter that is closed meanwhile takes the open along', async () => {
  const other = openFilter()
  const openings = Array.from({ length: 20 }, () => other.openStreamAsync('M:\\a'))
  other.close()
  const ended = await Promise.allSettled(openings)
  for (const end of ended) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'STATUS_FILE_CLOSED' } })
  await expect(other.openStreamAsync('M:\\a')).rejects.toMatchObject({ code: 'STATUS_FILE_CLOSED' })
  expect(filter.host!.audit().handles).toBe(handles)
})
