/** The contract on the embedded kernel's in-memory volume, by either front. */
import { describeContract } from './contract'
import { memoryVolume } from './volume'

describeContract('a memory volume', () => memoryVolume())
describeContract('a memory volume, by the minifilter', () => memoryVolume('minifilter'))
