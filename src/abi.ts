/**
 * The contract with the driver as `driver/include/psctx/abi.h` has it: numbers, and where each member of a reply lies.
 * A test holds every value against the compiled header.
 */

/** Limits that do not depend on the driver. */
export const limits = {
  dataLength: 65536,
  batchOperations: 4096,
  transfer: 1 << 20,
} as const

export const support = {
  yes: 0,
  notAFileSystem: 1,
  volume: 2,
  noStreamContext: 3,
  noAdvancedHeader: 4,
  noFilterContexts: 5,
} as const

export const ifExists = { fail: 0, keep: 1, replace: 2, add: 3 } as const

export const pool = { paged: 0, nonpaged: 1 } as const

export const lifetime = { session: 0, stream: 1 } as const

export const outcome = { inserted: 0, kept: 1, replaced: 2, added: 3 } as const

export const holder = { self: 0, otherSession: 1, otherFilter: 2 } as const

/** Sizes of the fixed parts of the records, and offsets of their members, in bytes. */
export const versionReply = {
  size: 48,
  driverVersion: 8,
  maximumDataLength: 12,
  maximumContexts: 16,
  maximumOwners: 20,
  maximumPagedBytes: 24,
  maximumNonPagedBytes: 32,
  maximumBatchOperations: 40,
  maximumTransfer: 44,
} as const

export const statisticsReply = {
  size: 104,
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
  size: 48,
  entrySize: 0,
  nameLength: 4,
  ownerKey: 8,
  instance: 16,
  sequence: 24,
  pool: 32,
  lifetime: 36,
  dataLength: 40,
} as const

export const batchReply = { size: 16, count: 8, failed: 12 } as const

export const batchResult = { size: 8, status: 0, replySize: 4 } as const
