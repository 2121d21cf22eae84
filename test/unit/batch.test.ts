/** What a batch sends to the driver, and in how much memory. */
import * as abi from '../../src/abi'
import { makeBatch } from '../../src/batch'
import { Memory } from '../../src/codec/memory'
import { statusOf } from '../../src/errors'
import { openFilter, type BatchOptions, type Filter } from '../../src/index'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { makeStream } from '../../src/stream'

import { failureOf } from './failures'

const { batchReply, batchRequest, batchResult, insertRequest } = abi

/** A batch for a driver that answers every operation with a status, and what was sent to that driver. */
function batchOf(status = 0, options: BatchOptions = {}) {
  const sent: Memory[] = []
  const native = {
    memory: new ArrayBuffer(layout.reply + layout.replyLength),
    closeHandle: () => undefined,
    batch: (request: ArrayBuffer, reply: ArrayBuffer) => {
      sent.push(new Memory(request.slice(0)))
      const results = new Memory(reply)
      for (let index = 0; index < sent.at(-1)!.uint32(batchRequest.count); index += 1) {
        results.setUint32(batchReply.size + index * batchResult.size + batchResult.status, status)
      }
      return reply.byteLength
    },
  } as unknown as NativeSession
  const session = new Session(native)
  return { batch: makeBatch(session, options), stream: makeStream(session, 4, 'M:\\a'), sent }
}

test('padding behind data is zero, whatever lay there before', () => {
  const { batch, stream, sent } = batchOf()
  batch.insert(stream, { data: Buffer.alloc(16, 0xff) }).insert(stream, { data: Buffer.alloc(16, 0xff) })
  batch.clear()
  batch.insert(stream, { data: Buffer.alloc(3, 0xee) }).run()
  const data = batchRequest.size + insertRequest.size
  expect(sent[0]!.bytes.subarray(data, data + 8)).toEqual(Buffer.from([0xee, 0xee, 0xee, 0, 0, 0, 0, 0]))
})

test('memory is at most twice what requests need', () => {
  const { batch, stream, sent } = batchOf()
  for (const length of [10, 10, 10, 5000, 10]) {
    batch.insert(stream, { data: Buffer.alloc(length) }).run()
    const request = sent.at(-1)!
    const needed = request.uint32(abi.header.bufferSize)
    expect(needed).toBeGreaterThan(length)
    expect(request.bytes.length).toBeLessThanOrEqual(Math.max(4096, 2 * needed))
  }
})

test('an operation that has succeeded otherwise has succeeded', () => {
  const { batch, stream } = batchOf(0x40000000)
  expect(batch.removeAll(stream).run().result(0)).toEqual({ operation: 'removeAll', value: 0 })
})

test('an operation that has failed is told with the path of its own stream', () => {
  const { batch, stream } = batchOf(statusOf('STATUS_ACCESS_DENIED'))
  batch.removeAll(stream).run()
  expect(failureOf(() => batch.result(0))).toMatchObject({
    ...{ code: 'STATUS_ACCESS_DENIED', operation: 'removeAll', path: 'M:\\a' },
  })
})

describe('a filter that only looks', () => {
  let filter: Filter
  beforeEach(() => {
    filter = openFilter({ readOnly: true })
    filter.host!.writeFile('M:\\a', Buffer.from('a'))
  })
  afterEach(() => filter.close())

  test('runs batches that only look, also those that were to change something before', () => {
    const stream = filter.openStream('M:\\a')
    const batch = filter.batch()
    expect(batch.lookup(stream).run().status(0)).toBe('STATUS_NOT_FOUND')
    batch.clear()
    batch.lookup(stream).removeAll(stream)
    expect(failureOf(() => batch.run())).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'batch' })
    batch.clear()
    expect(batch.lookup(stream).run().status(0)).toBe('STATUS_NOT_FOUND')
  })
})
