/** How iterators over events and contexts begin, wait and end. */
import { enumerateReply } from '../../src/abi'
import { requestableTypes } from '../../src/codec/events'
import { readEvents } from '../../src/events'
import { openFilter, type Filter, type PerStreamContextError, type Stream } from '../../src/index'
import { layout, native, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'

import { argumentErrorOf, failureOf } from './failures'
import { runProgram } from './program'

const done = { value: undefined, done: true }
const allTypes = requestableTypes.map((type) => `'${type}'`).join(', ')

describe('an iterator', () => {
  let filter: Filter
  let stream: Stream
  let handles: number

  beforeEach(() => {
    filter = openFilter()
    filter.host!.writeFile('M:\\a', Buffer.from('a'))
    stream = filter.openStream('M:\\a')
    handles = filter.host!.audit().handles
  })
  // Throws if anything is left.
  afterEach(() => filter.close())

  describe('over events', () => {
    test.each([
      ['types', { types: 'inserted' }],
      ['types', { types: [] }],
      ['types', { types: ['dropped'] }],
      ['types', { types: ['inserted', 'exploded'] }],
      ['types', { types: [1] }],
      ['types', { types: new Array(2) }],
      ['capacity', { capacity: (256 << 10) - 1 }],
      ['capacity', { capacity: (16 << 20) + 1 }],
      ['capacity', { capacity: 2 ** 20 + 0.5 }],
      ['capacity', { capacity: '1048576' }],
      ['signal', { signal: {} }],
      ['signal', { signal: null }],
      ['options', null],
      ['tpyes', { tpyes: [] }],
    ])('is refused with a wrong %s: %p', (argument, options) => {
      const error = argumentErrorOf(() => filter.events(options as never))
      expect(error.argument).toBe(argument)
      expect(error.message).toContain('events')
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test.each([
      ['ERR_INVALID_ARG_TYPE', 'inserted'],
      ['ERR_INVALID_ARG_VALUE', []],
      ['ERR_INVALID_ARG_VALUE', ['exploded']],
    ])('tells which types there are, with %s: %p', (code, types) => {
      expect(argumentErrorOf(() => filter.events({ types: types as never }))).toMatchObject({
        code,
        message: `events: \`types\` must be an array, which is not empty, of ${allTypes}.`,
      })
    })

    test('keeps the process alive while it waits, unless it is unreferenced, then or before', () => {
      const [wait, keepAlive] = [jest.fn<number, [(answer: number) => void, boolean]>(() => 0), jest.fn()]
      const reader = {
        memory: new ArrayBuffer(layout.readerReply + layout.readerReplyLength),
        ...{ subscribe: () => 0, wait, keepAlive },
      }
      const memory = new ArrayBuffer(layout.reply + layout.replyLength)
      const kernel = { memory, openReader: () => reader, closeHandle: () => undefined }
      const events = readEvents(new Session(kernel as unknown as NativeSession), 1n, {})
      const comeBack = (): void => wait.mock.lastCall![0](0) // with no event, so that it waits again
      void events.next()
      expect(wait).toHaveBeenLastCalledWith(expect.any(Function), true)
      events.unref()
      expect(keepAlive).toHaveBeenLastCalledWith(false)
      comeBack()
      expect(wait).toHaveBeenLastCalledWith(expect.any(Function), false)
      events.ref()
      expect(keepAlive).toHaveBeenLastCalledWith(true)
      comeBack()
      expect(wait).toHaveBeenLastCalledWith(expect.any(Function), true)
    })

    test.each([256 << 10, 16 << 20])('may keep %i bytes', async (capacity) => {
      const events = filter.events({ capacity })
      stream.insert()
      expect((await events.next()).value).toMatchObject({ type: 'inserted', number: 1 })
      await events.return()
    })

    test('misses nothing after the call, and tells it when it is asked', async () => {
      const events = filter.events()
      stream.insert({ instance: 1n })
      stream.remove({ instance: 1n })
      expect([await events.next(), await events.next()]).toMatchObject([
        { done: false, value: { type: 'inserted', number: 1, instance: 1n } },
        { done: false, value: { type: 'removed', number: 2, instance: 1n } },
      ])
      await events.return()
    })

    test('gives each call of next() what comes next, however many wait', async () => {
      const events = filter.events()
      const waiting = Promise.all(Array.from({ length: 5 }, () => events.next()))
      for (let instance = 1n; instance <= 4n; instance += 1n) stream.insert({ instance })
      const fifth = new Promise<void>((resolve) => {
        setTimeout(() => {
          stream.insert({ instance: 5n })
          resolve()
        }, 10)
      })
      const told = await waiting
      await fifth
      expect(told.map(({ value }) => value!.number)).toEqual([1, 2, 3, 4, 5])
      await events.return()
    })

    test('is independent of a second one', async () => {
      const all = filter.events()
      const removals = filter.events({ types: ['removed'] })
      stream.insert()
      stream.remove()
      expect((await removals.next()).value).toMatchObject({ type: 'removed', number: 1 })
      await removals.return()
      stream.insert()
      const told = [await all.next(), await all.next(), await all.next()]
      expect(told.map(({ value }) => value!.type)).toEqual(['inserted', 'removed', 'inserted'])
      await all.return()
    })

    test('is one of at most 16', async () => {
      const iterators = Array.from({ length: 16 }, () => filter.events())
      const error = failureOf(() => filter.events())
      expect(error).toMatchObject({ code: 'STATUS_QUOTA_EXCEEDED', operation: 'events' })
      expect(error.message).toContain('16 iterators')
      await iterators[0]!.return()
      await filter.events().return()
      for (const iterator of iterators) await iterator.return()
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('tells of opens that a rule has no context for', async () => {
      const rule = filter.track({ match: '*.missed', owner: 5n, instance: 6n })
      const events = filter.events({ types: ['missed'] })
      filter.host!.writeFile('M:\\b.missed', Buffer.from('b'))
      for (let countdown = 1; rule.statistics().missed === 0; countdown += 1) {
        filter.host!.setAllocationFault(countdown)
        try {
          filter.openStream('M:\\b.missed').close()
        } catch (error) {
          expect(error).toMatchObject({ code: 'STATUS_INSUFFICIENT_RESOURCES' })
        } finally {
          filter.host!.setAllocationFault(0)
        }
      }
      expect(filter.statistics().session.missed).toBe(1)
      const { value } = await events.next()
      expect(value).toMatchObject({ type: 'missed', number: 1, owner: 5n, instance: 6n, rule: rule.number, count: 1 })
      expect(value).toHaveProperty('processId')
      await events.return()
      rule.close()
    })

    test('loses the oldest events when nobody reads them, and says how many', async () => {
      const events = filter.events({ capacity: 256 << 10 })
      const total = 20_000
      for (let round = 0; round < total / 2; round += 1) {
        stream.insert()
        stream.remove()
      }
      const first = (await events.next()).value!
      if (first.type !== 'dropped') throw new Error(`the first event is ${first.type}`)
      expect(first.number).toBe(1)
      let number = first.count
      let kept = 0
      while (number < total) {
        const event = (await events.next()).value!
        number += 1
        kept += 1
        expect(event.number).toBe(number)
      }
      expect(kept + first.count).toBe(total)
      expect(kept).toBeGreaterThan(1000)
      await events.return()
    })

    test('lets the loop run, though there is always one more', async () => {
      const events = filter.events()
      const deadline = performance.now() + 5000
      setTimeout(() => void events.return(), 20)
      stream.insert()
      for await (const event of events) {
        // Each event brings about the next one, so that the reader never waits.
        if (event.type === 'inserted') stream.remove()
        else stream.insert()
        expect(performance.now()).toBeLessThan(deadline)
      }
    })

    test('ends with the loop that is left', async () => {
      const events = filter.events()
      stream.insert()
      for await (const event of events) {
        expect(event.type).toBe('inserted')
        break
      }
      expect(await events.next()).toEqual(done)
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('ends with its block', async () => {
      {
        await using events = filter.events()
        stream.insert()
        await events.next()
      }
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('delivers what it has fetched after it was closed, and then the end', async () => {
      const events = filter.events()
      for (let instance = 1n; instance <= 3n; instance += 1n) stream.insert({ instance })
      expect((await events.next()).value).toMatchObject({ instance: 1n })
      stream.insert({ instance: 4n }) // not fetched
      events.close()
      expect(filter.host!.audit().handles).toBe(handles)
      expect([await events.next(), await events.next()]).toMatchObject([
        { value: { instance: 2n } },
        { value: { instance: 3n } },
      ])
      expect(await events.next()).toEqual(done)
    })

    test('delivers what it has fetched after its filter was closed, and then the end', async () => {
      const other = openFilter()
      const events = other.events()
      const written = other.openStream('M:\\a')
      written.insert({ instance: 1n })
      written.insert({ instance: 2n })
      await events.next()
      other.close()
      expect((await events.next()).value).toMatchObject({ instance: 2n })
      expect(await events.next()).toEqual(done)
    })

    test('ends when it is closed while it waits', async () => {
      const events = filter.events()
      const waiting = events.next()
      events.close()
      events.close()
      expect(await waiting).toEqual(done)
      expect(events.ref()).toBe(events)
    })

    test('ends at once when it is returned from, though it waits', async () => {
      const events = filter.events()
      const waiting = Promise.all([events.next(), events.next()])
      expect(await events.return()).toEqual(done)
      expect(await waiting).toEqual([done, done])
      expect(await events.next()).toEqual(done)
      expect(await events.return()).toEqual(done)
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('ends when its filter is closed, whether it waits or not', async () => {
      const other = openFilter()
      const waits = other.events()
      const idle = other.events()
      const waiting = waits.next()
      other.openStream('M:\\a').insert()
      other.close()
      expect(await waiting).toEqual(done)
      expect(await waits.next()).toEqual(done)
      expect(await idle.next()).toEqual(done)
      expect(failureOf(() => other.events()).code).toBe('STATUS_FILE_CLOSED')
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('fails when its process dies', async () => {
      const other = openFilter()
      const waits = other.events()
      const idle = other.events()
      const waiting = waits.next()
      other.host!.killProcess()
      await expect(waiting).rejects.toMatchObject({ code: 'STATUS_CANCELLED', operation: 'events' })
      expect(await waits.next()).toEqual(done)
      await expect(idle.next()).rejects.toMatchObject({ code: 'STATUS_PROCESS_IS_TERMINATING', operation: 'events' })
      expect(filter.host!.audit().handles).toBe(handles)
      other.close()
    })

    test('throws what the kernel says when there is no memory, and leaves nothing', () => {
      const codes = new Set<string>()
      let opened = false
      for (let countdown = 1; !opened && countdown < 100; countdown += 1) {
        filter.host!.setAllocationFault(countdown)
        try {
          void filter.events().return()
          opened = true
        } catch (error) {
          codes.add((error as PerStreamContextError).code)
        } finally {
          filter.host!.setAllocationFault(0)
        }
        expect(filter.host!.audit().handles).toBe(handles)
      }
      expect(opened).toBe(true)
      expect([...codes]).toEqual(['STATUS_INSUFFICIENT_RESOURCES'])
    })
  })

  describe('over contexts', () => {
    test.each([
      ['volume', { volume: 5 }],
      ['signal', { signal: 'now' }],
      ['options', null],
      ['tpyes', { tpyes: [] }],
    ])('is refused with a wrong %s: %p', (argument, options) => {
      const error = argumentErrorOf(() => filter.enumerate(options as never))
      expect(error.argument).toBe(argument)
      expect(error.message).toContain('enumerate')
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('is refused for a volume that is not there', () => {
      expect(failureOf(() => filter.enumerate({ volume: 'Q:' }))).toMatchObject({
        code: 'STATUS_OBJECT_PATH_NOT_FOUND',
        operation: 'enumerate',
        path: 'Q:',
      })
    })

    test('ends with the loop that is left, and gives its volume up', async () => {
      stream.insert({ instance: 1n })
      stream.insert({ instance: 2n })
      for await (const context of filter.enumerate({ volume: 'M:' })) {
        expect(filter.host!.audit().handles).toBe(handles + 1)
        expect(context.name).toMatch(/a$/)
        break
      }
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('fails when its filter is closed before the first page', async () => {
      const other = openFilter()
      const contexts = other.enumerate()
      other.close()
      await expect(contexts.next()).rejects.toMatchObject({ code: 'STATUS_FILE_CLOSED', operation: 'enumerate' })
      expect(await contexts.next()).toEqual(done)
      expect(failureOf(() => other.enumerate()).code).toBe('STATUS_FILE_CLOSED')
    })

    test('asks for its first page at once, and for none after its end', async () => {
      const open = jest.spyOn(native, 'open')
      using other = openFilter()
      const session = open.mock.results[0]!.value as NativeSession
      open.mockRestore()
      const enumerate = jest.spyOn(session, 'enumerate').mockImplementation((page) => {
        new DataView(page.buffer).setBigUint64(enumerateReply.nextCursor, 1n, true)
        return enumerateReply.size // an empty page, with another behind it
      })
      const contexts = other.enumerate()
      const waiting = contexts.next()
      expect(enumerate).toHaveBeenCalledTimes(1)
      contexts.close()
      expect(await waiting).toEqual(done)
      await new Promise(setImmediate)
      expect(enumerate).toHaveBeenCalledTimes(1)
    })

    test('gives its volume up when it is collected, if it is of one', () => {
      const closeWith = jest.spyOn(Session.prototype, 'closeWith')
      using everywhere = filter.enumerate()
      expect(closeWith).not.toHaveBeenCalledWith(everywhere, expect.anything())
      using contexts = filter.enumerate({ volume: 'M:' })
      expect(closeWith.mock.calls).toEqual([[contexts, expect.any(Number)]])
      expect(closeWith.mock.calls[0]![1]).toBeGreaterThan(0)
      closeWith.mockRestore()
    })

    test('takes a drive as its root, and a path as it is', () => {
      const openStream = jest.spyOn(Session.prototype, 'openStream')
      for (const volume of ['M:', '\\\\?\\M:']) filter.enumerate({ volume }).close()
      expect(openStream.mock.calls.map(([path]) => path)).toEqual(['\\\\?\\M:\\', '\\\\?\\M:'])
      openStream.mockRestore()
    })

    test('lets the loop run between two pages, whatever timers a test has made its own', async () => {
      const batch = filter.batch()
      const streams = Array.from({ length: 50 }, (_, index) => {
        filter.host!.writeFile(`M:\\many-${index}`, Buffer.from('many'))
        return filter.openStream(`M:\\many-${index}`)
      })
      for (let instance = 0; instance < 4000; instance += 1) {
        batch.insert(streams[instance % streams.length]!, { instance, ifExists: 'add' })
      }
      for (let round = 0; round < 5; round += 1) batch.run()
      let turns = 0
      const turn = (): void => {
        turns += 1
        immediate = setImmediate(turn)
      }
      let immediate = setImmediate(turn)
      const sequences = new Set<bigint>()
      for await (const { sequence } of filter.enumerate()) sequences.add(sequence)
      clearImmediate(immediate)
      expect(sequences.size).toBe(20_000)
      expect(turns).toBeGreaterThan(0)

      jest.useFakeTimers()
      try {
        let count = 0
        for await (const { sequence } of filter.enumerate()) count += Number(sequences.has(sequence))
        expect(count).toBe(20_000) // a test's own timers do not stop it
      } finally {
        jest.useRealTimers()
      }
      for (const stream of streams) stream.close() // until here nothing has collected them
    })
  })

  describe.each([
    ['events', (options: { signal: AbortSignal }) => filter.events(options)],
    ['contexts', (options: { signal: AbortSignal }) => filter.enumerate({ volume: 'M:', ...options })],
  ])('with a signal, over %s', (_, iterate) => {
    test('throws when the signal is aborted already', () => {
      expect(() => iterate({ signal: AbortSignal.abort('reason') })).toThrow(
        expect.objectContaining({ name: 'AbortError', code: 'ABORT_ERR', cause: 'reason' }) as Error,
      )
      expect(filter.host!.audit().handles).toBe(handles)
    })

    test('throws once when the signal is aborted later, and is at its end', async () => {
      const controller = new AbortController()
      const iterator = iterate({ signal: controller.signal })
      stream.insert()
      await iterator.next()
      controller.abort()
      expect(filter.host!.audit().handles).toBe(handles)
      await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
      expect(await iterator.next()).toEqual(done)
    })
  })

  test('that waits throws when its signal is aborted', async () => {
    const events = filter.events({ signal: AbortSignal.timeout(10) })
    const [first, second] = [events.next(), events.next()]
    await expect(first).rejects.toMatchObject({ name: 'AbortError', cause: { name: 'TimeoutError' } })
    expect(await second).toEqual(done)
    expect(await events.next()).toEqual(done)
  })
})

describe('an iterator over events and its environment', () => {
  const prologue = `
    const { openFilter } = require(process.argv[1])
    const filter = openFilter()
    filter.host.writeFile('M:\\\\a', Buffer.from('a'))
    const stream = filter.openStream('M:\\\\a')
  `

  test('keep the process alive while next() waits', () => {
    const output = runProgram(`${prologue}
      const events = filter.events()
      events.next().then(({ value }) => console.log(value.type))
      setTimeout(() => stream.insert(), 100).unref()
    `)
    expect(output.trim()).toBe('inserted')
  })

  test('do not keep it alive while nobody waits, nor after the end', () => {
    runProgram(`${prologue}
      const events = filter.events()
      stream.insert()
      events.next().then(() => stream.remove())
      const ended = filter.events()
      ended.next()
      ended.return()
    `)
  })

  test('do not keep it alive while next() waits, if they are unreferenced, before or meanwhile', () => {
    runProgram(`${prologue}
      filter.events().unref().next()
      const events = filter.events()
      events.next()
      events.unref()
    `)
  })

  test('keep it alive again when they are referenced again', () => {
    const output = runProgram(`${prologue}
      const events = filter.events().unref()
      events.next().then(({ value }) => console.log(value.type))
      events.ref()
      setTimeout(() => stream.insert(), 50).unref()
    `)
    expect(output.trim()).toBe('inserted')
  })

  test.each([
    ['calls process.exit', 'process.exit(0)'],
    [
      'throws what nobody catches',
      "process.once('uncaughtException', () => process.exit(0)); throw new Error('thrown')",
    ],
  ])('end cleanly when a program that waits %s', (_, ending) => {
    runProgram(`${prologue}
      filter.events().next()
      filter.events()
      setTimeout(() => { ${ending} }, 20)
    `)
  })

  test.each([
    ['is terminated while it waits', 'events.next()', 'worker.terminate()'],
    ['is terminated while it reads', 'churn()', 'worker.terminate()'],
    ['returns and nobody waits', '', 'new Promise((resolve) => worker.once("exit", resolve))'],
    [
      'exits while it waits',
      'events.next(); setTimeout(() => process.exit(), 20)',
      'new Promise((resolve) => worker.once("exit", resolve))',
    ],
  ])('end when a worker %s', (_, work, ending) => {
    const output = runProgram(`${prologue}
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(\`
        const { openFilter } = require(process.argv[2])
        const filter = openFilter()
        const stream = filter.openStream('M:\\\\\\\\a')
        const events = filter.events()
        async function churn() {
          stream.insert()
          for await (const event of events) event.type === 'inserted' ? stream.remove() : stream.insert()
        }
        ${work}
        require('node:worker_threads').parentPort.postMessage('ready')
      \`, { eval: true, argv: [process.argv[1]] })
      worker.once('message', async () => {
        await ${ending}
        console.log(JSON.stringify(filter.statistics().total), filter.host.audit().irps)
        filter.close()
        console.log('closed')
      })
    `)
    const [statistics, last] = output.trim().split('\n')
    expect(statistics).toMatch(/ 0$/)
    expect(JSON.parse(statistics!.slice(0, -2))).toMatchObject({ contexts: 0, sessions: 1 })
    expect(last).toBe('closed')
  })

  test('are given up when the iterator is collected', () => {
    const output = runProgram(
      `${prologue}
      const before = filter.host.audit().handles
      ;(() => {
        for (let i = 0; i < 10; i += 1) filter.events()
        stream.insert()
      })()
      console.log(filter.host.audit().handles - before)
      const collect = (rounds) => {
        gc()
        if (rounds > 0 && filter.host.audit().handles > before) return setTimeout(collect, 10, rounds - 1)
        console.log(filter.host.audit().handles - before)
        filter.close()
      }
      collect(100)
    `,
      '--expose-gc',
    )
    expect(output.trim().split('\n')).toEqual(['20', '0'])
  })

  test('are not held by a signal that lives longer', () => {
    const output = runProgram(
      `${prologue}
      const { getEventListeners } = require('node:events')
      const { signal } = new AbortController()
      const before = filter.host.audit().handles
      ;(() => {
        for (let i = 0; i < 5; i += 1) filter.events({ signal })
        for (let i = 0; i < 3; i += 1) filter.enumerate({ volume: 'M:', signal })
      })()
      const held = () => [filter.host.audit().handles - before, getEventListeners(signal, 'abort').length]
      console.log(...held())
      const collect = (rounds) => {
        gc()
        if (rounds > 0 && held().some((count) => count > 0)) return setTimeout(collect, 10, rounds - 1)
        console.log(...held())
        filter.close()
      }
      collect(100)
    `,
      '--expose-gc',
    )
    expect(output.trim().split('\n')).toEqual(['13 8', '0 0'])
  })

  test('are held while somebody waits, and end with their signal, whoever else forgets them', () => {
    const output = runProgram(
      `${prologue}
      const controller = new AbortController()
      const waits = filter.events({ signal: controller.signal }).next()
      waits.catch(({ name }) => console.log(name)).then(() => filter.close())
      const collect = (rounds) => {
        gc()
        if (rounds > 0) setTimeout(collect, 5, rounds - 1)
        else controller.abort()
      }
      collect(20)
    `,
      '--expose-gc',
    )
    expect(output.trim()).toBe('AbortError')
  })
})
