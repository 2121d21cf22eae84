/** How filters are opened: options, volumes that are shared or not, and what is left when the last one closes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { statusOf, type StatusName } from '../../src/errors'
import { openFilter, optionsOf, type FilterOptions } from '../../src/index'
import { native, type NativeSession } from '../../src/native'

import { argumentErrorOf, failureOf } from './failures'
import { where } from './platform'
import { runProgram } from './program'

describe('openFilter', () => {
  test('refuses wrong options, and says which and what it must be', () => {
    const wrong: unknown[] = [
      { kernel: 'linux' },
      { kernel: 1 },
      { readOnly: 'yes' },
      { volumes: 'M:' },
      { volumes: null, kernel: 'host' },
      { volumes: { M: { type: 'memory' } } },
      { volumes: { 'MM:': { type: 'memory' } } },
      { volumes: { 'M:\\': { type: 'memory' } } },
      { volumes: { 'M:': { type: 'tape' } } },
      { volumes: { 'M:': null } },
      { volumes: { 'M:': { type: 'directory' } } },
      { volumes: { 'M:': { type: 'directory', path: '' } } },
      { volumes: { 'M:': { type: 'directory', path: 'a\0b' } } },
      { volumes: { 'M:': { type: 'memory', path: '/tmp' } } },
      { volumes: { 'M:': { type: 'directory', path: '/tmp', readOnly: true } } },
      { volumes: { 'm:': { type: 'memory' }, 'M:': { type: 'memory' } } },
      { volumes: { 'M:': { type: 'memory', fault: 5 } } },
      { volumes: { 'M:': { type: 'memory', fault: 'none' } } },
      { front: 'filter' },
      { front: 1 },
      { front: 'legacy', kernel: 'windows' },
      null,
      'host',
      { volume: 'M:' },
    ]
    const said = wrong.map((options) => {
      const { code, argument, message } = argumentErrorOf(() => openFilter(options as FilterOptions))
      return `${code}, ${argument}: ${message}`
    })
    expect(said).toMatchInlineSnapshot(`
     [
       "ERR_INVALID_ARG_VALUE, kernel: openFilter: \`kernel\` must be 'windows' or 'host'.",
       "ERR_INVALID_ARG_TYPE, kernel: openFilter: \`kernel\` must be 'windows' or 'host'.",
       "ERR_INVALID_ARG_TYPE, readOnly: openFilter: \`readOnly\` must be a boolean.",
       "ERR_INVALID_ARG_TYPE, volumes: openFilter: \`volumes\` must be an object.",
       "ERR_INVALID_ARG_TYPE, volumes: openFilter: \`volumes\` must be an object.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be keyed by drives such as 'M:', not "M".",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be keyed by drives such as 'M:', not "MM:".",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be keyed by drives such as 'M:', not "M:\\\\".",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be made of { type: 'memory', fault? } and { type: 'directory', path }.",
       "ERR_INVALID_ARG_VALUE, volumes: openFilter: \`volumes\` must be keyed by each drive once, not by M: twice.",
       "ERR_INVALID_ARG_TYPE, fault: openFilter: \`fault\` must be a string.",
       "ERR_INVALID_ARG_VALUE, fault: openFilter: \`fault\` must be one of flags-cleared, flags-cleared-on-named-streams, flags-cleared-on-directories, flags-cleared-on-read-only-files, flags-cleared-on-sparse-files, flags-cleared-on-open-by-id, flags-set-on-paging-file, list-not-initialized-for-directories, header-per-open, header-per-link, header-per-case, header-per-open-by-id, header-per-file, header-per-volume, list-reversed-on-open, torn-down-on-any-close, torn-down-on-last-cleanup, torn-down-on-rename, torn-down-on-overwrite, torn-down-on-supersede, torn-down-on-truncate, torn-down-on-extend, torn-down-on-attribute-change, torn-down-on-security-change, torn-down-on-byte-range-lock, torn-down-on-flush, header-replaced-on-rename, contexts-moved-on-rename, contexts-inherited-from-deleted-file, no-teardown, no-teardown-on-delete, no-teardown-on-dismount, no-teardown-now-and-then, no-teardown-under-load, keeps-streams, lets-go-late.",
       "ERR_INVALID_ARG_VALUE, front: openFilter: \`front\` must be 'legacy' or 'minifilter'.",
       "ERR_INVALID_ARG_TYPE, front: openFilter: \`front\` must be 'legacy' or 'minifilter'.",
       "ERR_INVALID_ARG_VALUE, front: openFilter: \`front\` must be left out unless \`kernel\` is 'host': on Windows it is the installed driver's.",
       "ERR_INVALID_ARG_TYPE, options: openFilter: \`options\` must be an object.",
       "ERR_INVALID_ARG_TYPE, options: openFilter: \`options\` must be an object.",
       "ERR_INVALID_ARG_VALUE, volume: openFilter: \`volume\` must be left out: known are kernel, volumes, front, readOnly.",
     ]
    `)
  })

  test.each([
    ['win32', 'windows'],
    ['linux', 'host'],
  ] as const)('on %s opens the driver in the kernel named %s when nothing is said', (platform, kernel) => {
    const open = jest.spyOn(native, 'open').mockReturnValue(statusOf('STATUS_ACCESS_DENIED') | 0)
    const error = where({ platform }, () => failureOf(openFilter))
    expect(error).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'openFilter' })
    expect(error.message).toMatch(/STATUS_ACCESS_DENIED\. Run as an administrator, who may open the driver\.$/)
    expect(open.mock.calls).toEqual([[kernel, false, kernel === 'host' ? [['M']] : [], 0]])
    open.mockRestore()
  })

  test.each<[StatusName, string]>([
    ['STATUS_NOT_SUPPORTED', "On Windows the driver runs in the system's own kernel: leave `kernel` out."],
    [
      'STATUS_OBJECT_NAME_COLLISION',
      'Another filter of this process has a different volume of that letter: define it alike, or use another letter.',
    ],
    [
      'STATUS_IMAGE_ALREADY_LOADED',
      'Another filter of this process has the driver loaded with its other front: close that one first, or leave `front` as it has it.',
    ],
    ['STATUS_OBJECT_PATH_NOT_FOUND', 'A volume’s directory must exist.'],
  ])('of the embedded kernel says what to do next of %s', (status, advice) => {
    const open = jest.spyOn(native, 'open').mockReturnValue(statusOf(status) | 0)
    expect(failureOf(() => openFilter({ kernel: 'host' })).message).toBe(`openFilter failed with ${status}. ${advice}`)
    open.mockRestore()
  })

  test('of Windows opens one that has neither a kernel of its own, nor volumes, nor a choice of its front', () => {
    const { open } = native
    const windows = jest.spyOn(native, 'open').mockImplementation(() => open('host', false, [], 0))
    using filter = openFilter({ kernel: 'windows' })
    windows.mockRestore()
    expect(filter.kernel).toBe('windows')
    expect(filter.host).toBeUndefined()
    expect(optionsOf(filter)).toEqual({ kernel: 'windows' })
  })

  test('of Windows opens one that asks the kernel for the file of a descriptor', () => {
    const { open } = native
    const windows = jest.spyOn(native, 'open').mockImplementation(() => {
      const session = open('host', false, [['M']], 0) as NativeSession
      return Object.assign(session, { openDescriptor: () => session.openStream('\\\\?\\M:\\') })
    })
    using filter = openFilter({ kernel: 'windows' })
    windows.mockRestore()
    expect(filter.stream(0).path).toBe('fd 0')
  })

  test('mounts a memory volume M: when nothing is said', () => {
    const filter = openFilter()
    try {
      expect(filter.kernel).toBe('host')
      filter.host!.writeFile('M:\\a', Buffer.from('content'))
      expect(filter.host!.readFile('M:\\a').toString()).toBe('content')
    } finally {
      filter.close()
    }
  })

  test('with no volumes at all mounts none', () => {
    const filter = openFilter({ volumes: {} })
    try {
      expect(failureOf(() => filter.openStream('M:\\a')).code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
    } finally {
      filter.close()
    }
  })

  test('shares a volume that is defined alike, until its last filter closes', () => {
    const keeper = openFilter({ volumes: { 'K:': { type: 'memory' } } })
    try {
      const one = openFilter()
      const two = openFilter({ volumes: { 'm:': { type: 'memory' } } })
      one.host!.writeFile('M:\\a', Buffer.from('content'))
      one.close()
      expect(two.host!.readFile('M:\\a').toString()).toBe('content')
      two.close()
      const three = openFilter()
      expect(failureOf(() => three.host!.readFile('M:\\a')).code).toBe('STATUS_OBJECT_NAME_NOT_FOUND')
      three.close()
    } finally {
      keeper.close()
    }
  })

  test('is a legacy filter when nothing is said, and either front when it is', () => {
    const tell = (options: FilterOptions): string => {
      const filter = openFilter(options)
      try {
        return filter.front
      } finally {
        filter.close()
      }
    }
    expect([tell({}), tell({ front: 'minifilter' }), tell({ front: 'legacy' })]).toEqual([
      'legacy',
      'minifilter',
      'legacy',
    ])
  })

  test.each([
    ['legacy', 'minifilter'],
    ['minifilter', 'legacy'],
  ] as const)('refuses another front while the driver is loaded with %s, and leaves that one alone', (front, other) => {
    const filter = openFilter({ front })
    try {
      const error = failureOf(() => openFilter({ front: other }))
      expect(error).toMatchObject({ code: 'STATUS_IMAGE_ALREADY_LOADED', operation: 'openFilter' })
      expect(error.message).toContain('close that one first')
      expect(filter.statistics().total.sessions).toBe(1)
      openFilter({ front }).close()
    } finally {
      filter.close()
    }
    openFilter({ front: other }).close()
  })

  test('refuses a volume that another filter defines otherwise, and leaves that one alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'psctx-unit-'))
    const filter = openFilter()
    try {
      const error = failureOf(() => openFilter({ volumes: { 'M:': { type: 'directory', path: directory } } }))
      expect(error).toMatchObject({ code: 'STATUS_OBJECT_NAME_COLLISION', operation: 'openFilter' })
      expect(error.message).toContain('define it alike, or use another letter')
      filter.host!.writeFile('M:\\a', Buffer.from('content'))
      expect(filter.statistics().total.sessions).toBe(1)
    } finally {
      filter.close()
      rmSync(directory, { recursive: true })
    }
  })

  test('refuses a directory that is not there, and leaves nothing behind', () => {
    const path = join(tmpdir(), 'psctx-unit-that-does-not-exist')
    const error = failureOf(() => openFilter({ volumes: { 'N:': { type: 'directory', path } } }))
    expect(error.code).toBe('STATUS_OBJECT_PATH_NOT_FOUND')
    expect(error.message).toContain('A volume’s directory must exist')
    openFilter().close()
  })

  test('mounts a directory of the machine', () => {
    const directory = mkdtempSync(join(tmpdir(), 'psctx-unit-'))
    const filter = openFilter({ volumes: { 'N:': { type: 'directory', path: directory } } })
    try {
      filter.host!.writeFile('N:\\a.txt', Buffer.from('content'))
      expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('content')
    } finally {
      filter.close()
      rmSync(directory, { recursive: true })
    }
  })
})

describe('the embedded kernel’s files', () => {
  test('are opened as they are asked for, and refuse what their handles may not do', () => {
    const filter = openFilter()
    try {
      const { host } = filter
      const file = host!.openFile('M:\\a', { access: ['read', 'write'], disposition: 'create', share: ['read'] })
      expect(file.write(Buffer.from('0123456789'))).toBe(10)
      expect(file.read(3, 4).toString()).toBe('3456')
      expect(file.read(20)).toHaveLength(0)
      const all = file.read(0, 2 ** 30)
      expect(all.toString()).toBe('0123456789')
      expect(all.buffer.byteLength).toBe(10) // no room was made for what is not there
      expect(failureOf(() => host!.openFile('M:\\a', { access: ['write'] })).code).toBe('STATUS_SHARING_VIOLATION')
      const reader = host!.openFile('M:\\a', { share: ['read', 'write'] })
      expect(failureOf(() => reader.write(Buffer.from('x'))).code).toBe('STATUS_ACCESS_DENIED')
      expect(failureOf(() => reader.deleteOnClose()).code).toBe('STATUS_ACCESS_DENIED')
      reader.close()
      file.close()
      file.close()
      expect(failureOf(() => file.read()).code).toBe('STATUS_FILE_CLOSED')
      expect(failureOf(() => host!.openFile('M:\\a', { disposition: 'create' })).code).toBe(
        'STATUS_OBJECT_NAME_COLLISION',
      )
      expect(failureOf(() => host!.openFile('M:\\a', { directory: true })).code).toBe('STATUS_NOT_A_DIRECTORY')
    } finally {
      filter.close()
    }
  })

  test('say which argument is wrong', () => {
    const filter = openFilter()
    try {
      const host = filter.host!
      for (const [argument, action] of [
        ['access', () => host.openFile('M:\\a', { access: ['fly'] as never })],
        ['share', () => host.openFile('M:\\a', { share: 'read' as never })],
        ['disposition', () => host.openFile('M:\\a', { disposition: 'maybe' as never })],
        ['data', () => host.writeFile('M:\\a', 'text' as never)],
        ['newPath', () => host.rename('M:\\', 5 as never)],
        ['drive', () => host.dismount('M')],
        ['countdown', () => host.setAllocationFault(-1)],
      ] as const) {
        expect(argumentErrorOf(action).argument).toBe(argument)
      }
    } finally {
      filter.close()
    }
  })

  test('the audit counts what is open, and the driver’s pool', () => {
    const filter = openFilter()
    try {
      filter.host!.writeFile('M:\\a', Buffer.from('a'))
      const stream = filter.openStream('M:\\a')
      const before = filter.host!.audit()
      stream.insert({ data: Buffer.alloc(1000) })
      const after = filter.host!.audit()
      expect(after.contextBytes - before.contextBytes).toBeGreaterThanOrEqual(1000)
      expect(after.handles).toBe(before.handles)
      stream.close()
      expect(filter.host!.audit().handles).toBe(before.handles - 1)
      expect(filter.host!.audit().contextBytes).toBeLessThan(after.contextBytes)
    } finally {
      filter.close()
    }
  })
})

describe('whatever allocation fails', () => {
  const volumes = { 'G:': { type: 'memory' } } as const

  test('while a volume is mounted, the filter opens or says so, and nothing of the volume is left', () => {
    const filter = openFilter({ kernel: 'host', volumes: {} })
    for (let countdown = 1, opened = false; !opened; countdown += 1) {
      filter.host!.setAllocationFault(countdown)
      try {
        openFilter({ kernel: 'host', volumes }).close()
        opened = countdown > 100
      } catch (error) {
        expect(error).toMatchObject({ code: 'STATUS_INSUFFICIENT_RESOURCES' })
      } finally {
        filter.host!.setAllocationFault(0)
      }
    }
    filter.close() // throws if anything is left, and the kernel stops the process if it is a volume
  })

  test('while the last filter of a volume closes, the next has an empty one', () => {
    const filter = openFilter({ kernel: 'host', volumes: {} })
    for (let countdown = 1; countdown < 20; countdown += 1) {
      const first = openFilter({ kernel: 'host', volumes })
      first.files.writeFile('G:\\file.txt', Buffer.from('of the first'))
      filter.host!.setAllocationFault(countdown)
      first.close()
      filter.host!.setAllocationFault(0)
      const second = openFilter({ kernel: 'host', volumes })
      expect(failureOf(() => second.files.readFile('G:\\file.txt')).code).toBe('STATUS_OBJECT_NAME_NOT_FOUND')
      second.close()
    }
    filter.close()
  })
})

test('a filter that is closed fails whatever is asked of it, and says what that was', () => {
  const filter = openFilter()
  filter.close()
  const operations: Record<string, () => unknown> = {
    open: () => filter.openStream('M:\\a'),
    stream: () => filter.stream(0),
    batch: () => filter.batch(),
    statistics: () => filter.statistics(),
    track: () => filter.track({ match: '*' }),
    events: () => filter.events(),
    enumerate: () => filter.enumerate(),
    volumes: () => filter.volumes(),
    minifilters: () => filter.minifilters('M:'),
  }
  for (const [operation, action] of Object.entries(operations)) {
    expect(failureOf(action)).toMatchObject({ code: 'STATUS_FILE_CLOSED', operation })
  }
})

test('a stream of another filter is none of this one’s, though both are on one kernel', () => {
  using one = openFilter()
  using other = openFilter()
  const batch = one.batch()
  const error = argumentErrorOf(() => batch.lookup(other.openStream('M:\\')))
  expect(error.message).toBe('lookup: `stream` must be a Stream of the same filter.')
  expect(batch).toHaveLength(0)
})

test('the classes of the built package have the names that it exports them by', () => {
  expect(
    runProgram(`
      const exported = Object.entries(require(process.argv[1])).filter(([, value]) => typeof value === 'function')
      console.log(exported.length > 8, exported.filter(([name, value]) => value.name !== name).map(([name]) => name))`),
  ).toBe('true []\n')
})

test('whatever is open is closed at the end of its block', () => {
  const filter = openFilter()
  filter.host!.writeFile('M:\\a.txt', Buffer.from('text'))
  const stream = filter.openStream('M:\\a.txt')
  const rule = filter.track({ match: '*' })
  const file = filter.host!.openFile('M:\\a.txt')
  const section = file.map()
  const handles = filter.host!.audit().handles

  rule[Symbol.dispose]()
  expect(rule.closed).toBe(true)
  section[Symbol.dispose]()
  expect(filter.host!.audit().handles).toBe(handles - 1)
  file[Symbol.dispose]()
  expect(filter.host!.audit().handles).toBe(handles - 2)
  stream[Symbol.dispose]()
  expect(stream.closed).toBe(true)
  filter[Symbol.dispose]()
  expect(filter.closed).toBe(true)
})

test('what is closed again, or was never opened, closes no handle', () => {
  const open = jest.spyOn(native, 'open')
  using filter = openFilter()
  const session = open.mock.results[0]!.value as NativeSession
  open.mockRestore()
  filter.host!.writeFile('M:\\a.txt', Buffer.from('text'))
  const file = filter.host!.openFile('M:\\a.txt')
  const things = [filter.openStream('M:\\a.txt'), file.map(), file]
  const closeHandle = jest.spyOn(session, 'closeHandle')
  filter.track({ match: '*' }).close()
  filter.enumerate().close()
  expect(closeHandle).not.toHaveBeenCalled()
  for (const thing of [...things, ...things]) thing.close()
  expect(closeHandle).toHaveBeenCalledTimes(things.length)
})
