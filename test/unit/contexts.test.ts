/** How the list of a stream's contexts is put together, from a kernel that tells it in pages. */
import * as abi from '../../src/abi'
import { Memory } from '../../src/codec/memory'
import { statusOf } from '../../src/errors'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { makeStream } from '../../src/stream'

import { failureOf } from './failures'

const { contextReply, limits, listEntry, listReply, listRequest } = abi

/** The sequences that are told, and those behind which was asked, of a kernel that has these, youngest first, and tells so many at a time. */
function list(sequences: readonly bigint[], pageLength: number) {
  const asked: bigint[] = []
  const buffer = new ArrayBuffer(layout.reply + layout.replyLength)
  const memory = new Memory(buffer)
  const native = {
    memory: buffer,
    closeHandle: () => undefined,
    list: () => {
      const before = memory.uint64(listRequest.before)
      asked.push(before)
      const older = sequences.filter((sequence) => before === 0n || sequence < before)
      const page = older.slice(0, pageLength)
      memory.bytes.fill(0, layout.reply)
      page.forEach((sequence, index) => {
        const entry = layout.reply + listReply.size + index * listEntry.size
        memory.setUint32(entry + listEntry.entrySize, listEntry.size)
        memory.setUint64(entry + listEntry.sequence, sequence)
      })
      memory.setUint32(layout.reply + listReply.count, page.length)
      memory.setUint32(layout.reply + listReply.remaining, older.length - page.length)
      return listReply.size + page.length * listEntry.size
    },
  } as unknown as NativeSession
  const stream = makeStream(new Session(native), 4, 'M:\\a')
  return { asked, told: stream.contexts().map(({ sequence }) => sequence) }
}

test('contexts that do not fit into one reply are asked for page by page, each behind the last one told', () => {
  expect(list([9n, 7n, 4n], 2)).toEqual({ told: [9n, 7n, 4n], asked: [0n, 7n] })
  expect(list([9n, 7n, 4n], 1)).toEqual({ told: [9n, 7n, 4n], asked: [0n, 9n, 7n] })
  expect(list([9n, 7n, 4n], 3).asked).toEqual([0n])
})

test.each([
  ['there is enough', 256],
  ['it needs more than any has', limits.dataLength + 1],
])('a kernel that has no room for a context, though %s, is asked once', (_, needed) => {
  let asked = 0
  const buffer = new ArrayBuffer(layout.reply + layout.replyLength)
  const lookup = () => {
    asked += 1
    if (asked > 9) throw new Error('asked for ever')
    new Memory(buffer).setUint32(layout.reply + contextReply.dataLength, needed)
    return statusOf('STATUS_BUFFER_OVERFLOW') | 0
  }
  const native = { memory: buffer, closeHandle: () => undefined, lookup } as unknown as NativeSession
  const stream = makeStream(new Session(native), 4, 'M:\\a')
  expect(failureOf(() => stream.lookup())).toMatchObject({ code: 'STATUS_BUFFER_OVERFLOW', operation: 'lookup' })
  expect(asked).toBe(1)
})

test('a kernel that says that there is more, and tells none, is not asked for ever', () => {
  expect(list([9n], 0)).toEqual({ told: [], asked: [0n] })
})
