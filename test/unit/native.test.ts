/** The addon checks its arguments itself: whatever it is called with, it throws and never crashes. */
import { Worker } from 'node:worker_threads'

import * as abi from '../../src/abi'
import { openFilter, type Filter } from '../../src/index'
import { layout, native, type NativeHostSession, type NativeReader } from '../../src/native'

import { dist, runProgram } from './program'

const memory = [['M', undefined]] as const

/** Values of every type that might be passed by mistake. */
const values: unknown[] = [
  undefined,
  null,
  true,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 52,
  2 ** 53,
  2 ** 64,
  -1n,
  2n ** 64n,
  '',
  'text',
  '\\\\?\\M:\\a\0b',
  Symbol('symbol'),
  {},
  [],
  () => undefined,
  new Uint8Array(0),
  new Uint16Array(4),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  new Uint8Array(100000),
  new Proxy({}, {}),
]

const invalidParameter = 0xc000000d | 0
const invalidBufferSize = 0xc0000206 | 0
const fileClosed = 0xc0000128 | 0
const lengthMismatch = 0xc0000004 | 0

type Callable = (...args: unknown[]) => unknown

/** Calls a function of the addon's: whatever it is called with, it returns or throws a TypeError. */
function attempt(target: object, name: string, args: readonly unknown[]): void {
  try {
    Reflect.apply(Reflect.get(target, name) as Callable, undefined, args)
  } catch (error) {
    expect(error).toHaveProperty('name', 'TypeError') // of another realm than Jest's
  }
}

describe('the addon', () => {
  let session: NativeHostSession
  let words: Uint32Array
  let stream: number

  /** Puts a request with this handle into the memory. */
  function encode(operation: number, size: number, handle: number): void {
    words.fill(0, 0, size / 4)
    words.set([size, abi.version.abi | (operation << 16), handle, handle / 2 ** 32])
    words[layout.capacity / 4] = layout.replyLength
  }

  beforeEach(() => {
    session = native.open('host', false, memory, 0) as NativeHostSession
    words = new Uint32Array(session.memory)
    session.closeHandle(session.openFile('\\\\?\\M:\\a', 0x120116, 7, 2, 0x60))
    stream = session.openStream('\\\\?\\M:\\a')
    expect(stream).toBeGreaterThan(0)
  })
  afterEach(() => {
    session.failAllocation(0)
    expect(session.close()).toBe(0)
  })

  test('lays its memory out as the package thinks', () => {
    expect(native.layout).toEqual(layout)
    expect(session.memory.byteLength).toBe(layout.reply + layout.replyLength)
  })

  test('survives any argument in any place', () => {
    const file = session.openFile('\\\\?\\M:\\a', 0x120089, 7, 1, 0x60)
    const good: Record<string, unknown[]> = {
      enumerate: [new Uint8Array(4096)],
      inspect: [new Uint8Array(4096)],
      batch: [new ArrayBuffer(4096), new ArrayBuffer(4096)],
      openStream: ['\\\\?\\M:\\a'],
      startOpening: ['\\\\?\\M:\\a', () => undefined],
      queryDrive: ['M'],
      openFile: ['\\\\?\\M:\\a', 0x120089, 7, 1, 0x60],
      readFile: [file, new Uint8Array(8), 0],
      writeFile: [file, new Uint8Array(8), 0],
      queryInformation: [file, new Uint8Array(24), 5],
      setInformation: [file, new Uint8Array(32), 10],
      failAllocation: [0],
      dismount: ['Q'],
      closeHandle: [file],
    }
    for (const [name, args] of Object.entries(good)) {
      for (let place = 0; place < args.length; place += 1) {
        for (const value of values) attempt(session, name, args.toSpliced(place, 1, value))
      }
      session.failAllocation(0)
      attempt(session, name, [])
    }
    for (const value of values) {
      expect(() => native.open(value as never, value as never, value as never, value as never)).toThrow()
      if (!Array.isArray(value)) expect(() => native.open('host', false, value as never, 0)).toThrow()
      expect(() => native.open('host', false, [value] as never, 0)).toThrow()
      expect(() => native.open('host', false, [[value, value]] as never, 0)).toThrow()
      expect(() => native.open('host', false, memory, value as never)).toThrow()
    }
    const reader = session.openReader() as NativeReader
    for (const name of ['subscribe', 'wait', 'keepAlive', 'close']) {
      for (const value of values) attempt(reader, name, [value, value])
    }
  })

  test('refuses a request that is not in its memory as a whole, and a reply that would not be', () => {
    for (const size of [0, 7, 39, layout.capacity + 8, 0xffffffff]) {
      encode(4, 40, stream)
      words[0] = size
      expect(session.lookup()).toBe(invalidParameter)
    }
    encode(4, 40, stream)
    words[layout.capacity / 4] = layout.replyLength + 1
    expect(session.lookup()).toBe(invalidParameter)
    expect(session.enumerate(new Uint8Array((1 << 20) + 8))).toBe(invalidParameter)
  })

  test('knows the handles that are open, and no other number', () => {
    const send = (handle: number): number => {
      encode(2, 16, handle)
      return session.queryStream()
    }
    expect(send(stream)).toBe(24)
    expect(send(stream)).toBe(24)
    const made = [0, 1, 4, stream % 2 ** 32, stream + 1, stream + 4, stream + 2 ** 32, 2 ** 53 - 4, 2 ** 32]
    for (const handle of made) expect(send(handle)).toBe(fileClosed)

    session.closeHandle(stream)
    expect(send(stream)).toBe(fileClosed)
    const again = session.openStream('\\\\?\\M:\\a')
    expect(again % 2 ** 32).toBe(stream % 2 ** 32) // the kernel's own number comes again
    expect(send(stream)).toBe(fileClosed)
    session.closeHandle(stream)
    expect(send(again)).toBe(24)
  })

  test('takes no record that lies about itself, or is none of the kernel’s', () => {
    const file = session.openFile('\\\\?\\M:\\a', 0x130089, 7, 1, 0x60)
    const rename = (length: number, root: number): number => {
      const record = new Uint32Array(8)
      record.set([0, 0, root, 0, length, 0x62])
      return session.setInformation(file, new Uint8Array(record.buffer), 10)
    }
    for (const length of [0, 1, 14, 0xfffffffe, 0x7ffffffe]) expect(rename(length, 0)).toBe(invalidParameter)
    for (const root of [4, 0x7ffffffc, 0xfffffffc]) expect(rename(2, root)).toBeLessThan(0)
    for (const length of [0, 1, 23]) {
      expect(session.queryInformation(file, new Uint8Array(length), 5)).toBe(lengthMismatch)
      expect(session.setInformation(file, new Uint8Array(length), 10)).toBe(lengthMismatch)
    }
    const moved = new ArrayBuffer(24)
    const detached = new Uint8Array(moved)
    structuredClone(moved, { transfer: [moved] })
    expect(session.queryInformation(file, detached, 5)).toBe(lengthMismatch)
    expect(session.queryInformation(file, new Uint8Array(32).subarray(4), 5)).toBe(invalidParameter)
    for (const unknown of [0, 63]) expect(session.queryInformation(file, new Uint8Array(64), unknown)).toBeLessThan(0)
    expect(session.queryInformation(file + 2 ** 32, new Uint8Array(24), 5)).toBe(fileClosed)
    expect(rename(2, 0)).toBe(0)
    expect(session.openStream('\\\\?\\M:\\b')).toBeGreaterThan(0)
  })

  test('sends no batch that names a stream that is not open, or is longer than its memory', () => {
    const request = new Uint32Array(14)
    const reply = new ArrayBuffer(16 + 8 + 64)
    const send = (handle: number, count: number, size: number): number => {
      request.set([
        size,
        abi.version.abi | (9 << 16),
        count,
        64,
        40,
        abi.version.abi | (4 << 16),
        handle,
        0,
        0,
        0,
        0,
        0,
        1,
        0,
      ])
      return session.batch(request.buffer, reply)
    }
    const handle = stream % 2 ** 32
    expect(send(handle, 1, 56)).toBe(reply.byteLength)
    expect(send(handle + 4, 1, 56)).toBe(fileClosed)
    expect(send(handle, 1, 64)).toBe(invalidBufferSize)
    expect(send(handle, 2, 56)).toBe(invalidBufferSize)
    expect(send(handle, 0xffffffff, 56)).toBe(invalidBufferSize)
    expect(send(handle, 1, 24)).toBe(lengthMismatch)
    expect(session.batch(new ArrayBuffer(8), reply)).toBe(invalidBufferSize)
    expect(session.batch(new ArrayBuffer((1 << 20) + 8), reply)).toBe(invalidBufferSize)
  })

  test('answers no more when it is closed', () => {
    expect(session.close()).toBe(0)
    encode(4, 40, stream)
    expect([session.lookup(), session.openStream('\\\\?\\M:\\a'), session.audit()]).toEqual([
      fileClosed,
      fileClosed,
      fileClosed,
    ])
    session = native.open('host', false, memory, 0) as NativeHostSession
  })

  test('keeps its memory while one of its functions is there', () => {
    const output = runProgram(
      `
      const native = require(require('node:path').join(process.argv[1], '..', 'addon.js')).loadAddon()
      const lookup = (() => native.open('host', false, [['M', undefined]], 0).lookup)()
      const churn = (rounds) => {
        gc()
        for (let i = 0; i < 100; i += 1) new Uint8Array(196664).fill(255)
        const answer = lookup()
        if (rounds > 0) setImmediate(churn, rounds - 1)
        else console.log(answer)
      }
      churn(20)
    `,
      '--expose-gc',
    )
    expect(Number(output)).toBe(invalidParameter) // the memory is as it was: zero
  })
})

describe('the memory that the addon shares', () => {
  test('is within the reach of nobody who uses the package', async () => {
    const filter = openFilter()
    const found = new Set<ArrayBufferLike>()
    const seen = new Set<unknown>()
    const look = (value: unknown): void => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
      seen.add(value)
      if (ArrayBuffer.isView(value)) found.add(value.buffer)
      if (value instanceof ArrayBuffer) found.add(value)
      for (const key of Reflect.ownKeys(value)) {
        const descriptor = Reflect.getOwnPropertyDescriptor(value, key)
        if (descriptor !== undefined && 'value' in descriptor) look(descriptor.value)
      }
    }
    await lookAtEverything(filter, look)
    expect(found.size).toBeGreaterThan(0)
    for (const { byteLength } of found) expect([1, 4, 1000, 8192]).toContain(byteLength)
    filter.close()
  })

  async function lookAtEverything(filter: Filter, look: (value: unknown) => void): Promise<void> {
    filter.host!.writeFile('M:\\a', Buffer.from('a'))
    const file = filter.host!.openFile('M:\\a')
    const stream = filter.openStream('M:\\a')
    const events = filter.events()
    const batch = filter.batch({ replyCapacity: 2048 })
    const data = new Uint8Array(1000)
    look([filter, file, stream, events, batch, filter.host, filter.track({ match: '*' })])
    look([stream.insert({ data }), stream.lookup(), stream.first(), stream.inspect(), stream.contexts()])
    look([batch.lookup(stream).run(), batch.result(0), (await events.next()).value, file.read(), filter.volumes()])
    for await (const context of filter.enumerate()) look(context)
    look([stream.remove(), stream.support(), filter.statistics()])
    try {
      stream.lookupInto(new Uint8Array(4), { instance: -1 })
    } catch (error) {
      look(error)
    }
    await events.return()
  }
})

describe('environments', () => {
  test('workers each have filters of their own, on one kernel', async () => {
    const program = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { openFilter } = require(workerData.dist)
      const filter = openFilter()
      filter.host.writeFile('M:\\\\worker-' + workerData.index, Buffer.from('content'))
      const stream = filter.openStream('M:\\\\worker-' + workerData.index)
      let found = 0
      for (let round = 0; round < 500; round += 1) {
        stream.insert({ instance: round, data: Buffer.from(String(round)) })
        if (stream.lookup({ instance: round }).data.toString() === String(round)) found += 1
        if (stream.remove({ instance: round }) === undefined) found = -1
      }
      filter.close()
      parentPort.postMessage(found)
    `
    const results = await Promise.all(
      [0, 1, 2].map(
        (index) =>
          new Promise((resolve, reject) => {
            const worker = new Worker(program, { eval: true, workerData: { dist, index } })
            worker.once('message', resolve)
            worker.once('error', reject)
          }),
      ),
    )
    expect(results).toEqual([500, 500, 500])
  })

  test('a worker that is terminated while it works leaves nothing behind', () => {
    const output = runProgram(`
      const { Worker } = require('node:worker_threads')
      const dist = process.argv[1]
      const { openFilter } = require(dist)
      const filter = openFilter()
      const worker = new Worker(\`
        const { openFilter } = require(require('node:worker_threads').workerData)
        const filter = openFilter()
        filter.host.writeFile('M:\\\\\\\\a', Buffer.from('a'))
        const stream = filter.openStream('M:\\\\\\\\a')
        require('node:worker_threads').parentPort.postMessage('working')
        for (let i = 0; ; i += 1) { stream.insert({ instance: i, ifExists: 'replace' }); stream.remove({ instance: i }) }
      \`, { eval: true, workerData: dist })
      worker.once('message', () => worker.terminate().then(() => {
        console.log(JSON.stringify(filter.statistics().total))
        filter.close()
        console.log('closed')
      }))
    `)
    const [statistics, last] = output.trim().split('\n')
    expect(JSON.parse(statistics!)).toMatchObject({ contexts: 0, sessions: 1 })
    expect(last).toBe('closed')
  })

  test.each([
    ['returns', ''],
    ['calls process.exit', 'process.exit(0)'],
  ])('a program that %s with everything open ends cleanly', (_, ending) => {
    runProgram(`
      const { openFilter } = require(process.argv[1])
      globalThis.filter = openFilter()
      filter.host.writeFile('M:\\\\a', Buffer.from('a'))
      globalThis.stream = filter.openStream('M:\\\\a')
      stream.insert({ data: Buffer.alloc(1000), lifetime: 'stream' })
      globalThis.batch = filter.batch().lookup(stream).run()
      globalThis.file = filter.host.openFile('M:\\\\a')
      ${ending}
    `)
  })

  test('streams and filters that nobody holds any more are closed when they are collected', () => {
    const output = runProgram(
      `
      const { openFilter } = require(process.argv[1])
      const keeper = openFilter()
      keeper.host.writeFile('M:\\\\a', Buffer.from('a'))
      ;(() => {
        const filter = openFilter()
        for (let i = 0; i < 100; i += 1) filter.openStream('M:\\\\a').insert({ instance: i, lifetime: 'stream' })
      })()
      const before = keeper.statistics().total
      const collect = (rounds) => {
        gc()
        const after = keeper.statistics().total
        if (rounds > 0 && after.sessions > 1) return setTimeout(collect, 10, rounds - 1)
        console.log(JSON.stringify([before, after]))
        keeper.close()
      }
      collect(100)
    `,
      '--expose-gc',
    )
    const [before, after] = JSON.parse(output) as [unknown, unknown]
    expect(before).toMatchObject({ contexts: 100, sessions: 2 })
    expect(after).toMatchObject({ contexts: 0, sessions: 1 })
  })

  test('ES modules and CommonJS share one implementation', () => {
    const output = runProgram(`
      const commonjs = require(process.argv[1])
      import(require('node:url').pathToFileURL(process.argv[1].replace(/js$/, 'mjs'))).then((esm) => {
        console.log(esm.openFilter === commonjs.openFilter, esm.PerStreamContextError === commonjs.PerStreamContextError)
      })
    `)
    expect(output.trim()).toBe('true true')
  })
})
