/** The checks on a real NTFS volume, which ntfs-3g mounts and the embedded kernel serves. */
import { readdirSync } from 'node:fs'

import { conformanceChecks } from '../../src/conformance'
import { ntfsObstacle } from '../../src/ntfs-image'
import { ntfsVolume } from '../contract/volume'

import { collect, idsOf } from './run'

/** What cannot be judged there, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'support.volume': 'the driver refuses volumes by itself: the check tells what is there',
  'support.sparse-file':
    'FSCTL_SET_SPARSE has nothing that it could set by ntfs-3g: the embedded kernel’s directories refuse it',
  'support.compressed-file': 'likewise FSCTL_SET_COMPRESSION',
  'support.open-by-id': 'a directory of Linux opens no file by its number',
  'support.paging-file': 'the volume has none',
  'identity.open-by-id': 'a directory of Linux opens no file by its number',
  'survival.security': 'ntfs-3g shows no security descriptors unless users are mapped',
}

const obstacle = ntfsObstacle()

if (obstacle !== undefined) {
  if (process.env['CI']) throw new Error(`The NTFS volume must be tested in continuous integration: ${obstacle}`)
  describe.skip(`an NTFS volume (${obstacle})`, () => {
    test('is not mounted', () => undefined)
  })
} else {
  test('an NTFS volume passes every check but those that cannot judge it, and is left empty', async () => {
    const volume = ntfsVolume()
    try {
      const filter = volume.open()
      try {
        const results = await collect('N:\\', { filter, dismount: true })
        expect(idsOf(results, 'fail')).toEqual([])
        const unjudged = [...idsOf(results, 'information'), ...idsOf(results, 'not-supported')]
        expect(unjudged.sort()).toEqual(Object.keys(exceptions).sort())
        expect(results.size).toBe(conformanceChecks.length - 1) // without the load
        expect(readdirSync(volume.mountPoint)).toEqual([])
      } finally {
        filter.close()
      }
    } finally {
      volume.dispose()
    }
  }, 60_000)
}
