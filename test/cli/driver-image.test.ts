/** Which machine a driver's image is for, told by its headers, whatever the file is. */
import { imageFront, imageMachine, machineName } from '../../src/cli/driver-image'
import { makeImage } from './machine'

test.each([
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
  [0x14c, 'ia32'],
  [0x1c4, 'machine 0x1c4'],
])('machine 0x%p is %s', (machine, name) => {
  expect(machineName(machine)).toBe(name)
  expect(imageMachine(makeImage({ machine }))).toBe(name)
})

test('an image that is cut off anywhere in its headers is none', () => {
  const image = makeImage()
  const subsystemEnd = 0x80 + 24 + 68 + 2
  for (let length = 0; length < subsystemEnd; length += 1) {
    expect(imageMachine(image.subarray(0, length))).toBeUndefined()
  }
  expect(imageMachine(image.subarray(0, subsystemEnd))).toBe('x64')
})

test.each([
  ['no MZ', 0],
  ['no PE signature', 0x80],
  ['its headers beyond its end', 0x3f],
])('a file with %s is none', (_, offset) => {
  const image = makeImage()
  image.writeUInt8(0xff, offset)
  expect(imageMachine(image)).toBeUndefined()
})

test.each([
  ['a minifilter, which imports from Filter Manager', '\0FLTMGR.SYS\0ntoskrnl.exe\0', 'minifilter'],
  ['a legacy filter', '\0ntoskrnl.exe\0HAL.dll\0', 'legacy'],
])('an image is that of %s', (_, tail, front) => {
  expect(imageFront(makeImage({ tail }))).toBe(front)
})
