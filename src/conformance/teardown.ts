/** How contexts end: after the last reference, once, and every time. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import type { Bench } from './bench'
import { pages, type Check } from './check'
import { count, fail, hold, ifSupported, notSupported } from './judgement'
import { contextsOn, judge, settle } from './ending'
import { makeNamed } from './support'

const leak =
  'FsRtlTeardownPerStreamContexts is not called on every way on which a stream’s structure is freed: the contexts of every filter leak, in memory that has been freed.'

/** Streams that are torn down together, more than a list of free structures keeps. */
const streams = 256
/** Inserted on each. */
const contextsPerStream = 2
/** Milliseconds within which the events of what has happened are told. */
const eventTime = 5_000

const cycles = 10_000
const batch = 500
/** Streams that the cycles go through: those that are kept are kept in this number. */
const cycledStreams = 64

/** Opens a stream, inserts a context and closes it: the last reference goes. */
function hang(bench: Bench, path: string, contexts = 1): bigint[] {
  using stream = bench.filter.openStream(path)
  return Array.from({ length: contexts }, (_, instance) => stream.insert({ instance }).sequence)
}

/** How fast values grow with the cycles: the slope of the line that fits them best, for a thousand cycles. */
export function slope(samples: readonly (readonly [cycle: number, value: number])[]): number {
  const meanOf = (index: 0 | 1) => samples.reduce((sum, sample) => sum + sample[index], 0) / samples.length
  const [cycle, value] = [meanOf(0), meanOf(1)]
  const squares = samples.reduce((sum, sample) => sum + (sample[0] - cycle) ** 2, 0)
  const products = samples.reduce((sum, sample) => sum + (sample[0] - cycle) * (sample[1] - value), 0)
  return squares === 0 ? 0 : (1000 * products) / squares
}

/** Fails unless an open of the stream finds nothing. */
function holdEmpty(bench: Bench, path: string, when: string): void {
  using stream = bench.filter.openStream(path)
  const { length } = contextsOn(stream)
  hold(length === 0, `A stream that was opened ${when} has ${count(length, 'context')} of its former life.`)
}

/** Deletes streams of every kind while they are open, and closes them. */
function deleteOpen(bench: Bench): string {
  const file = bench.make('file', 'content')
  const named = ifSupported(() => makeNamed(bench, file))
  const paths = [...(named === undefined ? [] : [named]), file, bench.mkdir(bench.path('directory'))]
  const opened = paths.map((path) => bench.open(path))
  for (const stream of opened) stream.insert()
  for (const path of paths) bench.files.unlink(path)
  for (const stream of opened) {
    hold(stream.lookup() !== undefined, `The context went with the deletion of ${stream.path}, whose handle is open.`)
    stream.close()
  }
  return `${count(paths.length, 'stream')} deleted while open, and closed`
}

async function dismount({ drive, filter }: Bench): Promise<void> {
  if (drive === undefined) notSupported('The directory is on no drive, by which a volume is dismounted.')
  try {
    if (filter.host === undefined) await promisify(execFile)('fsutil', ['volume', 'dismount', drive])
    else filter.host.dismount(drive)
  } catch (error) {
    notSupported(`${drive} cannot be dismounted: ${(error as Error).message}`)
  }
}

export const teardown: readonly Check[] = [
  {
    id: 'teardown.last-reference',
    sentence: 'After the last reference to a stream its contexts are torn down, or found again with the stream.',
    documentation: pages.teardown,
    hint: leak,
    async run(bench) {
      const path = bench.make('file', 'content')
      hang(bench, path, contextsPerStream)
      return judge(await settle(bench, [path]), `${count(contextsPerStream, 'context')}, after the last close`)
    },
  },
  {
    id: 'teardown.once',
    sentence: 'Each context is torn down exactly once.',
    documentation: pages.teardown,
    hint: `${leak} Two teardowns of one stream are two calls of each FreeCallback, or a list that is walked while it is freed.`,
    async run(bench) {
      const paths = Array.from({ length: streams }, (_, index) => bench.make(`file-${index}`))
      const events = bench.filter.events({ types: ['torn-down', 'removed'] }).unref()
      const ended = new Map<bigint, number>()
      let told = 0
      const reading = (async () => {
        for await (const event of events) {
          if (event.type === 'dropped') continue
          told += 1
          ended.set(event.sequence, (ended.get(event.sequence) ?? 0) + 1)
        }
      })()
      try {
        const opened = paths.map((path) => bench.open(path))
        const inserted = opened.flatMap((stream) =>
          Array.from({ length: contextsPerStream }, (_, instance) => stream.insert({ instance }).sequence),
        )
        for (const stream of opened) stream.close()
        const outcome = await settle(bench, paths)
        const { tornDown, contexts } = bench.filter.statistics().session
        await bench.until(() => told >= tornDown, eventTime)
        const before = `${count(inserted.length, 'context')} on ${count(streams, 'stream')}`
        if (outcome.ending === 'lost') fail(`${before}: ${outcome.evidence}`, 'lost')
        const once = inserted.filter((sequence) => ended.get(sequence) === 1).length
        hold(
          tornDown + contexts === inserted.length && once === tornDown,
          `${before}: ${tornDown} teardowns were counted and ${told} told, of ${once} contexts once.`,
        )
        return judge(outcome, `${before}, ${once} of them torn down once`)
      } finally {
        events.close()
        await reading
      }
    },
  },
  {
    id: 'teardown.delete',
    sentence: 'The contexts of a stream that is deleted are torn down with its last reference.',
    documentation: pages.deleting,
    hint: leak,
    async run(bench) {
      const before = deleteOpen(bench)
      return judge(await settle(bench, []), before)
    },
  },
  {
    id: 'teardown.reopened-stream',
    sentence:
      'A stream that is opened again after its teardown has no contexts, and neither has a new file of a deleted one’s name.',
    documentation: pages.setUp,
    hint: `A structure that is used again must be given to FsRtlSetupAdvancedHeader again, or was found by the name of a file that has gone. ${leak}`,
    async run(bench) {
      const path = bench.make('file', 'content')
      hang(bench, path)
      const outcome = await settle(bench, [path])
      // One that is kept for good has its contexts by right.
      const isTornDown = bench.live() === 0
      if (isTornDown) holdEmpty(bench, path, 'again after its teardown')
      bench.files.unlink(path)
      const reused = bench.make('reused', 'content')
      {
        using stream = bench.filter.openStream(reused)
        stream.insert()
        bench.files.unlink(reused)
      }
      bench.openFile(reused, { access: ['write'], disposition: 'create' })
      holdEmpty(bench, reused, 'under the name of a deleted one')
      const empty = isTornDown ? 'Opened again, and made again under the same name,' : 'Made again under the same name,'
      return judge(outcome, `${empty} a stream is empty; the first one’s contexts`)
    },
  },
  {
    id: 'teardown.ten-thousand-cycles',
    sentence: 'Ten thousand cycles of open, insert and close leave no context behind.',
    documentation: pages.teardown,
    hint: leak,
    async run(bench) {
      const paths = Array.from({ length: cycledStreams }, (_, index) => bench.make(`file-${index}`))
      const contexts: [number, number][] = []
      const bytes: [number, number][] = []
      const resident = process.memoryUsage.rss()
      const start = performance.now()
      for (let cycle = 0; cycle < cycles; cycle += 1) {
        using stream = bench.filter.openStream(paths[cycle % cycledStreams]!)
        stream.insert({ ifExists: 'replace' }) // of one that was kept
        stream.close()
        if ((cycle + 1) % batch !== 0) continue
        const { session } = bench.filter.statistics()
        contexts.push([cycle + 1, session.contexts])
        bytes.push([cycle + 1, session.pagedBytes + session.nonPagedBytes])
        bench.place.advance((cycle + 1) / cycles)
        await bench.pause()
      }
      const seconds = (performance.now() - start) / 1000
      const grown = (process.memoryUsage.rss() - resident) / 2 ** 20
      const before =
        `${count(cycles, 'cycle')} in ${seconds.toFixed(1)} s: for a thousand of them ${slope(contexts).toFixed(2)} contexts ` +
        `and ${slope(bytes).toFixed(0)} bytes more, the process ${grown.toFixed(1)} MiB in all; then`
      return judge(await settle(bench, paths), before)
    },
  },
]

/** Last of all, since the volume goes. */
export const dismounting: Check = {
  id: 'teardown.dismount',
  sentence: 'Contexts on a volume that is dismounted are torn down with the last handle of their stream.',
  documentation: pages.teardown,
  hint: leak,
  needs: 'dismount',
  async run(bench) {
    const path = bench.make('file', 'content')
    const stream = bench.open(path)
    stream.insert()
    bench.openFile(bench.make('other'), { access: ['attributes'] }) // so that the volume does not go with the stream
    await dismount(bench)
    stream.close()
    return judge(await settle(bench, []), 'Dismounted while a stream was open, which was closed then')
  },
}
