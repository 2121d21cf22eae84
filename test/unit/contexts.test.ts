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
  expect(list([9n, 7n, 4n], 3).asked).toEqual([0n])
})

/** How much room for data a kernel is asked with that answers with these lengths of data, and never has the room. */
function roomsFor(needs: readonly number[]): number[] {
  const rooms: number[] = []
  const buffer = new ArrayBuffer(layout.reply + layout.replyLength)
  const memory = new Memory(buffer)
  const lookup = () => {
    rooms.push(memory.uint32(layout.capacity) - contextReply.size)
    memory.setUint32(layout.reply + contextReply.dataLength, needs[rooms.length - 1] ?? 0)
    return statusOf('STATUS_BUFFER_OVERFLOW') | 0
  }
  const native = { memory: buffer, closeHandle: () => undefined, lookup } as unknown as NativeSession
  const stream = makeStream(new Session(native), 4, 'M:\\a')
  expect(failureOf(() => stream.lookup())).toMatchObject({ code: 'STATUS_BUFFER_OVERFLOW', operation: 'lookup' })
  return rooms
}

test.each([
  [0, 'there is enough'],
  [256, 'there is enough'],
  [limits.dataLength + 1, 'data never has so many'],
])('a kernel that has no room for %i bytes, though %s, is asked once', (length) => {
  expect(roomsFor([length, length])).toEqual([256])
})

test('a kernel is given twice the room at least, and never more than data may have', () => {
  expect(roomsFor([257, 513, 3000, 40_000])).toEqual([256, 512, 1024, 3000, 40_000])
  expect(roomsFor([40_000, 50_000])).toEqual([256, 40_000, 65_536])
})

test('a kernel that says that there is more, and tells none, is not asked for ever', () => {
  expect(list([9n], 0)).toEqual({ told: [], asked: [0n] })
})
