/** What every iterator over pages keeps to, whatever it iterates over: one over numbers, whose pages the test hands out. */
import { getEventListeners } from 'node:events'

import { PagedIterator } from '../../src/paging'

import { collectGarbage } from './collect'

const done = { value: undefined, done: true }
const broken = new Error('that cannot be decoded')

/** Numbers, of which NaN cannot be decoded. */
class Numbers extends PagedIterator<number> {
  readonly log: string[] = []
  #page: number[] = []

  constructor(signal?: AbortSignal) {
    super(signal, 'numbers')
    this.start()
  }

  protected override take(): number {
    const number = this.#page.shift()!
    if (Number.isNaN(number)) throw broken
    return number
  }

  protected override load(): void {
    this.log.push('load')
  }

  protected override release(): void {
    this.log.push('release')
  }

  /** Hands out the page that was asked for. */
  give(...page: number[]): void {
    this.#page = page
    this.loaded(page.length)
  }

  end(): void {
    this.finish()
  }

  break(reason: Error): void {
    this.fail(reason)
  }
}

const value = (number: number) => ({ value: number, done: false })

test('calls get what comes next in their order, from one page that is asked for once', async () => {
  const numbers = new Numbers()
  const calls = [numbers.next(), numbers.next(), numbers.next()]
  expect(numbers.log).toEqual(['load'])
  numbers.give(1, 2)
  expect(numbers.log).toEqual(['load', 'load']) // for the third one
  numbers.give(3, 4)
  expect(await Promise.all(calls)).toEqual([1, 2, 3].map(value))
  expect(await numbers.next()).toEqual(value(4))
  expect(numbers.log).toEqual(['load', 'load'])
})

test('an empty page is followed by another', () => {
  const numbers = new Numbers()
  void numbers.next()
  numbers.give()
  expect(numbers.log).toEqual(['load', 'load'])
})

test('what is fetched is delivered after close, and dropped by return', async () => {
  for (const [end, rest] of [
    [(numbers: Numbers) => numbers.close(), value(2)],
    [(numbers: Numbers) => numbers[Symbol.dispose](), value(2)],
    [(numbers: Numbers) => numbers.end(), value(2)],
    [(numbers: Numbers) => void numbers.return(), done],
    [(numbers: Numbers) => void numbers[Symbol.asyncDispose](), done],
  ] as const) {
    const numbers = new Numbers()
    const first = numbers.next()
    numbers.give(1, 2)
    end(numbers)
    end(numbers)
    expect(await first).toEqual(value(1))
    expect(await numbers.next()).toEqual(rest)
    expect(await numbers.next()).toEqual(done)
    expect(numbers.log).toEqual(['load', 'release'])
  }
})

test('the end is the end for every call that waits, and a page that comes later is nobody’s', async () => {
  const numbers = new Numbers()
  const calls = [numbers.next(), numbers.next()]
  numbers.end()
  numbers.give(1, 2)
  numbers.break(broken)
  expect(await Promise.all(calls)).toEqual([done, done])
  expect(await numbers.next()).toEqual(done)
  expect(numbers.log).toEqual(['load', 'release'])
})

test('a failure is told to the first call that waits, and the others end', async () => {
  const numbers = new Numbers()
  const calls = [numbers.next(), numbers.next()]
  numbers.break(broken)
  await expect(calls[0]).rejects.toBe(broken)
  expect(await calls[1]).toEqual(done)
  expect(await numbers.next()).toEqual(done)
})

test('a failure that nobody waits for is told once, and drops what was fetched; return forgets it', async () => {
  for (const forget of [false, true]) {
    const numbers = new Numbers()
    const first = numbers.next()
    numbers.give(1, 2)
    await first
    numbers.break(broken)
    if (forget) await numbers.return()
    else await expect(numbers.next()).rejects.toBe(broken)
    expect(await numbers.next()).toEqual(done)
  }
})

test('an entry that cannot be decoded is told to whom it would have gone, and is the last one', async () => {
  const waiting = new Numbers()
  const calls = [waiting.next(), waiting.next(), waiting.next()]
  waiting.give(1, NaN, 3)
  expect(await calls[0]).toEqual(value(1))
  await expect(calls[1]).rejects.toBe(broken)
  expect(await calls[2]).toEqual(done)
  expect(waiting.log).toEqual(['load', 'release'])

  const fetched = new Numbers()
  const first = fetched.next()
  fetched.give(1, NaN, 3)
  expect(await first).toEqual(value(1))
  await expect(fetched.next()).rejects.toBe(broken)
  expect(await fetched.next()).toEqual(done)
  expect(fetched.log).toEqual(['load', 'release'])
})

test('a signal ends it with its reason, and is not listened to when it has ended', async () => {
  const controller = new AbortController()
  const removed = jest.spyOn(controller.signal, 'removeEventListener')
  const numbers = new Numbers(controller.signal)
  const call = numbers.next()
  controller.abort('enough')
  await expect(call).rejects.toMatchObject({
    name: 'AbortError',
    code: 'ABORT_ERR',
    message: 'The operation was aborted',
    cause: 'enough',
  })
  expect(removed).toHaveBeenCalledWith('abort', expect.any(Function))
  expect(await numbers.next()).toEqual(done)
  expect(() => new Numbers(controller.signal)).toThrow(expect.objectContaining({ code: 'ABORT_ERR' }) as Error)
})

test('one that is given up is not listened for any more, and its signal may still be aborted', async () => {
  const [aborted, kept] = [new AbortController(), new AbortController()]
  ;[aborted, kept].forEach(({ signal }) => new Numbers(signal))
  expect(getEventListeners(kept.signal, 'abort')).toHaveLength(1)
  await collectGarbage()
  aborted.abort()
  expect(getEventListeners(kept.signal, 'abort')).toHaveLength(0)
})

test('it is its own iterator', () => {
  const numbers = new Numbers()
  expect(numbers[Symbol.asyncIterator]()).toBe(numbers)
})
