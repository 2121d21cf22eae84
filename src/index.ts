/** Per-stream contexts of Windows file systems, from Node.js. */
export { Batch, type BatchOptions, type BatchResult } from './batch'
export type {
  ContextIdentity,
  FirstContext,
  Identifier,
  Insertion,
  InsertionResult,
  Lifetime,
  ListedContext,
  Pool,
  StreamContext,
  StreamSupport,
  UnsupportedReason,
} from './context'
export { PerStreamContextError, type PerStreamContextErrorInit, type StatusName } from './errors'
export {
  Filter,
  openFilter,
  type FilterLimits,
  type FilterOptions,
  type FilterStatistics,
  type KernelName,
  type VolumeDefinition,
} from './filter'
export { HostFile, HostKernel, type HostAudit, type HostOpenOptions } from './host'
export { Stream } from './stream'
