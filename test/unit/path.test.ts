/** Which paths are taken, and what becomes of them. */
import { PerStreamContextError } from '../../src/index'
import { toNamespacePath } from '../../src/path'

import { where } from './platform'

/** The code of the error that a path is refused with. */
function codeOf(path: unknown): string {
  try {
    toNamespacePath(path, 'open')
  } catch (error) {
    if (error instanceof PerStreamContextError) return error.code
    if (error instanceof TypeError && 'code' in error) return String(error.code)
    throw error
  }
  throw new Error('nothing was thrown')
}

test.each([
  ['M:', '\\\\.\\M:'],
  ['M:\\', '\\\\?\\M:\\'],
  ['M:\\a.txt', '\\\\?\\M:\\a.txt'],
  ['M:/a/b.txt:notes', '\\\\?\\M:\\a\\b.txt:notes'],
  ['M:\\a\\..\\b.txt::$DATA', '\\\\?\\M:\\b.txt::$DATA'],
  ['M:\\a.txt:s:$DATA', '\\\\?\\M:\\a.txt:s:$DATA'],
  ['M:\\directory\\', '\\\\?\\M:\\directory\\'],
  ['M:\\ends with dot.', '\\\\?\\M:\\ends with dot.'],
  ['\\\\server\\share\\a.txt', '\\\\?\\UNC\\server\\share\\a.txt'],
  ['\\\\?\\M:\\a\\..\\b', '\\\\?\\M:\\a\\..\\b'],
  ['\\\\.\\pipe\\name', '\\\\.\\pipe\\name'],
])('%s becomes %s', (path, expected) => {
  expect(toNamespacePath(path, 'open')).toBe(expected)
})

test.each([
  ['', 'STATUS_OBJECT_NAME_INVALID'],
  ['M:\\a\0.txt', 'STATUS_OBJECT_NAME_INVALID'],
  [42, 'ERR_INVALID_ARG_TYPE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
])('%p is refused', (path, code) => {
  expect(codeOf(path)).toBe(code)
})

test.each(['a.txt', '/home/a.txt', 'M:a.txt', '..\\a.txt', 'a\\\\?\\b', '\\M:'])(
  '%s is refused where there is no current directory for it',
  (path) => {
    expect(codeOf(path)).toBe('STATUS_OBJECT_PATH_SYNTAX_BAD')
  },
)

test('a path that is not full is taken where there is a current directory for it', () => {
  expect(where({ platform: 'win32' }, () => toNamespacePath('a.txt', 'open'))).toMatch(/\\a\.txt$/)
})

test('a path of the greatest length there is becomes no longer, and is taken', () => {
  const path = `\\\\?\\M:\\${'x'.repeat(32760)}`
  expect(path).toHaveLength(32767)
  expect(toNamespacePath(path, 'open')).toBe(path)
  expect(toNamespacePath(`M:\\${'x'.repeat(32760)}`, 'open')).toHaveLength(32767)
})

test.each([
  ['by what it has', `M:\\${'x'.repeat(32767)}`],
  ['although what it leads to is short', `M:\\${'x\\..\\'.repeat(10000)}a`],
  ['in its namespace', `M:\\${'x'.repeat(32761)}`],
])('a path that is too long is refused: %s', (_, path) => {
  expect(codeOf(path)).toBe('STATUS_NAME_TOO_LONG')
})
