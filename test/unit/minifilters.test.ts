/** Filter Manager's minifilters: on the embedded kernel, and as a kernel of a made-up reply tells them. */
import * as abi from '../../src/abi'
import { openFilter, type MinifilterInstance } from '../../src/index'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { makeStream } from '../../src/stream'

import { argumentErrorOf, failureOf } from './failures'

describe('on the embedded kernel', () => {
  test('the driver is among them by the one front, and not by the other', () => {
    for (const front of ['minifilter', 'legacy'] as const) {
      using filter = openFilter({ front, volumes: { 'M:': { type: 'memory' }, 'P:': { type: 'memory' } } })
      const own = [{ filter: 'PsCtx-Minifilter', instance: 'psctx', altitude: '385099.5' }]
      expect(filter.minifilters('M:')).toEqual(front === 'minifilter' ? own : [])
      filter.host!.writeFile('P:\\a.txt', Buffer.from('a'))
      expect(filter.minifilters('P:\\a.txt')).toEqual(filter.minifilters('M:'))
      expect(filter.minifilters('\\\\?\\p:\\a.txt')).toEqual(filter.minifilters('M:'))
    }
  })

  test('of a volume that is not there, or of nothing that is one, are none', () => {
    const filter = openFilter()
    expect(failureOf(() => filter.minifilters('Q:')).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
    expect(argumentErrorOf(() => filter.minifilters(1 as never)).argument).toBe('volume')
    filter.close()
    expect(failureOf(() => filter.minifilters('M:')).code).toBe('STATUS_FILE_CLOSED')
  })

  test('are asked for through a handle that is closed again', () => {
    using filter = openFilter({ front: 'minifilter' })
    const before = filter.host!.audit()
    filter.minifilters('M:')
    expect(filter.host!.audit()).toEqual(before)
  })
})

describe('by the contexts on a stream', () => {
  const { inspectEntry, inspectReply } = abi

  /** A reply with a context of each of these images, none of which is the session's. */
  function writeReply(page: Uint8Array, modules: readonly string[]): number {
    const view = new DataView(page.buffer, page.byteOffset)
    let end: number = inspectReply.size
    for (const module of modules) {
      const size = Math.ceil((inspectEntry.size + 2 * module.length) / 8) * 8
      view.setUint32(end + inspectEntry.entrySize, size, true)
      view.setUint32(end + inspectEntry.holder, 2, true)
      view.setUint32(end + inspectEntry.moduleLength, 2 * module.length, true)
      Buffer.from(module, 'utf16le').copy(page, end + inspectEntry.size)
      end += size
    }
    view.setUint32(inspectReply.count, modules.length, true)
    return end
  }

  /** A stream whose kernel tells these images and these minifilters. */
  function inspect(modules: readonly string[], minifilters: MinifilterInstance[] | number, path = 'C:\\a.txt') {
    const asked: unknown[] = []
    const native = {
      memory: new ArrayBuffer(layout.reply + layout.replyLength),
      inspect: (page: Uint8Array) => writeReply(page, modules),
      listMinifilters: (...words: unknown[]) => {
        asked.push(words)
        return minifilters
      },
      closeHandle: () => undefined,
    } as unknown as NativeSession
    const stream = makeStream(new Session(native), 2 ** 33 + 8, path)
    return { contexts: stream.inspect(), asked }
  }

  const at = (altitude: string, filter = 'f'): MinifilterInstance => ({
    filter,
    instance: `${filter} Instance`,
    altitude,
  })

  test('Filter Manager’s own says so, and names who it may be on behalf of, from the highest down', () => {
    const scattered = [
      at('40500'),
      at('385099.5'),
      at('385099'),
      at('385099.49'),
      at('9', 'b'),
      at('9', 'a'),
      at('9', 'c'),
      at('328010'),
    ]
    const { contexts, asked } = inspect(['fltMgr.sys', 'other.sys'], scattered)
    expect(contexts[0]).toMatchObject({ holder: 'other-filter', module: 'fltMgr.sys', filterManager: true })
    expect(contexts[0]).toHaveProperty('minifilters', [
      at('385099.5'),
      at('385099.49'),
      at('385099'),
      at('328010'),
      at('40500'),
      at('9', 'a'),
      at('9', 'b'),
      at('9', 'c'),
    ])
    expect(contexts[1]).not.toHaveProperty('filterManager')
    expect(contexts[1]).not.toHaveProperty('minifilters')
    expect(asked).toEqual([[2 ** 33 + 8, 'C']])
  })

  test.each(['FLTMGR.SYS', 'fltmgr.sys'])('it is known as %s, too', (module) => {
    expect(inspect([module], []).contexts[0]).toMatchObject({ filterManager: true, minifilters: [] })
  })

  test.each(['fd 5', '\\\\server\\share\\a:b:'])('the volume of %s is told by no drive', (path) => {
    expect(inspect(['fltmgr.sys'], [], path).asked).toEqual([[2 ** 33 + 8, '']])
  })

  test('none is asked for where no context is Filter Manager’s', () => {
    expect(inspect(['fltmgr.sys.sys', 'ntfs.sys', ''], 0xc0000001 | 0).asked).toEqual([])
  })

  test('a list that cannot be had leaves the rest to be told', () => {
    const [context] = inspect(['fltMgr.sys'], 0xc00000bb | 0).contexts
    expect(context).toMatchObject({ module: 'fltMgr.sys', filterManager: true })
    expect(context).not.toHaveProperty('minifilters')
  })
})
