/** Filter Manager's minifilters: which of them are attached to a volume, and where. */
import type { Answer } from './native'
import { answerError, type Session } from './session'

/** A minifilter's instance on a volume. */
export interface MinifilterInstance {
  /** The minifilter's name, which is its service's, such as `'WdFilter'`. */
  readonly filter: string
  /** The instance's own name, such as `'WdFilter Instance'`. */
  readonly instance: string
  /** How high it sits: a decimal number, which may have a fraction of any length, such as `'328010'`. Requests come to the highest first. */
  readonly altitude: string
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1
}

/** Compares decimal numbers of any length: the higher one is greater. */
function compareAltitudes(one: string, other: string): number {
  const [whole = '', fraction = ''] = one.split('.')
  const [otherWhole = '', otherFraction = ''] = other.split('.')
  const length = Math.max(whole.length, otherWhole.length)
  return compare(whole.padStart(length, '0') + fraction, otherWhole.padStart(length, '0') + otherFraction)
}

/** The instances on the volume that an open file lies on, from the highest down, or the status that there are none for. */
export function findMinifilters(session: Session, handle: number, path: string): MinifilterInstance[] | Answer {
  const drive = /^(?:[\\/]{2}[?.][\\/])?([A-Za-z]):/.exec(path)?.[1] ?? ''
  const found = session.native.listMinifilters(handle, drive.toUpperCase())
  return typeof found === 'number'
    ? found
    : found.sort((one, other) => compareAltitudes(other.altitude, one.altitude) || compare(one.filter, other.filter))
}

/** The same, or an error. */
export function listMinifilters(session: Session, handle: number, path: string): MinifilterInstance[] {
  const found = findMinifilters(session, handle, path)
  if (typeof found === 'number') throw answerError(found, 'minifilters', path)
  return found
}
