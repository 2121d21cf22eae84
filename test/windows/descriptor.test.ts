/** Streams of files that Node.js has open, by handles of its C runtime. */
import { once } from 'node:events'
import { closeSync, openSync, promises, readSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openFilter, PerStreamContextError, type Filter } from '../../src/index'

import { audit } from './control'
import { root, until, writeFile } from './volume'

const path = `${root}\\open.txt`
let filter: Filter

beforeAll(() => writeFile(path, Buffer.from('open')))
beforeEach(() => (filter = openFilter()))
afterEach(() => filter.close())

function failureOf(action: () => unknown): PerStreamContextError {
  try {
    action()
  } catch (error) {
    if (error instanceof PerStreamContextError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('the stream is that of the file, and called by the descriptor', () => {
  const descriptor = openSync(path, 'r')
  const stream = filter.stream(descriptor)
  stream.insert({ data: Buffer.from('seen') })
  expect(stream.path).toBe(`fd ${descriptor}`)
  expect(stream.support()).toMatchObject({ supported: true })
  expect(filter.openStream(path).lookup()?.data.toString()).toBe('seen')
  closeSync(descriptor)
})

test('a FileHandle has one until it is closed', async () => {
  const handle = await promises.open(path, 'r+')
  using stream = filter.stream(handle)
  stream.insert({ data: Buffer.from('seen') })
  await handle.close()
  expect(stream.lookup()?.data.toString()).toBe('seen')
  expect(() => filter.stream(handle)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', argument: 'file' }) as Error,
  )
})

test('descriptor and stream are closed in any order, and the file with the last of them', async () => {
  const { streams } = audit()
  const first = openSync(path, 'r')
  filter.stream(first).close()
  expect(readSync(first, Buffer.alloc(4), 0, 4, 0)).toBe(4)
  closeSync(first)
  const second = openSync(path, 'r')
  const stream = filter.stream(second)
  closeSync(second)
  expect(audit().streams).toBe(streams + 1n)
  expect(stream.lookup()).toBeUndefined()
  stream.close()
  await until(() => audit().streams === streams)
})

test('a descriptor that is not open is an error, and ends nothing', () => {
  const descriptor = openSync(path, 'r')
  closeSync(descriptor)
  for (const closed of [descriptor, 2 ** 31 - 1]) {
    expect(failureOf(() => filter.stream(closed))).toMatchObject({ code: 'STATUS_INVALID_HANDLE', operation: 'stream' })
  }
})

test('a pipe is no file, and is refused', async () => {
  const pipe = '\\\\.\\pipe\\psctx-descriptor'
  const server = createServer().listen(pipe)
  await once(server, 'listening')
  const descriptor = openSync(pipe, 'r+')
  expect(failureOf(() => filter.stream(descriptor))).toMatchObject({ code: 'STATUS_INVALID_DEVICE_REQUEST' })
  closeSync(descriptor)
  server.close()
})

test('a file of another file system is what the driver says of it', () => {
  const file = join(tmpdir(), 'psctx-descriptor.txt')
  writeFileSync(file, '')
  const descriptor = openSync(file, 'r')
  expect(() => filter.stream(descriptor).insert()).toThrow(PerStreamContextError)
  closeSync(descriptor)
})
