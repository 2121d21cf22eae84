/** What the addon answers is told with the operation that was asked for, and with the path of what it was asked of. */
import { openFilter, PerStreamContextError, type Filter, type HostFile, type Stream } from '../../src/index'
import { statusOf, type StatusName } from '../../src/errors'
import { native, type NativeReader, type NativeSession } from '../../src/native'

import { failureOf } from './failures'

const denied = statusOf('STATUS_ACCESS_DENIED') | 0
/** The addon's functions that fail, for what is opened by {@link openBroken}. */
const failing = new Map<string, number | string>()

/** The same object of the addon, but for those functions that fail. */
function breakable<T extends NativeSession | NativeReader>(object: T): T {
  return new Proxy(object, {
    get(target, name: string) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...parameters: unknown[]) => {
        const isFailing = failing.has(name)
        if (isFailing && name !== 'close') return failing.get(name)
        const result: unknown = Reflect.apply(value, target, parameters)
        if (isFailing) return failing.get(name) // and nothing is left open
        return name === 'openReader' ? breakable(result as NativeReader) : result
      }
    },
  })
}

function openBroken(): Filter {
  const { open } = native
  native.open = (...parameters) => {
    const session = open(...parameters)
    return typeof session === 'number' ? session : breakable(session)
  }
  try {
    return openFilter()
  } finally {
    native.open = open
  }
}

let filter: Filter
let stream: Stream
let file: HostFile

beforeEach(() => {
  filter = openBroken()
  filter.host!.writeFile('M:\\a', Buffer.from('a'))
  stream = filter.openStream('M:\\a')
  file = filter.host!.openFile('M:\\a', { access: ['read', 'write', 'delete', 'security', 'write-attributes'] })
})
afterEach(() => {
  failing.clear()
  filter.close()
})

describe('a failure', () => {
  test.each<[string, string, () => unknown]>([
    ['queryVersion', 'openFilter', openBroken],
    ['queryStatistics', 'statistics', () => filter.statistics()],
    ['listVolumes', 'volumes', () => filter.volumes()],
    ['queryDrive', 'volumes', () => filter.volumes()],
    ['openReader', 'events', () => filter.events()],
    ['subscribe', 'events', () => filter.events()],
    ['track', 'track', () => filter.track({ match: '*' })],
    ['queryRule', 'statistics', () => filter.track({ match: '*' }).statistics()],
    ['untrack', 'untrack', () => filter.track({ match: '*' }).close()],
    ['batch', 'batch', () => filter.batch().lookup(stream).run()],
    ['dismount', 'dismount', () => filter.host!.dismount('M:')],
    ['killProcess', 'killProcess', () => filter.host!.killProcess()],
    ['failAllocation', 'setAllocationFault', () => filter.host!.setAllocationFault(0)],
  ])('of %s is one of %s, of no path', (name, operation, action) => {
    failing.set(name, denied)
    const error = failureOf(action)
    expect(error).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation, path: undefined })
    expect(error.message).toBe(new PerStreamContextError({ status: denied, operation }).message)
  })

  test.each<[string, string, () => unknown]>([
    ['openStream', 'open', () => filter.openStream('M:\\a')],
    ['queryStream', 'support', () => stream.support()],
    ['insert', 'insert', () => stream.insert()],
    ['lookup', 'lookup', () => stream.lookup()],
    ['lookup', 'lookup', () => stream.lookupInto(Buffer.alloc(1))],
    ['lookup', 'first', () => stream.first()],
    ['remove', 'remove', () => stream.remove()],
    ['removeAll', 'removeAll', () => stream.removeAll()],
    ['list', 'contexts', () => stream.contexts()],
    ['inspect', 'inspect', () => stream.inspect()],
    ['openStream', 'minifilters', () => filter.minifilters('M:\\a')],
    ['listMinifilters', 'minifilters', () => filter.minifilters('M:\\a')],
    ['openStream', 'track', () => filter.track({ match: '*', volume: 'M:\\a' })],
    ['openStream', 'enumerate', () => filter.enumerate({ volume: 'M:\\a' })],
    ['openFile', 'openFile', () => filter.host!.openFile('M:\\a')],
    ['queryInformation', 'readFile', () => file.read()],
    ['readFile', 'readFile', () => file.read()],
    ['writeFile', 'writeFile', () => file.write(Buffer.from('b'))],
    ['queryInformation', 'id', () => file.id],
    ['setInformation', 'deleteOnClose', () => file.deleteOnClose()],
    ['setInformation', 'rename', () => file.rename('M:\\b')],
    ['setInformation', 'link', () => file.link('M:\\b')],
    ['setInformation', 'resize', () => file.resize(1)],
    ['setInformation', 'setReadOnly', () => file.setReadOnly(false)],
    ['operateFile', 'flush', () => file.flush()],
    ['operateFile', 'lock', () => file.lock(0, 1)],
    ['operateFile', 'unlock', () => file.unlock(0, 1)],
    ['operateFile', 'rewriteSecurity', () => file.rewriteSecurity()],
    ['operateFile', 'setSparse', () => file.setSparse()],
    ['operateFile', 'setCompressed', () => file.setCompressed()],
    ['mapFile', 'map', () => file.map()],
  ])('of %s is one of %s, of its path', (name, operation, action) => {
    failing.set(name, denied)
    const error = failureOf(action)
    expect(error).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation, path: 'M:\\a' })
    expect(error.message).toBe(new PerStreamContextError({ status: denied, operation, path: 'M:\\a' }).message)
  })

  const another = 'There is one already: use another name.'
  const unknown = 'This kernel does not offer it.'
  const longer = 'The data is longer than the buffer: pass a larger one.'
  test.each<[string, StatusName, string, () => unknown]>([
    [
      'insert',
      'STATUS_OBJECT_NAME_COLLISION',
      "The owner has a context with this instance here: say `ifExists: 'keep'`, `'replace'` or `'add'`, or use another instance.",
      () => stream.insert(),
    ],
    ['insert', 'STATUS_NOT_SUPPORTED', unknown, () => stream.insert()],
    ['remove', 'STATUS_OBJECT_NAME_COLLISION', another, () => stream.remove()],
    ['remove', 'STATUS_NOT_SUPPORTED', unknown, () => stream.remove()],
    ['removeAll', 'STATUS_BUFFER_OVERFLOW', longer, () => stream.removeAll()],
    [
      'inspect',
      'STATUS_NOT_SUPPORTED',
      "This version of Windows is not known to the driver well enough to take the lock of the stream's list: nothing was looked at.",
      () => stream.inspect(),
    ],
    ['inspect', 'STATUS_OBJECT_NAME_COLLISION', another, () => stream.inspect()],
    [
      'track',
      'STATUS_QUOTA_EXCEEDED',
      'A filter has at most 64 tracking rules: end one of them first.',
      () => filter.track({ match: '*' }),
    ],
  ])('of %s with %s says what to do next', (name, status, advice, action) => {
    failing.set(name, statusOf(status) | 0)
    const [, told] = failureOf(action).message.split(' failed with ')
    expect(told).toBe(`${status}. ${advice}`)
  })

  test('of what is waited for is one of its operation', async () => {
    const context = filter.enumerate()
    const event = filter.events()
    for (const name of ['enumerate', 'wait', 'startOpening']) failing.set(name, denied)
    await expect(context.next()).rejects.toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'enumerate' })
    await expect(event.next()).rejects.toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'events' })
    await expect(filter.openStreamAsync('M:\\a')).rejects.toMatchObject({ operation: 'open', path: 'M:\\a' })
  })

  test('of an end is one of close, and what the kernel still held is told', () => {
    using other = openBroken()
    using another = openBroken()
    failing.set('close', denied)
    expect(failureOf(() => other.close())).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'close' })
    failing.set('close', '3 handles')
    const error = failureOf(() => another.close())
    expect(error).toMatchObject({ code: 'STATUS_INTERNAL_ERROR', operation: 'close' })
    expect(error.message).toContain('The embedded kernel ended with something left: 3 handles.')
    expect([other.closed, another.closed]).toEqual([true, true])
  })

  test('of an audit is one of audit', () => {
    failing.set('audit', denied)
    expect(failureOf(() => filter.host!.audit())).toMatchObject({ code: 'STATUS_FILE_CLOSED', operation: 'audit' })
  })

  test('of a rule’s end is none when the rule has gone with its session', () => {
    const rule = filter.track({ match: '*' })
    failing.set('untrack', statusOf('STATUS_FILE_CLOSED') | 0)
    rule.close()
    expect(rule.closed).toBe(true)
  })

  test('of an opening leaves no session', () => {
    const { handles } = filter.host!.audit()
    failing.set('queryVersion', denied)
    expect(failureOf(openBroken)).toMatchObject({ operation: 'openFilter' })
    expect(filter.host!.audit().handles).toBe(handles)
  })

  test('of a second question about what a stream supports is not told instead of the first', () => {
    failing.set('insert', statusOf('STATUS_INVALID_DEVICE_REQUEST') | 0)
    failing.set('queryStream', denied)
    expect(failureOf(() => stream.insert())).toMatchObject({
      code: 'STATUS_INVALID_DEVICE_REQUEST',
      operation: 'insert',
    })
  })
})
