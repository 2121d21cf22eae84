/**
 * The contract with the driver as `driver/include/psctx/abi.h` has it: numbers, and where each member of a record lies.
 * A test holds every value against the compiled header.
 */

export const version = { abi: 3 } as const

export const operation = {
  queryVersion: 0,
  queryStatistics: 1,
  queryStream: 2,
  insert: 3,
  lookup: 4,
  remove: 5,
  removeAll: 6,
  list: 7,
  batch: 8,
  lookupBatch: 9,
  track: 10,
  untrack: 11,
  subscribe: 12,
  wait: 13,
  enumerate: 14,
  listVolumes: 15,
  inspect: 16,
  queryRule: 17,
} as const

/** Limits that do not depend on the driver. */
export const limits = {
  dataLength: 65536,
  batchOperations: 4096,
  transfer: 1 << 20,
  patternLength: 2048,
  rules: 64,
  readers: 16,
  minimumEventCapacity: 256 << 10,
  maximumEventCapacity: 16 << 20,
} as const

export const support = {
  yes: 0,
  notAFileSystem: 1,
  volume: 2,
  noStreamContext: 3,
  noAdvancedHeader: 4,
  noFilterContexts: 5,
  listNotInitialized: 6,
} as const

export const ifExists = { fail: 0, keep: 1, replace: 2, add: 3 } as const

export const pool = { paged: 0, nonpaged: 1 } as const

export const lifetime = { session: 0, stream: 1 } as const

export const match = { instance: 0, owner: 1, first: 2 } as const

export const outcome = { inserted: 0, kept: 1, replaced: 2, added: 3 } as const

export const holder = { self: 0, otherSession: 1, otherFilter: 2 } as const

export const tracked = { no: 0, yes: 1, counted: 2 } as const

export const trackFlags = { count: 1 } as const

export const eventType = {
  inserted: 0,
  removed: 1,
  tornDown: 2,
  tracked: 3,
  cleanup: 4,
  volumeAttached: 5,
  volumeDetached: 6,
  dropped: 7,
  missed: 8,
} as const

export const nameFlags = { truncated: 1 } as const

export const front = { legacy: 0, minifilter: 1 } as const

export const attachment = { yes: 0, snapshot: 1, failed: 2 } as const

export const ownerKind = { unknown: 0, device: 1, driver: 2 } as const

/** Sizes of the fixed parts of the records, and offsets of their members, in bytes. */
export const header = { size: 8, bufferSize: 0, version: 4, operation: 6 } as const

export const streamRequest = { size: 16, handle: 8 } as const

export const insertRequest = {
  size: 48,
  handle: 8,
  ownerKey: 16,
  instance: 24,
  ifExists: 32,
  pool: 36,
  lifetime: 40,
  dataLength: 44,
} as const

export const matchRequest = { size: 40, handle: 8, ownerKey: 16, instance: 24, match: 32, reserved: 36 } as const

export const listRequest = { size: 24, handle: 8, before: 16 } as const

export const batchRequest = { size: 16, count: 8, replyCapacity: 12 } as const

export const trackRequest = {
  size: 40,
  ownerKey: 8,
  instance: 16,
  volumeHandle: 24,
  patternLength: 32,
  flags: 36,
} as const

export const subscribeRequest = { size: 24, session: 8, types: 16, capacity: 20 } as const

export const enumerateRequest = { size: 32, volumeHandle: 8, cursor: 16 } as const

export const volumesRequest = { size: 16, after: 8 } as const

export const versionReply = {
  size: 96,
  driverVersion: 8,
  maximumDataLength: 12,
  maximumContexts: 16,
  maximumOwners: 20,
  maximumPagedBytes: 24,
  maximumNonPagedBytes: 32,
  maximumBatchOperations: 40,
  maximumTransfer: 44,
  session: 48,
  maximumStreamContexts: 56,
  maximumSessions: 60,
  maximumPagedRecordBytes: 64,
  maximumNonPagedRecordBytes: 72,
  maximumReaders: 80,
  maximumWaits: 84,
  front: 88,
} as const

export const statisticsReply = {
  size: 144,
  sessionContexts: 8,
  sessionPagedBytes: 16,
  sessionNonPagedBytes: 24,
  sessionInserted: 32,
  sessionRemoved: 40,
  sessionTornDown: 48,
  totalContexts: 56,
  totalPagedBytes: 64,
  totalNonPagedBytes: 72,
  totalSessions: 80,
  attachedVolumes: 88,
  attachedFileSystems: 96,
  sessionPagedRecordBytes: 104,
  sessionNonPagedRecordBytes: 112,
  totalPagedRecordBytes: 120,
  totalNonPagedRecordBytes: 128,
  sessionMissed: 136,
} as const

export const streamReply = { size: 24, support: 8, deviceType: 12, headerVersion: 16 } as const

export const insertReply = { size: 24, outcome: 8, sequence: 16 } as const

export const contextReply = {
  size: 48,
  ownerKey: 8,
  instance: 16,
  sequence: 24,
  holder: 32,
  pool: 36,
  lifetime: 40,
  dataLength: 44,
} as const

export const countReply = { size: 16, count: 8 } as const

export const listReply = { size: 24, count: 8, remaining: 12, nextSize: 16 } as const

export const listEntry = {
  size: 64,
  entrySize: 0,
  nameLength: 4,
  ownerKey: 8,
  instance: 16,
  sequence: 24,
  pool: 32,
  lifetime: 36,
  dataLength: 40,
  tracked: 44,
  inserted: 48,
  flags: 56,
} as const

export const tracking = {
  size: 64,
  opens: 0,
  cleanups: 8,
  reads: 16,
  writes: 24,
  bytesRead: 32,
  bytesWritten: 40,
  firstProcessId: 48,
  lastProcessId: 56,
} as const

export const batchReply = { size: 16, count: 8, failed: 12 } as const

export const batchResult = { size: 8, status: 0, replySize: 4 } as const

export const ruleRecord = { size: 16, rule: 8 } as const

export const ruleReply = { size: 32, matched: 8, inserted: 16, missed: 24 } as const

export const waitReply = { size: 16, count: 8 } as const

export const event = {
  size: 80,
  eventSize: 0,
  type: 4,
  number: 8,
  time: 16,
  ownerKey: 24,
  instance: 32,
  sequence: 40,
  age: 48,
  count: 56,
  processId: 64,
  nameLength: 72,
  flags: 76,
} as const

export const enumerateReply = { size: 32, nextCursor: 8, count: 24, nextSize: 28 } as const

export const volumesReply = { size: 24, count: 8, remaining: 12, nextSize: 16 } as const

export const volumeEntry = {
  size: 56,
  entrySize: 0,
  attachment: 4,
  number: 8,
  contexts: 16,
  bytes: 24,
  status: 32,
  deviceType: 36,
  tearsDown: 40,
  deviceNameLength: 48,
  fileSystemLength: 52,
} as const

export const inspectReply = { size: 16, count: 8, remaining: 12 } as const

export const inspectEntry = {
  size: 72,
  entrySize: 0,
  holder: 4,
  ownerKey: 8,
  instance: 16,
  sequence: 24,
  ownerToken: 32,
  instanceToken: 40,
  callbackOffset: 48,
  dataLength: 56,
  ownerKind: 60,
  moduleLength: 64,
  ownerNameLength: 68,
} as const
