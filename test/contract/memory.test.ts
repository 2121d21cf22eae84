/** The contract on the embedded kernel's in-memory volume. */
import { describeContract } from './contract'
import { memoryVolume } from './volume'

describeContract('a memory volume', memoryVolume)
