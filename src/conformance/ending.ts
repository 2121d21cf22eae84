/** What becomes of contexts after the last reference to their streams. */
import type { Filter, ListedContext, Stream } from '../index'

import { isStatus, type Bench } from './bench'
import { count, fail, inform, type Ending, type Finding } from './judgement'

/** How long is waited for a stream that is kept to go by itself, in milliseconds, once that has been in vain. */
const shortPatience = 100

interface Outcome {
  readonly ending: Ending
  readonly evidence: string
}

function time(milliseconds: number): string {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds).toLocaleString('en')} ms`
}

/** The numbers of this session's contexts that hang on a stream, as its file system has it now. */
export function contextsOn(stream: Stream): bigint[] {
  try {
    return stream.inspect().flatMap((context) => (context.holder === 'self' ? [context.sequence] : []))
  } catch (error) {
    if (!isStatus(error, 'STATUS_NOT_SUPPORTED')) throw error // this kernel's list cannot be locked
  }
  const isFound = ({ owner, instance, sequence }: ListedContext): boolean =>
    stream.lookup({ owner, instance })?.sequence === sequence
  return stream.contexts().flatMap((context) => (isFound(context) ? [context.sequence] : []))
}

/** Those that an open of the stream finds: none, if it has gone. */
function findAgain(filter: Filter, path: string): bigint[] {
  try {
    using stream = filter.openStream(path)
    return contextsOn(stream)
  } catch (error) {
    if (isStatus(error, 'STATUS_OBJECT_NAME_NOT_FOUND', 'STATUS_OBJECT_PATH_NOT_FOUND', 'STATUS_DELETE_PENDING')) {
      return []
    }
    throw error
  }
}

/** How many contexts of the session no open of these streams finds. */
export async function countLost(filter: Filter, paths: readonly string[]): Promise<number> {
  const found = new Set(paths.flatMap((path) => findAgain(filter, path)))
  let lost = 0
  // Looked at last: what was torn down while streams were opened is not lost.
  for await (const { sequence } of filter.enumerate()) if (!found.has(sequence)) lost += 1
  return lost
}

/** Waits for the contexts of the session to be torn down. */
async function isOver(bench: Bench, within: number): Promise<boolean> {
  return (await bench.until(() => bench.live() === 0, within)) !== undefined
}

/** Has streams that are kept let go. */
async function pressAll(bench: Bench, paths: readonly string[], contexts: number, waited: number): Promise<Outcome> {
  const { place } = bench
  place.keptPatience = Math.min(place.keptPatience, shortPatience)
  const start = performance.now()
  for (const path of paths) bench.press(path)
  const kept = `${count(contexts, 'context')} kept with the stream, which is found again after ${time(waited)}`
  if (!(await isOver(bench, place.keptPatience))) {
    return { ending: 'kept', evidence: `${kept}; flushing it and closing an unbuffered handle do not change that.` }
  }
  const pressed = time(performance.now() - start)
  return { ending: 'kept', evidence: `${kept}; torn down ${pressed} after an unbuffered handle was closed.` }
}

/** What became of all contexts of the session, whose streams nobody has open any more. `paths` are those that can be opened again. */
export async function settle(bench: Bench, paths: readonly string[]): Promise<Outcome> {
  const { place, filter } = bench
  const contexts = bench.live()
  if (contexts === 0) return { ending: 'torn-down', evidence: 'torn down at once.' }
  const start = performance.now()
  const waited = () => performance.now() - start
  const late = (): Outcome => ({
    ending: 'late',
    evidence: `${count(contexts, 'context')} torn down late, after ${time(waited())}.`,
  })
  if (await isOver(bench, paths.length === 0 ? place.patience : place.keptPatience)) return late()
  if ((await countLost(filter, paths)) > 0) {
    // Nothing is lost before its file system has had all its time, however little was waited for streams that are kept.
    if (await isOver(bench, place.patience - waited())) return late()
    const lost = await countLost(filter, paths)
    if (lost > 0) {
      const whose = paths.length === 0 ? '' : ', and no open of the streams finds them'
      return {
        ending: 'lost',
        evidence: `${count(lost, 'context')} never torn down: the driver has them after ${time(waited())}${whose}.`,
      }
    }
  }
  return pressAll(bench, paths, bench.live(), waited())
}

/** Fails if contexts were lost; otherwise it is a pass, which says how they ended. */
export function judge({ ending, evidence }: Outcome, before: string): Finding {
  const told = `${before}: ${evidence}`
  if (ending === 'lost') fail(told, ending)
  return { verdict: 'pass', evidence: told, ending }
}

/** Goes on where the file system tears down at once: there a stream that goes is told from one that something keeps. */
export function requirePromptness(bench: Bench, promise: string): void {
  using stream = bench.filter.openStream(bench.make('probe'))
  stream.insert()
  stream.close()
  if (bench.live() === 0) return
  inform(`The file system does not tear down at once a stream that nobody has open: whether ${promise} cannot be told.`)
}
