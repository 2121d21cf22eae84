/** Records of NtQueryInformationFile and NtSetInformationFile, as the kernel of a 64-bit machine takes them. */

/** FILE_INFORMATION_CLASS. */
export const fileInformation = {
  basic: 4,
  standard: 5,
  internal: 6,
  rename: 10,
  link: 11,
  disposition: 13,
  endOfFile: 20,
} as const

/** FILE_STANDARD_INFORMATION. */
export const standardSize = 24
const endOfFile = 8

/** FILE_INTERNAL_INFORMATION. */
export const internalSize = 8

/** FILE_RENAME_INFORMATION, and FILE_LINK_INFORMATION, which is the same. */
const nameLength = 16
const name = 20

/** How many bytes the file has. */
export function decodeEndOfFile(record: Buffer): number {
  return Number(record.readBigInt64LE(endOfFile))
}

/** The number of the file on its volume, which all its streams and hard links share. */
export function decodeIndexNumber(record: Buffer): bigint {
  return record.readBigUInt64LE()
}

export function encodeDisposition(deleteFile: boolean): Uint8Array {
  return Uint8Array.of(Number(deleteFile))
}

/** `path` is a namespace path: the object manager has both namespaces in its directory `\??`. */
export function encodeName(path: string, replaceIfExists: boolean): Uint8Array {
  const target = Buffer.from(path.replace(/^\\\\[?.]\\/, '\\??\\'), 'utf16le')
  const record = Buffer.alloc(Math.max(24, name + target.length))
  record.writeUInt8(Number(replaceIfExists))
  record.writeUInt32LE(target.length, nameLength)
  record.set(target, name)
  return record
}

/** FILE_BASIC_INFORMATION. Times that are zero stay as they are. */
const basicSize = 40
const attributes = 32
const attributeReadOnly = 0x1
const attributeNormal = 0x80

export function encodeReadOnly(readOnly: boolean): Uint8Array {
  const record = Buffer.alloc(basicSize)
  record.writeUInt32LE(readOnly ? attributeReadOnly : attributeNormal, attributes)
  return record
}

/** FILE_END_OF_FILE_INFORMATION. */
export function encodeEndOfFile(bytes: number): Uint8Array {
  const record = Buffer.alloc(8)
  record.writeBigInt64LE(BigInt(bytes))
  return record
}
