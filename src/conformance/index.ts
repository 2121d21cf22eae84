/**
 * Whether a file system keeps its promises to filters: one check after another, on any mounted volume.
 *
 * @module per-stream-context/conformance
 */
export type { Request } from './check'
export type { Ending, Verdict } from './judgement'
export {
  conformance,
  conformanceChecks,
  type ConformanceCheck,
  type ConformanceOptions,
  type ConformanceProgress,
  type ConformanceResult,
} from './conformance'
export { describeConformance, type ConformanceRunner, type DescribeConformanceOptions } from './describe'
export {
  markdownHead,
  toJsonLine,
  toJUnit,
  toMarkdown,
  toTap,
  type ConformanceLine,
  type ConformanceResultLine,
  type ConformanceSummaryLine,
} from './formats'
export {
  conformanceEnvironment,
  summarize,
  type ConformanceCounts,
  type ConformanceEnvironment,
  type ConformanceSummary,
} from './summary'
