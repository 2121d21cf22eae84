// `npm run bench`: operations on contexts through bare C, the addon, the facade and koffi, side by side in one process.
//
// All of it runs on the same embedded kernel, driver and streams. Each contender has a session, handles and contexts of its own, and goes
// from stream to stream in the same order, but never over those that another has just been at: what a look-up finds in the cache is what
// its own last ones left there. Rounds of the contenders are interleaved, each beginning with the next of them, so that a change of the
// machine's speed hits all of them. Told are the median of the rounds, their spread (the middle half of them, as a share of the median),
// the ratio to bare C, round by round, and the bound on that.
import { join } from 'node:path'

import koffi from 'koffi'

import { root, run } from '../../scripts/run.mjs'

import { abi, addon, openFilter } from './library.mjs'
import { atMost, Report } from './report.mjs'

const { layout } = addon
const addonPath = join(root, 'build', 'Release', 'psctx.node')
const libraryPath = join(root, 'build', 'bench.so')

const rounds = 151
const operationsPerRound = 2_000
const warmUps = 20
const dataLength = 16
const replyCapacity = 64 // a context's 48 bytes and its data, as in bare C

function buildLibrary() {
  const include = ['driver/host', 'driver/host/include', 'driver/include'].map((path) => `-I${path}`)
  const flags = [
    '-std=gnu11',
    '-O2',
    '-fPIC',
    '-shared',
    '-fshort-wchar',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Werror',
  ]
  run('cc', [...flags, ...include, '-o', libraryPath, 'test/bench/bench.c'])
}

/** Bare C, and koffi's way to it: clients of their own, by these numbers. */
const bareC = 0
const throughKoffi = 1

function loadLibrary() {
  const library = koffi.load(libraryPath)
  return {
    select: library.func('void bench_select(uint32_t number)'),
    start: library.func('int32_t bench_start(const char *path, uint32_t count)'),
    addStream: library.func('int32_t bench_add_stream(const uint16_t *path, uint32_t length)'),
    lookup: library.func('int32_t bench_lookup(uint32_t stream, uint64_t owner, uint64_t instance, void *data)'),
    insert: library.func(
      'int32_t bench_insert(uint32_t stream, uint64_t owner, uint64_t instance, const void *data, uint32_t length)',
    ),
    remove: library.func('int32_t bench_remove(uint32_t stream, uint64_t owner, uint64_t instance, void *data)'),
    prepareBatch: library.func('void bench_prepare_batch(uint32_t first, uint32_t count)'),
    batch: library.func('int32_t bench_batch(uint32_t count)'),
    timeLookups: library.func('double bench_time_lookups(uint32_t first, uint32_t iterations)'),
    timeRoundTrips: library.func('double bench_time_round_trips(uint32_t first, uint32_t iterations)'),
    timeBatches: library.func('double bench_time_batches(uint32_t count, uint32_t iterations)'),
    stop: library.func('void bench_stop()'),
  }
}

function check(what, condition) {
  if (!condition) throw new Error(`${what} failed`)
}

/** Nanoseconds that `action` takes. */
function time(action) {
  const start = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - start)
}

/** The addon's own functions: requests are encoded here as they would be by hand. */
class Addon {
  constructor() {
    this.session = addon.open('host', false, [['M', undefined]])
    this.words = new Uint32Array(this.session.memory)
    this.lookup = this.session.lookup
    this.handles = []
  }

  add(path) {
    const { words, session } = this
    const handle = session.openStream(`\\\\?\\${path}`)
    check('openStream', handle > 0)
    this.handles.push(handle)
    words.fill(0, 0, abi.insertRequest.size / 4 + dataLength)
    words[0] = abi.insertRequest.size + dataLength
    words[1] = abi.version.abi | (abi.operation.insert << 16)
    words[abi.insertRequest.handle / 4] = handle
    words[abi.insertRequest.handle / 4 + 1] = handle / 2 ** 32
    words[abi.insertRequest.instance / 4] = 1
    words[abi.insertRequest.dataLength / 4] = dataLength
    words[layout.capacity / 4] = abi.insertReply.size
    check('insert', session.insert() === abi.insertReply.size)
  }

  /** Leaves a request in the memory of which only the handle changes. */
  prepareLookup() {
    const { words } = this
    words.fill(0, 0, abi.matchRequest.size / 4)
    words[0] = abi.matchRequest.size
    words[1] = abi.version.abi | (abi.operation.lookup << 16)
    words[abi.matchRequest.instance / 4] = 1
    words[layout.capacity / 4] = replyCapacity
  }

  lookupAt(index) {
    const { words } = this
    const handle = this.handles[index]
    words[abi.matchRequest.handle / 4] = handle
    words[abi.matchRequest.handle / 4 + 1] = handle / 2 ** 32
    return this.lookup()
  }
}

const report = new Report('operations', 'ns/op')

/** Why bounds are missed, where they are. */
const reasons = {
  call: 'a call through Node-API is some 250 instructions of its own, and the check of the handle and of the reply 100 more, of 5,000 in all',
  arguments: 'beside the call, arguments are checked and the request is encoded, in some 800 instructions',
  stream:
    'koffi is given a number; a Stream is an object, of two lines of the cache that nobody else touches: see koffi with an object for each stream',
  object:
    'that leaves a fifth of an object for the call, the checks and the request, which take what a look-up into a buffer takes over bare C',
  insertion: 'two calls, each with arguments that are checked, and two objects that are returned',
  batch: 'the addon reads every request once more, to look its handle up',
  filling: 'each operation reads its Stream, of two lines of the cache, and is written and read by JavaScript',
}

/**
 * Runs every contender once a round, in turn: `[name, action, ...bounds]`, where an action takes so many nanoseconds. It is told the position
 * of its first stream, in the order that all of them follow.
 */
function measure(title, operations, contenders) {
  const results = contenders.map(() => [])
  let position = 0
  for (let round = -warmUps; round < rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const number = (turn + round + warmUps) % contenders.length
      const [name, action] = contenders[number]
      const elapsed = action(position)
      check(name, elapsed > 0)
      if (round >= 0) results[number].push(elapsed / operations)
      position += operations
    }
  }
  report.compare(
    title,
    contenders.map(([name, , ...bounds], index) => [name, results[index], ...bounds]),
  )
}

/** What Node.js itself takes for an object as `lookup` returns it, with a copy of bytes that lie somewhere in a larger memory. */
function makeContext(wide, source) {
  return {
    owner: wide[1],
    instance: wide[2],
    data: Buffer.from(source.subarray(dataLength, 2 * dataLength)),
    pool: 'paged',
    lifetime: 'session',
    sequence: wide[3],
  }
}

/** Every measurement with this many live streams. */
function measureAll(streamCount) {
  const filter = openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } } })
  const library = loadLibrary()
  check('start', library.start(addonPath, streamCount) === 0)

  const data = Buffer.alloc(dataLength, 1)
  const paths = Array.from({ length: streamCount }, (_, index) => `M:\\${index >> 8}\\${index & 255}`)
  for (let index = 0; index < streamCount; index += 256) filter.host.mkdir(`M:\\${index >> 8}`)
  const addon = new Addon()
  const streams = []
  const files = paths.map((path, number) => ({ path, number }))
  const addStream = (client, path) => {
    const name = `\\??\\${path}`
    library.select(client)
    const units = Uint16Array.from(name, (unit) => unit.charCodeAt(0))
    check('addStream', library.addStream(units, name.length) === 0)
  }
  const openers = [
    (path) => addStream(bareC, path),
    (path) => addStream(throughKoffi, path),
    (path) => {
      const stream = filter.openStream(path)
      stream.insert({ instance: 1, data })
      streams.push(stream)
    },
    (path) => addon.add(path),
  ]
  // Each stream has a context of each session. Who comes first changes, so that nobody's are always the youngest.
  paths.forEach((path, index) => {
    filter.host.writeFile(path, data)
    for (let turn = 0; turn < openers.length; turn += 1) openers[(index + turn) % openers.length](path)
  })

  const buffer = Buffer.alloc(dataLength)
  const identity = { instance: 1 }
  const stride = 7919
  const each = (action) => (first) =>
    time(() => {
      for (let index = 0; index < operationsPerRound; index += 1) action(((first + index) * stride) % streamCount)
    })
  /** The same, by a client of the library. */
  const as = (client, action) => (first) => {
    library.select(client)
    return action(first)
  }
  const size = `${streamCount.toLocaleString('en')} streams`

  addon.prepareLookup()
  measure(`lookup into a buffer, ${size}`, operationsPerRound, [
    ['bare C', as(bareC, (first) => library.timeLookups(first, operationsPerRound))],
    ['addon', each((index) => check('addon', addon.lookupAt(index) === replyCapacity)), atMost(1.1, reasons.call)],
    [
      'facade',
      each((index) => check('facade', streams[index].lookupInto(buffer, identity) === dataLength)),
      atMost(1.25, reasons.arguments),
      ({ koffi }) => atMost(koffi, reasons.stream, 'koffi'),
    ],
    [
      'koffi',
      as(
        throughKoffi,
        each((index) => check('koffi', library.lookup(index, 0, 1, buffer) === dataLength)),
      ),
    ],
    [
      'koffi, with an object for each stream',
      as(
        throughKoffi,
        each((index) => check('koffi', library.lookup(files[index].number, 0, 1, buffer) === dataLength)),
      ),
    ],
  ])

  const wide = BigUint64Array.from([0n, 0n, 1n, 12345n])
  const source = new Uint8Array(1024)
  measure(`lookup, ${size}`, operationsPerRound, [
    ['bare C', as(bareC, (first) => library.timeLookups(first, operationsPerRound))],
    ['object and Buffer', each(() => check('Node.js', makeContext(wide, source).data.length === dataLength))],
    [
      'facade, a fresh object',
      each((index) => check('facade', streams[index].lookup(identity).data.length === dataLength)),
      (ratios) => atMost(1 + 1.2 * ratios['object and Buffer'], reasons.object, 'bare C + 1.2 × object'),
    ],
  ])

  const insertion = { instance: 2, data }
  const second = { instance: 2 }
  measure(`insert and remove, ${size}`, operationsPerRound, [
    ['bare C', as(bareC, (first) => library.timeRoundTrips(first, operationsPerRound))],
    [
      'facade',
      each((index) => {
        const stream = streams[index]
        check('insert', stream.insert(insertion).outcome === 'inserted')
        check('remove', stream.remove(second).data.length === dataLength)
      }),
      atMost(1.4, reasons.insertion),
    ],
    [
      'koffi',
      as(
        throughKoffi,
        each((index) => {
          check('insert', library.insert(index, 0, 2, data, dataLength) === 0)
          check('remove', library.remove(index, 0, 2, buffer) === dataLength)
        }),
      ),
    ],
  ])

  for (const count of [64, 1024]) {
    const iterations = Math.ceil(operationsPerRound / count)
    const prepared = filter.batch({ replyCapacity })
    const filled = filter.batch({ replyCapacity })
    // Each contender has so many streams to itself.
    const fill = (batch, contender) => {
      batch.clear()
      for (let index = 0; index < count; index += 1) {
        batch.lookup(streams[((contender * count + index) * stride) % streamCount], identity)
      }
      return batch
    }
    for (const client of [bareC, throughKoffi]) as(client, () => library.prepareBatch(client * count, count))()
    fill(prepared, 2)
    const repeat = (action) => () =>
      time(() => {
        for (let iteration = 0; iteration < iterations; iteration += 1) action()
      })
    measure(`batch of ${count}, ${size}`, iterations * count, [
      ['bare C', as(bareC, () => library.timeBatches(count, iterations))],
      ['facade, prepared', repeat(() => check('batch', prepared.run().failed === 0)), atMost(1.05, reasons.batch)],
      [
        'facade, filled and read into a buffer',
        repeat(() => {
          fill(filled, 3).run()
          for (let index = 0; index < count; index += 1) check('batch', filled.resultInto(index, buffer) === dataLength)
        }),
        atMost(1.5, reasons.filling),
      ],
      [
        'facade, filled and read',
        repeat(() => {
          fill(filled, 4).run()
          for (let index = 0; index < count; index += 1)
            check('batch', filled.result(index).value.data.length === dataLength)
        }),
        atMost(2.5, reasons.filling),
      ],
      [
        'koffi, prepared',
        as(
          throughKoffi,
          repeat(() => check('koffi', library.batch(count) === 0)),
        ),
      ],
    ])
  }

  library.stop()
  addon.session.close()
  filter.close()
}

buildLibrary()
for (const streamCount of [1_000, 100_000]) measureAll(streamCount)
report.finish()
console.log(`Medians of ${rounds} interleaved rounds of ${operationsPerRound} operations; the ratio is to bare C.`)
