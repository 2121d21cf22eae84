/** What each reply says, word for word: records with another value in every member, which do not begin where memory does. */
import * as abi from '../../src/abi'
import { decodeContext, decodeFirst } from '../../src/codec/context'
import { decodePage } from '../../src/codec/enumerate'
import { decodeEvent, decodeEventCount, firstEvent, nextEvent } from '../../src/codec/events'
import { decodeInsertion } from '../../src/codec/insert'
import { decodeInspection, decodeNeeded } from '../../src/codec/inspect'
import { decodeList, type ListedContext } from '../../src/codec/list'
import { decodeCount } from '../../src/codec/match'
import { Memory } from '../../src/codec/memory'
import { decodeStatistics } from '../../src/codec/statistics'
import { decodeSupport } from '../../src/codec/support'
import { decodeRule, decodeRuleStatistics } from '../../src/codec/track'
import { decodeVersion } from '../../src/codec/version'
import { decodeVolumes, type KnownVolume } from '../../src/codec/volumes'

const start = 64
let memory: Memory

beforeEach(() => {
  memory = new Memory(new ArrayBuffer(2048))
})

/** Every word of a record is its own offset, but for those that are said. */
function fill(offset: number, size: number, words: Readonly<Record<number, number>> = {}): void {
  for (let word = 0; word < size; word += 4) memory.setUint32(offset + word, words[word] ?? (word % 8 === 0 ? word : 0))
}

/** Texts, one behind the other; their bytes. */
function write(offset: number, ...texts: string[]): number {
  return memory.bytes.write(texts.join(''), offset, 'utf16le')
}

const day = 864_000_000_000 // of the units that system times have

/** A time that has both its words. */
function setTime(offset: number, days: number): void {
  memory.setUint64(offset, BigInt(days) * BigInt(day))
}

describe('a reply', () => {
  test('to LOOKUP has the context with its data', () => {
    const { contextReply } = abi
    fill(start, contextReply.size, {
      [contextReply.holder]: 0,
      [contextReply.pool]: 1,
      [contextReply.lifetime]: 1,
      [contextReply.dataLength]: 3,
    })
    memory.bytes.set([7, 8, 9, 10], start + contextReply.size)
    const context = {
      owner: 8n,
      instance: 16n,
      sequence: 24n,
      pool: 'nonpaged',
      lifetime: 'stream',
      data: Buffer.from([7, 8, 9]),
    }
    expect(decodeContext(memory, start)).toEqual(context)
    expect(decodeFirst(memory, start)).toEqual({ holder: 'self', context })
    memory.setUint32(start + contextReply.holder, 1)
    expect(decodeFirst(memory, start)).toEqual({ holder: 'other-session' })
    memory.setUint32(start + contextReply.holder, 2)
    expect(decodeFirst(memory, start)).toEqual({ holder: 'other-filter' })
    memory.setUint32(start + contextReply.holder, 3)
    expect(() => decodeFirst(memory, start)).toThrow('The driver answered with an unknown value: 3')
  })

  test('to INSERT, REMOVE_ALL and TRACK has what came of it', () => {
    const outcomes = ['inserted', 'kept', 'replaced', 'added'].map((_, outcome) => {
      fill(start, abi.insertReply.size, { [abi.insertReply.outcome]: outcome })
      return decodeInsertion(memory, start)
    })
    expect(outcomes).toEqual(['inserted', 'kept', 'replaced', 'added'].map((outcome) => ({ outcome, sequence: 16n })))
    fill(start, abi.countReply.size)
    expect(decodeCount(memory, start)).toBe(8)
    fill(start, abi.ruleRecord.size)
    expect(decodeRule(memory, start)).toBe(8n)
    fill(start, abi.ruleReply.size)
    expect(decodeRuleStatistics(memory, start)).toEqual({ matched: 8, inserted: 16, missed: 24 })
  })

  test('to LIST has every context, and how many more there are', () => {
    const { listEntry, listReply, tracking } = abi
    const entry = start + listReply.size
    const size = listEntry.size + 16
    fill(start, listReply.size, { [listReply.count]: 3, [listReply.remaining]: 5 })
    const said = { [listEntry.nameLength]: 6, [listEntry.pool]: 0, [listEntry.dataLength]: 40, [listEntry.flags]: 0 }
    fill(entry, listEntry.size, {
      ...said,
      [listEntry.entrySize]: size,
      [listEntry.lifetime]: 1,
      [listEntry.tracked]: 0,
    })
    write(entry + listEntry.size, 'one')
    fill(entry + size, listEntry.size, {
      ...said,
      [listEntry.entrySize]: size,
      [listEntry.tracked]: 1,
      [listEntry.flags]: 3,
    })
    write(entry + size + listEntry.size, 'two')
    const counted = entry + 2 * size
    fill(counted, listEntry.size, {
      ...said,
      [listEntry.entrySize]: size + tracking.size,
      [listEntry.tracked]: 2,
      [listEntry.flags]: 2,
    })
    fill(counted + listEntry.size, tracking.size)
    write(counted + listEntry.size + tracking.size, 'six')
    for (const at of [entry, entry + size, counted]) setTime(at + listEntry.inserted, 134775) // a day after 1970 began
    const common = { owner: 8n, instance: 16n, sequence: 24n, pool: 'paged', dataLength: 40 }
    const time = { time: 134775n * BigInt(day), date: new Date(86_400_000) }
    const contexts: ListedContext[] = []
    expect(decodeList(memory, start, contexts)).toBe(5)
    expect(contexts).toEqual([
      { ...common, ...time, lifetime: 'stream', name: 'one', nameTruncated: false, byRule: false },
      { ...common, ...time, lifetime: 'session', name: 'two', nameTruncated: true, byRule: true },
      {
        ...{ ...common, ...time, lifetime: 'session', name: 'six', nameTruncated: false, byRule: true },
        tracked: {
          ...{ opens: 0, cleanups: 8, reads: 16, writes: 24, bytesRead: 32, bytesWritten: 40 },
          ...{ firstProcessId: 48, lastProcessId: 56 },
        },
      },
    ])
  })

  test('to ENUMERATE has a page, and where the next begins', () => {
    const { enumerateReply } = abi
    fill(0, enumerateReply.size, { [enumerateReply.count]: 4, [enumerateReply.nextCursor + 8]: 9 })
    expect(decodePage(memory)).toEqual({ entry: enumerateReply.size, count: 4, next: [8n, 9n] })
    for (const [one, other] of [
      [1, 0],
      [0, 1],
    ] as const) {
      fill(0, enumerateReply.size, { [enumerateReply.nextCursor]: one, [enumerateReply.nextCursor + 8]: other })
      expect(decodePage(memory).next).toEqual([BigInt(one), BigInt(other)])
    }
    fill(0, enumerateReply.size, { [enumerateReply.nextCursor]: 0, [enumerateReply.nextCursor + 8]: 0 })
    expect(decodePage(memory).next).toBeUndefined()
  })

  test('to WAIT has events, each with what its type tells', () => {
    const { event, waitReply } = abi
    const types = [
      'inserted',
      'removed',
      'torn-down',
      'tracked',
      'cleanup',
      'volume-attached',
      'volume-detached',
      'dropped',
      'missed',
    ]
    fill(start, waitReply.size, { [waitReply.count]: types.length })
    let entry = firstEvent(start)
    expect(entry).toBe(start + waitReply.size)
    expect(decodeEventCount(memory, start)).toBe(9)
    const size = event.size + 8
    types.forEach((_, type) => {
      const flags = { [event.flags]: type % 2 }
      fill(entry, event.size, { ...flags, [event.eventSize]: size, [event.type]: type, [event.nameLength]: 8 })
      write(entry + event.size, 'name')
      setTime(entry + event.time, 134775)
      memory.setUint64(entry + event.age, 25_000)
      entry = nextEvent(memory, entry)
    })
    const time = { number: 8, time: 134775n * BigInt(day), date: new Date(86_400_000) }
    const context = { ...time, owner: 24n, instance: 32n, sequence: 40n, name: 'name' }
    const decoded = types.map((_, type) => decodeEvent(memory, firstEvent(start) + type * size))
    expect(decoded).toEqual([
      { type: 'inserted', ...context, nameTruncated: false, processId: 64 },
      { type: 'removed', ...context, nameTruncated: true, processId: 64, age: 2.5 },
      { type: 'torn-down', ...context, nameTruncated: false, age: 2.5 },
      { type: 'tracked', ...context, nameTruncated: true, processId: 64 },
      { type: 'cleanup', ...context, nameTruncated: false, processId: 64 },
      { type: 'volume-attached', ...time, name: 'name' },
      { type: 'volume-detached', ...time, name: 'name' },
      { type: 'dropped', ...time, count: 56 },
      { type: 'missed', ...time, owner: 24n, instance: 32n, rule: 40n, count: 56, processId: 64 },
    ])
  })

  test('to LIST_VOLUMES has every volume, and how many more there are', () => {
    const { volumeEntry, volumesReply } = abi
    const size = volumeEntry.size + 16
    fill(start, volumesReply.size, { [volumesReply.count]: 3, [volumesReply.remaining]: 6 })
    for (const index of [0, 1, 2]) {
      const entry = start + volumesReply.size + index * size
      const lengths = { [volumeEntry.deviceNameLength]: 8, [volumeEntry.fileSystemLength]: 6 }
      const said = {
        [volumeEntry.attachment]: index,
        [volumeEntry.status]: 0xc0000022,
        [volumeEntry.tearsDown]: index % 2,
      }
      fill(entry, volumeEntry.size, {
        ...lengths,
        ...said,
        [volumeEntry.entrySize]: size,
        [volumeEntry.deviceType]: 36,
      })
      write(entry + volumeEntry.size, 'disk', 'FAT')
    }
    const common = { number: 8n, device: 'disk', fileSystem: 'FAT', contexts: 16, bytes: 24, deviceType: 36 }
    const volumes: KnownVolume[] = []
    expect(decodeVolumes(memory, start, volumes)).toBe(6)
    expect(volumes).toEqual([
      { ...common, attachment: 'attached', tearsDown: false },
      { ...common, attachment: 'snapshot', tearsDown: true },
      { ...common, attachment: 'failed', tearsDown: false, status: 'STATUS_ACCESS_DENIED' },
    ])
  })

  test('to LIST_VOLUMES whose names go beyond their entry is refused', () => {
    const { volumeEntry, volumesReply } = abi
    fill(start, volumesReply.size, { [volumesReply.count]: 1 })
    for (const name of [volumeEntry.deviceNameLength, volumeEntry.fileSystemLength]) {
      const lengths = { [volumeEntry.deviceNameLength]: 8, [volumeEntry.fileSystemLength]: 8, [name]: 10 }
      fill(start + volumesReply.size, volumeEntry.size, {
        ...lengths,
        [volumeEntry.entrySize]: volumeEntry.size + 16,
      })
      expect(() => decodeVolumes(memory, start, [])).toThrow('The driver answered with a length that cannot be')
    }
  })

  test('to LIST or INSPECT whose names or counts go beyond their entry is refused', () => {
    const { inspectEntry, inspectReply, listEntry, listReply, tracked, tracking } = abi
    const malformed = 'The driver answered with a length that cannot be'
    const list = (size: number, kind: number) => {
      fill(start, listReply.size, { [listReply.count]: 1 })
      const numbers = { [listEntry.tracked]: kind, [listEntry.pool]: 0, [listEntry.lifetime]: 0 }
      fill(start + listReply.size, listEntry.size, {
        ...numbers,
        [listEntry.nameLength]: 8,
        [listEntry.entrySize]: size,
      })
      return () => decodeList(memory, start, [])
    }
    for (const [kind, counts] of [
      [tracked.no, 0],
      [tracked.counted, tracking.size],
    ] as const) {
      expect(list(listEntry.size + counts + 8, kind)).not.toThrow()
      expect(list(listEntry.size + counts, kind)).toThrow(malformed)
    }
    const inspect = (size: number) => {
      fill(0, inspectReply.size, { [inspectReply.count]: 1 })
      const numbers = { [inspectEntry.holder]: 0, [inspectEntry.ownerKind]: 0, [inspectEntry.entrySize]: size }
      const lengths = { [inspectEntry.moduleLength]: 8, [inspectEntry.ownerNameLength]: 8 }
      fill(inspectReply.size, inspectEntry.size, { ...numbers, ...lengths })
      return () => decodeInspection(memory)
    }
    expect(inspect(inspectEntry.size + 16)).not.toThrow()
    expect(inspect(inspectEntry.size + 8)).toThrow(malformed)
  })

  test('to INSPECT has every context, and of what is not there nothing', () => {
    const { inspectEntry, inspectReply } = abi
    const size = inspectEntry.size + 16
    fill(0, inspectReply.size, { [inspectReply.count]: 3, [inspectReply.remaining]: 1234 })
    expect(decodeNeeded(memory)).toBe(1234)
    for (const holder of [0, 1, 2]) {
      const entry = inspectReply.size + holder * size
      const [module, owner] = [holder === 1 ? 0 : 6, holder === 2 ? 0 : 8]
      const said = { [inspectEntry.holder]: holder, [inspectEntry.ownerKind]: holder }
      const lengths = { [inspectEntry.moduleLength]: module, [inspectEntry.ownerNameLength]: owner }
      const none = holder === 1 ? { [inspectEntry.instanceToken]: 0 } : {}
      fill(entry, inspectEntry.size, { ...lengths, ...said, ...none, [inspectEntry.entrySize]: size })
      write(entry + inspectEntry.size, ...(module === 0 ? [] : ['sys']), ...(owner === 0 ? [] : ['ownr']))
    }
    const ownerToken = '0000000000000020'
    const instanceToken = '0000000000000028'
    const own = { owner: 8n, instance: 16n, sequence: 24n }
    expect(decodeInspection(memory)).toEqual([
      {
        holder: 'self',
        ...own,
        module: 'sys',
        offset: 48,
        ownerKind: 'unknown',
        ownerName: 'ownr',
        ownerToken,
        instanceToken,
      },
      { holder: 'other-session', ownerKind: 'device', ownerName: 'ownr', ownerToken },
      { holder: 'other-filter', module: 'sys', offset: 48, ownerKind: 'driver', ownerToken, instanceToken },
    ])
  })

  test('to QUERY_STREAM has why it cannot, if it cannot', () => {
    const { streamReply } = abi
    const decode = (support: number) => {
      fill(start, streamReply.size, { [streamReply.support]: support, [streamReply.deviceType]: 12 })
      return decodeSupport(memory, start)
    }
    const told = { deviceType: 12, headerVersion: 16 }
    const reasons = [
      'not-a-file-system',
      'volume',
      'no-stream-context',
      'no-advanced-header',
      'no-filter-contexts',
      'list-not-initialized',
    ]
    expect(decode(0)).toEqual({ ...told, supported: true })
    expect(reasons.map((_, index) => decode(index + 1))).toEqual(
      reasons.map((reason) => ({ ...told, supported: false, reason })),
    )
    expect(() => decode(7)).toThrow(RangeError)
  })

  test('to QUERY_STATISTICS and QUERY_VERSION has every counter and every limit', () => {
    fill(start, abi.statisticsReply.size)
    expect(decodeStatistics(memory, start)).toEqual({
      session: {
        ...{ contexts: 8, pagedBytes: 16, nonPagedBytes: 24, inserted: 32, removed: 40, tornDown: 48, missed: 136 },
        ...{ pagedRecordBytes: 104, nonPagedRecordBytes: 112 },
      },
      total: {
        ...{
          contexts: 56,
          pagedBytes: 64,
          nonPagedBytes: 72,
          sessions: 80,
          attachedVolumes: 88,
          attachedFileSystems: 96,
        },
        ...{ pagedRecordBytes: 120, nonPagedRecordBytes: 128 },
      },
    })
    const { versionReply } = abi
    const odd = [
      versionReply.maximumDataLength,
      versionReply.maximumOwners,
      versionReply.maximumTransfer,
      versionReply.maximumSessions,
      versionReply.maximumWaits,
    ]
    fill(start, versionReply.size, {
      ...Object.fromEntries(odd.map((word) => [word, word])),
      [versionReply.driverVersion]: 0x81020003,
      [versionReply.front]: 1,
    })
    expect(decodeVersion(memory, start)).toEqual({
      ...{ version: '129.2.3', front: 'minifilter', session: 48n },
      limits: {
        ...{
          dataLength: 12,
          contexts: 16,
          owners: 20,
          pagedBytes: 24,
          nonPagedBytes: 32,
          batchOperations: 40,
          transfer: 44,
        },
        ...{ streamContexts: 56, sessions: 60, pagedRecordBytes: 64, nonPagedRecordBytes: 72, readers: 80, waits: 84 },
      },
    })
  })

  test('whose record is too short, too long for its memory, or of an odd length is refused', () => {
    const { event } = abi
    const decode = (size: number, offset = start) => {
      fill(offset, 40, { [event.eventSize]: size, [event.type]: 7 })
      return () => decodeEvent(memory, offset)
    }
    expect(decode(event.size)).not.toThrow()
    expect(decode(event.size, 2048 - event.size)).not.toThrow()
    for (const action of [decode(event.size - 8), decode(event.size + 4), decode(event.size + 8, 2048 - event.size)]) {
      expect(action).toThrow('The driver answered with a length that cannot be')
    }
  })
})

test('a name is read anew wherever it is another one, however like the one before it is', () => {
  write(62, 'zab')
  for (const [bytes, offset, name] of [
    ['ab', 80, 'ab'],
    ['az', 96, 'az'],
    ['zb', 112, 'zb'],
    ['baz', 128, 'az'],
    ['abc', 144, 'abc'],
  ] as const) {
    memory.forget()
    expect(memory.name(64, 4)).toBe('ab')
    write(offset, bytes)
    expect(memory.name(offset + 2 * (bytes.length - name.length), 2 * name.length)).toBe(name)
  }
})

describe('memory', () => {
  test.each([3, 64, 65])('that becomes %i bytes of data is as it was behind them', (length) => {
    memory.bytes.fill(0xee)
    memory.setBytes(start, Buffer.alloc(length, 1), length)
    expect(memory.bytes.subarray(start - 1, start + length + 1)).toEqual(
      Buffer.from([0xee, ...Buffer.alloc(length, 1), 0xee]),
    )
  })

  test.each([8, 72])('has %i bytes of data up to its end, and none behind it', (length) => {
    memory.bytes.fill(7)
    expect(memory.data(2048 - length, length)).toEqual(Buffer.alloc(length, 7))
    expect(() => memory.data(2048 - length + 4, length)).toThrow('The driver answered with a length that cannot be')
  })

  test('has a name that is the one before only while that is there', () => {
    write(start, 'one')
    write(start + 8, 'one')
    write(start + 16, 'two')
    expect([0, 0, 8, 16, 16].map((offset) => memory.name(start + offset, 6))).toEqual([
      'one',
      'one',
      'one',
      'two',
      'two',
    ])
    write(start + 16, 'new')
    memory.forget()
    expect(memory.name(start + 16, 6)).toBe('new')
  })
})
