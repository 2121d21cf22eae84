// `npm run bench`, second part: every context of a filter, and events as they come, through the facade's iterators. The baseline is what the
// facade waits for: the addon's pages of the same contexts, undecoded, and the same insertions and removals with nobody to tell of them.
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

import { abi, addon, begin, decodePage, encodeEnumerate, Memory, openFilter } from './library.mjs'
import { atMost, Report } from './report.mjs'

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

/** Why the bound is missed, where it is. */
const reason =
  'for each context also a promise and a Date, of which the rows below tell what Node.js takes, an object and four BigInts'

/** As many promises as there are contexts, each of the same object, for a loop that waits for one after the other. */
const promised = (count, value) => ({
  [Symbol.asyncIterator]: () => ({
    next: () => Promise.resolve((count -= 1) < 0 ? { value: undefined, done: true } : { value, done: false }),
  }),
})

/** Opens a filter, and tells the addon's own session that it has. */
function openBoth() {
  const { open } = addon
  let session
  addon.open = (...values) => (session = open(...values))
  try {
    return { filter: openFilter({ kernel: 'host' }), session }
  } finally {
    addon.open = open
  }
}

async function measureEnumeration() {
  const { filter, session } = openBoth()
  const total = streamCount * contextsPerStream
  const memory = new Memory(session.memory)
  const page = new Memory(new ArrayBuffer(abi.limits.transfer))
  const streams = makeFiles(filter).map((path) => {
    const stream = filter.openStream(path)
    for (let instance = 0; instance < contextsPerStream; instance += 1) stream.insert({ instance })
    return stream
  })
  const contenders = [
    ['addon, undecoded', () => check('pages', countInPages(session, memory, page) === total)],
    [
      'facade, enumerate()',
      async () => {
        let count = 0
        for await (const context of filter.enumerate()) count += context.name === '' ? 0 : 1
        check('contexts', count === total)
      },
      atMost(2, reason),
    ],
    [
      'Node.js: for await, and nothing in it',
      async () => {
        let count = 0
        for await (const stream of promised(total, streams[0])) count += stream.closed ? 0 : 1
        check('promises', count === total)
      },
    ],
    [
      'Node.js: new Date()',
      () => {
        let sum = 0
        for (let index = 0; index < total; index += 1) sum += new Date(1e12 + index / 2).getTime()
        check('dates', sum > 0)
      },
    ],
  ]
  const results = contenders.map(() => [])
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, [, action]] of contenders.entries()) {
      const took = await time(action)
      if (round >= 0) results[index].push((took * 1e6) / total)
    }
  }
  filter.close()
  report.compare(
    `${total.toLocaleString('en')} contexts on ${streamCount.toLocaleString('en')} streams, each`,
    contenders.map(([name, , ...bounds], index) => [name, results[index], ...bounds]),
  )
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
