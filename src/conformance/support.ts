/** Which streams carry contexts: each kind for itself, since one says nothing of another. */
import { win32 } from 'node:path'

import type { Stream, UnsupportedReason } from '../index'

import { isStatus, type Bench } from './bench'
import { pages, type Check } from './check'
import { fail, inform, notSupported } from './judgement'

/** Reasons by which a file system says that it knows nothing of filters' contexts. */
const knowsNothing: ReadonlySet<UnsupportedReason> = new Set(['no-stream-context', 'no-advanced-header'])

const cleared =
  'FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS is not set in Flags2 of these streams: often Flags2 is assigned, or the header zeroed, after FsRtlSetupAdvancedHeader.'

function describe(stream: Stream): string {
  const { supported, reason, headerVersion } = stream.support()
  return supported ? `supported, header of version ${headerVersion}.` : `refused: ${reason}.`
}

/** Passes where a context can be hung on the stream and found there. */
function carries(bench: Bench, path: string): string {
  const stream = bench.open(path)
  const { supported, reason } = stream.support()
  if (!supported) {
    if (knowsNothing.has(reason)) notSupported(`The file system has no filter contexts: ${reason}.`)
    fail(`The stream is ${describe(stream)}`)
  }
  const { sequence } = stream.insert({ instance: 1n })
  if (stream.lookup({ instance: 1n })?.sequence !== sequence) fail('A context was inserted and is not found.')
  return `The stream is ${describe(stream)}`
}

export const support: readonly Check[] = [
  {
    id: 'support.default-stream',
    sentence: 'The default stream of a file carries contexts.',
    documentation: pages.supports,
    hint: cleared,
    run: (bench) => carries(bench, bench.make('file', 'content')),
  },
  {
    id: 'support.named-stream',
    sentence: 'A named stream of a file carries contexts.',
    documentation: pages.supports,
    hint: cleared,
    run(bench) {
      const file = bench.make('file', 'content')
      return carries(bench, makeNamed(bench, file))
    },
  },
  {
    id: 'support.directory',
    sentence: 'A directory carries contexts.',
    documentation: pages.setUp,
    hint: `${cleared} With the reason list-not-initialized, directories' structures were never given to FsRtlSetupAdvancedHeader.`,
    run: (bench) => carries(bench, bench.mkdir(bench.path('directory'))),
  },
  {
    id: 'support.volume',
    sentence: 'An open of the volume itself is no file stream, and is refused.',
    documentation: pages.streams,
    hint: 'The driver refuses volumes by their file object: no file system decides it.',
    run(bench) {
      const { drive } = bench
      if (drive === undefined) notSupported('The directory is on no drive, by which a volume is opened.')
      const stream = bench.attempt(() => bench.open(drive))
      inform(`The volume is ${describe(stream)}`)
    },
  },
  {
    id: 'support.read-only-file',
    sentence: 'A file that is read-only carries contexts.',
    documentation: pages.supports,
    hint: cleared,
    run(bench) {
      const path = bench.make('file', 'content')
      bench.attempt(() => {
        bench.withFile(path, { access: ['write-attributes'] }, (file) => {
          file.setReadOnly(true)
        })
      })
      return carries(bench, path)
    },
  },
  {
    id: 'support.sparse-file',
    sentence: 'A sparse file carries contexts.',
    documentation: pages.supports,
    hint: cleared,
    run(bench) {
      const path = bench.make('file', 'content')
      bench.attempt(() => {
        bench.withFile(path, { access: ['read', 'write'] }, (file) => {
          file.setSparse()
        })
      })
      return carries(bench, path)
    },
  },
  {
    id: 'support.compressed-file',
    sentence: 'A compressed file carries contexts.',
    documentation: pages.supports,
    hint: cleared,
    run(bench) {
      const path = bench.make('file', 'content'.repeat(10_000))
      bench.attempt(() => {
        bench.withFile(path, { access: ['read', 'write'] }, (file) => {
          file.setCompressed()
        })
      })
      return carries(bench, path)
    },
  },
  {
    id: 'support.open-by-id',
    sentence: 'A stream that is first opened by its file’s id carries contexts.',
    documentation: pages.supports,
    hint: `${cleared} Opens by id often take a path of their own through the create routine.`,
    run(bench) {
      const path = bench.make('file', 'content')
      openById(bench, path)
      return carries(bench, path) // the same stream, by its name
    },
  },
  {
    id: 'support.paging-file',
    sentence: 'A paging file carries no contexts.',
    documentation: pages.supports,
    hint: 'The flag is to be cleared for a paging file: its stream is used where no filter can be called.',
    run(bench) {
      const { drive } = bench
      if (drive === undefined) notSupported('The directory is on no drive, on which a paging file could be looked for.')
      let stream: Stream
      try {
        stream = bench.open(win32.join(`${drive}\\`, 'pagefile.sys'))
      } catch (error) {
        if (isStatus(error, 'STATUS_OBJECT_NAME_NOT_FOUND')) notSupported('The volume has no pagefile.sys.')
        if (isStatus(error, 'STATUS_SHARING_VIOLATION', 'STATUS_ACCESS_DENIED')) {
          inform(`The paging file is in use, and cannot be looked at: ${error.code}.`)
        }
        throw error
      }
      const { supported } = stream.support()
      if (supported) fail(`pagefile.sys is ${describe(stream)}`)
      return `pagefile.sys is ${describe(stream)}`
    },
  },
]

/** Makes a named stream of a file; there may be none. */
export function makeNamed(bench: Bench, file: string, name = 'named'): string {
  const path = `${file}:${name}`
  bench.attempt(() => {
    bench.files.writeFile(path, Buffer.from('content'))
  }, 'STATUS_OBJECT_NAME_INVALID')
  return path
}

/** Opens a file by its id, and keeps it open; there may be no such opens. */
export function openById(bench: Bench, path: string): { close(): void } {
  const { drive } = bench
  if (drive === undefined) notSupported('The directory is on no drive, by which a volume is named.')
  return bench.attempt(() => {
    const id = bench.withFile(path, { access: ['attributes'] }, (file) => file.id)
    return bench.openFile(drive, { access: ['attributes'], id })
  })
}
