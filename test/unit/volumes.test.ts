/** How the list of volumes is put together, from a kernel that tells it in pages. */
import * as abi from '../../src/abi'
import { Memory } from '../../src/codec/memory'
import type { Volume } from '../../src/codec/volumes'
import { statusOf } from '../../src/errors'
import { layout, type NativeSession } from '../../src/native'
import { Session } from '../../src/session'
import { listVolumes } from '../../src/volumes'

import { failureOf } from './failures'

const { volumeEntry, volumesReply, volumesRequest } = abi
const noSuchDrive = statusOf('STATUS_OBJECT_NAME_NOT_FOUND') | 0

/** A kernel that has these devices, tells so many of them at a time, and maps drives to them. */
function list(devices: readonly string[], pageLength: number, drives: Record<string, string | number>) {
  const asked: bigint[] = []
  const buffer = new ArrayBuffer(layout.reply + layout.replyLength)
  const memory = new Memory(buffer)
  const listVolumesOf = () => {
    const after = memory.uint64(volumesRequest.after)
    asked.push(after)
    const page = devices.slice(Number(after), Number(after) + pageLength)
    let entry: number = layout.reply + volumesReply.size
    memory.bytes.fill(0, layout.reply)
    page.forEach((device, index) => {
      const size = Math.ceil((volumeEntry.size + 2 * device.length) / 8) * 8
      memory.setUint32(entry + volumeEntry.entrySize, size)
      memory.setUint64(entry + volumeEntry.number, after + BigInt(index + 1))
      memory.setUint32(entry + volumeEntry.deviceNameLength, 2 * device.length)
      memory.bytes.set(Buffer.from(device, 'utf16le'), entry + volumeEntry.size)
      entry += size
    })
    memory.setUint32(layout.reply + volumesReply.count, page.length)
    memory.setUint32(layout.reply + volumesReply.remaining, devices.length - Number(after) - page.length)
    return entry - layout.reply
  }
  const native = {
    memory: buffer,
    listVolumes: listVolumesOf,
    queryDrive: (letter: string) => drives[letter] ?? noSuchDrive,
    closeHandle: () => undefined,
  } as unknown as NativeSession
  const volumes: Volume[] = listVolumes(new Session(native))
  return { asked, told: volumes.map(({ number, device, mountPoints }) => ({ number, device, mountPoints })) }
}

const devices = ['\\Device\\Volume1', '\\Device\\Volume2', '\\Device\\Volume3']

test('volumes that do not fit into one reply are asked for page by page, each behind the last one told', () => {
  const { asked, told } = list(devices, 2, {})
  expect(told.map(({ number, device }) => [number, device])).toEqual([
    [1n, devices[0]],
    [2n, devices[1]],
    [3n, devices[2]],
  ])
  expect(asked).toEqual([0n, 2n])
  expect(list(devices, 1, {}).asked).toEqual([0n, 1n, 2n])
  expect(list(devices, 3, {}).asked).toEqual([0n])
})

test('a kernel that says that there is more, and tells none, is not asked for ever', () => {
  expect(list(devices, 0, {})).toEqual({ asked: [0n], told: [] })
})

test('a volume has every drive that leads to it, whatever the case of its name, and no other', () => {
  const { told } = list(devices, 3, {
    A: '\\device\\volume2',
    C: '\\Device\\Volume1',
    Z: '\\Device\\Volume2',
    X: '\\Device\\Other',
  })
  expect(told.map(({ mountPoints }) => mountPoints)).toEqual([['C:'], ['A:', 'Z:'], []])
})

test('a drive that cannot be asked for fails the list', () => {
  const error = failureOf(() => list(devices, 3, { D: statusOf('STATUS_ACCESS_DENIED') | 0 }))
  expect(error).toMatchObject({ code: 'STATUS_ACCESS_DENIED', operation: 'volumes' })
})
