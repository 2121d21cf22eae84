/** The model on a real NTFS volume. */
import { ntfsObstacle } from '../../src/ntfs-image'
import { ntfsVolume } from '../contract/volume'

import { checkModel } from './run'

const obstacle = ntfsObstacle()

if (obstacle !== undefined) {
  if (process.env['CI']) throw new Error(`The NTFS volume must be tested in continuous integration: ${obstacle}`)
  test.skip(`an NTFS volume does what the reference does (${obstacle})`, () => undefined)
} else {
  test('an NTFS volume does what the reference does, whatever the program', async () => {
    const volume = ntfsVolume()
    try {
      await checkModel('ntfs', volume, 10, 1000)
    } finally {
      volume.dispose()
    }
  }, 3_600_000)
}
