/** Whatever is returned goes through JSON and back. */
import { jsonReplacer, jsonReviver, openFilter } from '../../src/index'

test('JSON of any result is written, and read again as it was', async () => {
  using filter = openFilter()
  filter.host!.writeFile('M:\\a', Buffer.from('a'))
  const events = filter.events()
  using rule = filter.track({ match: '*b', count: true })
  filter.host!.writeFile('M:\\b', Buffer.from('b'))
  using stream = filter.openStream('M:\\a')
  using tracked = filter.openStream('M:\\b')
  using batch = filter.batch()
  const results: unknown[] = [
    stream.insert({ owner: 2n ** 64n - 1n, instance: 2n ** 53n, data: Buffer.from([0, 1, 255]) }),
    stream.lookup({ owner: 2n ** 64n - 1n }),
    stream.first(),
    stream.inspect(),
    stream.contexts(),
    tracked.contexts(),
    stream.support(),
    batch
      .lookup(stream, { owner: 2n ** 64n - 1n })
      .run()
      .result(0),
    filter.statistics(),
    filter.limits,
    filter.volumes(),
    (await events.next()).value,
    rule.closed,
  ]
  for await (const context of filter.enumerate()) results.push(context)
  await events.return()
  for (const result of results) {
    expect(JSON.parse(JSON.stringify(result, jsonReplacer), jsonReviver)).toEqual(result)
  }
  expect(JSON.stringify(results[0], jsonReplacer)).toMatch(/^\{"outcome":"inserted","sequence":"\d+"\}$/)
})

test('what looks like a number and is a name stays a text', () => {
  const value = { name: '123', module: '42', number: 7 }
  expect(JSON.parse(JSON.stringify(value, jsonReplacer), jsonReviver)).toEqual(value)
})

test.each(['', '-1', '12 ', ' 12', 'x12', '12x', '0x12'])('what is no number in digits stays a text: %j', (text) => {
  const value = { owner: text, time: text }
  expect(JSON.parse(JSON.stringify(value), jsonReviver)).toEqual(value)
})

test('what another reviver has dropped stays dropped', () => {
  const reviver = (key: string, value: unknown): unknown => jsonReviver(key, key === 'owner' ? undefined : value)
  expect(JSON.parse('{"owner":"1","instance":"2"}', reviver)).toEqual({ instance: 2n })
})

test('what looks like bytes and is of another type stays as it is', () => {
  for (const value of [{ type: 'Other', data: [1, 2] }, { type: 'Buffer', data: 'text' }, { data: [1, 2] }]) {
    expect(JSON.parse(JSON.stringify({ data: value }), jsonReviver)).toEqual({ data: value })
  }
})
