/** What contexts outlive as long as anything refers to their stream. */
import { win32 } from 'node:path'

import type { HostFile, HostOpenOptions } from '../index'

import type { Bench } from './bench'
import { pages, type Check } from './check'
import { count, fail, hold } from './judgement'
import { requirePromptness, settle } from './ending'

/** Bytes of the files that something is done to. */
const size = 16384

/** What is done to a file; returns its path, if that has become another. */
type Deed = (bench: Bench, path: string) => string | undefined

/** A check that a context is found by its own handle and by another one when something has been done. */
function survives(id: string, what: string, hint: string, deed: Deed): Check {
  return {
    id: `survival.${id}`,
    sentence: `A context outlives ${what}, while its stream is open.`,
    documentation: pages.deleting,
    hint,
    run(bench) {
      const path = bench.make('file', 'x'.repeat(size))
      const stream = bench.open(path)
      const { sequence } = stream.insert({ instance: 1n })
      const after = bench.attempt(() => deed(bench, path)) ?? path
      const openFinds = bench.open(after).lookup({ instance: 1n })?.sequence === sequence
      const handleFinds = stream.lookup({ instance: 1n })?.sequence === sequence
      if (openFinds && handleFinds) return 'The handle that was open finds the context, and so does another open.'
      const { contexts, tornDown } = bench.filter.statistics().session
      if (tornDown > 0) fail(`${count(tornDown, 'context')} torn down, with the stream open.`)
      if (contexts > 0 && !handleFinds) {
        fail(
          'The driver has the context, and the handle that was open does not find it: the list was replaced.',
          'lost',
        )
      }
      fail('The handle that was open finds the context, and another open does not: it has another stream context.')
    },
  }
}

/** The same for what is done to a file that is opened for it. */
function survivesOnFile(
  id: string,
  what: string,
  hint: string,
  options: HostOpenOptions,
  action: (file: HostFile) => void,
): Check {
  return survives(id, what, hint, (bench, path) => {
    bench.withFile(path, options, action)
    return undefined
  })
}

const early =
  'FsRtlTeardownPerStreamContexts belongs where the stream’s structure is freed, after the last close: it is called here while file objects refer to it.'
const replaced = `${early} Or the structure is replaced by a new one, and the old one, with the contexts, forgotten.`

export const survival: readonly Check[] = [
  survives('other-handles-close', 'the close of other handles', early, (bench, path) => {
    for (let handle = 0; handle < 8; handle += 1) {
      bench.withFile(path, { access: ['read'] }, (file) => file.read(0, 16))
      bench.filter.openStream(path).close()
    }
    return undefined
  }),
  survives('rename', 'a rename', replaced, (bench, path) => {
    const renamed = bench.path('renamed')
    bench.files.rename(path, renamed)
    return renamed
  }),
  survives('move', 'a move to another directory', replaced, (bench, path) => {
    const directory = bench.mkdir(bench.path('directory'))
    const moved = bench.path(win32.join('directory', 'moved'))
    bench.open(directory)
    bench.files.rename(path, moved)
    return moved
  }),
  survivesOnFile(
    'overwrite',
    'an open that overwrites',
    replaced,
    { access: ['write'], disposition: 'overwrite' },
    () => undefined,
  ),
  survivesOnFile(
    'supersede',
    'an open that supersedes',
    replaced,
    { access: ['write', 'delete'], disposition: 'supersede' },
    () => undefined,
  ),
  survivesOnFile('truncate', 'truncation', early, { access: ['write'] }, (file) => {
    file.resize(size / 4)
    file.resize(0)
  }),
  survivesOnFile('extend', 'growth', early, { access: ['write'] }, (file) => {
    file.write(Buffer.alloc(size), size)
    file.resize(4 * size)
  }),
  survivesOnFile('attributes', 'changes of attributes', early, { access: ['write-attributes'] }, (file) => {
    file.setReadOnly(true)
    file.setReadOnly(false)
  }),
  survivesOnFile('security', 'a change of the security descriptor', early, { access: ['security'] }, (file) => {
    file.rewriteSecurity()
  }),
  survivesOnFile(
    'byte-range-lock',
    'locking and unlocking a range of bytes',
    early,
    { access: ['read', 'write'] },
    (file) => {
      file.lock(0, 100)
      file.unlock(0, 100)
    },
  ),
  {
    id: 'survival.mapping',
    sentence: 'A context outlives the last handle, while a section of the file is there.',
    documentation: pages.deleting,
    hint: 'FsRtlTeardownPerStreamContexts belongs to the close, not to the cleanup: the cache and sections refer to a stream that has no handle.',
    async run(bench) {
      requirePromptness(bench, 'the section keeps the stream')
      const path = bench.make('file', 'x'.repeat(size))
      const stream = bench.open(path)
      const { sequence } = stream.insert({ instance: 1n })
      const section = bench.attempt(() => bench.withFile(path, { access: ['read'] }, (file) => bench.keep(file.map())))
      stream.close()
      hold(bench.live() === 1, 'The context was torn down with the last handle, though a section was there.')
      {
        using again = bench.filter.openStream(path)
        hold(
          again.lookup({ instance: 1n })?.sequence === sequence,
          'The context is not found by an open, though a section was there all the time.',
        )
      }
      section.close()
      const { ending, evidence } = await settle(bench, [path])
      const told = `The context was there with the section alone; when that was closed: ${evidence}`
      if (ending === 'lost') fail(told, ending)
      return { verdict: 'pass', evidence: told, ending }
    },
  },
  survivesOnFile('flush', 'a flush', early, { access: ['read', 'write'] }, (file) => {
    file.write(Buffer.from('changed'))
    file.flush()
  }),
]
