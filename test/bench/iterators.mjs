// `npm run bench`, second part: every context of a filter, and events as they come, through the facade's iterators. The baseline is what the
// facade waits for: the addon's pages of the same contexts, undecoded, and the same insertions and removals with nobody to tell of them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

import Table from 'cli-table3'

import { root } from '../../scripts/run.mjs'

const require = createRequire(import.meta.url)
const { openFilter } = require(join(root, 'dist', 'index.js'))
const { native } = require(join(root, 'dist', 'native.js'))
const abi = require(join(root, 'dist', 'abi.js'))

const streamCount = 100_000
const contextsPerStream = 10
const rounds = 3
const eventsPerBurst = 1_000
const bursts = 100
const burstMilliseconds = 10

const none = new Uint8Array(0)

function check(what, condition) {
  if (!condition) throw new Error(`${what} failed`)
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Milliseconds that `action` takes. */
async function time(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** Counts this session's contexts in pages that nobody decodes. */
function countInPages(filter, page) {
  const words = new DataView(page.buffer)
  let count = 0
  let cursor = [0n, 0n]
  do {
    filter.enumerate(page, undefined, ...cursor)
    cursor = [0, 8].map((offset) => words.getBigUint64(abi.enumerateReply.nextCursor + offset, true))
    count += words.getUint32(abi.enumerateReply.count, true)
  } while (cursor.some((word) => word !== 0n))
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

/** Seconds that each round took, after one that does not count. */
async function timeRounds(action) {
  const results = []
  for (let round = -1; round < rounds; round += 1) {
    const took = await time(action)
    if (round >= 0) results.push(took / 1000)
  }
  return median(results)
}

async function measureEnumeration(table) {
  const filter = openFilter({ kernel: 'host' })
  const paths = makeFiles(filter)
  const total = streamCount * contextsPerStream

  // One after the other, so that there is a million at a time. A stream that nobody refers to would be closed.
  const addon = new native.Filter('host', false, [['M', undefined]])
  const addonStreams = paths.map((path) => {
    const stream = new native.Stream(addon, `\\\\?\\${path}`)
    for (let instance = 0; instance < contextsPerStream; instance += 1) stream.insert(0, instance, 0, 0, 0, none)
    return stream
  })
  const page = Buffer.allocUnsafeSlow(abi.limits.transfer)
  const undecoded = await timeRounds(() => check('pages', countInPages(addon, page) === total))
  check(
    'every stream',
    addonStreams.every((stream) => !stream.closed),
  )
  addon.close()

  const streams = paths.map((path) => {
    const stream = filter.openStream(path)
    for (let instance = 0; instance < contextsPerStream; instance += 1) stream.insert({ instance })
    return stream
  })
  const decoded = await timeRounds(async () => {
    let count = 0
    for await (const context of filter.contexts()) count += context.name === '' ? 0 : 1
    check('contexts', count === total)
  })
  check(
    'every stream',
    streams.every((stream) => !stream.closed),
  )
  filter.close()

  const size = `${total.toLocaleString('en')} contexts on ${streamCount.toLocaleString('en')} streams`
  table.push([size, 'addon, undecoded', `${undecoded.toFixed(2)} s`, '1.00'])
  table.push(['', 'facade, contexts()', `${decoded.toFixed(2)} s`, (decoded / undecoded).toFixed(2)])
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

async function measureEvents(table) {
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
  const each = results.map((times) => (median(times) * 1e6) / total)
  const rate = Math.round((total * rounds * 1000) / elapsed / 1000)
  table.push(['an insertion or removal', 'nobody is told', `${each[0].toFixed(0)} ns`, '1.00'])
  table.push([
    '',
    `events(), ${rate},000 a second, none lost`,
    `${each[1].toFixed(0)} ns`,
    (each[1] / each[0]).toFixed(2),
  ])
  filter.close()
}

const table = new Table({ head: ['iterator', 'through', 'time', 'ratio'], style: { head: [], border: [] } })
await measureEnumeration(table)
await measureEvents(table)
console.log(table.toString())
