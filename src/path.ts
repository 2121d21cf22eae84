/** Turns the path that a caller gives into one of the Win32 namespaces `\\?\` and `\\.\`, in which nothing is changed on the way. */
import { win32 } from 'node:path'

import { checkString } from './arguments'
import { PerStreamContextError, statusOf, type StatusName } from './errors'

const maximumLength = 32767

/**
 * The namespace path of `path`: a drive's volume (`M:`), a full path (`M:\directory\file:stream`), a network path, or a
 * namespace path as it is. On Windows a relative path is one from the current directory.
 *
 * Throws `STATUS_OBJECT_NAME_INVALID`, `STATUS_OBJECT_PATH_SYNTAX_BAD`, `STATUS_NAME_TOO_LONG`, or a `TypeError`.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/fileio/naming-a-file | Naming files, paths and namespaces}
 */
export function toNamespacePath(path: unknown, operation: string, argument = 'path'): string {
  checkString(path, argument, operation)

  const failure = (name: StatusName): PerStreamContextError =>
    new PerStreamContextError({ status: statusOf(name), operation, path })
  if (path === '' || path.includes('\0')) throw failure('STATUS_OBJECT_NAME_INVALID')
  if (path.length > maximumLength) throw failure('STATUS_NAME_TOO_LONG')

  let result: string
  if (/^\\\\[?.]\\/.test(path)) {
    result = path
  } else if (/^[A-Za-z]:$/.test(path)) {
    result = `\\\\.\\${path}`
  } else if (process.platform === 'win32' || /^(?:[A-Za-z]:[\\/]|\\\\[^\\/])/.test(path)) {
    const trailing = /[\\/]$/.test(path)
    const full = win32.toNamespacedPath(win32.resolve(path))
    result = trailing && !full.endsWith('\\') ? `${full}\\` : full
  } else {
    throw failure('STATUS_OBJECT_PATH_SYNTAX_BAD')
  }
  if (result.length > maximumLength) throw failure('STATUS_NAME_TOO_LONG')
  return result
}
