// `npm run bench`: one lookup through bare C, the addon, the facade and koffi, side by side in one process.
//
// All of it runs on the same embedded kernel, driver and streams. Rounds of the contenders are interleaved, so that a change of the
// machine's speed hits all of them. Told are the median of the rounds, their spread (the middle half of them, as a share of the median)
// and the ratio of the medians to bare C.
import { createRequire } from 'node:module'
import { join } from 'node:path'

import Table from 'cli-table3'
import koffi from 'koffi'

import { root, run } from '../../scripts/run.mjs'

const require = createRequire(import.meta.url)
const { openFilter } = require(join(root, 'dist', 'index.js'))
const { native } = require(join(root, 'dist', 'native.js'))
const addonPath = join(root, 'build', 'Release', 'psctx.node')
const libraryPath = join(root, 'build', 'bench.so')

const rounds = 15
const operationsPerRound = 20_000
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

/** Bare C, and koffi's way to it. */
function loadLibrary() {
  const library = koffi.load(libraryPath)
  return {
    start: library.func('int32_t bench_start(const char *path, uint32_t count)'),
    addStream: library.func('int32_t bench_add_stream(const uint16_t *path, uint32_t length)'),
    lookup: library.func('int32_t bench_lookup(uint32_t index, void *data)'),
    prepareBatch: library.func('void bench_prepare_batch(uint32_t count)'),
    batch: library.func('int32_t bench_batch(uint32_t count)'),
    timeLookups: library.func('double bench_time_lookups(uint32_t iterations)'),
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

/** The value that this share of the values is below. */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * share)]
}

/** Runs every contender once a round, in turn, and reports nanoseconds per operation. */
function measure(title, operations, contenders, table) {
  const results = contenders.map(() => [])
  for (let round = -2; round < rounds; round += 1) {
    contenders.forEach(([, action], index) => {
      const elapsed = action()
      check(contenders[index][0], elapsed > 0)
      if (round >= 0) results[index].push(elapsed / operations)
    })
  }
  const baseline = quantile(results[0], 0.5)
  contenders.forEach(([name], index) => {
    const middle = quantile(results[index], 0.5)
    const spread = (quantile(results[index], 0.75) - quantile(results[index], 0.25)) / middle
    table.push([
      index === 0 ? title : '',
      name,
      middle.toFixed(0),
      `${(spread * 100).toFixed(0)} %`,
      (middle / baseline).toFixed(2),
    ])
  })
}

/** Every measurement with this many live streams. */
function measureAll(streamCount, table) {
  const filter = openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } } })
  const library = loadLibrary()
  check('start', library.start(addonPath, streamCount) === 0)

  const data = Buffer.alloc(dataLength, 1)
  const paths = Array.from({ length: streamCount }, (_, index) => `M:\\${index >> 8}\\${index & 255}`)
  for (let index = 0; index < streamCount; index += 256) filter.host.mkdir(`M:\\${index >> 8}`)
  const nativeFilter = new native.Filter('host', false, [['M', undefined]])
  const streams = []
  const nativeStreams = []
  const contenders = [
    (path) => {
      const name = `\\??\\${path}`
      check(
        'addStream',
        library.addStream(
          Uint16Array.from(name, (unit) => unit.charCodeAt(0)),
          name.length,
        ) === 0,
      )
    },
    (path) => {
      const stream = filter.openStream(path)
      stream.insert({ instance: 1, data })
      streams.push(stream)
    },
    // The native objects that the facade is made of, without the facade.
    (path) => {
      const stream = new native.Stream(nativeFilter, `\\\\?\\${path}`)
      stream.insert(0, 1, 0, 0, 0, data)
      nativeStreams.push(stream)
    },
  ]
  // Each stream has a context of each session. Who comes first changes, so that nobody's are always the youngest.
  paths.forEach((path, index) => {
    filter.host.writeFile(path, data)
    for (let turn = 0; turn < contenders.length; turn += 1) contenders[(index + turn) % contenders.length](path)
  })

  const buffer = Buffer.alloc(dataLength)
  const identity = { instance: 1 }
  const stride = 7919
  const each = (action) => () =>
    time(() => {
      for (let index = 0; index < operationsPerRound; index += 1) action((index * stride) % streamCount)
    })
  const size = streamCount.toLocaleString('en')

  measure(
    `lookup into a buffer, ${size} streams`,
    operationsPerRound,
    [
      ['bare C', () => library.timeLookups(operationsPerRound)],
      ['addon', each((index) => check('addon', nativeStreams[index].lookupInto(buffer, 0, 1) === dataLength))],
      ['facade', each((index) => check('facade', streams[index].lookupInto(buffer, identity) === dataLength))],
      ['koffi', each((index) => check('koffi', library.lookup(index, buffer) === dataLength))],
    ],
    table,
  )
  measure(
    `lookup, ${size} streams`,
    operationsPerRound,
    [
      ['bare C', () => library.timeLookups(operationsPerRound)],
      [
        'facade, a fresh object',
        each((index) => check('facade', streams[index].lookup(identity).data.length === dataLength)),
      ],
    ],
    table,
  )

  for (const count of [64, 1024]) {
    const iterations = Math.ceil(operationsPerRound / count)
    const batch = filter.batch({ replyCapacity })
    const nativeBatch = new native.Batch(nativeFilter, replyCapacity)
    for (let index = 0; index < count; index += 1) {
      batch.lookup(streams[(index * stride) % streamCount], identity)
      nativeBatch.lookup(nativeStreams[(index * stride) % streamCount], 0, 1)
    }
    const repeat = (action) => () =>
      time(() => {
        for (let iteration = 0; iteration < iterations; iteration += 1) action()
      })
    measure(
      `batch of ${count}, ${size} streams`,
      iterations * count,
      [
        ['bare C', () => library.timeBatches(count, iterations)],
        ['addon', repeat(() => nativeBatch.run())],
        ['facade, prepared', repeat(() => check('batch', batch.run().failed === 0))],
        [
          'facade, filled and read',
          repeat(() => {
            batch.clear()
            for (let index = 0; index < count; index += 1)
              batch.lookup(streams[(index * stride) % streamCount], identity)
            batch.run()
            for (let index = 0; index < count; index += 1)
              check('batch', batch.result(index).data.length === dataLength)
          }),
        ],
        ['koffi', repeat(() => check('koffi', library.batch(count) === 0))],
      ],
      table,
    )
  }

  library.stop()
  nativeFilter.close()
  filter.close()
}

buildLibrary()
const table = new Table({ head: ['operation', 'through', 'ns/op', 'spread', 'ratio'], style: { head: [], border: [] } })
for (const streamCount of [1_000, 100_000]) measureAll(streamCount, table)
console.log(table.toString())
console.log(
  `Median of ${rounds} interleaved rounds of ${operationsPerRound} operations; ratio to bare C in the same rows.`,
)
