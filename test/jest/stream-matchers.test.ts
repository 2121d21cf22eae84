/** The matchers that ask a stream, with Jest's globals. */
import { openFilter, Stream } from '../../src/index'
import { matchers, withVolume } from '../../src/jest/index'

import { argumentErrorOf, messageOf } from './failure'

const volume = withVolume()

/** A stream of a file of the test's own, without contexts. */
function openNew(name = 'a.txt'): Stream {
  return volume.filter.openStream(volume.writeFile(name))
}

/** The stream of a paging file, which cannot carry contexts. */
function openPagingFile(): Stream {
  volume.filter.host!.writeFile('M:\\pagefile.sys', Buffer.alloc(1))
  return volume.filter.openStream('M:\\pagefile.sys')
}

describe('toHaveContext', () => {
  test('passes for a context that is there, and with .not for one that is not', () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    stream.insert({ owner: 7, instance: 2n })
    expect(stream).toHaveContext({ instance: 1n })
    expect(stream).toHaveContext({ instance: 1, data: Buffer.from('seen') })
    expect(stream).toHaveContext({ owner: 7n, instance: 2n, data: new Uint8Array() })
    expect(stream).not.toHaveContext({ instance: 2n })
    expect(stream).not.toHaveContext({ instance: 1n, data: Buffer.from('see') })
  })

  test('takes what was inserted', () => {
    using stream = openNew()
    const context = { owner: 2n ** 64n - 1n, instance: 2n ** 64n - 1n, data: Buffer.from([0, 255]) }
    stream.insert(context)
    expect(stream).toHaveContext(context)
  })

  test('means the youngest of several that are alike', () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from('old') })
    stream.insert({ instance: 1n, data: Buffer.from('young'), ifExists: 'add' })
    expect(stream).toHaveContext({ instance: 1n, data: Buffer.from('young') })
    expect(stream).not.toHaveContext({ instance: 1n, data: Buffer.from('old') })
  })

  test('tells what is there instead', async () => {
    using stream = openNew()
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 3n }))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     Expected: owner 0, instance 3
     Received: no context on M:\\psctx-…\\a.txt"
    `)
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    stream.insert({ owner: 7n, instance: 2n, data: Buffer.alloc(1) })
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 3n }))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     Expected: owner 0, instance 3
     Received: 2 other contexts on M:\\psctx-…\\a.txt

       owner 7, instance 2, 1 byte
       owner 0, instance 1, 4 bytes"
    `)
  })

  test('tells a context that should not be there', async () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    expect(await messageOf(() => expect(stream).not.toHaveContext({ instance: 1n }))).toMatchInlineSnapshot(`
     "expect(stream).not.toHaveContext(context)

     Expected: not owner 0, instance 1
     Received: owner 0, instance 1, data "seen" on M:\\psctx-…\\a.txt"
    `)
    stream.insert({ instance: 2n, data: Buffer.from([1, 2, 3]) })
    expect(await messageOf(() => expect(stream).not.toHaveContext({ instance: 2n, data: Buffer.from([1, 2, 3]) })))
      .toMatchInlineSnapshot(`
     "expect(stream).not.toHaveContext(context)

     Expected: not owner 0, instance 2, data 01 02 03
     Received: owner 0, instance 2, data 01 02 03 on M:\\psctx-…\\a.txt"
    `)
  })

  test.each([
    ['16 bytes', Buffer.alloc(16), Array(16).fill('00').join(' ')],
    ['17 bytes', Buffer.alloc(17), '17 bytes, which are no text'],
    ['a byte order mark and text', Buffer.from('\ufeffa'), 'ef bb bf 61'],
    ['80 characters', Buffer.from('ü'.repeat(80)), `"${'ü'.repeat(80)}"`],
    ['81 characters', Buffer.from('ü'.repeat(81)), '162 bytes of text'],
  ])('tells data of %s in one line', async (_, data, told) => {
    using stream = openNew()
    stream.insert({ instance: 1n, data })
    expect(await messageOf(() => expect(stream).not.toHaveContext({ instance: 1n }))).toContain(
      `\nReceived: owner 0, instance 1, data ${told} on M:\\`,
    )
  })

  test('tells text that is not the same', async () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 1n, data: Buffer.from('scanned') })))
      .toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     The context is there (owner 0, instance 1 on M:\\psctx-…\\a.txt), its data is not the same.

     Expected data: "scanned"
     Received data: "seen""
    `)
  })

  test('tells the lines of text that are not the same', async () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from('scanned: yes\nverdict: clean\n') })
    const data = Buffer.from('scanned: yes\nverdict: infected\n')
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 1n, data }))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     The context is there (owner 0, instance 1 on M:\\psctx-…\\a.txt), its data is not the same.

     - Expected
     + Received

       scanned: yes
     - verdict: infected
     + verdict: clean
     "
    `)
  })

  test('tells the bytes around the first that is not the same', async () => {
    using stream = openNew()
    const data = Buffer.from(Array.from({ length: 80 }, (_, index) => index))
    stream.insert({ instance: 1n, data })
    const expected = Buffer.from(data)
    expected[0x25] = 0xff
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 1n, data: expected })))
      .toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     The context is there (owner 0, instance 1 on M:\\psctx-…\\a.txt), its data is not the same.

     The first difference is at offset 37 (0x25).

     Expected data: 80 bytes
       00000010  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f  |................|
       00000020  20 21 22 23 24 ff 26 27 28 29 2a 2b 2c 2d 2e 2f  | !"#$.&'()*+,-./|
       00000030  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  |0123456789:;<=>?|
     Received data: 80 bytes
       00000010  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f  |................|
       00000020  20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f  | !"#$%&'()*+,-./|
       00000030  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  |0123456789:;<=>?|
                                ^^ in the line of 0x00000020"
    `)
  })

  test('tells the bytes as well where one of both is text', async () => {
    using stream = openNew()
    const [text, other] = [Buffer.from('seen~'), Buffer.from('seen\x7f')]
    stream.insert({ instance: 1n, data: other })
    stream.insert({ instance: 2n, data: text })
    const ofText = '  00000000  73 65 65 6e 7e                                   |seen~|'
    const ofOther = '  00000000  73 65 65 6e 7f                                   |seen.|'
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 1n, data: text }))).toContain(
      `Expected data: 5 bytes\n${ofText}\nReceived data: 5 bytes\n${ofOther}`,
    )
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 2n, data: other }))).toContain(
      `Expected data: 5 bytes\n${ofOther}\nReceived data: 5 bytes\n${ofText}`,
    )
  })

  test('tells where data ends too early', async () => {
    using stream = openNew()
    stream.insert({ instance: 1n, data: Buffer.from([0, 1, 2]) })
    stream.insert({ instance: 2n })
    expect(
      await messageOf(() =>
        expect(stream).toHaveContext({ instance: 1n, data: Buffer.alloc(4).fill('\0\x01\x02\x03') }),
      ),
    ).toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     The context is there (owner 0, instance 1 on M:\\psctx-…\\a.txt), its data is not the same.

     The first difference is at offset 3 (0x3).

     Expected data: 4 bytes
       00000000  00 01 02 03                                      |....|
     Received data: 3 bytes
       00000000  00 01 02                                         |...|
                          ^^ in the line of 0x00000000"
    `)
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 2n, data: Buffer.from([255]) })))
      .toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     The context is there (owner 0, instance 2 on M:\\psctx-…\\a.txt), its data is not the same.

     The first difference is at offset 0 (0x0).

     Expected data: 1 byte
       00000000  ff                                               |.|
     Received data: 0 bytes
                 ^^ in the line of 0x00000000"
    `)
  })

  test('stands for a stream in another matcher', async () => {
    using one = openNew('a.txt')
    using other = openNew('b.txt')
    other.insert({ instance: 1n })
    expect({ one, other }).toEqual({ one: expect.toHaveContexts(0), other: expect.toHaveContext({ instance: 1n }) })
    expect([one, other]).toEqual([expect.not.toHaveContext({ instance: 1n }), expect.toSupportContexts()])
    expect([one]).not.toEqual([expect.toHaveContext({ instance: 1n })])
    expect(await messageOf(() => expect([one]).toEqual([expect.toHaveContext({ instance: 1n })])))
      .toMatchInlineSnapshot(`
     "expect(received).toEqual(expected) // deep equality

     - Expected  - 1
     + Received  + 3

       Array [
     -   toHaveContext<[object Object]>,
     +   Stream {
     +     "path": "M:\\\\psctx-…\\\\a.txt",
     +   },
       ]"
    `)
  })

  test('waits for a stream that is still to be opened', async () => {
    const path = volume.writeFile('a.txt')
    await expect(volume.filter.openStreamAsync(path)).resolves.not.toHaveContext({ instance: 1n })
    expect(await messageOf(() => expect(volume.filter.openStreamAsync(path)).resolves.toHaveContexts(1))).toContain(
      'expect(stream).resolves.toHaveContexts(count)',
    )
  })

  test('is not negated, nor waits, where the runner says nothing of it', () => {
    using stream = openNew()
    const asIs = (text: string): string => text
    const utils = { EXPECTED_COLOR: asIs, RECEIVED_COLOR: asIs, printExpected: String, printReceived: String }
    const matcherHint = jest.fn(() => 'the assertion')
    const context = { utils: { ...utils, diff: () => undefined, matcherHint } }
    const { pass, message } = matchers.toHaveContext.call(context, stream, { instance: 1n })
    expect({ pass, message: message() }).toEqual({
      pass: false,
      message: `the assertion\n\nExpected: owner 0, instance 1\nReceived: no context on ${stream.path}`,
    })
    expect(matcherHint).toHaveBeenCalledWith('toHaveContext', 'stream', 'context', { isNot: false, promise: '' })
  })

  test('throws what is no answer of the driver', () => {
    using stream = openNew()
    const lookup = jest.spyOn(Stream.prototype, 'lookup').mockImplementation(() => {
      throw new RangeError('not the driver')
    })
    expect(() => expect(stream).toHaveContext({ instance: 1n })).toThrow(RangeError)
    lookup.mockRestore()
  })

  test('refuses what is no stream and what names no context', async () => {
    using stream = openNew()
    const errors = [
      await argumentErrorOf(() => expect('M:\\a.txt').toHaveContext({ instance: 1n })),
      await argumentErrorOf(() => expect(stream).toHaveContext(undefined as never)),
      await argumentErrorOf(() => expect(stream).toHaveContext({} as never)),
      await argumentErrorOf(() => expect(stream).toHaveContext({ instance: -1 })),
      await argumentErrorOf(() => expect(stream).toHaveContext({ instance: 1, owner: '7' as never })),
      await argumentErrorOf(() => expect(stream).not.toHaveContext({ instance: 1, data: 'seen' as never })),
      await argumentErrorOf(() => expect(stream).not.toHaveContext({ instance: 1, pool: 'paged' } as never)),
    ]
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toMatchInlineSnapshot(`
     [
       "ERR_INVALID_ARG_TYPE toHaveContext: \`received\` must be a Stream, such as filter.openStream() returns.",
       "ERR_INVALID_ARG_TYPE toHaveContext: \`options\` must be an object.",
       "ERR_INVALID_ARG_TYPE toHaveContext: \`instance\` must be a bigint from 0 to 2**64-1, or a number that is a safe integer.",
       "ERR_INVALID_ARG_VALUE toHaveContext: \`instance\` must be a bigint from 0 to 2**64-1, or a number that is a safe integer.",
       "ERR_INVALID_ARG_TYPE toHaveContext: \`owner\` must be a bigint from 0 to 2**64-1, or a number that is a safe integer.",
       "ERR_INVALID_ARG_TYPE toHaveContext: \`data\` must be a Uint8Array or a Buffer.",
       "ERR_INVALID_ARG_VALUE toHaveContext: \`pool\` must be left out: known are instance, owner, data.",
     ]
    `)
    expect(errors.map(({ argument }) => argument)).toEqual([
      'received',
      'options',
      'instance',
      'instance',
      'owner',
      'data',
      'pool',
    ])
  })
})

describe('toHaveContexts', () => {
  test('passes for as many as there are, and with .not for another number', () => {
    using stream = openNew()
    expect(stream).toHaveContexts(0)
    stream.insert({ instance: 1n })
    stream.insert({ instance: 1n, ifExists: 'add' })
    expect(stream).toHaveContexts(2)
    expect(stream).not.toHaveContexts(1)
  })

  test('counts those of its own filter', () => {
    using stream = openNew()
    using other = openFilter()
    using otherStream = other.openStream(stream.path)
    otherStream.insert({ instance: 1n })
    expect(otherStream).toHaveContexts(1)
    expect(stream).toHaveContexts(0)
  })

  test('tells what is there', async () => {
    using stream = openNew()
    expect(await messageOf(() => expect(stream).toHaveContexts(1))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContexts(count)

     Expected: 1 context
     Received: 0 contexts on M:\\psctx-…\\a.txt"
    `)
    stream.insert({ instance: 1n, data: Buffer.from('seen') })
    expect(await messageOf(() => expect(stream).toHaveContexts(2))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContexts(count)

     Expected: 2 contexts
     Received: 1 context on M:\\psctx-…\\a.txt

       owner 0, instance 1, 4 bytes"
    `)
    expect(await messageOf(() => expect(stream).not.toHaveContexts(1))).toMatchInlineSnapshot(`
     "expect(stream).not.toHaveContexts(count)

     Expected: not 1 context
     Received: 1 context on M:\\psctx-…\\a.txt

       owner 0, instance 1, 4 bytes"
    `)
  })

  test('tells those that a tracking rule inserted', async () => {
    const rule = volume.filter.track({ match: '*\\tracked.txt', instance: 5n })
    using stream = openNew('tracked.txt')
    rule.close()
    expect(await messageOf(() => expect(stream).toHaveContexts(0))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContexts(count)

     Expected: 0 contexts
     Received: 1 context on M:\\psctx-…\\tracked.txt

       owner 0, instance 5, 0 bytes, by a tracking rule"
    `)
  })

  test('refuses what is no number of contexts', async () => {
    using stream = openNew()
    expect(await argumentErrorOf(() => expect(stream).toHaveContexts('1' as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      argument: 'count',
    })
    expect(await argumentErrorOf(() => expect(stream).not.toHaveContexts(-1))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      argument: 'count',
    })
  })
})

describe('toSupportContexts', () => {
  test('passes for a file, and with .not for a paging file', () => {
    using file = openNew()
    expect(file).toSupportContexts()
    using pagingFile = openPagingFile()
    expect(pagingFile).not.toSupportContexts()
  })

  test('tells why not, and what to do', async () => {
    using stream = openPagingFile()
    expect(await messageOf(() => expect(stream).toSupportContexts())).toMatchInlineSnapshot(`
     "expect(stream).toSupportContexts()

     Expected: a stream that can carry contexts
     Received: M:\\pagefile.sys, which cannot: no-filter-contexts

     lookup of M:\\pagefile.sys failed with STATUS_INVALID_DEVICE_REQUEST. The stream cannot carry per-stream contexts: its file system does not let filters attach contexts to it, as with a paging file. Use another file or file system."
    `)
  })

  test('tells no more than why not where the driver has no objection, and throws what is none', async () => {
    using stream = openNew()
    const support = { ...stream.support(), supported: false, reason: 'volume' } as const
    jest.spyOn(stream, 'support').mockReturnValue(support)
    expect(await messageOf(() => expect(stream).toSupportContexts())).toMatch(/, which cannot: volume$/)
    jest.spyOn(stream, 'lookup').mockImplementation(() => {
      throw new RangeError('not the driver')
    })
    expect(() => expect(stream).toSupportContexts()).toThrow(RangeError)
  })

  test('tells what a stream has that should not', async () => {
    using stream = openNew()
    expect(await messageOf(() => expect(stream).not.toSupportContexts())).toMatchInlineSnapshot(`
     "expect(stream).not.toSupportContexts()

     Expected: a stream that cannot carry contexts
     Received: M:\\psctx-…\\a.txt, which can: FSRTL_ADVANCED_FCB_HEADER of version 5"
    `)
  })
})

describe('a stream that cannot be asked', () => {
  test('fails every assertion about contexts, as it cannot carry any', async () => {
    using stream = openPagingFile()
    expect(await messageOf(() => expect(stream).toHaveContext({ instance: 1n }))).toMatchInlineSnapshot(`
     "expect(stream).toHaveContext(context)

     lookup of M:\\pagefile.sys failed with STATUS_INVALID_DEVICE_REQUEST. The stream cannot carry per-stream contexts: its file system does not let filters attach contexts to it, as with a paging file. Use another file or file system."
    `)
    expect(await messageOf(() => expect(stream).not.toHaveContext({ instance: 1n }))).toContain('another file or file')
    expect(await messageOf(() => expect(stream).toHaveContexts(0))).toContain('another file or file system')
    expect(await messageOf(() => expect(stream).not.toHaveContexts(1))).toContain('another file or file system')
    expect([stream]).not.toEqual([expect.toHaveContexts(0)])
    expect([stream]).not.toEqual([expect.not.toHaveContexts(0)])
  })

  test('fails every assertion, as it is a copy', async () => {
    const copy: unknown = Object.create(Stream.prototype)
    expect(await messageOf(() => expect(copy).toHaveContexts(0))).toBe(
      'expect(stream).toHaveContexts(count)\n\nIt is a copy of a Stream, which cannot be asked.',
    )
    expect(await messageOf(() => expect(copy).not.toHaveContexts(0))).toBe(
      'expect(stream).not.toHaveContexts(count)\n\nIt is a copy of a Stream, which cannot be asked.',
    )
  })

  test('fails every assertion, as it is closed', async () => {
    using stream = openNew()
    stream.close()
    expect(await messageOf(() => expect(stream).not.toHaveContext({ instance: 1n }))).toMatchInlineSnapshot(`
     "expect(stream).not.toHaveContext(context)

     lookup of M:\\psctx-…\\a.txt failed with STATUS_FILE_CLOSED. It was closed, or its filter was: open it again."
    `)
    expect(await messageOf(() => expect(stream).toSupportContexts())).toContain('STATUS_FILE_CLOSED')
    expect(await messageOf(() => expect(stream).not.toSupportContexts())).toContain('STATUS_FILE_CLOSED')
  })
})
