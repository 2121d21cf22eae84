/** Memory volumes that are broken on purpose: each does what its name says, and nothing is left behind when it goes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { openFilter, volumeFaults, type ArgumentError, type Filter, type VolumeFault } from '../../src/index'

function withVolume<T>(fault: VolumeFault | undefined, use: (filter: Filter) => T): T {
  const filter = openFilter({ kernel: 'host', volumes: { 'F:': { type: 'memory', fault } } })
  try {
    filter.host!.writeFile('F:\\file.txt', Buffer.from('content'))
    filter.host!.mkdir('F:\\directory')
    return use(filter)
  } finally {
    filter.close() // throws if a byte of pool is left
  }
}

/** What a filter sees that inserts a context, closes another handle, renames, and closes the stream. */
function live(fault?: VolumeFault): string {
  return withVolume(fault, (filter) => {
    const stream = filter.openStream('F:\\file.txt')
    if (!stream.support().supported) return 'unsupported'
    stream.insert({ instance: 1n })
    const other = filter.openStream('F:\\file.txt')
    const seen = [other.lookup() === undefined ? 'apart' : 'shared']
    other.close()
    seen.push(stream.lookup() === undefined ? 'lost' : 'there')
    filter.host!.rename('F:\\file.txt', 'F:\\renamed.txt')
    seen.push(stream.lookup() === undefined ? 'lost' : 'there')
    stream.close()
    seen.push(`${filter.statistics().session.contexts} left`)
    return seen.join(', ')
  })
}

test('a fault has one name, in the facade and in the file system', () => {
  const header = readFileSync(join(__dirname, '..', '..', 'driver', 'host', 'fsd', 'fault.h'), 'utf8')
  expect([...header.matchAll(/FAULT\(\w+, "([^"]+)"\)/g)].map(([, name]) => name)).toEqual([...volumeFaults])
})

test('a volume without a fault shares, keeps and tears down', () => {
  expect(live()).toBe('shared, there, there, 0 left')
})

test.each<[VolumeFault, string]>([
  ['flags-cleared', 'unsupported'],
  ['header-per-open', 'apart, there, there, 0 left'],
  ['torn-down-on-any-close', 'shared, lost, lost, 0 left'],
  ['torn-down-on-rename', 'shared, there, lost, 0 left'],
  ['header-replaced-on-rename', 'shared, there, lost, 1 left'],
  ['contexts-moved-on-rename', 'shared, there, lost, 1 left'],
  ['no-teardown', 'shared, there, there, 1 left'],
  ['keeps-streams', 'shared, there, there, 1 left'],
  ['lets-go-late', 'shared, there, there, 1 left'],
])('%s: %s', (fault, seen) => {
  expect(live(fault)).toBe(seen)
})

test('a volume with any fault can be used, and leaves nothing behind', () => {
  for (const fault of volumeFaults) expect(live(fault)).not.toBe('')
})

test('a directory whose list was not set up is refused, with the reason', () => {
  withVolume('list-not-initialized-for-directories', (filter) => {
    using stream = filter.openStream('F:\\directory')
    expect(stream.support()).toMatchObject({ supported: false, reason: 'list-not-initialized' })
    expect(() => stream.insert({ instance: 1n })).toThrow(/FsRtlSetupAdvancedHeader/)
  })
})

test('contexts that are moved on a rename hang on the directory, if that is open', () => {
  withVolume('contexts-moved-on-rename', (filter) => {
    using directory = filter.openStream('F:\\')
    using stream = filter.openStream('F:\\file.txt')
    stream.insert({ instance: 1n })
    filter.host!.rename('F:\\file.txt', 'F:\\renamed.txt')
    expect(stream.inspect()).toHaveLength(0)
    expect(directory.inspect()).toHaveLength(1)
  })
})

test.each<VolumeFault>(['header-replaced-on-rename', 'contexts-moved-on-rename'])(
  'with %s, the header that the driver knows a context by stays as long as the context',
  (fault) => {
    withVolume(fault, (filter) => {
      filter.host!.writeFile('F:\\file.txt:other', Buffer.from('which keeps the file in use'))
      using other = filter.openStream('F:\\file.txt:other')
      const first = filter.openStream('F:\\file.txt')
      const last = filter.openStream('F:\\file.txt')
      first.insert({ instance: 1n })
      filter.host!.rename('F:\\file.txt', 'F:\\renamed.txt')
      const pieces = [filter.host!.audit().poolAllocations]
      for (const stream of [first, last]) {
        stream.close()
        pieces.push(filter.host!.audit().poolAllocations)
      }
      expect(filter.statistics().session.contexts).toBe(1)
      expect(other.closed).toBe(false)
      expect(pieces[1]! - pieces[2]!).toBe(pieces[0]! - pieces[1]!) // of the last open, and no more than of another
    })
  },
)

test.each<[VolumeFault, string]>([
  ['header-per-open', 'F:\\file.txt:stream'],
  ['header-per-link', 'F:\\link.txt:stream'],
  ['header-per-case', 'F:\\FILE.txt:stream'],
])('with %s, a named stream that two opens delete is deleted once', (fault, path) => {
  withVolume(fault, (filter) => {
    const files = filter.host!
    files.writeFile('F:\\file.txt:stream', Buffer.from('content'))
    files.link('F:\\file.txt', 'F:\\link.txt')
    const first = files.openFile('F:\\file.txt:stream', { access: ['delete'] })
    const second = files.openFile(path, { access: ['read', 'delete'] })
    first.deleteOnClose()
    second.deleteOnClose()
    first.close()
    files.writeFile('F:\\file.txt:stream', Buffer.from('another'))
    expect(second.read().toString()).toBe('content')
    second.close()
    expect(files.readFile('F:\\file.txt:stream').toString()).toBe('another')
  })
})

test('a kept stream is found again with its contexts, and goes with the volume', () => {
  withVolume('keeps-streams', (filter) => {
    const stream = filter.openStream('F:\\file.txt')
    stream.insert({ instance: 1n })
    stream.close()
    const again = filter.openStream('F:\\file.txt')
    expect(again.lookup()?.instance).toBe(1n)
    again.close()
    filter.host!.dismount('F:')
    expect(filter.statistics().session.contexts).toBe(0)
  })
})

test('only a memory volume can have a fault, and only one that there is', () => {
  const open = (definition: unknown) => () => openFilter({ kernel: 'host', volumes: { 'F:': definition as never } })
  expect(open({ type: 'memory', fault: 'none' })).toThrow(
    expect.objectContaining<Partial<ArgumentError>>({ code: 'ERR_INVALID_ARG_VALUE', argument: 'fault' }) as Error,
  )
  expect(open({ type: 'memory', fault: 1 })).toThrow(
    expect.objectContaining<Partial<ArgumentError>>({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
  )
  expect(open({ type: 'directory', path: '/', fault: 'no-teardown' })).toThrow(
    expect.objectContaining<Partial<ArgumentError>>({ code: 'ERR_INVALID_ARG_VALUE' }) as Error,
  )
})
