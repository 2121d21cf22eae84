/** Streams that are closed late: by whoever waits for their contexts' ends these are seen to be there at first. */
import { setImmediate } from 'node:timers/promises'

import { Filter, type Stream } from '../../src/index'

/** Turns of the event loop that are more than it takes to look again. */
const turns = 5

/**
 * Closes a stream some turns of the event loop after its filter's contexts have been listed next. Resolves to how often they had been listed by
 * then: once by whoever waits.
 */
export function closeLate(filter: Filter, stream: Stream): Promise<number> {
  return new Promise((resolve) => {
    let looks = 0
    const close = async (): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) await setImmediate()
      resolve(looks)
      stream.close()
    }
    async function* enumerate() {
      looks += 1
      yield* Filter.prototype.enumerate.call(filter)
      if (looks === 1) void close()
    }
    filter.enumerate = enumerate as never
  })
}
