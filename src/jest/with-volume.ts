/** `withVolume`: a filter for each test, and a directory of its own on the volume that the environment says. */
import { checkBytes, typeError } from '../index'

import { makeTestDirectory, type TestDirectory } from './directory'
import { setUp, type SetUpOptions, type TestFilter } from './with-filter'

/** What a test has. */
export interface TestVolume extends TestFilter {
  /** The test's own, such as `M:\psctx-1f0c`; it is removed with what is in it after the test. Throws an Error outside of tests. */
  readonly directory: string
  /**
   * Writes a file, or a named stream of one (`'a.txt:notes'`), in the test's directory, and returns its path. Text is written in UTF-8.
   * It is empty when nothing is said, which is best for contexts' ends: Windows' cache keeps the stream of a file with data for a while.
   *
   * Throws what the kernel's file system says.
   */
  writeFile(name: string, data?: string | Uint8Array): string
}

/**
 * Does what {@link withFilter} does, and gives each test a directory of its own: on the volume of the directory for temporary files on
 * Windows, on a memory volume of the embedded kernel elsewhere, unless `PSCTX_VOLUME` names one: `T:`, or `N:=/mnt/ntfs` for a
 * directory that the embedded kernel is to serve.
 *
 * @example
 * ```ts
 * const volume = withVolume()
 * test('a context goes with its stream', async () => {
 *   const stream = volume.filter.openStream(volume.writeFile('report.docx'))
 *   const context = stream.insert({ instance: 1n })
 *   stream.close()
 *   await expect(context).toBeTornDown()
 * })
 * ```
 */
export function withVolume(options: SetUpOptions = {}): TestVolume {
  let current: TestDirectory | undefined
  const test = setUp('withVolume', options, {
    begin(environment, filter) {
      current = makeTestDirectory(environment, filter)
    },
    end() {
      const directory = current
      current = undefined
      directory?.remove()
    },
  })
  const directory = (): TestDirectory => {
    if (current === undefined)
      throw new Error('withVolume: the directory is there while a test runs: use it in a test.')
    return current
  }
  return {
    get filter() {
      return test.filter
    },
    get directory() {
      return directory().path
    },
    writeFile(name, data = '') {
      if (typeof name !== 'string') throw typeError('writeFile', 'name', 'a string')
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      checkBytes(bytes, 'data', 'writeFile')
      const path = `${directory().path}\\${name}`
      directory().writeFile(path, bytes)
      return path
    },
  }
}
