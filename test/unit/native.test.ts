/** The addon checks its arguments itself: whatever it is called with, it throws and never crashes. */
import { Worker } from 'node:worker_threads'

import { native, type NativeFilter } from '../../src/native'

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

type Callable = (...args: unknown[]) => unknown

function attempt(target: object, method: string, args: unknown[]): void {
  try {
    Reflect.apply(Reflect.get(target, method) as Callable, target, args)
  } catch (error) {
    expect(error).toHaveProperty('message')
  }
}

describe('the addon’s objects', () => {
  let filter: NativeFilter
  beforeEach(() => {
    filter = new native.Filter('host', false, memory)
  })
  afterEach(() => filter.close())

  test('survive any argument in any place', () => {
    new native.File(filter, '\\\\?\\M:\\a', 0x120116, 7, 2, 0x60).close()
    const stream = new native.Stream(filter, '\\\\?\\M:\\a')
    const batch = new native.Batch(filter, 128)
    const good: Record<string, unknown[]> = {
      insert: [1, 2, 0, 0, 0, new Uint8Array(3)],
      lookup: [1, 2],
      lookupInto: [new Uint8Array(8), 1, 2],
      remove: [1, 2],
      removeAll: [1],
      list: [0],
      first: [],
      query: [],
      inspect: [new Uint8Array(4096)],
    }
    for (const [method, args] of Object.entries(good)) {
      for (let place = 0; place < args.length; place += 1) {
        for (const value of values) attempt(stream, method, args.toSpliced(place, 1, value))
      }
      attempt(stream, method, [])
      for (const value of values) attempt(batch, method, [value, ...args])
      for (let place = 0; place < args.length; place += 1) {
        for (const value of values) attempt(batch, method, [stream, ...args.toSpliced(place, 1, value)])
      }
    }
    for (const value of values) {
      for (const constructor of [native.Filter, native.Stream, native.Batch, native.Events, native.File]) {
        expect(() => void Reflect.construct(constructor, [value, value, value, value, value, value])).toThrow()
        expect(() => void Reflect.construct(constructor, [filter, value, value, value, value, value])).toThrow()
      }
      expect(() => new native.Filter('host', false, [value] as never)).toThrow()
      attempt(filter, 'failAllocation', [value])
      attempt(filter, 'dismount', [value])
      attempt(filter, 'untrack', [value])
      attempt(filter, 'queryRule', [value])
      attempt(filter, 'listVolumes', [value])
    }
    const shared: Record<string, unknown[]> = {
      track: [1, 2, stream, '*', 0],
      enumerate: [new Uint8Array(4096), stream, 0n, 0n],
    }
    for (const [method, args] of Object.entries(shared)) {
      for (let place = 0; place < args.length; place += 1) {
        for (const value of values) attempt(filter, method, args.toSpliced(place, 1, value))
      }
    }
    const reader: unknown[] = [filter, 1, 1, 1 << 20]
    for (let place = 0; place < reader.length; place += 1) {
      for (const value of values) {
        expect(() => void Reflect.construct(native.Events, reader.toSpliced(place, 1, value))).toThrow()
      }
    }
    filter.failAllocation(0)
    stream.close()
  })

  test('refuse to act as one another', () => {
    const stream = new native.Stream(filter, '\\\\?\\M:\\')
    const lookup = Reflect.get(stream, 'lookup') as Callable
    for (const receiver of [filter, {}, Object.create(stream) as object, undefined, 1]) {
      expect(() => lookup.call(receiver, 1)).toThrow()
    }
    expect(() => new native.Stream(stream as never, '\\\\?\\M:\\')).toThrow()
    expect(() => new native.Stream(Object.create(filter) as never, '\\\\?\\M:\\')).toThrow()
    const batch = new native.Batch(filter, 64)
    expect(() => batch.lookup(filter as never, 1, 1)).toThrow()
    const other = new native.Filter('host', false, memory)
    const foreign = new native.Stream(other, '\\\\?\\M:\\')
    expect(() => batch.lookup(foreign, 1, 1)).toThrow()
    other.close()
  })

  test('keep reply memory alive that JavaScript has taken away', () => {
    const memoryOfReplies = filter.reply()
    structuredClone(memoryOfReplies, { transfer: [memoryOfReplies] })
    filter.queryVersion()
    expect(filter.reply().byteLength).toBeGreaterThan(0)
  })
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
