/**
 * The contract in the system's own kernel: psctx.sys as it is shipped, over hostfs.sys, through psctx.node and DeviceIoControl.
 *
 * Under Wine some things do not happen, and are shown elsewhere:
 * - the cleanup IRP, fast I/O and IRQL: test/driver and test/host, in the embedded kernel;
 * - requests whose buffers or handles go away meanwhile, and user pointers (METHOD_BUFFERED has none): test/driver, test/fuzz;
 * - the rules for names: a file of hostfs.sys is a device of its own, so that they are the object manager's; those of a file system, and
 *   creates that it refuses, are shown by the contract in the embedded kernel;
 * - races inside the driver (one thread sends all requests): test/driver, with and without ThreadSanitizer.
 */
import { describeContract } from '../contract/contract'

import { windowsVolume } from './volume'

describeContract('a volume of hostfs.sys', windowsVolume, ['long paths', 'name rules', 'drive letter'])
