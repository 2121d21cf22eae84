/** QUERY_STREAM: whether a stream can carry per-stream contexts. */
import * as abi from '../abi'

import { encodeStreamHeader } from './header'
import { type Memory, nameOf } from './memory'

/** Why a stream cannot carry per-stream contexts. */
export type UnsupportedReason =
  /** A pipe, a socket or another driver's device: no file system's file. */
  | 'not-a-file-system'
  /** The volume or the file system itself is open, not a file stream. */
  | 'volume'
  /** The file system set no stream context. */
  | 'no-stream-context'
  /** The file system's stream context has no `FSRTL_ADVANCED_FCB_HEADER`. */
  | 'no-advanced-header'
  /** The file system does not let filters attach contexts to this stream, as with a paging file. */
  | 'no-filter-contexts'
  /** The file system says that filters may, and has not set the list of contexts up: a defect of its own. */
  | 'list-not-initialized'

/**
 * Whether a stream can carry per-stream contexts, and if not, why. The answer for one stream says nothing of another.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-fsrtlsupportsperstreamcontexts | FsRtlSupportsPerStreamContexts}
 */
export type StreamSupport = {
  /** `FILE_DEVICE_*` of the device that the stream belongs to. */
  readonly deviceType: number
  /** `FSRTL_FCB_HEADER_V*` of the stream's header; 0 where there is none. */
  readonly headerVersion: number
} & (
  | {
      /** It can. */
      readonly supported: true
      /** Nothing stands in the way. */
      readonly reason?: undefined
    }
  | {
      /** It cannot. */
      readonly supported: false
      /** Why not. */
      readonly reason: UnsupportedReason
    }
)

const reasons: readonly (UnsupportedReason | undefined)[] = [
  undefined,
  'not-a-file-system',
  'volume',
  'no-stream-context',
  'no-advanced-header',
  'no-filter-contexts',
  'list-not-initialized',
]

export function encodeStreamRequest(memory: Memory, operation: number, low: number, high: number): void {
  encodeStreamHeader(memory, 0, operation, abi.streamRequest.size, low, high)
}

export function decodeSupport(memory: Memory, offset: number): StreamSupport {
  const reason = nameOf(reasons, memory.uint32(offset + abi.streamReply.support))
  const deviceType = memory.uint32(offset + abi.streamReply.deviceType)
  const headerVersion = memory.uint32(offset + abi.streamReply.headerVersion)
  return reason === undefined
    ? { supported: true, deviceType, headerVersion }
    : { supported: false, reason, deviceType, headerVersion }
}
