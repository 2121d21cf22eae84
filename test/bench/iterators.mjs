// `npm run bench`, second part: every context of a filter, and events as they come, through the facade's iterators. The baseline is what the
// facade waits for: the addon's pages of the same contexts, undecoded, and the same insertions and removals with nobody to tell of them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

import { root } from '../../scripts/run.mjs'

import { atMost, Report } from './report.mjs'
import { requireSource } from './source.mjs'

const require = createRequire(import.meta.url)
const { openFilter } = require(join(root, 'dist', 'index.js'))
const { native } = requireSource('native')
const { encodeEnumerate, decodePage, begin } = requireSource('codec/enumerate')
const { Memory } = requireSource('codec/memory')
const abi = requireSource('abi')

const streamCount = 100_000
const contextsPerStream = 10
const rounds = 5
const eventsPerBurst = 1_000
const bursts = 100
const burstMilliseconds = 10

const none = new Uint8Array(0)

function check(what, condition) {
  if (!condition) throw new Error(`${what} failed`)
}

/** Milliseconds that `action` takes. */
async function time(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** Counts this session's contexts in pages that nobody decodes. */
function countInPages(session, memory, page) {
  let count = 0
  for (let cursor = begin; cursor !== undefined;) {
    encodeEnumerate(memory, 0, cursor)
    check('enumerate', session.enumerate(page.bytes) > 0)
    const { count: told, next } = decodePage(page)
    count += told
    cursor = next
  }
  return count
}

/** The paths of the streams, whose files and directories are made. */
function makeFiles(filter) {
  return Array.from({ length: streamCount }, (_, index) => {
    if (index % 256 === 0) filter.host.mkdir(`M:\\${index >> 8}`)
    const path = `M:\\${index >> 8}\\${index & 255}`
    filter.host.writeFile(path, none)
    return path
  })
}

const report = new Report('iterators', 'ns')

async function measureEnumeration() {
  const filter = openFilter({ kernel: 'host' })
  const paths = makeFiles(filter)
  const total = streamCount * contextsPerStream
  const session = native.open('host', false, [['M', undefined]])
  const memory = new Memory(session.memory)
  const page = new Memory(new ArrayBuffer(abi.limits.transfer))
  // One after the other, so that there are a million at a time.
  const handles = paths.map((path) => {
    const handle = session.openStream(`\\\\?\\${path}`)
    for (let instance = 0; instance < contextsPerStream; instance += 1) {
      memory.words.fill(0, 0, abi.insertRequest.size / 4)
      memory.setUint32(0, abi.insertRequest.size)
      memory.setUint32(4, abi.version.abi | (abi.operation.insert << 16))
      memory.setUint64(abi.insertRequest.handle, handle)
      memory.setUint64(abi.insertRequest.instance, instance)
      memory.setUint32(native.layout.capacity, abi.insertReply.size)
      check('insert', session.insert() === abi.insertReply.size)
    }
    return handle
  })
  check(
    'every stream',
    handles.every((handle) => handle > 0),
  )
  const undecoded = []
  for (let round = -1; round < rounds; round += 1) {
    const took = await time(() => check('pages', countInPages(session, memory, page) === total))
    if (round >= 0) undecoded.push((took * 1e6) / total)
  }
  session.close()

  const streams = paths.map((path) => {
    const stream = filter.openStream(path)
    for (let instance = 0; instance < contextsPerStream; instance += 1) stream.insert({ instance })
    return stream
  })
  const decoded = []
  for (let round = -1; round < rounds; round += 1) {
    const took = await time(async () => {
      let count = 0
      for await (const context of filter.enumerate()) count += context.name === '' ? 0 : 1
      check('contexts', count === total)
    })
    if (round >= 0) decoded.push((took * 1e6) / total)
  }
  check(
    'every stream',
    streams.every((stream) => !stream.closed),
  )
  filter.close()

  const size = `${total.toLocaleString('en')} contexts on ${streamCount.toLocaleString('en')} streams, each`
  report.compare(size, [
    ['addon, undecoded', undecoded],
    ['facade, enumerate()', decoded, atMost(2)],
  ])
}

/** Brings about events, half of them of contexts that go, in bursts at a steady rate; milliseconds that the bursts took. */
async function bringAbout(stream) {
  const begun = performance.now()
  let busy = 0
  for (let burst = 0; burst < bursts; burst += 1) {
    const start = performance.now()
    for (let event = 0; event < eventsPerBurst; event += 2) {
      stream.insert()
      stream.remove()
    }
    const end = performance.now()
    busy += end - start
    await setTimeout(Math.max(0, begun + (burst + 1) * burstMilliseconds - end))
  }
  return busy
}

async function measureEvents() {
  const filter = openFilter({ kernel: 'host' })
  filter.host.writeFile('M:\\a', none)
  const stream = filter.openStream('M:\\a')
  const total = bursts * eventsPerBurst
  const results = [[], []]
  let elapsed = 0
  for (let round = 0; round < rounds; round += 1) {
    results[0].push(await bringAbout(stream))
    const events = filter.events()
    let told = 0
    const reader = (async () => {
      for await (const event of events) {
        check('no event dropped', event.type !== 'dropped')
        told += 1
        if (told === total) break
      }
    })()
    elapsed += await time(async () => {
      results[1].push(await bringAbout(stream))
      await reader
    })
  }
  const rate = Math.round((total * rounds * 1000) / elapsed / 1000)
  report.compare(
    'an insertion or removal',
    ['nobody is told', `events(), ${rate},000 a second, none lost`].map((name, index) => [
      name,
      results[index].map((milliseconds) => (milliseconds * 1e6) / total),
    ]),
  )
  filter.close()
}

await measureEnumeration()
await measureEvents()
report.finish()
