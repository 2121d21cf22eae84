/** Files acted on by system services: what each operation does, on the embedded kernel's volume in memory. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Files, HostSection, openFilter, type Filter } from '../../src/index'

import { argumentErrorOf, failureOf } from './failures'

let filter: Filter
let files: Files

beforeEach(() => {
  filter = openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } } })
  files = filter.files
  files.writeFile('M:\\file.txt', Buffer.from('content'))
})
afterEach(() => filter.close())

test('the files of the embedded kernel are those of filter.host', () => {
  expect(filter.files).toBe(filter.host)
})

test('a section keeps the stream and its contexts when every handle is closed', () => {
  const file = files.openFile('M:\\file.txt')
  const stream = filter.openStream('M:\\file.txt')
  stream.insert({ instance: 1n })
  const section = file.map()
  file.close()
  stream.close()
  expect(filter.statistics().session.contexts).toBe(1)
  section.close()
  section.close()
  expect(filter.statistics().session.contexts).toBe(0)
})

test('an empty file is not mapped', () => {
  files.writeFile('M:\\empty.txt', Buffer.alloc(0))
  using file = files.openFile('M:\\empty.txt')
  expect(failureOf(() => file.map()).code).toBe('STATUS_MAPPED_FILE_SIZE_ZERO')
})

test('a locked range is kept from others, and unlocked by its own bounds alone', () => {
  using first = files.openFile('M:\\file.txt', { access: ['read', 'write'] })
  using second = files.openFile('M:\\file.txt', { access: ['read', 'write'] })
  first.lock(0, 4)
  expect(failureOf(() => second.lock(3, 1)).code).toBe('STATUS_LOCK_NOT_GRANTED')
  expect(failureOf(() => second.read(0, 1)).code).toBe('STATUS_FILE_LOCK_CONFLICT')
  expect(failureOf(() => first.unlock(0, 3)).code).toBe('STATUS_RANGE_NOT_LOCKED')
  first.unlock(0, 4)
  second.lock(3, 1)
})

test('a file is opened by its id under whatever name, and ids are 64 bits', () => {
  using file = files.openFile('M:\\file.txt')
  files.link('M:\\file.txt', 'M:\\link.txt')
  using link = files.openFile('M:\\link.txt')
  expect(link.id).toBe(file.id)
  using again = files.openFile('M:', { id: file.id })
  expect(again.read().toString()).toBe('content')
  expect(failureOf(() => files.openFile('M:', { id: 0xffff_ffff_0000_0001n })).code).toBe('STATUS_INVALID_PARAMETER')
  expect(argumentErrorOf(() => files.openFile('M:', { id: 2n ** 64n })).argument).toBe('id')
})

test('a file is resized, flushed, made read-only, sparse, and its security set', () => {
  using file = files.openFile('M:\\file.txt', { access: ['read', 'write', 'write-attributes', 'security'] })
  file.resize(3)
  expect(file.read().toString()).toBe('con')
  file.resize(5)
  expect(file.read()).toEqual(Buffer.from('con\0\0'))
  file.flush()
  file.rewriteSecurity()
  file.setSparse()
  expect(failureOf(() => file.setCompressed())).toMatchObject({
    code: 'STATUS_INVALID_DEVICE_REQUEST',
    message: expect.stringContaining('The file system does not do this') as string,
  })
  file.setReadOnly(true)
  expect(failureOf(() => files.openFile('M:\\file.txt', { access: ['write'] })).code).toBe('STATUS_ACCESS_DENIED')
  file.setReadOnly(false)
  files.openFile('M:\\file.txt', { access: ['write'], buffering: false }).close()
})

test('security is set only through a handle that may, and wrong arguments are told', () => {
  using file = files.openFile('M:\\file.txt')
  expect(failureOf(() => file.rewriteSecurity()).code).toBe('STATUS_ACCESS_DENIED')
  expect(argumentErrorOf(() => file.lock(-1, 1)).argument).toBe('position')
  expect(argumentErrorOf(() => file.resize(0.5)).argument).toBe('bytes')
  expect(argumentErrorOf(() => file.setReadOnly(1 as never)).code).toBe('ERR_INVALID_ARG_TYPE')
  expect(() => new (HostSection as unknown as new () => HostSection)()).toThrow(/file\.map\(\)/)
  expect(() => new Files(undefined as never)).toThrow(/filter\.host/)
})

test('what is closed says so', () => {
  const file = files.openFile('M:\\file.txt')
  file.close()
  expect(failureOf(() => file.map()).code).toBe('STATUS_FILE_CLOSED')
  expect(failureOf(() => file.flush()).code).toBe('STATUS_FILE_CLOSED')
})

test('an id may be a number', () => {
  using file = files.openFile('M:\\file.txt')
  using again = files.openFile('M:', { id: Number(file.id) })
  expect(again.id).toBe(file.id)
})

test('a whole file of more than 1 GiB is refused, and not cut', () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-files-'))
  const other = openFilter({ kernel: 'host', volumes: { 'N:': { type: 'directory', path: directory } } })
  try {
    writeFileSync(join(directory, 'large'), '')
    truncateSync(join(directory, 'large'), 2 ** 30 + 1)
    expect(argumentErrorOf(() => other.files.readFile('N:\\large')).argument).toBe('path')
    expect(argumentErrorOf(() => other.files.writeFile('N:\\large', new Uint8Array(2 ** 30 + 1))).argument).toBe('data')
    using file = other.files.openFile('N:\\large')
    expect(file.read(2 ** 30)).toEqual(Buffer.alloc(1))
  } finally {
    other.close()
    rmSync(directory, { recursive: true })
  }
})

test('bytes are as many as there are, whatever their class says', () => {
  class Shorter extends Uint8Array {
    override get length(): number {
      return 0
    }
  }
  files.writeFile('M:\\file.txt', new Shorter([1, 2, 3]))
  expect(files.readFile('M:\\file.txt')).toEqual(Buffer.of(1, 2, 3))
})

test('a hole is no access', () => {
  expect(argumentErrorOf(() => files.openFile('M:\\file.txt', { access: new Array<'read'>(1) })).argument).toBe(
    'access',
  )
})

test('what is refused is told by what was done: the access that it needs, or what the file is', () => {
  using file = files.openFile('M:\\file.txt')
  expect(failureOf(() => file.flush()).message).toContain("not opened with `'write'` access")
  expect(failureOf(() => file.rewriteSecurity()).message).toContain("not opened with `'security'` access")
  file.lock(0, 4)
  expect(failureOf(() => file.lock(0, 4)).message).toContain('locked already')
  using volume = files.openFile('M:')
  expect(failureOf(() => volume.id)).toMatchObject({ operation: 'id', code: 'STATUS_INVALID_DEVICE_REQUEST' })
  expect(failureOf(() => volume.read()).message).toContain('does not do this with this file')
  using directory = files.openFile('M:\\')
  expect(failureOf(() => directory.map()).code).toBe('STATUS_INVALID_FILE_FOR_SECTION')
})

test('what a closed file is asked for fails, and says what that was, of which file, and what it needs', () => {
  const file = files.openFile('M:\\file.txt')
  file.close()
  const operations: Record<string, () => unknown> = {
    readFile: () => file.read(),
    writeFile: () => file.write(Buffer.from('x')),
    deleteOnClose: () => file.deleteOnClose(),
    rename: () => file.rename('M:\\other.txt'),
    link: () => file.link('M:\\other.txt'),
    id: () => file.id,
    resize: () => file.resize(1),
    setReadOnly: () => file.setReadOnly(true),
    flush: () => file.flush(),
    lock: () => file.lock(0, 1),
    unlock: () => file.unlock(0, 1),
    rewriteSecurity: () => file.rewriteSecurity(),
    setSparse: () => file.setSparse(),
    setCompressed: () => file.setCompressed(),
    map: () => file.map(),
  }
  for (const [operation, action] of Object.entries(operations)) {
    expect(failureOf(action)).toMatchObject({ code: 'STATUS_FILE_CLOSED', operation, path: 'M:\\file.txt' })
  }
})
