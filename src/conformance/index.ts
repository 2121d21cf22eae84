/** Whether a file system keeps its promises to filters: one check after another, on any mounted volume. */
export {
  conformance,
  conformanceChecks,
  type ConformanceCheck,
  type ConformanceOptions,
  type ConformanceProgress,
  type ConformanceResult,
} from './conformance'
export type { Ending, Request, Verdict } from './check'
