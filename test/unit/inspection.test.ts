/** How a stream is inspected: with as much room as it needs, by a kernel that the test makes up. */
import { inspectReply } from '../../src/abi'
import { statusOf, type StatusName } from '../../src/errors'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { makeStream } from '../../src/stream'

import { failureOf } from './failures'

/** Inspects a stream whose kernel answers so, one answer a call: a status, with the bytes that it says it needs, or no context. */
function inspect(...answers: readonly (readonly [StatusName, number] | 'none')[]) {
  const rooms: number[] = []
  const left = [...answers]
  const native = {
    memory: new ArrayBuffer(layout.reply + layout.replyLength),
    inspect: (page: Uint8Array) => {
      rooms.push(page.length)
      const answer = left.shift()!
      if (answer === 'none') return inspectReply.size
      new DataView(page.buffer).setUint32(inspectReply.remaining, answer[1], true)
      return statusOf(answer[0]) | 0
    },
    closeHandle: () => undefined,
  } as unknown as NativeSession
  const stream = makeStream(new Session(native), 8, 'C:\\a.txt')
  return { rooms, call: () => stream.inspect() }
}

test('a reply that does not fit is asked for again with the room that it needs, as often as that grows', () => {
  const { rooms, call } = inspect(['STATUS_BUFFER_OVERFLOW', 65544], ['STATUS_BUFFER_OVERFLOW', 1 << 20], 'none')
  expect(call()).toEqual([])
  expect(rooms.slice(1)).toEqual([65544, 1 << 20])
})

test.each<[StatusName, number, string]>([
  [
    'STATUS_BUFFER_OVERFLOW',
    (1 << 20) + 8,
    'more contexts than one reply can tell: remove some, or look at them with `contexts()`',
  ],
  ['STATUS_BUFFER_OVERFLOW', 8192, 'more contexts than one reply can tell'],
  ['STATUS_INSUFFICIENT_RESOURCES', 65544, 'The kernel is out of memory'],
])('%s with %d bytes needed is told, and not asked again', (code, needed, message) => {
  const { rooms, call } = inspect([code, needed])
  const error = failureOf(call)
  expect(error).toMatchObject({ code, operation: 'inspect', path: 'C:\\a.txt' })
  expect(error.message).toContain(message)
  expect(rooms).toHaveLength(1)
})
