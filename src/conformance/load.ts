/** Many threads that open, insert, close and delete the same names at the same time. */
import { join, win32 } from 'node:path'
import { Worker } from 'node:worker_threads'

import { optionsOf } from '../index'

import type { Bench } from './bench'
import { pages, type Check } from './check'
import { count, fail } from './judgement'
import type { LoadOrder, LoadReport } from './load-worker'

const threads = 4
/** Names that they fight over. */
const names = 8
/** Milliseconds between two tellings of how much is done. */
const interval = 200
/** Milliseconds for a worker to come to its end, beside what it waits for. */
const grace = 20_000

interface Thread {
  readonly worker: Worker
  /** The next message. */
  next<T>(): Promise<T>
}

function start(order: LoadOrder): Thread {
  const worker = new Worker(join(__dirname, 'load-worker.js'), { workerData: order })
  const failed = new Promise<never>((_, reject) => {
    worker.once('error', reject)
    worker.once('exit', () => {
      reject(new Error('A thread of the load ended before its time.'))
    })
  })
  failed.catch(() => undefined)
  return {
    worker,
    next: <T>() =>
      Promise.race([
        failed,
        new Promise<T>((resolve) => {
          worker.once('message', resolve)
        }),
      ]),
  }
}

function sum(reports: readonly LoadReport[], key: 'cycles' | 'missing' | 'lost'): number {
  return reports.reduce((total, report) => total + report[key], 0)
}

function tally(reports: readonly LoadReport[], key: 'refused' | 'unexpected'): Map<string, number> {
  const counts = new Map<string, number>()
  for (const report of reports) {
    for (const [code, number] of Object.entries(report[key])) counts.set(code, (counts.get(code) ?? 0) + number)
  }
  return counts
}

function describe(counts: ReadonlyMap<string, number>): string {
  return Array.from(counts, ([code, number]) => `${count(number, 'time')} ${code}`).join(', ')
}

/** Waits for so long, and tells how much of it is over. */
async function endure(bench: Bench, milliseconds: number): Promise<void> {
  const begin = performance.now()
  for (let passed = 0; passed < milliseconds; passed = performance.now() - begin) {
    bench.place.advance(passed / milliseconds)
    await bench.pause(Math.min(interval, milliseconds - passed))
  }
}

async function run(bench: Bench): Promise<string> {
  const { place } = bench
  const paths = Array.from({ length: names }, (_, index) => bench.path(`file-${index}`))
  const order: LoadOrder = {
    options: optionsOf(place.base),
    paths,
    patience: place.patience,
  }
  const all = Array.from({ length: threads }, () => start(order))
  try {
    await Promise.all(all.map((thread) => thread.next())) // all have begun
    await endure(bench, place.seconds * 1000)
    // Handles first, all of them: a stream lives as long as anybody has it open.
    const stopped = all.map((thread) => thread.next())
    for (const { worker } of all) worker.postMessage('stop')
    await Promise.all(stopped)
    const reported = all.map((thread) => thread.next<LoadReport>())
    for (const { worker } of all) worker.postMessage('report')
    const reports = await Promise.all(reported)
    const unexpected = tally(reports, 'unexpected')
    const refused = tally(reports, 'refused')
    const before =
      `${threads} threads, ${count(sum(reports, 'cycles'), 'cycle')} in ${place.seconds} s on ${win32.basename(paths[0]!)} and ${names - 1} others` +
      (refused.size === 0 ? '' : `, refused: ${describe(refused)}`)
    if (unexpected.size > 0) fail(`${before}. Errors that are not documented: ${describe(unexpected)}.`)
    const missing = sum(reports, 'missing')
    if (missing > 0) fail(`${before}. ${count(missing, 'context')} not found while their streams were open.`)
    const lost = sum(reports, 'lost')
    if (lost > 0)
      fail(`${before}. ${count(lost, 'context')} never torn down, and no open of the streams finds them.`, 'lost')
    const isKept = reports.some((report) => report.isKept)
    return `${before}. No context was lost${isKept ? '; some were kept with their streams, and found again' : ', and none was left'}.`
  } finally {
    await Promise.all(all.map(({ worker }) => end(worker)))
  }
}

/** Has a worker close what it has, and ends it if it does not. */
async function end(worker: Worker): Promise<void> {
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  const timer = setTimeout(() => void worker.terminate(), grace)
  worker.postMessage('end')
  await ended
  clearTimeout(timer)
}

export const load: Check = {
  id: 'load',
  sentence:
    'Threads that open, insert, close and delete the same names at the same time lose no context, and leave none.',
  documentation: pages.teardown,
  hint: 'The last close of a structure and a new open of its stream meet: the structure must leave the table, under its lock, before it is torn down.',
  needs: 'seconds',
  run,
}
