/** What errors say, and that they are all of one type. */
import { openFilter, PerStreamContextError } from '../../src/index'
import { isSuccess, statusName, statusOf } from '../../src/errors'

import { failureOf } from './failures'
import { where } from './platform'

/** What a session, a stream, a file or a host is asked for. */
const operations = [
  ...[
    'openFilter',
    'minifilters',
    'open',
    'openFile',
    'readFile',
    'writeFile',
    'resize',
    'flush',
    'lock',
    'unlock',
    'map',
  ],
  ...[
    'setReadOnly',
    'setSparse',
    'setCompressed',
    'rewriteSecurity',
    'deleteOnClose',
    'rename',
    'dismount',
    'link',
    'id',
  ],
]

function codes(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

describe('the status names', () => {
  test.each([
    [0, 'STATUS_SUCCESS'],
    [0xc0000010, 'STATUS_INVALID_DEVICE_REQUEST'],
    [0xc0000010 | 0, 'STATUS_INVALID_DEVICE_REQUEST'],
    [0x80000005, 'STATUS_BUFFER_OVERFLOW'],
    [0xc0000225, 'STATUS_NOT_FOUND'],
    [0xc0abcdef, 'STATUS_0xC0ABCDEF'],
    [0xabcd, 'STATUS_0x0000ABCD'],
  ])('of %p is %s', (status, name) => {
    expect(statusName(status)).toBe(name)
  })

  test('warnings are no successes, informational values are', () => {
    expect(isSuccess(statusOf('STATUS_SUCCESS'))).toBe(true)
    expect(isSuccess(0x40000000)).toBe(true)
    expect(isSuccess(0x7fffffff)).toBe(true)
    expect(isSuccess(0x80000000)).toBe(false)
    expect(isSuccess(statusOf('STATUS_BUFFER_OVERFLOW'))).toBe(false)
    expect(isSuccess(statusOf('STATUS_NOT_FOUND'))).toBe(false)
  })
})

describe('an error', () => {
  test('tells operation, path, status and what to do next', () => {
    const error = new PerStreamContextError({ status: 0xc0000128 | 0, operation: 'insert', path: 'M:\\a.txt:notes' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'PerStreamContextError',
      code: 'STATUS_FILE_CLOSED',
      status: 0xc0000128,
      operation: 'insert',
      path: 'M:\\a.txt:notes',
    })
    expect(error.message).toBe(
      'insert of M:\\a.txt:notes failed with STATUS_FILE_CLOSED. It was closed, or its filter was: open it again.',
    )
  })

  test('of a status without a name still tells the number', () => {
    expect(new PerStreamContextError({ status: 0xc0abcdef, operation: 'open' }).message).toBe(
      'open failed with STATUS_0xC0ABCDEF.',
    )
  })

  test('with a very long path has a message of bounded length, and the whole path beside it', () => {
    const path = `M:\\${'x'.repeat(30000)}`
    const error = new PerStreamContextError({ status: 0xc0000034, operation: 'open', path })
    expect(error.path).toBe(path)
    expect(error.message.length).toBeLessThan(500)
  })

  test.each([
    ['x'.repeat(200), 'x'.repeat(200)],
    [`${'x'.repeat(100)}${'y'.repeat(101)}`, `${'x'.repeat(100)}…${'y'.repeat(99)}`],
  ])('with a path of more than 200 characters tells how it begins and ends: %s', (path, told) => {
    const { message } = new PerStreamContextError({ status: 0xc0abcdef, operation: 'open', path })
    expect(message).toBe(`open of ${told} failed with STATUS_0xC0ABCDEF.`)
  })
})

test('dismounting what is not mounted is told as that, and not as a file that is to be created', () => {
  const filter = openFilter()
  try {
    const error = failureOf(() => filter.host!.dismount('Q:'))
    expect(error.code).toBe('STATUS_OBJECT_NAME_NOT_FOUND')
    expect(error.message).toContain('No volume')
  } finally {
    filter.close()
  }
})

test('asking for the kernel of Windows where it is not, or without the driver, is an error that says what to do, not a fallback', () => {
  const messageOn = (platform: NodeJS.Platform) =>
    where({ platform }, () => {
      const error = failureOf(() => openFilter({ kernel: 'windows' }))
      expect(error).toMatchObject({ code: 'STATUS_OBJECT_NAME_NOT_FOUND', operation: 'openFilter' })
      return error.message
    })
  expect(messageOn('linux')).toContain("The kernel of Windows is not on this machine: say `kernel: 'host'`")
  expect(messageOn('win32')).toContain('The driver psctx is not running: install and start it as an administrator')
})

test('an error says what to do next, wherever there is anything to do: by its status, and for some by what was to be done', () => {
  const known = [
    ...codes(0x000, 0x400),
    ...codes(0x80000000, 0x400),
    ...codes(0xc0000000, 0x400),
    ...codes(0xc01c0000, 0x40),
  ].filter((status) => !statusName(status).startsWith('STATUS_0x'))
  const adviceOf = (status: number, operation: string): string =>
    new PerStreamContextError({ status, operation }).message.replace(/^.*? failed with STATUS_[A-Z_]+\. ?/, '')
  const usual = known.map((status) => [statusName(status), adviceOf(status, 'insert')] as const)
  const special = operations.map((operation) => [
    operation,
    Object.fromEntries(
      known
        .filter((status) => adviceOf(status, operation) !== adviceOf(status, 'insert'))
        .map((status) => [statusName(status), adviceOf(status, operation)]),
    ),
  ])
  expect({ usual: Object.fromEntries(usual), special: Object.fromEntries(special) as unknown }).toMatchSnapshot()
})

test('an inspection that fails for want of memory says that, and not what else one may fail for', () => {
  const filter = openFilter()
  try {
    filter.host!.writeFile('M:\\a.txt', Buffer.from('text'))
    const stream = filter.openStream('M:\\a.txt')
    filter.host!.setAllocationFault(1)
    const error = failureOf(() => stream.inspect())
    filter.host!.setAllocationFault(0)
    expect(error.code).toBe('STATUS_INSUFFICIENT_RESOURCES')
    expect(error.message).toContain('The kernel is out of memory')
  } finally {
    filter.close()
  }
})
