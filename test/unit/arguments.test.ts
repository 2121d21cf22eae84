/** What callers say by mistake is an error of theirs, and does nothing. */
import * as perStreamContext from '../../src/index'
import { openFilter, PerStreamContextError, type Batch, type Filter, type HostFile, type Stream } from '../../src/index'

import { argumentErrorOf, failureOf } from './failures'

/** Memory whose length changes, as this version of TypeScript's library does not know it. */
function resizable(length: number): { buffer: ArrayBuffer; resize: (length: number) => void } {
  const maker = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer
  const buffer = new maker(length, { maxByteLength: 1 << 20 })
  return { buffer, resize: (to) => (buffer as ArrayBuffer & { resize: (to: number) => void }).resize(to) }
}

let filter: Filter
let stream: Stream
let batch: Batch

beforeEach(() => {
  filter = openFilter()
  filter.host!.writeFile('M:\\a', Buffer.from('a'))
  stream = filter.openStream('M:\\a')
  batch = filter.batch()
  for (const owner of [1, 2, 3]) stream.insert({ owner, instance: owner })
})
afterEach(() => filter.close())

describe('what removes contexts', () => {
  test.each([
    ['removeAll', 'owner', { owner: undefined }],
    ['remove', 'owner', { owner: undefined }],
    ['remove', 'owner', { owner: undefined, instance: 1 }],
    ['remove', 'instance', { owner: 1, instance: undefined }],
  ] as const)('%s is refused when its %s is there and undefined', (operation, argument, options) => {
    const actions = [() => stream[operation](options as never), () => batch[operation](stream, options as never)]
    const expected =
      'left out, or a bigint from 0 to 2**64-1, or a number that is a safe integer: it is there, and undefined'
    for (const action of actions) {
      const message = `${operation}: \`${argument}\` must be ${expected}.`
      expect(argumentErrorOf(action)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', argument, message })
    }
    expect(stream.contexts()).toHaveLength(3)
    expect(batch).toHaveLength(0)
  })

  test('means everything only when nothing is said', () => {
    expect(stream.remove({})).toBeUndefined() // owner 0 has none
    expect(stream.removeAll({ owner: 1 })).toBe(1)
    expect(stream.removeAll({})).toBe(2)
  })

  test('may be looked for with an instance that is undefined: whichever', () => {
    expect(stream.lookup({ owner: 2, instance: undefined })?.instance).toBe(2n)
  })
})

test('an identifier may be any safe integer, and any number of 64 bits', () => {
  for (const instance of [2 ** 32, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n]) {
    stream.insert({ owner: 9, instance })
    expect(stream.lookup({ owner: 9, instance })?.instance).toBe(BigInt(instance))
  }
  for (const instance of [2 ** 53, -1, 0.5, 2n ** 64n, -1n]) {
    expect(argumentErrorOf(() => stream.insert({ owner: 9, instance }))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      argument: 'instance',
    })
  }
})

test.each([
  [5, 'ERR_INVALID_ARG_TYPE'],
  ['none', 'ERR_INVALID_ARG_VALUE'],
])('a choice that there is not is of the wrong type, or has no such value: %p', (choice, code) => {
  const insert = () => stream.insert({ owner: 9, pool: choice as never })
  expect(argumentErrorOf(insert)).toMatchObject({ code, argument: 'pool' })
})

describe('a key that nobody knows', () => {
  test.each([
    ['stream.insert', () => stream.insert({ onwer: 1 } as never)],
    ['stream.lookup', () => stream.lookup({ onwer: 1 } as never)],
    ['stream.lookupInto', () => stream.lookupInto(Buffer.alloc(1), { onwer: 1 } as never)],
    ['stream.remove', () => stream.remove({ onwer: 1 } as never)],
    ['stream.removeAll', () => stream.removeAll({ onwer: 1 } as never)],
    ['batch.insert', () => batch.insert(stream, { onwer: 1 } as never)],
    ['batch.lookup', () => batch.lookup(stream, { onwer: 1 } as never)],
    ['batch.remove', () => batch.remove(stream, { onwer: 1 } as never)],
    ['batch.removeAll', () => batch.removeAll(stream, { onwer: 1 } as never)],
    ['filter.batch', () => filter.batch({ onwer: 1 } as never)],
    ['filter.track', () => filter.track({ match: '*', onwer: 1 } as never)],
    ['filter.events', () => filter.events({ onwer: 1 } as never)],
    ['filter.enumerate', () => filter.enumerate({ onwer: 1 } as never)],
    ['openFilter', () => openFilter({ onwer: 1 } as never)],
    ['host.openFile', () => filter.host!.openFile('M:\\a', { onwer: 1 } as never)],
    ['host.rename', () => filter.host!.rename('M:\\a', 'M:\\b', { onwer: 1 } as never)],
  ])('is refused by %s', (_, action) => {
    expect(argumentErrorOf(action)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', argument: 'onwer' })
    expect(stream.contexts()).toHaveLength(3)
    expect(batch).toHaveLength(0)
  })

  test('is refused by openStreamAsync', async () => {
    await expect(filter.openStreamAsync('M:\\a', { onwer: 1 } as never)).rejects.toMatchObject({ argument: 'onwer' })
  })
})

describe('errors', () => {
  test('of the caller are TypeErrors and RangeErrors, and those of the driver are PerStreamContextErrors', () => {
    expect(argumentErrorOf(() => stream.lookup({ instance: 'one' as never }))).toBeInstanceOf(TypeError)
    expect(argumentErrorOf(() => stream.lookup({ instance: -1 }))).toBeInstanceOf(RangeError)
    expect(argumentErrorOf(() => stream.lookup({ instance: -1 }))).not.toBeInstanceOf(PerStreamContextError)
    expect(failureOf(() => stream.insert({ owner: 1, instance: 1 })).code).toBe('STATUS_OBJECT_NAME_COLLISION')
  })

  test('have no cause where there is none', () => {
    for (const error of [
      failureOf(() => filter.openStream('M:\\none')),
      argumentErrorOf(() => filter.track({} as never)),
    ])
      expect(error).not.toHaveProperty('cause')
  })

  test.each([
    ['Filter', 'openFilter()'],
    ['Stream', 'filter.openStream()'],
    ['Batch', 'filter.batch()'],
    ['TrackingRule', 'filter.track()'],
    ['HostFile', 'filter.host.openFile()'],
    ['HostKernel', 'openFilter('],
  ] as const)('of new %s() say what to call', (name, maker) => {
    const constructor: unknown = Reflect.get(perStreamContext, name)
    for (const args of [[], [{}], [filter, 'host']]) {
      const construct = () => void Reflect.construct(constructor as new () => unknown, args)
      expect(construct).toThrow(`A ${name} is made by ${maker}`)
      expect(construct).toThrow(expect.objectContaining({ code: 'ERR_ILLEGAL_CONSTRUCTOR' }) as Error)
    }
  })
})

/** Calls with one argument that is wrong: of what, which, and what it must be. */
describe('a wrong argument is told with whose it is and what it must be', () => {
  let file: HostFile

  beforeEach(() => {
    file = filter.host!.openFile('M:\\a', { access: ['read', 'write', 'delete'] })
  })
  afterEach(() => file.close())

  const wrong = 'x' as never
  const huge = { byteLength: 2 ** 31 } as never
  const natural = 'an integer from 0 to 9007199254740991'

  test.each<[string, string, string, () => unknown]>([
    ['readFile', 'position', natural, () => file.read(-1)],
    ['batch', 'replyCapacity', 'a multiple of 8', () => filter.batch({ replyCapacity: 12 })],
    ['batch', 'replyCapacity', 'an integer from 0 to 1048576', () => filter.batch({ replyCapacity: -8 })],
    ['batch', 'batch', 'run before its results are asked for', () => batch.result(0)],
    ['batch', 'index', 'an integer from 0 to 0', () => batch.lookup(stream).run().result(1)],
    ['lookup', 'buffer', 'a Uint8Array', () => stream.lookupInto(wrong)],
    ['lookup', 'onwer', 'left out: known are owner, instance', () => stream.lookup({ onwer: 1 } as never)],
    ['events', 'signal', 'an AbortSignal', () => filter.events({ signal: wrong })],
    ['insert', 'data', 'at most 65536 bytes, not 65537', () => stream.insert({ data: Buffer.alloc(65537) })],
    ['readFile', 'length', 'an integer from 0 to 1073741824', () => file.read(0, -1)],
    ['insert', 'ifExists', "one of 'fail'", () => stream.insert({ ifExists: wrong })],
    ['insert', 'pool', "one of 'paged'", () => stream.insert({ pool: wrong })],
    ['insert', 'lifetime', "one of 'session'", () => stream.insert({ lifetime: wrong })],
    ['batch', 'batch', 'given an operation before it is run', () => batch.run()],
    ['batch', 'options', 'an object', () => filter.batch(wrong)],
    ['stream', 'file', 'a file descriptor', () => filter.stream(wrong)],
    ['stream', 'file', 'an open file: a descriptor from 0', () => filter.stream(-1)],
    ['events', 'options', 'an object', () => filter.events(wrong)],
    ['events', 'types', 'an array', () => filter.events({ types: wrong })],
    ['events', 'types', 'an array', () => filter.events({ types: [] })],
    ['events', 'types', 'an array', () => filter.events({ types: [wrong] })],
    ['events', 'capacity', 'an integer from', () => filter.events({ capacity: 1 })],
    ['enumerate', 'options', 'an object', () => filter.enumerate(wrong)],
    ['track', 'options', 'an object', () => filter.track(wrong)],
    ['track', 'owner', 'a bigint from 0 to 2**64-1', () => filter.track({ match: '*', owner: -1 })],
    ['track', 'instance', 'a bigint from 0 to 2**64-1', () => filter.track({ match: '*', instance: -1 })],
    ['track', 'count', 'a boolean', () => filter.track({ match: '*', count: wrong })],
    ['track', 'match', 'of 1 to', () => filter.track({ match: '' })],
    ['track', 'match', 'of 1 to', () => filter.track({ match: 'a\0' })],
    ['unlock', 'length', natural, () => file.unlock(0, -1)],
    ['openFile', 'options', 'an object', () => filter.host!.openFile('M:\\a', wrong)],
    ['writeFile', 'data', 'a Uint8Array', () => file.write(wrong)],
    ['writeFile', 'data', 'a Uint8Array', () => filter.host!.writeFile('M:\\b', huge)],
    ['writeFile', 'position', natural, () => file.write(Buffer.alloc(1), -1)],
    ['deleteOnClose', 'deleteOnClose', 'a boolean', () => file.deleteOnClose(wrong)],
    ['rename', 'newPath', 'a string', () => file.rename(5 as never)],
    ['rename', 'replace', 'a boolean', () => file.rename('M:\\b', { replace: wrong })],
    ['insert', 'stream', 'a Stream of the same filter', () => batch.insert(5 as never)],
    ['lookup', 'options', 'an object', () => stream.lookup(5 as never)],
    ['lookup', 'options', 'an object', () => stream.lookup(null as never)],
    ['remove', 'options', 'an object', () => stream.remove('x' as never)],
    ['removeAll', 'options', 'an object', () => stream.removeAll(true as never)],
    ['insert', 'options', 'an object', () => stream.insert(5 as never)],
    ['lookup', 'owner', 'a bigint from 0 to 2**64-1', () => stream.lookup({ owner: -1 })],
    ['lookup', 'instance', 'a bigint from 0 to 2**64-1', () => stream.lookup({ instance: -1 })],
    ['lookup', 'owner', 'a bigint from 0 to 2**64-1', () => batch.lookup(stream, { owner: -1 })],
    ['remove', 'owner', 'a bigint from 0 to 2**64-1', () => stream.remove({ owner: -1 })],
    ['remove', 'instance', 'a bigint from 0 to 2**64-1', () => stream.remove({ instance: -1 })],
    ['removeAll', 'owner', 'a bigint from 0 to 2**64-1', () => stream.removeAll({ owner: -1 })],
    ['insert', 'owner', 'a bigint from 0 to 2**64-1', () => stream.insert({ owner: -1 })],
    ['insert', 'instance', 'a bigint from 0 to 2**64-1', () => stream.insert({ instance: -1 })],
    ['lookup', 'stream', 'a Stream of the same filter', () => batch.lookup(null as never)],
    ['remove', 'stream', 'a Stream of the same filter', () => batch.remove({} as never)],
    ['removeAll', 'stream', 'a Stream of the same filter', () => batch.removeAll('M:\\a' as never)],
    ['rename', 'options', 'an object', () => file.rename('M:\\b', 5 as never)],
    ['rename', 'options', 'an object', () => file.rename('M:\\b', null as never)],
    ['link', 'newPath', 'a string', () => file.link(5 as never)],
    ['link', 'replace', 'a boolean', () => file.link('M:\\b', { replace: wrong })],
    ['resize', 'bytes', natural, () => file.resize(-1)],
    ['setReadOnly', 'readOnly', 'a boolean', () => file.setReadOnly(wrong)],
    ['lock', 'position', natural, () => file.lock(-1, 1)],
    ['lock', 'length', natural, () => file.lock(0, -1)],
    ['unlock', 'position', natural, () => file.unlock(-1, 1)],
    ['openFile', 'path', 'a string', () => filter.host!.openFile(5 as never)],
    [
      'openFile',
      'access',
      'an array of read, write',
      () => filter.host!.openFile('M:\\a', { access: 'read' as never }),
    ],
    [
      'openFile',
      'access',
      "one of 'read', 'write', 'delete'",
      () => filter.host!.openFile('M:\\a', { access: ['x' as never] }),
    ],
    [
      'openFile',
      'access',
      "one of 'read', 'write', 'delete'",
      () => filter.host!.openFile('M:\\a', { access: [['read'] as never] }),
    ],
    ['openFile', 'share', 'an array of read, write', () => filter.host!.openFile('M:\\a', { share: wrong })],
    [
      'openFile',
      'disposition',
      "one of 'supersede', 'open'",
      () => filter.host!.openFile('M:\\a', { disposition: wrong }),
    ],
    ['openFile', 'directory', 'a boolean', () => filter.host!.openFile('M:\\a', { directory: wrong })],
    ['openFile', 'buffering', 'a boolean', () => filter.host!.openFile('M:\\a', { buffering: wrong })],
    ['openFile', 'id', 'a', () => filter.host!.openFile('M:', { id: wrong })],
    ['dismount', 'drive', 'a string', () => filter.host!.dismount(5 as never)],
    ['dismount', 'drive', "a drive such as 'M:'", () => filter.host!.dismount('M')],
    ['dismount', 'drive', "a drive such as 'M:'", () => filter.host!.dismount('M:\\')],
    ['dismount', 'drive', "a drive such as 'M:'", () => filter.host!.dismount('\\\\?\\M:')],
    ['setAllocationFault', 'countdown', natural, () => filter.host!.setAllocationFault(-1)],
    ['open', 'path', 'a string', () => filter.openStream(5 as never)],
    ['enumerate', 'volume', 'a string', () => filter.enumerate({ volume: 5 as never })],
    ['minifilters', 'volume', 'a string', () => filter.minifilters(['M:'] as never)],
    ['track', 'match', 'a string', () => filter.track({ match: 5 as never })],
    ['openFilter', 'kernel', "'windows' or 'host'", () => openFilter({ kernel: wrong })],
    ['openFilter', 'kernel', "'windows' or 'host'", () => openFilter({ kernel: 5 as never })],
    ['openFilter', 'readOnly', 'a boolean', () => openFilter({ readOnly: wrong })],
    ['openFilter', 'volumes', 'left out unless', () => openFilter({ kernel: 'windows', volumes: {} })],
    ['openFilter', 'front', 'left out unless', () => openFilter({ kernel: 'windows', front: 'legacy' })],
  ])('%s: %s must be %s', (operation, argument, expected, action) => {
    const error = argumentErrorOf(action)
    expect(error.argument).toBe(argument)
    expect(error.message).toContain(`${operation}: \`${argument}\` must be ${expected}`)
  })
})

describe('a batch', () => {
  test('tells what a result is asked for by mistake', () => {
    const saying = (argument: string, message: string) => ({
      argument,
      message: expect.stringContaining(message) as string,
    })
    expect(argumentErrorOf(() => batch.result(0))).toMatchObject(
      saying('batch', 'run before its results are asked for'),
    )
    batch
      .insert(stream, { instance: 4, data: Buffer.from('four') })
      .lookup(stream, { instance: 4 })
      .removeAll(stream, {})
    batch.run()
    for (const [index, operation] of [
      [0, 'insert'],
      [2, 'removeAll'],
    ] as const) {
      const error = argumentErrorOf(() => batch.resultInto(index, Buffer.alloc(8)))
      expect(error).toMatchObject(saying('index', `${operation}: \`index\` must be that of a lookup or a removal`))
    }
    expect(argumentErrorOf(() => batch.resultInto(1, 'x' as never))).toMatchObject(saying('buffer', 'lookup: `buffer`'))
    expect(argumentErrorOf(() => batch.result(3))).toMatchObject({ argument: 'index' })
    expect(argumentErrorOf(() => batch.result(-1))).toMatchObject({ argument: 'index' })
    expect(failureOf(() => batch.resultInto(1, Buffer.alloc(3)))).toMatchObject({
      ...{ code: 'STATUS_BUFFER_OVERFLOW', operation: 'lookup', path: 'M:\\a', required: 4 },
    })
    expect(batch.resultInto(1, Buffer.alloc(4))).toBe(4)
  })

  test('takes as many operations as it may have', () => {
    const { batchOperations } = filter.limits
    const smallest = filter.batch({ replyCapacity: 0 })
    for (let count = 0; count < batchOperations; count += 1) smallest.lookup(stream)
    expect(smallest).toHaveLength(batchOperations)
    expect(argumentErrorOf(() => smallest.lookup(stream))).toMatchObject({
      argument: 'batch',
      message: `batch: \`batch\` must be of at most ${batchOperations} operations: run it, and clear it.`,
    })
  })

  const full = {
    argument: 'batch',
    message: 'batch: `batch` must be of at most 1048576 bytes of requests and of replies.',
  }

  test('takes requests up to the last byte that may be sent, and runs with them', () => {
    for (let instance = 10; instance < 25; instance += 1) batch.insert(stream, { instance, data: Buffer.alloc(65536) })
    expect(argumentErrorOf(() => batch.insert(stream, { instance: 25, data: Buffer.alloc(65536) }))).toMatchObject(full)
    expect(argumentErrorOf(() => batch.insert(stream, { instance: 25, data: Buffer.alloc(64753) }))).toMatchObject(full)
    batch.insert(stream, { instance: 25, data: Buffer.alloc(64752) })
    expect(argumentErrorOf(() => batch.lookup(stream))).toMatchObject(full)
    batch.run()
    expect(batch).toHaveLength(16)
    expect(batch.failed).toBe(0)
    expect(stream.lookup({ instance: 25 })?.data).toHaveLength(64752)
  })

  test('takes operations up to the last one whose reply may come, and runs with them', () => {
    const large = filter.batch({ replyCapacity: 65536 })
    for (let count = 0; count < 15; count += 1) large.lookup(stream, { owner: 1 })
    expect(argumentErrorOf(() => large.lookup(stream))).toMatchObject(full)
    large.run()
    expect(large.failed).toBe(0)
    const whole = filter.batch({ replyCapacity: 2 ** 20 - 24 }).lookup(stream, { owner: 1 })
    whole.run()
    expect(whole.result(0)).toMatchObject({ value: { owner: 1n } })
  })
})

describe('bytes whose memory was transferred', () => {
  function transferred(): Uint8Array {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return bytes
  }

  test.each([
    ['insert', 'data', (bytes: Uint8Array) => stream.insert({ data: bytes })],
    ['lookupInto', 'buffer', (bytes: Uint8Array) => stream.lookupInto(bytes, { owner: 1 })],
    ['batch.insert', 'data', (bytes: Uint8Array) => batch.insert(stream, { data: bytes })],
    ['host.writeFile', 'data', (bytes: Uint8Array) => filter.host!.writeFile('M:\\b', bytes)],
  ])('are refused by %s', (_, argument, action) => {
    const error = argumentErrorOf(() => action(transferred()))
    expect(error.argument).toBe(argument)
    expect(error.message).toMatch(/ must be bytes whose memory is still there: it was transferred, or made shorter\.$/)
    expect(stream.contexts()).toHaveLength(3)
  })

  test('are refused as well when it no longer reaches as far as they lay', () => {
    const bytes = (): Uint8Array => {
      const { buffer, resize } = resizable(16)
      const end = new Uint8Array(buffer, 8, 8)
      resize(4)
      return end
    }
    expect(argumentErrorOf(() => stream.insert({ data: bytes() })).argument).toBe('data')
    expect(argumentErrorOf(() => batch.insert(stream, { data: bytes() })).argument).toBe('data')
    expect(argumentErrorOf(() => stream.lookupInto(bytes(), { owner: 1 })).argument).toBe('buffer')
    expect(stream.contexts()).toHaveLength(3)
  })

  test('are told from bytes of which there are none', () => {
    expect(stream.insert({ data: new Uint8Array(0) }).outcome).toBe('inserted')
    expect(stream.lookupInto(new Uint8Array(8).subarray(8), { owner: 1 })).toBe(0)
  })
})

describe('getters of an argument', () => {
  test.each([0, 9, 60_000, 70_000, 300_000])(
    'that make data %i bytes long while it is inserted insert nothing',
    (length) => {
      const { buffer, resize } = resizable(8)
      const insertion = {
        data: new Uint8Array(buffer),
        get owner() {
          resize(length)
          return 4
        },
      }
      expect(argumentErrorOf(() => stream.insert(insertion))).toMatchObject({
        argument: 'data',
        message: 'insert: `data` must be of one length while the insertion is read.',
      })
      resize(8)
      expect(argumentErrorOf(() => batch.insert(stream, insertion)).argument).toBe('data')
      expect(batch.lookup(stream, { owner: 4 }).run().status(0)).toBe('STATUS_NOT_FOUND')
      expect(stream.contexts()).toHaveLength(3)
    },
  )

  test('that close the stream do not add to a batch, though its handle is another stream’s by then', () => {
    filter.host!.writeFile('M:\\b', Buffer.from('b'))
    let other: Stream | undefined
    const insertion = {
      get owner() {
        stream.close()
        other = filter.openStream('M:\\b')
        return 4
      },
    }
    expect(failureOf(() => batch.insert(stream, insertion)).code).toBe('STATUS_FILE_CLOSED')
    expect(batch).toHaveLength(0)
    expect(other!.contexts()).toEqual([])
  })

  test.each([
    ['add to it', () => batch.lookup(stream, { owner: 1 })],
    ['make it grow', () => batch.insert(stream, { owner: 5, data: Buffer.alloc(60_000) })],
    ['clear it', () => batch.clear()],
    ['close it', () => batch.close()],
    [
      'make it grow, and clear it',
      () => batch.insert(stream, { owner: 5, data: Buffer.alloc(60_000) }).clear(),
      () => undefined,
    ],
    ['close it when it is empty', () => batch.close(), () => undefined],
  ])('that %s while a batch is added to leave it empty', (_, action, prepare = () => void batch.removeAll(stream)) => {
    prepare()
    const identity = {
      get owner() {
        action()
        return 4
      },
    }
    expect(argumentErrorOf(() => batch.remove(stream, identity))).toMatchObject({
      argument: 'batch',
      message: 'remove: `batch` must be left alone by the getters of an argument: it is empty now.',
    })
    expect(batch).toHaveLength(0)
    if (batch.closed) return
    expect(batch.lookup(stream, { owner: 1 }).run().result(0).value).toMatchObject({ owner: 1n })
    expect(stream.contexts()).toHaveLength(3)
  })

  test('that look up something else meanwhile change nothing of what is asked for', () => {
    class Reentrant extends Uint8Array {
      override get length(): number {
        stream.lookup({ owner: 1 })
        return 1
      }
    }
    stream.insert({ owner: 4, data: new Reentrant(Buffer.from('four')) })
    const buffer = new Reentrant(4)
    expect(stream.lookupInto(buffer, { owner: 4 })).toBe(4)
    expect(Buffer.from(buffer.buffer).toString()).toBe('four')
  })
})

describe('everything that is open', () => {
  test.each(['close()', 'the end of its block'])('is closed by %s, is told as that, and may be closed again', (by) => {
    const things = [
      filter.openStream('M:\\a'),
      filter.batch(),
      filter.track({ match: '*.none' }),
      filter.host!.openFile('M:\\a'),
      filter.events(),
      filter.enumerate(),
      openFilter(),
    ]
    for (const thing of things) {
      expect(thing[Symbol.dispose]).toBeInstanceOf(Function)
      if (by === 'close()') thing.close()
      else thing[Symbol.dispose]()
      if ('closed' in thing) expect(thing.closed).toBe(true)
      thing[Symbol.dispose]()
      thing.close()
    }
  })

  test('of a batch is no operation after that', () => {
    batch.lookup(stream).run()
    batch.close()
    const failed = { code: 'STATUS_FILE_CLOSED', path: undefined }
    expect(failureOf(() => batch.lookup(stream))).toMatchObject({ ...failed, operation: 'lookup', path: 'M:\\a' })
    expect(failureOf(() => batch.run())).toMatchObject({ ...failed, operation: 'batch' })
    expect(argumentErrorOf(() => batch.result(0)).argument).toBe('batch')
  })
})

describe('a batch', () => {
  test('reads data into the caller’s memory', () => {
    stream.insert({ owner: 9, data: Buffer.from('seen') })
    batch.lookup(stream, { owner: 9 }).lookup(stream, { owner: 10 }).insert(stream, { owner: 9 }).run()
    const buffer = Buffer.alloc(6, 0xee)
    expect(batch.resultInto(0, buffer)).toBe(4)
    expect(buffer).toEqual(Buffer.from([...Buffer.from('seen'), 0xee, 0xee]))
    expect(batch.resultInto(1, buffer)).toBeUndefined()
    expect(filter.batch().remove(stream, { owner: 9 }).run().resultInto(0, Buffer.alloc(4))).toBe(4)
    expect(failureOf(() => batch.resultInto(0, Buffer.alloc(3)))).toMatchObject({
      code: 'STATUS_BUFFER_OVERFLOW',
      required: 4,
    })
    expect(argumentErrorOf(() => batch.resultInto(2, buffer)).argument).toBe('index')
    expect(argumentErrorOf(() => batch.resultInto(3, buffer)).argument).toBe('index')
  })

  test('never reaches a stream that was opened after one of its own was closed', () => {
    batch.lookup(stream, { owner: 1 })
    stream.close()
    const other = filter.openStream('M:\\a')
    const failed = { code: 'STATUS_FILE_CLOSED', operation: 'batch', path: 'M:\\a' }
    expect(failureOf(() => batch.run())).toMatchObject(failed)
    batch.lookup(other)
    expect(failureOf(() => batch.run())).toMatchObject(failed)
    other.close()
  })

  test('takes no stream that is closed', () => {
    stream.close()
    expect(failureOf(() => batch.lookup(stream))).toMatchObject({ code: 'STATUS_FILE_CLOSED', operation: 'lookup' })
    expect(batch).toHaveLength(0)
  })
})
