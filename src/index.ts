/** Per-stream contexts of Windows file systems, from Node.js. */
export { Batch, type BatchOptions, type BatchResult } from './batch'
export type {
  ContextIdentity,
  FirstContext,
  Identifier,
  Insertion,
  InsertionResult,
  InspectedContext,
  Lifetime,
  ListedContext,
  OwnerKind,
  Pool,
  StreamContext,
  StreamSupport,
  TrackingCounters,
  UnsupportedReason,
} from './context'
export type { EnumerationOptions } from './enumeration'
export { PerStreamContextError, type PerStreamContextErrorInit, type StatusName } from './errors'
export type {
  CleanupEvent,
  DroppedEvent,
  EventOptions,
  EventType,
  FilterEvent,
  FilterEventOf,
  FilterEvents,
  InsertedEvent,
  MissedEvent,
  RemovedEvent,
  TornDownEvent,
  TrackedEvent,
  VolumeEvent,
} from './events'
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
export type { ClosableIterator } from './paging'
export { Stream } from './stream'
export { TrackingRule, type TrackingOptions, type TrackingStatistics } from './tracking'
export type { Volume, VolumeAttachment } from './volumes'
