/**
 * Per-stream contexts of Windows file systems, from Node.js.
 *
 * @module per-stream-context
 */
export { Batch, type BatchOptions, type BatchResult } from './batch'
export type { FirstContext, StreamContext } from './codec/context'
export type {
  CleanupEvent,
  DroppedEvent,
  EventType,
  FilterEvent,
  FilterEventOf,
  InsertedEvent,
  MissedEvent,
  RemovedEvent,
  TornDownEvent,
  TrackedEvent,
  VolumeEvent,
} from './codec/events'
export type { Insertion, InsertionResult } from './codec/insert'
export type { InspectedContext, OtherInspectedContext, OwnerKind, OwnInspectedContext } from './codec/inspect'
export type { ListedContext, TrackingCounters } from './codec/list'
export type { RemoveAllOptions } from './codec/match'
export type { FilterStatistics } from './codec/statistics'
export type { StreamSupport, UnsupportedReason } from './codec/support'
export type { TrackingStatistics } from './codec/track'
export type { FilterLimits, Front } from './codec/version'
export type { Volume, VolumeAttachment } from './codec/volumes'
export type { ContextIdentity, Holder, Identifier, Lifetime, Pool } from './context'
export type { EnumerationOptions } from './enumeration'
export {
  PerStreamContextError,
  type ArgumentError,
  type PerStreamContextErrorInit,
  type StatusCode,
  type StatusName,
} from './errors'
export type { EventOptions, FilterEvents } from './events'
export {
  Filter,
  openFilter,
  type FilterOptions,
  type KernelName,
  type OpenStreamOptions,
  type VolumeDefinition,
} from './filter'
export { Files, HostFile, HostSection, type HostOpenOptions, type HostRenameOptions } from './files'
export { HostKernel, type HostAudit } from './host'
export { jsonReplacer, jsonReviver } from './json/replacer'
export type { MinifilterInstance } from './minifilters'
export type { ClosableIterator } from './paging'
export { Stream } from './stream'
export { volumeFaults, type VolumeFault } from './volume-fault'
export { TrackingRule, type TrackingOptions } from './tracking'
/** For this package's own rooms: how every part of it checks its arguments. @internal */
export { checkBoolean, checkBytes, checkIdentifier, checkInteger, checkOptions, checkSignal } from './arguments'
/** @internal */
export { typeError, valueError } from './errors'
/** @internal */
export { optionsOf } from './filter'
/** @internal */
export { abortError } from './paging'
