/** The matchers that wait for the file system, with @jest/globals. */
import timers from 'node:timers'
import { setImmediate } from 'node:timers/promises'

import { describe, expect, jest, test } from '@jest/globals'

import { openFilter, type Filter, type FilterEvent, type Stream } from '../../src/index'
import { watched, withVolume } from '../../src/jest/index'
import { liveContexts } from '../../src/jest/watch'

import { argumentErrorOf, messageOf } from './failure'
import { closeLate } from './late'

/** Milliseconds that are enough on any machine, and that no passing test waits for. */
const generous = 60_000
/** Milliseconds after which what does not happen has not happened. */
const short = 20

const volume = withVolume()

function openNew(name = 'a.txt'): Stream {
  return volume.filter.openStream(volume.writeFile(name))
}

describe('toBeTornDown', () => {
  test('passes once the last handle is closed', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    stream.close()
    await expect(context).toBeTornDown({ within: generous })
    await expect(context).toBeTornDown() // it stays so
  })

  test('waits for a teardown that comes late', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    const assertion = expect(context).toBeTornDown({ within: generous })
    await setImmediate()
    stream.close()
    await assertion
  })

  test('counts a teardown that came in time and is told late, as the process stood still', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    await setImmediate() // next come the timers, and then what the kernel tells
    const assertion = expect(context).toBeTornDown({ within: 1 })
    stream.close()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, short)
    await assertion
  })

  test('fails when the context is still there, as a second handle is open', async () => {
    using stream = openNew()
    using second = volume.filter.openStream(stream.path)
    stream.insert({ instance: 2n })
    const context = stream.insert({ instance: 1n, data: Buffer.from('seen') })
    stream.close()
    expect(await messageOf(() => expect(context).toBeTornDown({ within: short }))).toMatchInlineSnapshot(`
     "expect(context).toBeTornDown({ within: 20 })

     Expected: torn down within 20 ms
     Received: still there: owner 0, instance 1, 4 bytes on \\Device\\HostVolume1\\psctx-…\\a.txt

     Something still refers to its stream: a handle that is open, the cache manager, or a mapped section. Close every handle; if the file system lets go in its own time, allow more of it. If nothing refers to it, the file system has let the stream go without FsRtlTeardownPerStreamContexts."
    `)
    await expect(context).not.toBeTornDown({ within: short })
    second.close()
    await expect(context).toBeTornDown({ within: generous })
  })

  test('tells contexts of streams that are closed at the same time apart', async () => {
    using one = openNew('a.txt')
    using other = openNew('b.txt')
    using third = openNew('c.txt')
    const contexts = [one, other, third].map((stream) => stream.insert({ instance: 1n }))
    const assertions = [
      expect(contexts[0]).toBeTornDown({ within: generous }),
      expect(contexts[1]).not.toBeTornDown({ within: short }),
      expect(contexts[2]).toBeTornDown({ within: generous }),
    ]
    await setImmediate()
    third.close()
    one.close()
    await Promise.all(assertions)
  })

  test('takes whatever tells a context', async () => {
    using stream = openNew('tracked.txt')
    using rule = volume.filter.track({ match: '*\\tracked.txt', instance: 2n })
    const inserted = stream.insert({ instance: 1n })
    using second = volume.filter.openStream(stream.path)
    const found = stream.lookup({ instance: 1n })
    const [byRule] = stream.contexts()
    expect(byRule).toMatchObject({ byRule: true, instance: rule.instance })
    stream.close()
    second.close()
    await expect(inserted).toBeTornDown({ within: generous })
    await expect(found).toBeTornDown({ within: generous })
    await expect(byRule).toBeTornDown({ within: generous })
  })

  test('fails at once when the context is removed instead', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    stream.remove({ instance: 1n })
    stream.close()
    expect(await messageOf(() => expect(context).toBeTornDown({ within: generous }))).toMatchInlineSnapshot(`
     "expect(context).toBeTornDown({ within: 60000 })

     Expected: torn down within 60000 ms
     Received: removed by process …: owner 0, instance 1 on \\Device\\HostVolume1\\psctx-…\\a.txt, at the age of … ms"
    `)
    await expect(context).not.toBeTornDown({ within: generous })
  })

  test('tells a teardown that should not have been', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    stream.close()
    expect(await messageOf(() => expect(context).not.toBeTornDown({ within: generous }))).toMatchInlineSnapshot(`
     "expect(context).not.toBeTornDown({ within: 60000 })

     Expected: not torn down within 60000 ms
     Received: torn down: owner 0, instance 1 on \\Device\\HostVolume1\\psctx-…\\a.txt, at the age of … ms"
    `)
  })

  test('fails when the context ends twice', async () => {
    using filter = withEvents([ending(1), ending(2)])
    expect(await messageOf(() => expect({ sequence: 900n }).toBeTornDown({ within: generous }))).toMatchInlineSnapshot(`
     "expect(context).toBeTornDown({ within: 60000 })

     Expected: torn down within 60000 ms
     Received: ended 2 times

       torn down: owner 0, instance 1 on \\Device\\Volume\\a.txt, at the age of … ms
       torn down: owner 0, instance 1 on \\Device\\Volume\\a.txt, at the age of … ms"
    `)
    expect(filter.closed).toBe(false)
  })

  test('fails either way when events were lost, that of the context perhaps among them', async () => {
    using filter = withEvents([{ type: 'dropped', number: 1, time: 0n, date: new Date(0), count: 3 }])
    const lost = 'toBeTornDown: 3 events of endings were lost, that of this context may be among them.'
    expect(await messageOf(() => expect({ sequence: 900n }).toBeTornDown({ within: 0 }))).toBe(lost)
    expect(await messageOf(() => expect({ sequence: 900n }).not.toBeTornDown({ within: 0 }))).toBe(lost)
    expect(filter.closed).toBe(false)
  })

  test('waits in real time when the test has timers of its own', async () => {
    jest.useFakeTimers()
    try {
      using stream = openNew()
      const context = stream.insert({ instance: 1n })
      await expect(context).not.toBeTornDown({ within: short })
      stream.close()
      await expect(context).toBeTornDown({ within: generous })
    } finally {
      jest.useRealTimers()
    }
  })

  test('refuses a context that it can know nothing of, either way', async () => {
    using filter = openFilter()
    using stream = filter.openStream(volume.writeFile('a.txt'))
    const context = stream.insert({ instance: 1n })
    stream.close()
    const error = await argumentErrorOf(() => expect(context).toBeTornDown({ within: short }))
    expect(error).toMatchInlineSnapshot(`
     {
       "argument": "received",
       "code": "ERR_INVALID_ARG_VALUE",
       "message": "toBeTornDown: \`received\` must be a context of a filter that is watched: of withFilter() or withVolume(), or one that went through watched() before the context's end.",
     }
    `)
    expect(await argumentErrorOf(() => expect(context).not.toBeTornDown({ within: short }))).toEqual(error)
    volume.filter.close() // and there is none that is watched
    expect(await argumentErrorOf(() => expect(context).not.toBeTornDown({ within: generous }))).toEqual(error)
  })

  test('knows the contexts of a filter that is watched by the test itself', async () => {
    using filter = watched(openFilter())
    using stream = filter.openStream(volume.writeFile('a.txt'))
    const context = stream.insert({ instance: 1n })
    stream.close()
    await expect(context).toBeTornDown({ within: generous })
    expect(watched(filter)).toBe(filter) // as it is already
    await expect(context).toBeTornDown({ within: generous })
  })

  test('leaves no timer behind, for which the process would wait', async () => {
    const [set, clear] = [jest.spyOn(timers, 'setTimeout'), jest.spyOn(timers, 'clearTimeout')]
    try {
      using stream = openNew()
      const context = stream.insert({ instance: 1n })
      stream.close()
      await expect(context).toBeTornDown({ within: generous })
      expect(set.mock.results).toHaveLength(1)
      expect(clear.mock.calls).toEqual([[set.mock.results[0]!.value]])
    } finally {
      set.mockRestore()
      clear.mockRestore()
    }
  })

  test('refuses what is no context, and what is no time', async () => {
    using stream = openNew()
    const context = stream.insert({ instance: 1n })
    const errors = [
      await argumentErrorOf(() => expect(stream).toBeTornDown()),
      await argumentErrorOf(() => expect(stream.lookup({ instance: 2n })).toBeTornDown()),
      await argumentErrorOf(() => expect(null).toBeTornDown()),
      await argumentErrorOf(() => expect({ sequence: 1 }).not.toBeTornDown()),
      await argumentErrorOf(() => expect(context).toBeTornDown({ within: -1 })),
      await argumentErrorOf(() => expect(context).toBeTornDown({ within: '1' as never })),
      await argumentErrorOf(() => expect(context).toBeTornDown(5000 as never)),
      await argumentErrorOf(() => expect(context).not.toBeTornDown({ in: 5 } as never)),
    ]
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toMatchInlineSnapshot(`
     [
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`received\` must be a context: what insert(), lookup(), contexts() or an event tells, with its \`sequence\`.",
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`received\` must be a context: what insert(), lookup(), contexts() or an event tells, with its \`sequence\`.",
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`received\` must be a context: what insert(), lookup(), contexts() or an event tells, with its \`sequence\`.",
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`received\` must be a context: what insert(), lookup(), contexts() or an event tells, with its \`sequence\`.",
       "ERR_INVALID_ARG_VALUE toBeTornDown: \`within\` must be an integer from 0 to 2147483647.",
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`within\` must be an integer from 0 to 2147483647.",
       "ERR_INVALID_ARG_TYPE toBeTornDown: \`options\` must be an object.",
       "ERR_INVALID_ARG_VALUE toBeTornDown: \`in\` must be left out: known are within.",
     ]
    `)
  })
})

test('contexts of several streams are told in the order of their insertion', async () => {
  const streams = ['a.txt', 'b.txt', 'c.txt'].map(openNew)
  const sequences = Array.from({ length: 30 }, (_, instance) => streams[instance % 3]!.insert({ instance }).sequence)
  expect((await liveContexts([volume.filter])).map(({ sequence }) => sequence)).toEqual(sequences)
  for (const stream of streams) stream.close()
})

describe('toLeaveNoContexts', () => {
  test('passes when what was inserted is removed or torn down, whatever was there before', async () => {
    using before = openNew('before.txt')
    before.insert({ instance: 1n })
    await expect(() => {
      using stream = openNew()
      stream.insert({ instance: 1n })
      before.insert({ instance: 2n })
      before.remove({ instance: 2n })
    }).toLeaveNoContexts()
    await expect(async () => {
      await setImmediate()
      using stream = openNew()
      stream.insert({ instance: 1n })
    }).toLeaveNoContexts({ within: generous })
  })

  test('waits for a teardown that comes late', async () => {
    using stream = openNew()
    let looks: Promise<number> | undefined
    await expect(() => {
      stream.insert({ instance: 1n })
      looks = closeLate(volume.filter, stream)
    }).toLeaveNoContexts({ within: generous })
    expect(await looks).toBe(1)
  })

  test('fails when contexts are left, and tells which', async () => {
    using stream = openNew()
    const insert = (instance: bigint) => (): unknown => stream.insert({ instance, data: Buffer.from('seen') })
    expect(await messageOf(() => expect(insert(1n)).toLeaveNoContexts({ within: short }))).toMatchInlineSnapshot(`
     "expect(function).toLeaveNoContexts({ within: 20 })

     Expected: no context left 20 ms later
     Received: 1 context

       owner 0, instance 1, 4 bytes on \\Device\\HostVolume1\\psctx-…\\a.txt"
    `)
    await expect(insert(2n)).not.toLeaveNoContexts({ within: short })
    expect(await messageOf(() => expect(() => undefined).not.toLeaveNoContexts({ within: short })))
      .toMatchInlineSnapshot(`
     "expect(function).not.toLeaveNoContexts({ within: 20 })

     Expected: contexts left 20 ms later
     Received: none"
    `)
  })

  test('fails when a context is replaced by one that is left', async () => {
    using stream = openNew()
    stream.insert({ instance: 1n })
    await expect(() => stream.insert({ instance: 1n, ifExists: 'replace' })).not.toLeaveNoContexts({ within: short })
  })

  test('throws what the function throws', async () => {
    const reason = new Error('the test is wrong')
    await expect(expect(() => Promise.reject(reason)).toLeaveNoContexts()).rejects.toBe(reason)
  })

  test('refuses what is no function, and a test without a filter that is watched', async () => {
    expect(await argumentErrorOf(() => expect(volume.filter).toLeaveNoContexts())).toMatchInlineSnapshot(`
     {
       "argument": "received",
       "code": "ERR_INVALID_ARG_TYPE",
       "message": "toLeaveNoContexts: \`received\` must be a function, which may be asynchronous.",
     }
    `)
    volume.filter.close()
    expect(await argumentErrorOf(() => expect(() => undefined).not.toLeaveNoContexts())).toMatchInlineSnapshot(`
     {
       "argument": "received",
       "code": "ERR_INVALID_ARG_VALUE",
       "message": "toLeaveNoContexts: \`received\` must be called where a filter is watched: see withFilter(), withVolume() and watched().",
     }
    `)
  })
})

/** The end of a context that there is not. */
function ending(number: number): FilterEvent {
  const name = '\\Device\\Volume\\a.txt'
  const identity = { owner: 0n, instance: 1n, sequence: 900n, name, nameTruncated: false }
  return { type: 'torn-down', number, time: 0n, date: new Date(0), ...identity, age: 1 }
}

/** A filter that is watched, with events that no kernel of ours tells. */
function withEvents(events: readonly FilterEvent[]): Filter {
  const filter = openFilter()
  const iterator = filter.events()
  iterator.next = jest.fn<typeof iterator.next>(() => new Promise(() => undefined))
  for (const value of events)
    (iterator.next as jest.Mock<typeof iterator.next>).mockResolvedValueOnce({ value, done: false })
  jest.spyOn(filter, 'events').mockReturnValue(iterator)
  return watched(filter)
}
