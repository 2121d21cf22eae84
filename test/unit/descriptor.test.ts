/** Streams of files that the caller has open, on the embedded kernel. */
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  promises,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openDescriptor } from '../../src/descriptor'
import { statusOf } from '../../src/errors'
import { openFilter, Stream, type Filter, type FilterOptions } from '../../src/index'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'

import { argumentErrorOf, failureOf } from './failures'

let directory: string
let filter: Filter
let descriptors: number[]

function write(name: string, content = 'content'): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

/** A descriptor, which is closed after the test. */
function open(path: string, flags = 'r'): number {
  const descriptor = openSync(path, flags)
  descriptors.push(descriptor)
  return descriptor
}

function openOn(volumes: FilterOptions['volumes']): Filter {
  return openFilter({ kernel: 'host', volumes })
}

function seenAt(path: string, of = filter): string | undefined {
  const stream = of.openStream(path)
  const data = stream.lookup()?.data.toString()
  stream.close()
  return data
}

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'psctx-descriptor-')))
  descriptors = []
  filter = openOn({ 'N:': { type: 'directory', path: directory }, 'M:': { type: 'memory' } })
})
afterEach(() => {
  for (const descriptor of descriptors) closeSync(descriptor)
  filter.close()
  rmSync(directory, { recursive: true })
})

describe('the stream of a file that is open', () => {
  test('is that of its path, and is called by it', () => {
    mkdirSync(join(directory, 'sub'))
    const stream = filter.stream(open(write('sub/Größe 大.txt')))
    stream.insert({ data: Buffer.from('seen') })
    expect(stream.path).toBe('N:\\sub\\Größe 大.txt')
    expect(stream.support()).toMatchObject({ supported: true })
    expect(seenAt('N:\\sub\\Größe 大.txt')).toBe('seen')
  })

  test('is that of a FileHandle, and of whatever has a descriptor', async () => {
    const handle = await promises.open(write('a.txt'), 'r+')
    filter.stream(handle).insert({ data: Buffer.from('of a FileHandle') })
    expect(seenAt('N:\\a.txt')).toBe('of a FileHandle')
    expect(filter.stream({ fd: handle.fd }).lookup()?.data.toString()).toBe('of a FileHandle')
    await handle.close()
    expect(argumentErrorOf(() => filter.stream(handle))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      argument: 'file',
      message: expect.stringContaining('FileHandle that is closed') as string,
    })
  })

  test.each(['r', 'r+', 'w', 'a'])('may be open for anything: %s', (flags) => {
    filter.stream(open(write('a.txt'), flags)).insert({ data: Buffer.from(flags) })
    expect(seenAt('N:\\a.txt')).toBe(flags)
  })

  test('may be a directory, the root as well', () => {
    mkdirSync(join(directory, 'sub'))
    for (const [path, name] of [
      [join(directory, 'sub'), 'N:\\sub'],
      [directory, 'N:\\'],
    ] as const) {
      const stream = filter.stream(open(path))
      stream.insert({ data: Buffer.from(name) })
      expect(stream.path).toBe(name)
      expect(seenAt(name)).toBe(name)
    }
  })

  test('and the descriptor are each closed by themselves, in any order', () => {
    const { handles } = filter.host!.audit()
    const descriptor = openSync(write('a.txt'), 'r')
    const first = filter.stream(descriptor)
    first.close()
    expect(readFileSync(descriptor, 'utf8')).toBe('content')
    let second: Stream
    {
      using kept = (second = filter.stream(descriptor))
      closeSync(descriptor)
      kept.insert({ data: Buffer.from('seen') })
      expect(seenAt('N:\\a.txt')).toBe('seen')
    }
    expect(second.closed).toBe(true)
    expect(filter.host!.audit().handles).toBe(handles)
  })

  test('is found by the name that it has now, and through links', () => {
    const descriptor = open(write('before.txt'))
    mkdirSync(join(directory, 'sub'))
    renameSync(join(directory, 'before.txt'), join(directory, 'sub', 'after.txt'))
    symlinkSync(join(directory, 'sub'), join(directory, 'link'))
    expect(filter.stream(descriptor).path).toBe('N:\\sub\\after.txt')
    expect(filter.stream(open(join(directory, 'link', 'after.txt'))).path).toBe('N:\\sub\\after.txt')
  })

  test('is on the volume whose directory is the nearest, however the volume names it', () => {
    mkdirSync(join(directory, 'sub'))
    symlinkSync(join(directory, 'sub'), join(directory, 'link'))
    const nearer = ['P:', { type: 'directory', path: join(directory, 'link') }] as const
    const farther = ['N:', { type: 'directory', path: directory }] as const
    for (const volumes of [
      [nearer, farther],
      [farther, nearer],
    ]) {
      using other = openOn(Object.fromEntries(volumes))
      expect(other.stream(open(write('sub/a.txt'))).path).toBe('P:\\a.txt')
      expect(other.stream(open(write('subordinate.txt'))).path).toBe('N:\\subordinate.txt')
    }
  })
})

describe('what has no stream', () => {
  const failsWith = (file: number, code: string, text: string): void => {
    const { handles } = filter.host!.audit()
    const error = failureOf(() => filter.stream(file))
    expect(error).toMatchObject({ code, operation: 'stream' })
    expect(error.message).toContain(text)
    expect(filter.host!.audit().handles).toBe(handles)
  }

  test('a file that lies on none of the volumes', () => {
    failsWith(open(__filename), 'STATUS_OBJECT_PATH_NOT_FOUND', 'name a directory above it')
    const memory = openOn({ 'M:': { type: 'memory' } })
    try {
      expect(failureOf(() => memory.stream(open(write('a.txt')))).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
    } finally {
      memory.close()
    }
  })

  test('a file that lies on no volume, one of which has lost its directory', () => {
    const gone = join(directory, 'gone')
    mkdirSync(gone)
    using other = openOn({ 'G:': { type: 'directory', path: gone } })
    rmdirSync(gone)
    expect(failureOf(() => other.stream(open(write('a.txt')))).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
  })

  test('a directory beside the volume whose name begins alike', () => {
    mkdirSync(join(directory, 'sub'))
    const other = openOn({ 'S:': { type: 'directory', path: join(directory, 'sub') } })
    try {
      expect(failureOf(() => other.stream(open(write('sub.txt')))).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
      expect(failureOf(() => other.stream(open(directory))).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
    } finally {
      other.close()
    }
  })

  test('a file that has been deleted', () => {
    const path = write('a.txt')
    const descriptor = open(path)
    unlinkSync(path)
    failsWith(descriptor, 'STATUS_FILE_DELETED', 'no name any more')
    write('a.txt (deleted)') // what Linux calls the other one
    failsWith(descriptor, 'STATUS_FILE_DELETED', 'no name any more')
  })

  test('a file whose name is another file’s by now', () => {
    const path = write('a.txt')
    linkSync(path, join(directory, 'other.txt'))
    const descriptor = open(path)
    unlinkSync(path)
    failsWith(descriptor, 'STATUS_OBJECT_NAME_NOT_FOUND', 'is gone')
    write('a.txt (deleted)')
    failsWith(descriptor, 'STATUS_OBJECT_NAME_NOT_FOUND', 'another file’s')
  })

  test('a name that no path of Windows says', () => {
    failsWith(open(write('back\\slash')), 'STATUS_OBJECT_NAME_INVALID', 'backslash')
    const path = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])])
    writeFileSync(path, '')
    const descriptor = openSync(path, 'r')
    descriptors.push(descriptor)
    failsWith(descriptor, 'STATUS_OBJECT_NAME_INVALID', 'not UTF-8')
    failsWith(open(write('wild*card')), 'STATUS_OBJECT_NAME_INVALID', '')
  })

  test('a file of a volume that is dismounted', () => {
    filter.host!.dismount('N:')
    expect(failureOf(() => filter.stream(open(write('a.txt')))).operation).toBe('stream')
  })

  test('a pipe, a socket, a device', async () => {
    const server = createServer().listen(join(directory, 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    const socket = (server as unknown as { _handle: { fd: number } })._handle.fd
    failsWith(socket, 'STATUS_INVALID_DEVICE_REQUEST', 'a pipe, a socket or a device')
    failsWith(open('/dev/null'), 'STATUS_INVALID_DEVICE_REQUEST', 'a pipe, a socket or a device')
    server.close()
  })

  test('a descriptor that is not open', () => {
    const descriptor = openSync(write('a.txt'), 'r')
    closeSync(descriptor)
    failsWith(descriptor, 'STATUS_INVALID_HANDLE', 'it was closed')
    failsWith(2 ** 31 - 1, 'STATUS_INVALID_HANDLE', 'it was closed')
  })

  test.each([-1, 1.5, NaN, Infinity, 2 ** 31, { fd: -1 }])('a number that is no descriptor: %p', (file) => {
    expect(argumentErrorOf(() => filter.stream(file))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      argument: 'file',
    })
  })

  test.each([undefined, null, '1', 1n, {}, [], { fd: null }, { fd: '1' }, () => 1])('another type: %p', (file) => {
    expect(argumentErrorOf(() => filter.stream(file as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      argument: 'file',
    })
  })

  test('what the driver says is no file system’s, which is closed', () => {
    const descriptor = open(write('a.txt'))
    const support = jest
      .spyOn(Stream.prototype, 'support')
      .mockReturnValue({ supported: false, reason: 'not-a-file-system' } as ReturnType<Stream['support']>)
    failsWith(descriptor, 'STATUS_INVALID_DEVICE_REQUEST', 'a pipe, a socket or a device')
    support.mockRestore()
  })

  test('what the kernel of Windows knows no handle of', () => {
    const opened = new Map([
      [0, 16],
      [5, 24],
    ])
    const native = {
      memory: new ArrayBuffer(layout.reply + layout.replyLength),
      closeHandle: () => undefined,
      openDescriptor: (descriptor: number) => opened.get(descriptor) ?? statusOf('STATUS_INVALID_HANDLE') | 0,
    } as unknown as NativeSession
    expect(openDescriptor(new Session(native), 0, undefined)).toEqual({ handle: 16, path: 'fd 0' })
    expect(openDescriptor(new Session(native), 5, undefined)).toEqual({ handle: 24, path: 'fd 5' })
    expect(failureOf(() => openDescriptor(new Session(native), 4, undefined))).toMatchObject({
      code: 'STATUS_INVALID_HANDLE',
      operation: 'stream',
      path: 'fd 4',
    })
  })

  test('a file whose number the embedded kernel does not tell, which is closed', () => {
    const closed: number[] = []
    const native = {
      memory: new ArrayBuffer(layout.reply + layout.replyLength),
      openStream: () => 24,
      queryInformation: () => statusOf('STATUS_ACCESS_DENIED') | 0,
      closeHandle: (handle: number) => closed.push(handle),
    } as unknown as NativeSession
    const descriptor = open(write('a.txt'))
    expect(failureOf(() => openDescriptor(new Session(native), descriptor, [['N', directory]]))).toMatchObject({
      code: 'STATUS_ACCESS_DENIED',
      operation: 'stream',
      path: 'N:\\a.txt',
    })
    expect(closed).toEqual([24])
  })

  test('a stream that cannot be asked whether it is a file’s, which is closed', () => {
    const descriptor = open(write('a.txt'))
    const { handles } = filter.host!.audit()
    const support = jest.spyOn(Stream.prototype, 'support').mockImplementation(() => {
      throw new Error('cannot be asked')
    })
    expect(() => filter.stream(descriptor)).toThrow('cannot be asked')
    support.mockRestore()
    expect(filter.host!.audit().handles).toBe(handles)
  })

  test('a filter that is closed, also by whoever is asked for the descriptor', () => {
    const other = openOn({ 'N:': { type: 'directory', path: directory } })
    const descriptor = open(write('a.txt'))
    const file = {
      get fd() {
        other.close()
        return descriptor
      },
    }
    expect(failureOf(() => other.stream(file))).toMatchObject({ code: 'STATUS_FILE_CLOSED', path: `fd ${descriptor}` })
    expect(failureOf(() => other.stream(descriptor))).toMatchObject({ code: 'STATUS_FILE_CLOSED' })
  })
})
