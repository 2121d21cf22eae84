/**
 * What every kernel and every file system must show: written once, run wherever there is one.
 *
 * After each test every filter that it opened is closed; closing the last one stops the embedded kernel, which throws if a byte of
 * pool or a handle is left.
 */
import {
  PerStreamContextError,
  type ArgumentError,
  type Batch,
  type EventType,
  type Filter,
  type FilterEventOf,
  type FilterEvents,
  type ListedContext,
  type Stream,
} from '../../src/index'

import type { ContractVolume, VolumeFeature, VolumeFiles } from './volume'

const maximum = 2n ** 64n - 1n

/** The error that `action` throws, which must be one of ours. */
function failureOf(action: () => unknown): PerStreamContextError {
  try {
    action()
  } catch (error) {
    if (error instanceof PerStreamContextError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The error that `action` throws for an argument that is not what it must be. */
function argumentErrorOf(action: () => unknown): ArgumentError {
  try {
    action()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      expect(error).toHaveProperty(
        'code',
        error instanceof TypeError ? 'ERR_INVALID_ARG_TYPE' : 'ERR_INVALID_ARG_VALUE',
      )
      return error as ArgumentError
    }
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The next `count` events. */
async function take<T extends EventType>(events: FilterEvents<T>, count: number): Promise<FilterEventOf<T>[]> {
  const taken: FilterEventOf<T>[] = []
  while (taken.length < count) {
    const { value } = await events.next()
    if (value === undefined) throw new Error(`the events ended after ${taken.length}`)
    taken.push(value)
  }
  return taken
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const value of values) collected.push(value)
  return collected
}

/** Declares the contract's tests for a volume, but those that need what the volume lacks. */
export function describeContract(
  name: string,
  makeVolume: () => ContractVolume | Promise<ContractVolume>,
  lacks: readonly VolumeFeature[] = [],
): void {
  describe(name, () => {
    let volume: ContractVolume
    let filters: Filter[] = []
    let filter: Filter
    let files: VolumeFiles
    let counter = 0

    const has = (feature: VolumeFeature): boolean => !lacks.includes(feature)

    const at = (path: string): string => `${volume.root}${volume.directory ?? ''}\\${path}`

    function open(options?: { readOnly: boolean }): Filter {
      const opened = volume.open(options)
      filters.push(opened)
      return opened
    }

    /** A new file, so that tests share nothing. */
    function newFile(extension = 'txt'): string {
      counter += 1
      const path = at(`file-${counter}.${extension}`)
      files.write(path, Buffer.from('content'))
      return path
    }

    function openNew(): Stream {
      return filter.openStream(newFile())
    }

    beforeAll(async () => {
      volume = await makeVolume()
    })
    afterAll(() => volume.dispose())
    beforeEach(() => {
      filter = open()
      files = volume.files(filter)
    })
    afterEach(async () => {
      const opened = filters
      filters = []
      // Newest first: the first one mounted the volume.
      for (const one of opened.reverse()) one.close()
      await volume.check()
    })

    describe('insert, lookup, remove', () => {
      test('what is inserted is looked up, removed, and then gone', () => {
        const stream = openNew()
        const { outcome, sequence } = stream.insert({ owner: 7n, instance: 1n, data: Buffer.from('seen') })
        expect(outcome).toBe('inserted')
        expect(stream.lookup({ owner: 7n, instance: 1n })).toEqual({
          owner: 7n,
          instance: 1n,
          data: Buffer.from('seen'),
          pool: 'paged',
          lifetime: 'session',
          sequence,
        })
        expect(stream.remove({ owner: 7n, instance: 1n })?.data.toString()).toBe('seen')
        expect(stream.lookup({ owner: 7n, instance: 1n })).toBeUndefined()
        expect(stream.remove({ owner: 7n, instance: 1n })).toBeUndefined()
      })

      test('a stream without contexts has no first one', () => {
        expect(openNew().first()).toBeUndefined()
      })

      test('a removed identity can be inserted again, with a higher sequence number', () => {
        const stream = openNew()
        const first = stream.insert({ data: Buffer.from('one') })
        stream.remove()
        const second = stream.insert({ data: Buffer.from('two') })
        expect(second.sequence).toBeGreaterThan(first.sequence)
        expect(stream.lookup()?.data.toString()).toBe('two')
      })

      test.each([0, 1, 7, 8, 4096, 65535, 65536])(
        '%i bytes of data come back as they went in, from either pool',
        (length) => {
          const stream = openNew()
          const data = Buffer.alloc(length)
          for (let index = 0; index < length; index += 1) data[index] = (index * 31 + (index >> 8)) & 255
          stream.insert({ instance: 1n, data, pool: 'paged' })
          stream.insert({ instance: 2n, data, pool: 'nonpaged' })
          expect(stream.lookup({ instance: 1n })?.data.equals(data)).toBe(true)
          expect(stream.lookup({ instance: 2n })?.pool).toBe('nonpaged')
          expect(stream.remove({ instance: 2n })?.data.equals(data)).toBe(true)
          expect(stream.remove({ instance: 1n })?.data.equals(data)).toBe(true)
        },
      )

      test('changing the buffer after insertion, or the data of a lookup, does not change the context', () => {
        const stream = openNew()
        const data = Buffer.from('seen')
        stream.insert({ data })
        data.fill(0)
        stream.lookup()?.data.fill(1)
        expect(stream.lookup()?.data.toString()).toBe('seen')
      })

      test.each([0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 63n, maximum])(
        'instance %s is an instance like any other',
        (instance) => {
          const stream = openNew()
          const others = [0n, 1n, 42n, 2n ** 63n, maximum].filter((other) => other !== instance)
          for (const other of others) stream.insert({ instance: other, data: Buffer.from(`other ${other}`) })
          expect(stream.lookup({ instance })).toBeUndefined()
          expect(stream.remove({ instance })).toBeUndefined()
          stream.insert({ instance, data: Buffer.from('this one') })
          for (const other of others.reverse())
            stream.insert({ instance: other, data: Buffer.from('younger'), ifExists: 'add' })
          expect(stream.lookup({ instance })?.data.toString()).toBe('this one')
          expect(stream.remove({ instance })?.data.toString()).toBe('this one')
          expect(stream.lookup({ instance })).toBeUndefined()
          expect(stream.contexts()).toHaveLength(2 * others.length)
        },
      )

      test.each([0n, 1n, 2n ** 32n, maximum])('owner key %s is an owner key like any other', (owner) => {
        const stream = openNew()
        stream.insert({ owner, instance: 3n, data: Buffer.from('mine') })
        stream.insert({ owner: owner ^ 5n, instance: 3n, data: Buffer.from('theirs') })
        expect(stream.lookup({ owner, instance: 3n })?.data.toString()).toBe('mine')
        expect(stream.lookup({ owner })?.owner).toBe(owner)
      })

      test('by owner alone the youngest of that owner is meant', () => {
        const stream = openNew()
        stream.insert({ owner: 1n, instance: 10n })
        stream.insert({ owner: 1n, instance: 11n })
        stream.insert({ owner: 2n, instance: 12n })
        expect(stream.lookup({ owner: 1n })?.instance).toBe(11n)
        expect(stream.remove({ owner: 1n })?.instance).toBe(11n)
        expect(stream.remove({ owner: 1n })?.instance).toBe(10n)
        expect(stream.remove({ owner: 1n })).toBeUndefined()
        expect(stream.lookup({ owner: 2n })?.instance).toBe(12n)
      })

      test('the first context on the stream is the youngest, whoever has it', () => {
        const path = newFile()
        const mine = filter.openStream(path)
        const other = open().openStream(path)
        mine.insert({ owner: 4n, instance: 5n, data: Buffer.from('mine') })
        expect(mine.first()).toMatchObject({
          holder: 'self',
          context: { owner: 4n, instance: 5n, data: Buffer.from('mine') },
        })
        expect(other.first()).toEqual({ holder: 'other-session' })
        other.insert({ data: Buffer.from('other') })
        expect(mine.first()).toEqual({ holder: 'other-session' })
        expect(other.first()?.context?.data.toString()).toBe('other')
      })

      test('a lookup into a buffer copies the data and tells its length', () => {
        const stream = openNew()
        stream.insert({ owner: 1n, instance: 2n, data: Buffer.from('seen') })
        const buffer = Buffer.alloc(8, 0xee)
        expect(stream.lookupInto(buffer, { owner: 1n, instance: 2n })).toBe(4)
        expect(buffer).toEqual(Buffer.concat([Buffer.from('seen'), Buffer.alloc(4, 0xee)]))
        expect(stream.lookupInto(buffer, { owner: 1n })).toBe(4)
        expect(stream.lookupInto(buffer, { owner: 1n, instance: 3n })).toBeUndefined()
      })

      test('a buffer that is too small is told the length, and stays as it was', () => {
        const stream = openNew()
        stream.insert({ data: Buffer.from('seen') })
        const buffer = Buffer.alloc(3, 0xee)
        expect(failureOf(() => stream.lookupInto(buffer, { instance: 0n }))).toMatchObject({
          code: 'STATUS_BUFFER_OVERFLOW',
          operation: 'lookup',
          required: 4,
        })
        expect(buffer).toEqual(Buffer.alloc(3, 0xee))
      })
    })

    describe('what to do if one exists', () => {
      test('fail: the one there stays', () => {
        const stream = openNew()
        stream.insert({ data: Buffer.from('first') })
        const error = failureOf(() => stream.insert({ data: Buffer.from('second') }))
        expect(error).toMatchObject({ code: 'STATUS_OBJECT_NAME_COLLISION', operation: 'insert', path: stream.path })
        expect(stream.contexts()).toHaveLength(1)
        expect(stream.lookup()?.data.toString()).toBe('first')
      })

      test('keep: the one there stays, and its sequence number is told', () => {
        const stream = openNew()
        const first = stream.insert({ data: Buffer.from('first'), ifExists: 'keep' })
        expect(first.outcome).toBe('inserted')
        expect(stream.insert({ data: Buffer.from('second'), ifExists: 'keep' })).toEqual({
          outcome: 'kept',
          sequence: first.sequence,
        })
        expect(stream.lookup()?.data.toString()).toBe('first')
        expect(filter.statistics().session.contexts).toBe(1)
      })

      test('replace: the new one is there instead', () => {
        const stream = openNew()
        stream.insert({ instance: 1n, data: Buffer.from('first') })
        stream.insert({ instance: 2n, data: Buffer.from('other') })
        expect(stream.insert({ instance: 1n, data: Buffer.from('second'), ifExists: 'replace' }).outcome).toBe(
          'replaced',
        )
        expect(stream.insert({ instance: 3n, ifExists: 'replace' }).outcome).toBe('inserted')
        expect(stream.lookup({ instance: 1n })?.data.toString()).toBe('second')
        expect(stream.contexts().map((context) => context.instance)).toEqual([3n, 1n, 2n])
      })

      test('add: a duplicate hangs before it, and they go youngest first', () => {
        const stream = openNew()
        for (const [index, text] of ['one', 'two', 'three'].entries()) {
          expect(stream.insert({ data: Buffer.from(text), ifExists: 'add' }).outcome).toBe(
            index === 0 ? 'inserted' : 'added',
          )
        }
        expect(stream.lookup({ instance: 0n })?.data.toString()).toBe('three')
        expect(['', '', ''].map(() => stream.remove({ instance: 0n })?.data.toString())).toEqual([
          'three',
          'two',
          'one',
        ])
        expect(stream.remove({ instance: 0n })).toBeUndefined()
      })

      test('replace takes the youngest of several duplicates', () => {
        const stream = openNew()
        stream.insert({ data: Buffer.from('one') })
        stream.insert({ data: Buffer.from('two'), ifExists: 'add' })
        stream.insert({ data: Buffer.from('three'), ifExists: 'replace' })
        expect(['', ''].map(() => stream.remove()?.data.toString())).toEqual(['three', 'one'])
      })
    })

    describe('many contexts of one stream', () => {
      test('remove-all removes one owner, or every owner of the session, and never another session', () => {
        const path = newFile()
        const stream = filter.openStream(path)
        const other = open().openStream(path)
        other.insert({ owner: 1n })
        for (let instance = 0n; instance < 5n; instance += 1n) {
          stream.insert({ owner: 1n, instance })
          stream.insert({ owner: 2n, instance })
        }
        expect(stream.removeAll({ owner: 1n })).toBe(5)
        expect(stream.removeAll({ owner: 1n })).toBe(0)
        expect(stream.contexts().every((context) => context.owner === 2n)).toBe(true)
        expect(stream.removeAll()).toBe(5)
        expect(stream.contexts()).toEqual([])
        expect(other.lookup({ owner: 1n })).toBeDefined()
      })

      test('the list tells every own context, youngest first, with the name that the stream was opened by', () => {
        const path = `${newFile()}:notes`
        files.write(path, Buffer.from('notes'))
        const stream = filter.openStream(path)
        stream.insert({ owner: 1n, instance: 2n, data: Buffer.alloc(3), pool: 'nonpaged' })
        stream.insert({ owner: 3n, instance: 4n, lifetime: 'stream' })
        const contexts = stream.contexts()
        expect(contexts).toMatchObject([
          { owner: 3n, instance: 4n, dataLength: 0, pool: 'paged', lifetime: 'stream' },
          { owner: 1n, instance: 2n, dataLength: 3, pool: 'nonpaged', lifetime: 'session' },
        ])
        const name = path.slice(volume.root.length).toLowerCase()
        for (const context of contexts) expect(context.name.toLowerCase().endsWith(name)).toBe(true)
        expect(contexts[0]!.sequence).toBeGreaterThan(contexts[1]!.sequence)
        stream.removeAll()
      })

      test('a list longer than one reply comes whole and in order', () => {
        const stream = filter.openStream(newFile('long'.repeat(50))) // each context tells its name
        const count = 500
        const batch = filter.batch()
        for (let instance = 0; instance < count; instance += 1) batch.insert(stream, { instance })
        batch.run()
        expect(batch.failed).toBe(0)
        const instances = stream.contexts().map((context) => Number(context.instance))
        expect(instances).toEqual(Array.from({ length: count }, (_, index) => count - 1 - index))
        expect(stream.removeAll()).toBe(count)
      })
    })

    describe('streams', () => {
      test('two handles on one stream see the same contexts', () => {
        const path = newFile()
        const one = filter.openStream(path)
        const two = filter.openStream(path.toUpperCase())
        one.insert({ data: Buffer.from('seen') })
        expect(two.lookup()?.data.toString()).toBe('seen')
        one.close()
        expect(two.lookup()?.data.toString()).toBe('seen')
        expect(two.remove()).toBeDefined()
      })

      test('the default stream and named streams of one file have contexts of their own', () => {
        const path = newFile()
        const streams = [path, `${path}:one`, `${path}:two`]
        for (const named of streams.slice(1)) files.write(named, Buffer.from(named))
        const opened = streams.map((stream) => filter.openStream(stream))
        for (const [index, stream] of opened.entries()) stream.insert({ data: Buffer.from(`stream ${index}`) })
        for (const [index, stream] of opened.entries()) {
          expect(stream.lookup()?.data.toString()).toBe(`stream ${index}`)
          expect(stream.contexts()).toHaveLength(1)
        }
        expect(filter.openStream(`${path}::$DATA`).lookup()?.data.toString()).toBe('stream 0')
        expect(filter.openStream(`${path}:ONE:$DATA`).lookup()?.data.toString()).toBe('stream 1')
      })

      test('hard links lead to the same stream', () => {
        const path = newFile()
        const link = at(`link-${counter}.txt`)
        files.link(path, link)
        const stream = filter.openStream(path)
        stream.insert({ data: Buffer.from('seen') })
        expect(filter.openStream(link).lookup()?.data.toString()).toBe('seen')
      })

      test('a rename, also of the directory above, leaves the contexts where they are', () => {
        files.mkdir(at(`directory-${counter}`))
        const from = at(`directory-${counter}\\a.txt`)
        files.write(from, Buffer.from('content'))
        const stream = filter.openStream(from)
        stream.insert({ data: Buffer.from('seen') })
        const renamed = at(`renamed-${counter}.txt`)
        files.rename(from, renamed)
        expect(stream.lookup()?.data.toString()).toBe('seen')
        expect(filter.openStream(renamed).lookup()?.data.toString()).toBe('seen')
        expect(failureOf(() => filter.openStream(from)).code).toBe('STATUS_OBJECT_NAME_NOT_FOUND')
      })

      test('directories carry contexts too', () => {
        const path = at(`folder-${counter}`)
        files.mkdir(path)
        const stream = filter.openStream(volume.directoryPath(path))
        expect(stream.support().supported).toBe(true)
        stream.insert({ data: Buffer.from('seen') })
        expect(filter.openStream(volume.directoryPath(path)).lookup()?.data.toString()).toBe('seen')
        if (has('name rules')) expect(filter.openStream(`${path}\\`).lookup()?.data.toString()).toBe('seen')
      })

      test('names in any script work', () => {
        for (const text of ['Ünïcödé', '日本語', 'файл', '😀 emoji', 'with spaces and (brackets)']) {
          const path = at(`${text}.txt`)
          files.write(`${path}:${text}`, Buffer.from(text))
          const stream = filter.openStream(`${path}:${text}`)
          stream.insert({ data: Buffer.from(text) })
          expect(filter.openStream(`${path}:${text}`).lookup()?.data.toString()).toBe(text)
          expect(stream.contexts()[0]!.name.endsWith(`${text}.txt:${text}`)).toBe(true)
        }
      })

      if (has('long paths'))
        test('a path of nearly 32 767 characters works', () => {
          const component = 'c'.repeat(250)
          let path = at(`deep-${counter}`)
          files.mkdir(path)
          while (path.length + component.length + 1 < 32_600) {
            path += `\\${component}`
            files.mkdir(path)
          }
          path += '\\file.txt:stream'
          files.write(path, Buffer.from('deep'))
          const stream = filter.openStream(path)
          stream.insert({ data: Buffer.from('seen') })
          expect(filter.openStream(path).lookup()?.data.toString()).toBe('seen')
          expect(stream.contexts()[0]!.name.endsWith('file.txt:stream')).toBe(true)
        })

      if (has('paging file'))
        test('the paging file takes no contexts, and the error says why', () => {
          const path = at('pagefile.sys')
          const stream = filter.openStream(path)
          expect(stream.support()).toMatchObject({ supported: false, reason: 'no-filter-contexts' })
          const error = failureOf(() => stream.insert())
          expect(error).toMatchObject({
            code: 'STATUS_INVALID_DEVICE_REQUEST',
            operation: 'insert',
            path,
          })
          expect(error.message).toMatch(/paging file/)
        })

      test('a volume is no file stream', () => {
        const path = volume.volumePath
        const stream = filter.openStream(path)
        expect(stream.support()).toMatchObject({ supported: false, reason: 'volume' })
        for (const action of [
          () => stream.insert(),
          () => stream.lookup(),
          () => stream.remove(),
          () => stream.contexts(),
        ]) {
          expect(failureOf(action)).toMatchObject({ code: 'STATUS_INVALID_DEVICE_REQUEST', path })
        }
        expect(failureOf(() => stream.insert()).message).toMatch(/volume/)
      })

      test('pipes and control devices are no file streams either, and their FsContext is not read', () => {
        for (const path of [volume.pipe, '\\\\.\\PsCtx']) {
          const stream = filter.openStream(path)
          expect(stream.support()).toMatchObject({ supported: false, reason: 'not-a-file-system' })
          for (const action of [
            () => stream.insert(),
            () => stream.lookup(),
            () => stream.first(),
            () => stream.removeAll(),
          ]) {
            expect(failureOf(action)).toMatchObject({ code: 'STATUS_INVALID_DEVICE_REQUEST', path })
          }
        }
      })
    })

    describe('lifetimes', () => {
      test('the file system tears contexts down exactly once, when the last handle is closed', () => {
        const path = newFile()
        const one = filter.openStream(path)
        const two = filter.openStream(path)
        one.insert({ instance: 1n })
        two.insert({ instance: 2n, lifetime: 'stream' })
        one.close()
        expect(filter.statistics().session).toMatchObject({ contexts: 2, tornDown: 0 })
        two.close()
        expect(filter.statistics().session).toMatchObject({ contexts: 0, inserted: 2, removed: 0, tornDown: 2 })
        expect(filter.openStream(path).lookup()).toBeUndefined()
        expect(filter.statistics().session.tornDown).toBe(2)
      })

      test('what was removed is not torn down', () => {
        const stream = openNew()
        stream.insert({ instance: 1n })
        stream.insert({ instance: 2n })
        stream.remove({ instance: 1n })
        stream.close()
        expect(filter.statistics().session).toMatchObject({ contexts: 0, inserted: 2, removed: 1, tornDown: 1 })
      })

      test('a file deleted while open keeps its contexts until the last handle is closed', () => {
        const path = newFile()
        const stream = filter.openStream(path)
        stream.insert({ data: Buffer.from('seen') })
        files.unlink(path)
        expect(stream.lookup()?.data.toString()).toBe('seen')
        stream.close()
        expect(filter.statistics().session.tornDown).toBe(1)
        expect(failureOf(() => filter.openStream(path)).code).toBe('STATUS_OBJECT_NAME_NOT_FOUND')
      })

      test('a session that ends takes its contexts along, but not those that live with the stream', () => {
        const path = newFile()
        const keeper = filter.openStream(path)
        const other = open()
        const stream = other.openStream(path)
        stream.insert({ instance: 1n })
        stream.insert({ instance: 2n, lifetime: 'stream' })
        stream.insert({ instance: 2n, ifExists: 'add' })
        stream.insert({ instance: 2n, ifExists: 'add', lifetime: 'stream' })
        other.close()
        expect(filter.statistics().total).toMatchObject({ contexts: 2, sessions: 1 })
        expect(keeper.first()).toEqual({ holder: 'other-session' })
        keeper.close()
        expect(filter.statistics().total.contexts).toBe(0)
      })

      test('a process that dies takes its contexts along', async () => {
        const path = newFile()
        const keeper = filter.openStream(path)
        await volume.insertAndDie(path, filter)
        expect(filter.statistics().total).toMatchObject({ contexts: 0, pagedBytes: 0, nonPagedBytes: 0, sessions: 1 })
        expect(keeper.first()).toBeUndefined()
      })

      if (has('dismount'))
        test('contexts of open files outlive a dismount, and go with the last handle', () => {
          const path = newFile()
          const stream = filter.openStream(path)
          stream.insert({ data: Buffer.from('seen') })
          files.dismount()
          expect(stream.lookup()?.data.toString()).toBe('seen')
          expect(() => filter.openStream(path)).toThrow(PerStreamContextError)
          stream.close()
          expect(filter.statistics().session.tornDown).toBe(1)
        })

      test('closing a filter closes its streams; closing twice is harmless', () => {
        const other = open()
        const stream = other.openStream(newFile())
        stream.insert()
        other.close()
        other.close()
        stream.close()
        expect(stream.closed).toBe(true)
        expect(filter.statistics().total.contexts).toBe(0)
      })

      test('using closes streams and filters at the end of their block', () => {
        const path = newFile()
        {
          using other = open()
          using stream = other.openStream(path)
          stream.insert()
          expect(filter.statistics().total.contexts).toBe(1)
        }
        expect(filter.statistics().total).toMatchObject({ contexts: 0, sessions: 1 })
      })
    })

    describe('sessions', () => {
      test('the same owner key and instance of two sessions are two contexts', () => {
        const path = newFile()
        const mine = filter.openStream(path)
        const theirs = open().openStream(path)
        mine.insert({ owner: 1n, instance: 2n, data: Buffer.from('mine') })
        expect(theirs.lookup({ owner: 1n, instance: 2n })).toBeUndefined()
        expect(theirs.remove({ owner: 1n })).toBeUndefined()
        expect(theirs.removeAll()).toBe(0)
        expect(theirs.contexts()).toEqual([])
        expect(theirs.insert({ owner: 1n, instance: 2n, data: Buffer.from('theirs') }).outcome).toBe('inserted')
        expect(mine.lookup({ owner: 1n, instance: 2n })?.data.toString()).toBe('mine')
        expect(theirs.remove({ owner: 1n, instance: 2n })?.data.toString()).toBe('theirs')
        expect(mine.lookup({ owner: 1n, instance: 2n })?.data.toString()).toBe('mine')
      })

      test('a read-only session looks, and changes nothing', () => {
        const path = newFile()
        const reader = open({ readOnly: true })
        const stream = reader.openStream(path)
        filter.openStream(path).insert()
        expect(stream.first()).toEqual({ holder: 'other-session' })
        expect(stream.lookup()).toBeUndefined()
        expect(stream.contexts()).toEqual([])
        for (const operation of ['insert', 'remove', 'removeAll'] as const) {
          expect(failureOf(() => stream[operation]())).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation, path })
        }
        expect(reader.statistics().session.inserted).toBe(0)
      })

      test('the statistics add up', () => {
        const stream = openNew()
        stream.insert({ instance: 1n, data: Buffer.alloc(100) })
        stream.insert({ instance: 2n, data: Buffer.alloc(1000), pool: 'nonpaged' })
        const { session, total } = filter.statistics()
        expect(session).toMatchObject({ contexts: 2, inserted: 2, removed: 0, tornDown: 0 })
        expect(session.pagedBytes).toBeGreaterThanOrEqual(100)
        expect(session.nonPagedBytes).toBeGreaterThanOrEqual(1000)
        expect(total).toMatchObject({ contexts: 2, sessions: 1 })
        expect(total.attachedVolumes).toBe(volume.attachedVolumes())
        stream.removeAll()
        expect(filter.statistics().session).toMatchObject({ contexts: 0, pagedBytes: 0, nonPagedBytes: 0, removed: 2 })
      })

      test('a context costs at most 160 bytes beyond its name and data', () => {
        const stream = openNew()
        stream.insert({ data: Buffer.alloc(100) })
        const [context] = stream.contexts()
        expect(filter.statistics().session.pagedBytes - 100 - 2 * context!.name.length).toBeLessThanOrEqual(160)
      })

      test('the version and the limits are told', () => {
        expect(filter.kernel).toBe(volume.kernel)
        expect(filter.front).toBe(volume.front)
        expect(filter.version).toMatch(/^\d+\.\d+\.\d+$/)
        expect(filter.limits).toMatchObject({ dataLength: 65536, batchOperations: 4096, streamContexts: 512 })
        for (const limit of Object.values(filter.limits)) expect(limit).toBeGreaterThan(0)
      })

      test('what is kept for a filter beside its contexts is told, and given back', () => {
        const before = filter.statistics()
        const stream = openNew()
        stream.insert({ owner: 77n })
        const { session, total } = filter.statistics()
        expect(session.pagedRecordBytes).toBeGreaterThan(before.session.pagedRecordBytes)
        expect(session.nonPagedRecordBytes).toBe(before.session.nonPagedRecordBytes)
        expect(total.pagedRecordBytes).toBeGreaterThanOrEqual(session.pagedRecordBytes)
        const other = open()
        expect(filter.statistics().total.sessions).toBe(total.sessions + 1)
        expect(filter.statistics().total.nonPagedRecordBytes).toBeGreaterThan(total.nonPagedRecordBytes)
        other.close()
        expect(filter.statistics().total.nonPagedRecordBytes).toBe(total.nonPagedRecordBytes)
      })
    })

    describe('events', () => {
      test('tell what happens to contexts, in order, from the call on', async () => {
        const path = newFile()
        const stream = filter.openStream(path)
        stream.insert({ owner: 9n })
        const begin = Date.now()
        const events = filter.events({ types: ['inserted', 'removed', 'torn-down'] })
        const one = stream.insert({ owner: 1n, instance: 2n })
        stream.insert({ owner: 1n, instance: 2n, ifExists: 'replace' })
        stream.remove({ owner: 1n, instance: 2n })
        stream.close()
        const told = await take(events, 5)
        expect(told).toMatchObject([
          { type: 'inserted', number: 1, owner: 1n, instance: 2n, sequence: one.sequence },
          { number: 2, owner: 1n, instance: 2n },
          { number: 3, owner: 1n, instance: 2n },
          { type: 'removed', number: 4, owner: 1n, instance: 2n },
          { type: 'torn-down', number: 5, owner: 9n, instance: 0n },
        ])
        expect([told[1]!.type, told[2]!.type].sort()).toEqual(['inserted', 'removed'])
        const name = path.slice(volume.root.length).toLowerCase()
        for (const event of told) {
          if (event.type === 'dropped') throw new Error('an event was dropped')
          expect(event.name.toLowerCase().endsWith(name)).toBe(true)
          expect(Math.abs(event.date.getTime() - begin)).toBeLessThan(60_000)
          expect(event.time / 10_000n - 11_644_473_600_000n).toBe(BigInt(event.date.getTime()))
          if (event.type === 'torn-down') expect(event).not.toHaveProperty('processId')
          else expect(event.processId).toBeGreaterThan(0)
          if (event.type === 'inserted') expect(event).not.toHaveProperty('age')
          else expect(event.age).toBeGreaterThanOrEqual(0)
          if (event.type !== 'inserted') expect(event.age).toBeLessThan(60_000)
        }
        await events.return()
      })

      test('are waited for, off the event loop', async () => {
        const stream = openNew()
        const events = filter.events()
        const waiting = take(events, 1)
        await new Promise((resolve) => setTimeout(resolve, 20))
        stream.insert({ instance: 3n })
        expect(await waiting).toMatchObject([{ type: 'inserted', instance: 3n }])
        await events.return()
      })

      test('of another filter are not told', async () => {
        const path = newFile()
        const events = filter.events({ types: ['inserted', 'removed', 'torn-down'] })
        const other = open().openStream(path)
        other.insert()
        other.remove()
        filter.openStream(path).insert({ instance: 1n })
        expect(await take(events, 1)).toMatchObject([{ type: 'inserted', number: 1, instance: 1n }])
        await events.return()
      })

      test('come to every reader whole, and of the types that it asked for', async () => {
        const stream = openNew()
        const all = filter.events()
        const removals = filter.events({ types: ['removed'] })
        const count = 2000
        for (let round = 0; round < count; round += 1) {
          stream.insert({ instance: round })
          stream.remove({ instance: round })
        }
        const [everything, removed] = await Promise.all([take(all, 2 * count), take(removals, count)])
        expect(everything.map(({ number }) => number)).toEqual(Array.from({ length: 2 * count }, (_, i) => i + 1))
        expect(removed.map((event) => event.type === 'removed' && Number(event.instance))).toEqual(
          Array.from({ length: count }, (_, i) => i),
        )
        await all.return()
        await removals.return()
      })

      test('can be read by a read-only filter, which has none of its own', async () => {
        const reader = open({ readOnly: true })
        const events = reader.events()
        filter.openStream(newFile()).insert()
        const waiting = events.next()
        await events.return()
        expect(await waiting).toEqual({ value: undefined, done: true })
      })

      if (has('dismount'))
        test('tell of a volume that is dismounted, and of one that is mounted', async () => {
          const events = filter.events({ types: ['volume-attached', 'volume-detached'] })
          const { device } = filter.volumes().find(({ attachment }) => attachment === 'attached')!
          files.dismount()
          expect(await take(events, 1)).toMatchObject([{ type: 'volume-detached', name: device }])
          open()
          expect(await take(events, 1)).toMatchObject([{ type: 'volume-attached' }])
          await events.return()
        })

      test('end with the filter, and leave nothing behind', async () => {
        const other = open()
        const events = other.events()
        other.openStream(newFile()).insert()
        await take(events, 1)
        const waiting = events.next()
        other.close()
        expect(await waiting).toEqual({ value: undefined, done: true })
        expect(filter.statistics().total).toMatchObject({ contexts: 0, sessions: 1 })
      })
    })

    describe('every context', () => {
      const key = ({ name, owner, instance, sequence }: ListedContext): string =>
        `${sequence} ${owner} ${instance} ${name}`

      test('of the filter is told once, wherever it is, and as its stream tells it', async () => {
        const streams = Array.from({ length: 300 }, openNew)
        for (const [index, stream] of streams.entries()) {
          for (let instance = 0; instance < 1 + (index % 7); instance += 1) {
            stream.insert({ owner: index, instance, data: Buffer.alloc(index) })
          }
        }
        open().openStream(streams[0]!.path).insert()
        const listed = streams.flatMap((stream) => stream.contexts())
        const told = await collect(filter.enumerate())
        expect(told.map(key).sort()).toEqual(listed.map(key).sort())
        const first = streams[0]!.contexts()[0]!
        expect(told.find(({ sequence }) => sequence === first.sequence)).toEqual(first)
        expect(first.byRule).toBe(false)
        expect(Math.abs(first.date.getTime() - Date.now())).toBeLessThan(60_000)
      })

      test('of one volume is told when that is asked for', async () => {
        const stream = openNew()
        stream.insert({ instance: 1n })
        stream.insert({ instance: 2n })
        const told = await collect(filter.enumerate({ volume: stream.path }))
        expect(told.map(({ instance }) => instance).sort()).toEqual([1n, 2n])
        if (has('drive letter')) expect(await collect(filter.enumerate({ volume: volume.root }))).toHaveLength(2)
      })

      test('that stays is told, though others come and go meanwhile', async () => {
        const streams = Array.from({ length: 100 }, openNew)
        const batch = filter.batch()
        for (const stream of streams) {
          batch.clear()
          for (let instance = 0; instance < 120; instance += 1) batch.insert(stream, { instance })
          expect(batch.run().failed).toBe(0)
        }
        const stays = streams.flatMap((stream) => stream.contexts().filter(({ instance }) => instance % 2n === 0n))
        const told = new Map<bigint, number>()
        for await (const { sequence } of filter.enumerate()) {
          told.set(sequence, (told.get(sequence) ?? 0) + 1)
          const stream = streams[told.size % streams.length]!
          const instance = BigInt(2 * (told.size % 60) + 1)
          if (stream.remove({ instance }) === undefined) stream.insert({ instance })
        }
        for (const { sequence } of stays) expect(told.get(sequence)).toBe(1)
      })
    })

    describe('volumes', () => {
      test('are told with their file systems, and what they hold', () => {
        const before = filter.volumes().filter(({ attachment }) => attachment === 'attached')
        expect(before).toHaveLength(volume.attachedVolumes())
        const stream = openNew()
        stream.insert({ data: Buffer.alloc(1000) })
        stream.insert({ instance: 1n })
        const [found] = filter.volumes().filter(({ contexts }) => contexts === 2)
        expect(found).toMatchObject({ attachment: 'attached', tearsDown: true })
        expect(found!.bytes).toBeGreaterThan(1000)
        expect(found!.device).toMatch(/^\\Device\\/)
        expect(found!.fileSystem).toMatch(/^\\(FileSystem|Driver)\\/)
        expect(found!.mountPoints).toEqual(has('drive letter') ? [volume.root] : [])
        expect(stream.contexts()[0]!.name.startsWith(found!.device)).toBe(true)
        stream.removeAll()
        expect(filter.volumes().every(({ contexts, bytes }) => contexts === 0 && bytes === 0)).toBe(true)
      })
    })

    describe('inspection', () => {
      if (has('list lock')) {
        test('tells every context on a stream from the head of its list, whoever has it', () => {
          const path = newFile()
          const stream = filter.openStream(path)
          expect(stream.inspect()).toEqual([])
          const { sequence } = stream.insert({ owner: 1n, instance: 2n, data: Buffer.from('mine') })
          const other = open().openStream(path)
          other.insert({ owner: 1n, instance: 2n, data: Buffer.from('secret') })
          const [theirs, mine, ...others] = stream.inspect()
          expect(others).toEqual([])
          expect(mine).toMatchObject({
            holder: 'self',
            owner: 1n,
            instance: 2n,
            sequence,
            data: Buffer.from('mine'),
          })
          expect(theirs!.holder).toBe('other-session')
          for (const secret of ['owner', 'instance', 'sequence', 'data']) expect(theirs).not.toHaveProperty(secret)
          expect(theirs!.ownerToken).toMatch(/^[0-9a-f]{16}$/)
          expect(theirs!.ownerToken).not.toBe(mine!.ownerToken)
          expect(other.inspect().map(({ holder }) => holder)).toEqual(['self', 'other-session'])
        })

        test('has one token for one owner, on every stream', () => {
          const one = openNew()
          const two = openNew()
          for (const stream of [one, two]) {
            stream.insert({ owner: 1n })
            stream.insert({ owner: 2n })
          }
          const tokens = [one, two].map((stream) => stream.inspect().map(({ ownerToken }) => ownerToken))
          expect(tokens[0]).toEqual(tokens[1])
          expect(new Set(tokens[0]).size).toBe(2)
        })

        test('tells more contexts than fit into the first reply', () => {
          const stream = openNew()
          for (let instance = 0; instance < 500; instance += 1) stream.insert({ instance })
          expect(stream.inspect().map((context) => context.holder === 'self' && Number(context.instance))).toEqual(
            Array.from({ length: 500 }, (_, index) => 499 - index),
          )
        })

        test('of duplicates tells the data of the youngest', () => {
          const stream = openNew()
          stream.insert({ data: Buffer.from('older') })
          stream.insert({ data: Buffer.from('younger'), ifExists: 'add' })
          expect(stream.inspect().map((context) => context.holder === 'self' && context.data?.toString())).toEqual([
            'younger',
            undefined,
          ])
        })
      } else {
        test('is refused where the lock of the list is not known', () => {
          const stream = openNew()
          const error = failureOf(() => stream.inspect())
          expect(error).toMatchObject({ code: 'STATUS_NOT_SUPPORTED', operation: 'inspect', path: stream.path })
          expect(error.message).toContain('lock')
        })
      }

      test('is refused for what carries no contexts, and for a closed stream', () => {
        const path = volume.volumePath
        expect(failureOf(() => filter.openStream(path).inspect())).toMatchObject({
          code: 'STATUS_INVALID_DEVICE_REQUEST',
          operation: 'inspect',
          path,
        })
        const stream = openNew()
        stream.close()
        expect(failureOf(() => stream.inspect()).code).toBe('STATUS_FILE_CLOSED')
      })
    })

    describe('tracking rules', () => {
      test.each([
        ['match', {}],
        ['match', { match: '' }],
        ['match', { match: 'a\0b' }],
        ['match', { match: 'x'.repeat(1025) }],
        ['match', { match: 7 }],
        ['count', { match: '*', count: 'yes' }],
        ['owner', { match: '*', owner: -1 }],
        ['instance', { match: '*', instance: 2n ** 64n }],
        ['volume', { match: '*', volume: 5 }],
        ['options', null],
        ['matches', { match: '*', matches: '*' }],
      ])('with a wrong %s are refused: %p', (argument, options) => {
        const error = argumentErrorOf(() => filter.track(options as never))
        expect(error.argument).toBe(argument)
        expect(error.message).toContain('track')
      })

      test('are at most 64, and end as often as is asked for', () => {
        const rules = Array.from({ length: 64 }, (_, index) => filter.track({ match: `\\NONE-${index}` }))
        expect(failureOf(() => filter.track({ match: '*' }))).toMatchObject({
          code: 'STATUS_QUOTA_EXCEEDED',
          operation: 'track',
          message: expect.stringContaining('at most 64 tracking rules: end one of them first') as string,
        })
        rules[0]!.close()
        rules[0]!.close()
        expect(rules[0]!.closed).toBe(true)
        filter.track({ match: `\\${'X'.repeat(1023)}` }).close()
        {
          using rule = filter.track({ match: '\\NONE' })
          expect(rule).toMatchObject({ match: '\\NONE', owner: 0n, instance: 0n, count: false, volume: undefined })
        }
        for (const rule of rules) rule.close()
        filter.track({ match: '\\NONE' }).close()
      })

      test('belong to one filter, and go with it', () => {
        const other = open()
        const rule = other.track({ match: '\\NONE' })
        other.close()
        expect(rule.closed).toBe(true)
        rule.close()
        expect(failureOf(() => other.track({ match: '*' })).code).toBe('STATUS_FILE_CLOSED')
        const reader = open({ readOnly: true })
        expect(failureOf(() => reader.track({ match: '*' })).code).toBe('STATUS_ACCESS_DENIED')
      })

      if (has('tracking by name')) {
        test('have contexts inserted on the streams that match, when they are opened', () => {
          const tracked = newFile('tracked')
          const plain = newFile()
          using rule = filter.track({ match: '*.TRACKED', owner: 3n, instance: 4n, volume: tracked })
          const stream = filter.openStream(tracked)
          expect(stream.contexts()).toMatchObject([
            { owner: 3n, instance: 4n, dataLength: 0, byRule: true, name: tracked.slice(volume.root.length) },
          ])
          expect(stream.contexts()[0]).not.toHaveProperty('tracked')
          expect(filter.openStream(plain).contexts()).toEqual([])
          rule.close()
          expect(stream.lookup({ owner: 3n, instance: 4n })).toBeDefined()
          stream.close()
          expect(filter.openStream(tracked).contexts()).toEqual([])
        })

        test('tell what they have done', () => {
          const path = newFile('asked')
          const rule = filter.track({ match: '*.asked' })
          expect(rule.statistics()).toEqual({ matched: 0, inserted: 0, missed: 0 })
          const stream = filter.openStream(path)
          filter.openStream(path).close()
          expect(rule.statistics()).toEqual({ matched: 2, inserted: 1, missed: 0 })
          expect(filter.statistics().session.missed).toBe(0)
          expect(stream.contexts()[0]).toMatchObject({ nameTruncated: false })
          rule.close()
          expect(failureOf(() => rule.statistics())).toMatchObject({
            code: 'STATUS_NOT_FOUND',
            operation: 'statistics',
          })
        })

        test('match named streams by their whole names, without regard to case', () => {
          const path = `${newFile()}:Notes`
          files.write(path, Buffer.from('notes'))
          filter.track({ match: '*:notes' })
          expect(filter.openStream(path).lookup()).toBeDefined()
          expect(filter.openStream(path.slice(0, -':Notes'.length)).lookup()).toBeUndefined()
        })

        test('count what is done with a stream', () => {
          const path = newFile('counted')
          filter.track({ match: '*.counted', count: true })
          const stream = filter.openStream(path)
          files.write(path, Buffer.from('0123456789'))
          const [context] = stream.contexts()
          expect(context!.tracked).toMatchObject({ opens: 2, cleanups: 1, reads: 0, writes: 1, bytesWritten: 10 })
          expect(context!.tracked!.firstProcessId).toBeGreaterThan(0)
          expect(context!.tracked!.lastProcessId).toBeGreaterThan(0)
        })

        test('tell of opens and cleanups', async () => {
          const path = newFile('told')
          filter.track({ match: '*.told' })
          const events = filter.events()
          filter.openStream(path).close()
          const name = path.slice(volume.root.length)
          expect((await take(events, 4)).map(({ type }) => type)).toEqual([
            'inserted',
            'tracked',
            'cleanup',
            'torn-down',
          ])
          filter.openStream(path)
          expect(await take(events, 2)).toMatchObject([
            { type: 'inserted', name },
            { type: 'tracked', name },
          ])
          await events.return()
        })

        if (has('drive letter'))
          test('of one volume are named by its drive', () => {
            const path = newFile('tracked')
            filter.track({ match: '*.tracked', volume: volume.root })
            expect(filter.openStream(path).lookup()).toBeDefined()
          })
      }
    })

    describe('batches', () => {
      let batch: Batch
      beforeEach(() => {
        batch = filter.batch()
      })

      test('every operation has its own status, and none stops the rest', () => {
        const one = openNew()
        const two = openNew()
        const pipe = filter.openStream(volume.pipe)
        batch.insert(one, { instance: 1n, data: Buffer.from('first') })
        batch.insert(one, { instance: 1n, data: Buffer.from('again') })
        batch.insert(pipe, { instance: 1n })
        batch.insert(two, { instance: 1n, data: Buffer.from('second') })
        batch.lookup(one, { instance: 1n })
        batch.lookup(two, { instance: 2n })
        batch.remove(two, { instance: 1n })
        batch.removeAll(one)
        batch.run()
        expect(Array.from({ length: batch.length }, (_, index) => batch.status(index))).toEqual([
          'STATUS_SUCCESS',
          'STATUS_OBJECT_NAME_COLLISION',
          'STATUS_INVALID_DEVICE_REQUEST',
          'STATUS_SUCCESS',
          'STATUS_SUCCESS',
          'STATUS_NOT_FOUND',
          'STATUS_SUCCESS',
          'STATUS_SUCCESS',
        ])
        expect(batch.failed).toBe(3)
        expect(batch.result(0)).toMatchObject({ operation: 'insert', value: { outcome: 'inserted' } })
        expect(batch.result(4)).toMatchObject({
          operation: 'lookup',
          value: { instance: 1n, data: Buffer.from('first') },
        })
        expect(batch.result(5)).toEqual({ operation: 'lookup', value: undefined })
        expect(batch.result(6)).toMatchObject({ operation: 'remove', value: { data: Buffer.from('second') } })
        expect(batch.result(7)).toEqual({ operation: 'removeAll', value: 1 })
        expect(failureOf(() => batch.result(1)).code).toBe('STATUS_OBJECT_NAME_COLLISION')
      })

      test('a batch can be run again, and cleared', () => {
        const stream = openNew()
        batch.insert(stream, { ifExists: 'add' })
        batch.run()
        batch.run()
        expect(stream.removeAll()).toBe(2)
        batch.clear()
        expect(batch.length).toBe(0)
        batch.lookup(stream)
        batch.run()
        expect(batch.status(0)).toBe('STATUS_NOT_FOUND')
      })

      test('a reply that does not fit its slot is an overflow, and nothing is removed', () => {
        const stream = openNew()
        stream.insert({ data: Buffer.alloc(1000) })
        const narrow = filter.batch({ replyCapacity: 64 })
        narrow.remove(stream)
        narrow.run()
        expect(narrow.status(0)).toBe('STATUS_BUFFER_OVERFLOW')
        expect(stream.lookup()?.data).toHaveLength(1000)
      })

      test('more operations than a batch may have are refused when they are added', () => {
        const stream = openNew()
        for (let index = 0; index < filter.limits.batchOperations; index += 1) batch.lookup(stream)
        expect(argumentErrorOf(() => batch.lookup(stream)).argument).toBe('batch')
        batch.run()
        expect(batch.failed).toBe(filter.limits.batchOperations)
      })
    })

    describe('bad input', () => {
      test.each([
        ['an owner below zero', { owner: -1n }],
        ['an owner above 2^64-1', { owner: 2n ** 64n }],
        ['an instance below zero', { instance: -1 }],
        ['an instance above 2^64-1', { instance: 2n ** 64n }],
        ['a fraction', { instance: 1.5 }],
        ['a number that is no safe integer', { instance: 2 ** 60 }],
        ['an instance of another type', { instance: 'one' }],
        ['data that are no bytes', { data: 'text' }],
        ['data in numbers wider than bytes', { data: new Uint16Array(2) }],
        ['an unknown pool', { pool: 'swimming' }],
        ['an unknown lifetime', { lifetime: 'forever' }],
        ['an unknown ifExists', { ifExists: 'explode' }],
        ['an unknown key', { instnace: 1n }],
      ])('%s is refused, and nothing is inserted', (_, options) => {
        const stream = openNew()
        const error = argumentErrorOf(() => stream.insert(options as never))
        expect(error.argument).toBe(Object.keys(options)[0])
        expect(error.message).toContain('insert')
        expect(stream.contexts()).toEqual([])
      })

      test('more data than 64 KiB is refused, and nothing is inserted', () => {
        const stream = openNew()
        expect(argumentErrorOf(() => stream.insert({ data: Buffer.alloc(65537) })).argument).toBe('data')
        expect(stream.contexts()).toEqual([])
      })

      test.each([
        ['no path', '', 'STATUS_OBJECT_NAME_INVALID'],
        ['a NUL inside', 'X:\\a\0b', 'STATUS_OBJECT_NAME_INVALID'],
        ['no such file', '%\\none.txt', 'STATUS_OBJECT_NAME_NOT_FOUND'],
        ['no such directory', '%\\none\\none.txt', 'STATUS_OBJECT_PATH_NOT_FOUND'],
        ['more than 32 767 characters', `%\\${'x\\'.repeat(17000)}`, 'STATUS_NAME_TOO_LONG'],
        ...(has('name rules')
          ? [
              ['no such volume', 'Q:\\a.txt', 'STATUS_OBJECT_PATH_NOT_FOUND'],
              ['an empty stream name', '%\\a.txt:', 'STATUS_OBJECT_NAME_INVALID'],
              ['too many colons', '%\\a.txt:b:c:d', 'STATUS_OBJECT_NAME_INVALID'],
              ['a wildcard', '%\\*.txt', 'STATUS_OBJECT_NAME_INVALID'],
              ['a component of 256 characters', `%\\${'x'.repeat(256)}`, 'STATUS_OBJECT_NAME_INVALID'],
            ]
          : []),
      ] as [string, string, string][])('a path with %s is refused', (_, pattern, code) => {
        const path = pattern.replace('%', volume.root)
        expect(failureOf(() => filter.openStream(path))).toMatchObject({ code, operation: 'open', path })
      })

      test.each([[undefined], [null], [42], [{}]])('%p is no path', (path) => {
        expect(argumentErrorOf(() => filter.openStream(path as never)).argument).toBe('path')
      })

      test('a closed stream and a closed filter say so', () => {
        const stream = openNew()
        stream.close()
        for (const action of [
          () => stream.insert(),
          () => stream.lookup(),
          () => stream.lookupInto(Buffer.alloc(1)),
          () => stream.contexts(),
        ]) {
          expect(failureOf(action)).toMatchObject({ code: 'STATUS_FILE_CLOSED', path: stream.path })
        }
        const other = open()
        other.close()
        for (const action of [
          () => other.openStream(at('a.txt')),
          () => other.statistics(),
          () => other.batch().run(),
        ]) {
          expect(failureOf(action).code).toBe('STATUS_FILE_CLOSED')
        }
      })

      test('more owner keys than a session may have are refused, and the others stay', () => {
        const streams = Array.from({ length: 16 }, openNew)
        const batch = filter.batch()
        for (let owner = 0; owner < 4096; owner += 1) batch.insert(streams[owner % 16]!, { owner })
        batch.run()
        expect(batch.failed).toBe(0)
        expect(failureOf(() => streams[0]!.insert({ owner: 4096 })).code).toBe('STATUS_QUOTA_EXCEEDED')
        expect(streams[15]!.lookup({ owner: 4095 })).toBeDefined()
        for (const stream of streams) expect(stream.removeAll()).toBe(256)
      })

      test('more nonpaged pool than a session may have is refused, and what is removed can be used again', () => {
        const streams = Array.from({ length: 16 }, openNew)
        const data = Buffer.alloc(65536)
        let instance = 0
        let error: PerStreamContextError | undefined
        while (error === undefined && instance < 4096) {
          try {
            streams[instance % 16]!.insert({ instance, data, pool: 'nonpaged' })
            instance += 1
          } catch (thrown) {
            error = thrown as PerStreamContextError
          }
        }
        expect(error?.code).toBe('STATUS_QUOTA_EXCEEDED')
        expect(filter.statistics().session.nonPagedBytes).toBeLessThanOrEqual(128 << 20)
        streams[0]!.remove({ instance: 0 })
        expect(streams[0]!.insert({ instance: 0, data, pool: 'nonpaged' }).outcome).toBe('inserted')
        expect(streams.reduce((count, stream) => count + stream.removeAll(), 0)).toBe(instance)
      })

      if (has('allocation faults'))
        test('when memory runs out at any point, the operation fails whole and the stream is as before', () => {
          const stream = openNew()
          stream.insert({ owner: 1n, instance: 1n, data: Buffer.from('there') })
          const failures: string[] = []
          let round = 0
          for (let done = false; !done && round < 100;) {
            round += 1
            files.setAllocationFault(round)
            try {
              stream.insert({ owner: BigInt(round + 1), instance: 2n, data: Buffer.from('new') })
              done = true
            } catch (error) {
              failures.push((error as PerStreamContextError).code)
              expect(stream.contexts()).toHaveLength(1)
              expect(stream.lookup({ owner: 1n, instance: 1n })?.data.toString()).toBe('there')
            } finally {
              files.setAllocationFault(0)
            }
          }
          expect(failures.length).toBeGreaterThan(1)
          expect(new Set(failures)).toEqual(new Set(['STATUS_INSUFFICIENT_RESOURCES']))
          expect(stream.contexts()).toHaveLength(2)
        })
    })
  })
}
