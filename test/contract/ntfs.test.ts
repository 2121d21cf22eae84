/** The contract on a real NTFS volume, by either front. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { ntfsObstacle } from '../../src/ntfs-image'

import { describeContract } from './contract'
import { ntfsVolume } from './volume'

const obstacle = ntfsObstacle()

if (obstacle !== undefined) {
  if (process.env['CI']) throw new Error(`The NTFS volume must be tested in continuous integration: ${obstacle}`)
  describe.skip(`an NTFS volume (${obstacle})`, () => {
    test('is not mounted', () => undefined)
  })
} else {
  describeContract('an NTFS volume', () => ntfsVolume(), ['paging file'])
  describeContract('an NTFS volume, by the minifilter', () => ntfsVolume('minifilter'), ['paging file'])

  describe('the streams of an NTFS volume', () => {
    let volume: ReturnType<typeof ntfsVolume>
    beforeAll(() => {
      volume = ntfsVolume()
    })
    afterAll(() => volume.dispose())

    test('are those that the file system driver of the machine shows', () => {
      writeFileSync(join(volume.mountPoint, 'outside.txt'), 'default')
      writeFileSync(join(volume.mountPoint, 'outside.txt:notes'), 'named')
      const filter = volume.open()
      try {
        const stream = filter.openStream('N:\\outside.txt:notes')
        stream.insert({ data: Buffer.from('seen') })
        expect(stream.lookup()?.data.toString()).toBe('seen')
        expect(filter.host!.readFile('N:\\outside.txt:notes').toString()).toBe('named')
        filter.host!.writeFile('N:\\inside.txt:notes', Buffer.from('written through the embedded kernel'))
      } finally {
        filter.close()
      }
      expect(readFileSync(join(volume.mountPoint, 'inside.txt:notes'), 'utf8')).toBe(
        'written through the embedded kernel',
      )
    })

    test('are found by a descriptor of the machine, each for itself', () => {
      const path = join(volume.mountPoint, 'open.txt')
      const names = [path, `${path}:notes`, `${path}:other`]
      for (const name of names) writeFileSync(name, 'content')
      const filter = volume.open()
      try {
        for (const name of names) {
          const descriptor = openSync(name, 'r')
          const stream = filter.stream(descriptor)
          closeSync(descriptor)
          stream.insert({ data: Buffer.from(name) })
          expect(stream.path).toBe(name.replace(`${volume.mountPoint}/`, 'N:\\'))
          expect(filter.openStream(stream.path).contexts()).toHaveLength(1)
          expect(stream.lookup()?.data.toString()).toBe(name)
        }
      } finally {
        filter.close()
      }
    })

    test('lie on a file system of type fuseblk or fuse, not in a plain directory', () => {
      const mounts = execFileSync('cat', ['/proc/mounts'], { encoding: 'utf8' })
      const line = mounts.split('\n').find((mount) => mount.split(' ')[1] === volume.mountPoint)
      expect(line?.split(' ')[2]).toMatch(/^fuse/)
    })
  })
}
