/** Which context a look-up finds, and a removal takes. Each looks by an open that the contexts were not inserted by. */
import { pages, type Check } from './check'
import { hold } from './judgement'

const list =
  'The contexts hang on one list, newest first, that the file system sets up once and never touches: it is set up anew, reordered or replaced while contexts hang on it.'

function describe(values: readonly bigint[]): string {
  return values.length === 0 ? 'none' : values.join(', ')
}

export const matching: readonly Check[] = [
  {
    id: 'matching.newest-first',
    sentence: 'The newest context is the first of a stream’s list.',
    documentation: pages.insert,
    hint: list,
    run(bench) {
      const path = bench.make('file')
      const stream = bench.open(path)
      const inserted = [1n, 2n, 3n, 4n].map((instance) => stream.insert({ instance }).sequence)
      const other = bench.open(path)
      const expected = [4n, 3n, 2n, 1n]
      const listed = other.inspect().flatMap((context) => (context.holder === 'self' ? [context.instance] : []))
      hold(
        describe(listed) === describe(expected),
        `Instances 1 to 4 were inserted in their order; the list has ${describe(listed)}.`,
      )
      hold(other.lookup()?.sequence === inserted[3], 'A look-up by the owner does not find the newest context.')
      return `Of ${inserted.length} contexts the newest is the first in the list, and is found first.`
    },
  },
  {
    id: 'matching.owner',
    sentence: 'A look-up by the owner finds its newest context, and no other owner’s.',
    documentation: pages.lookup,
    hint: list,
    run(bench) {
      const path = bench.make('file')
      const stream = bench.open(path)
      for (const instance of [1n, 2n]) for (const owner of [1n, 2n]) stream.insert({ owner, instance })
      const other = bench.open(path)
      const found = other.lookup({ owner: 1n })
      hold(found?.owner === 1n && found.instance === 2n, 'The newest context of owner 1 is not found.')
      hold(other.lookup({ owner: 3n }) === undefined, 'A context is found for an owner that has none.')
      hold(other.remove({ owner: 1n })?.instance === 2n, 'The newest context of owner 1 is not removed.')
      const left = stream.lookup({ owner: 1n })?.instance
      hold(left === 1n, 'The older context of owner 1 is not found when the newer one is removed.')
      hold(stream.lookup({ owner: 2n })?.instance === 2n, 'The context of owner 2 has gone with that of owner 1.')
      return 'Two owners with two contexts each are told apart.'
    },
  },
  {
    id: 'matching.owner-and-instance',
    sentence: 'A look-up by owner and instance finds that very context.',
    documentation: pages.lookup,
    hint: list,
    run(bench) {
      const path = bench.make('file')
      const stream = bench.open(path)
      const keys = [1n, 2n].flatMap((owner) => [1n, 2n, 3n].map((instance) => ({ owner, instance })))
      const sequences = keys.map((key) => stream.insert(key).sequence)
      const other = bench.open(path)
      keys.forEach((key, index) => {
        hold(
          other.lookup(key)?.sequence === sequences[index],
          `Owner ${key.owner} with instance ${key.instance} is not found.`,
        )
      })
      hold(other.lookup({ owner: 1n, instance: 4n }) === undefined, 'An instance is found that there is not.')
      hold(
        other.remove({ owner: 1n, instance: 2n })?.sequence === sequences[1],
        'Owner 1 with instance 2 is not removed.',
      )
      const left = stream.contexts().length
      hold(left === keys.length - 1, `${left} of ${keys.length} contexts are left after one was removed.`)
      return `${keys.length} contexts of two owners are found each, and one is removed alone.`
    },
  },
  {
    id: 'matching.others',
    sentence: 'Another session’s context is never found, listed or removed as ours, and is seen as theirs.',
    documentation: pages.lookup,
    hint: list,
    run(bench) {
      const path = bench.make('file')
      const ours = bench.open(path)
      const theirs = bench.keep(bench.another().openStream(path))
      const { sequence } = theirs.insert({ instance: 1n })
      hold(
        ours.inspect().some(({ holder }) => holder === 'other-session'),
        'The list that our open sees does not have another session’s context.',
      )
      hold(ours.lookup() === undefined && ours.contexts().length === 0, 'Another session’s context is found as ours.')
      hold(ours.remove() === undefined && ours.removeAll() === 0, 'Another session’s context is removed as ours.')
      hold(theirs.lookup({ instance: 1n })?.sequence === sequence, 'Another session’s context has gone.')
      return 'Another session’s context is seen as theirs, and stays.'
    },
  },
]
