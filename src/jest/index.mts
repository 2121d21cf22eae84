/** The same for ES modules, which alone can import Vitest: one implementation, whichever way a program came by it. */
import type { StreamMatchers } from './index.js'

export * from './index.js'

/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-empty-object-type -- nobody knows whether it is installed */
/** @ts-ignore where Vitest is not installed */
declare module 'vitest' {
  interface AsymmetricMatchersContaining extends StreamMatchers {}
}
