/** The model on the memory volume. */
import { memoryVolume } from '../contract/volume'

import { checkModel } from './run'

test('the memory volume does what the reference does, whatever the program', async () => {
  await checkModel('memory', memoryVolume(), 20, 1500)
}, 3_600_000)
