/** Which opens share a stream's contexts, and which do not. */
import { win32 } from 'node:path'

import type { Stream } from '../index'

import { pages, type Check } from './check'
import { fail, hold, ifSupported, notSupported } from './judgement'
import { requirePromptness } from './ending'
import { makeNamed, openById } from './support'

const oneHeader =
  'A local file system has one stream context for a stream, however it was opened: its look-up finds the structure by less, or by more, than the file and the stream’s name.'

/** Fails unless each of two opens finds what the other has inserted. */
function shares(one: Stream, other: Stream, what: string): string {
  const first = one.insert({ instance: 1n }).sequence
  const second = other.insert({ instance: 2n }).sequence
  const seen = [
    one.lookup({ instance: 1n })?.sequence === first,
    one.lookup({ instance: 2n })?.sequence === second,
    other.lookup({ instance: 1n })?.sequence === first,
    other.lookup({ instance: 2n })?.sequence === second,
  ]
  if (seen.every((isSeen) => isSeen)) return `${what} find each other’s contexts.`
  fail(`${what} do not share a stream context: of 4 look-ups ${seen.filter((isSeen) => isSeen).length} found theirs.`)
}

export const identity: readonly Check[] = [
  {
    id: 'identity.two-opens',
    sentence: 'Two opens of a stream share its contexts.',
    documentation: pages.streams,
    hint: oneHeader,
    run(bench) {
      const path = bench.make('file')
      return shares(bench.open(path), bench.open(path), 'Two opens')
    },
  },
  {
    id: 'identity.streams-of-a-file',
    sentence: 'Streams of a file, and different files, do not share contexts.',
    documentation: pages.streams,
    hint: oneHeader,
    run(bench) {
      const file = bench.make('file')
      const named = ifSupported(() => [makeNamed(bench, file), makeNamed(bench, file, 'second')]) ?? []
      const others = [bench.make('other'), ...named]
      const streams = [file, ...others].map((path) => bench.open(path))
      streams.forEach((stream, index) => stream.insert({ instance: index }))
      streams.forEach((stream, index) => {
        const seen = stream.contexts().map(({ instance }) => instance)
        hold(
          seen.length === 1 && seen[0] === BigInt(index),
          `${win32.basename(stream.path)} has ${seen.length} contexts, after one was inserted on each of ${streams.length} streams.`,
        )
      })
      return `${streams.length} streams of two files have a context of their own each.`
    },
  },
  {
    id: 'identity.hard-links',
    sentence: 'Opens by hard links of a file share its streams’ contexts.',
    documentation: pages.streams,
    hint: oneHeader,
    run(bench) {
      const path = bench.make('file')
      const link = bench.path('link')
      bench.attempt(() => {
        bench.files.link(path, link)
      }, 'STATUS_TOO_MANY_LINKS')
      return shares(bench.open(path), bench.open(link), 'Opens by two hard links')
    },
  },
  {
    id: 'identity.case',
    sentence: 'Opens by another case of the name share a stream’s contexts.',
    documentation: pages.streams,
    hint: oneHeader,
    run(bench) {
      const path = bench.make('file-of-some-case')
      const stream = bench.open(path)
      const other = bench.attempt(() => bench.open(bench.path('FILE-of-Some-CASE')), 'STATUS_OBJECT_NAME_NOT_FOUND')
      return shares(stream, other, 'Opens by two cases of the name')
    },
  },
  {
    id: 'identity.second-path',
    sentence: 'Opens by a second path to the volume share a stream’s contexts.',
    documentation: pages.streams,
    hint: `${oneHeader} A redirector may have several for a stream that is reached by several shares.`,
    run(bench) {
      const { drive } = bench
      const volume = bench.filter
        .volumes()
        .find(({ mountPoints }) => drive !== undefined && mountPoints.includes(drive))
      if (drive === undefined || volume === undefined) notSupported('The volume has no drive beside its device.')
      const path = bench.make('file')
      const stream = bench.open(path)
      const second = `\\\\?\\GLOBALROOT${volume.device}${path.slice(path.indexOf(':') + 1)}`
      const other = bench.attempt(
        () => bench.open(second),
        'STATUS_OBJECT_NAME_NOT_FOUND',
        'STATUS_OBJECT_PATH_NOT_FOUND',
      )
      return shares(stream, other, `Opens by ${drive} and by ${volume.device}`)
    },
  },
  {
    id: 'identity.open-by-id',
    sentence: 'Opens by a file’s id share a stream’s contexts with opens by its name.',
    documentation: pages.streams,
    hint: oneHeader,
    run(bench) {
      requirePromptness(bench, 'the open by id shares the stream’s contexts')
      const path = bench.make('file')
      const stream = bench.open(path)
      const { sequence } = stream.insert()
      const byId = openById(bench, path)
      stream.close()
      // By now the open by id alone is what keeps the stream.
      const again = bench.open(path)
      hold(
        again.lookup()?.sequence === sequence,
        'The context was torn down when the last open by name was closed, though an open by id was there.',
      )
      again.close()
      byId.close()
      return 'An open by id keeps the stream, with its context, when the last open by name is closed.'
    },
  },
]
