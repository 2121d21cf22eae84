/** Files acted on by system services: what each operation does, on the embedded kernel's volume in memory. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Files, HostFile, HostSection, openFilter, type Filter } from '../../src/index'
import { native, type NativeSession } from '../../src/native'

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
  for (const volume of ['M:', 'M:\\']) {
    using again = files.openFile(volume, { id: file.id })
    expect(again.read().toString()).toBe('content')
  }
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
  const newSection = () => new (HostSection as unknown as new () => HostSection)()
  expect(newSection).toThrow('A HostSection is made by file.map().')
  expect(() => new Files(undefined as never)).toThrow('A Files is made by filter.host.')
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
    expect(argumentErrorOf(() => other.files.readFile('N:\\large'))).toMatchObject({
      argument: 'path',
      message: 'readFile: `path` must be that of a file of at most 1073741824 bytes, not 1073741825.',
    })
    expect(argumentErrorOf(() => other.files.writeFile('N:\\large', new Uint8Array(2 ** 30 + 1)))).toMatchObject({
      argument: 'data',
      message: 'writeFile: `data` must be at most 1073741824 bytes, not 1073741825.',
    })
    using file = other.files.openFile('N:\\large')
    expect(file.read(2 ** 30)).toEqual(Buffer.alloc(1))
  } finally {
    other.close()
    rmSync(directory, { recursive: true })
  }
})

test('a whole file of just 1 GiB is read and written', () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-files-'))
  const other = openFilter({ kernel: 'host', volumes: { 'N:': { type: 'directory', path: directory } } })
  const read = jest.spyOn(HostFile.prototype, 'read').mockReturnValue(Buffer.from('all of it'))
  const write = jest.spyOn(HostFile.prototype, 'write').mockReturnValue(2 ** 30)
  try {
    writeFileSync(join(directory, 'large'), '')
    truncateSync(join(directory, 'large'), 2 ** 30)
    expect(other.files.readFile('N:\\large').toString()).toBe('all of it')
    const data = new Uint8Array(2 ** 30)
    other.files.writeFile('N:\\large', data)
    expect(write.mock.calls[0]![0]).toBe(data)
  } finally {
    read.mockRestore()
    write.mockRestore()
    other.close()
    rmSync(directory, { recursive: true })
  }
})

test('a read takes no more memory than there are bytes behind where it begins', () => {
  using file = files.openFile('M:\\file.txt')
  expect(file.read(3).buffer.byteLength).toBe(4)
})

test('another file of the name is replaced only when that is said', () => {
  files.writeFile('M:\\other.txt', Buffer.from('other'))
  for (const operation of ['rename', 'link'] as const) {
    const replace = () => files[operation]('M:\\file.txt', 'M:\\other.txt')
    expect(failureOf(replace)).toMatchObject({ code: 'STATUS_OBJECT_NAME_COLLISION', operation })
  }
  expect(files.readFile('M:\\other.txt').toString()).toBe('other')
  files.rename('M:\\file.txt', 'M:\\other.txt', { replace: true })
  expect(files.readFile('M:\\other.txt').toString()).toBe('content')
})

test('a directory is no file to read, write or link', () => {
  files.mkdir('M:\\directory')
  const path = 'M:\\directory'
  for (const action of [
    () => files.readFile(path),
    () => files.writeFile(path, Buffer.from('x')),
    () => files.link(path, 'M:\\link'),
  ]) {
    expect(failureOf(action)).toMatchObject({ code: 'STATUS_FILE_IS_A_DIRECTORY', operation: 'openFile', path })
  }
})

test('a file is opened with the file system’s cache, unless that is not wanted', () => {
  const open = jest.spyOn(native, 'open')
  using other = openFilter()
  const openFile = jest.spyOn(open.mock.results[0]!.value as NativeSession, 'openFile')
  open.mockRestore()
  for (const buffering of [undefined, true, false]) other.files.openFile('M:\\', { buffering }).close()
  const [synchronous, withoutCache] = [0x20, 0x28]
  expect(openFile.mock.calls.map(([, , , , options]) => options)).toEqual([synchronous, synchronous, withoutCache])
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
