/** What becomes of handles that nobody closes, and of those that somebody has closed. */
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { makeStream } from '../../src/stream'

import { collectGarbage } from './collect'

/** A session whose driver has no streams, and the handles that it has closed. */
function sessionOf() {
  const closed: number[] = []
  const native = {
    memory: new ArrayBuffer(layout.reply + layout.replyLength),
    closeHandle: (handle: number) => void closed.push(handle),
  } as unknown as NativeSession
  return { session: new Session(native), closed }
}

test('the handle of a stream that nobody holds any more is closed', async () => {
  const { session, closed } = sessionOf()
  makeStream(session, 4, 'M:\\a')
  await collectGarbage()
  expect(closed).toEqual([4])
})

test('a handle that has been closed is not closed again when nobody holds its stream any more: it may be another’s', async () => {
  const { session, closed } = sessionOf()
  makeStream(session, 4, 'M:\\a').close()
  makeStream(session, 8, 'M:\\b')
  await collectGarbage()
  expect(closed.sort()).toEqual([4, 8])
})
