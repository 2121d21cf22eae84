/** Which check finds which fault of a volume that is broken on purpose: every fault is found, and every check finds one. */
import { conformanceChecks } from '../../src/conformance'
import { volumeFaults, type VolumeFault } from '../../src/index'

import { idsOf, runInMemory, type Results } from './run'

const kinds = ['default-stream', 'named-stream', 'directory', 'read-only-file', 'sparse-file', 'open-by-id']
const identities = ['two-opens', 'hard-links', 'case', 'second-path', 'open-by-id']
const matches = ['newest-first', 'owner', 'owner-and-instance', 'others']
const survivals = [
  'other-handles-close',
  'rename',
  'move',
  'overwrite',
  'supersede',
  'truncate',
  'extend',
  'attributes',
  'security',
  'byte-range-lock',
  'mapping',
  'flush',
]
const teardowns = ['last-reference', 'once', 'delete', 'reopened-stream', 'ten-thousand-cycles', 'dismount']

const all = (subject: string, names: readonly string[]) => names.map((name) => `${subject}.${name}`)
const renames = ['survival.rename', 'survival.move']

/** What each fault makes fail, and nothing else. */
const found: Readonly<Record<VolumeFault, readonly string[]>> = {
  'flags-cleared': all('support', kinds),
  'flags-cleared-on-named-streams': ['support.named-stream'],
  'flags-cleared-on-directories': ['support.directory'],
  'flags-cleared-on-read-only-files': ['support.read-only-file'],
  'flags-cleared-on-sparse-files': ['support.sparse-file'],
  'flags-cleared-on-open-by-id': ['support.open-by-id'],
  'flags-set-on-paging-file': ['support.paging-file'],
  'list-not-initialized-for-directories': ['support.directory'],
  'header-per-open': [...all('identity', identities), ...all('matching', matches), ...all('survival', survivals)],
  'header-per-link': ['identity.hard-links'],
  'header-per-case': ['identity.hard-links', 'identity.case', ...renames],
  'header-per-open-by-id': ['identity.open-by-id'],
  'header-per-file': ['support.paging-file', 'identity.streams-of-a-file', 'teardown.delete'],
  'header-per-volume': [
    'support.paging-file',
    'identity.streams-of-a-file',
    ...all('teardown', ['once', 'delete', 'dismount']),
  ],
  'list-reversed-on-open': ['matching.newest-first'],
  'torn-down-on-any-close': ['identity.open-by-id', ...all('survival', survivals), 'teardown.delete'],
  'torn-down-on-last-cleanup': ['survival.mapping'],
  'torn-down-on-rename': renames,
  'torn-down-on-overwrite': ['survival.overwrite'],
  'torn-down-on-supersede': ['survival.supersede'],
  'torn-down-on-truncate': ['survival.truncate'],
  'torn-down-on-extend': ['survival.extend'],
  'torn-down-on-attribute-change': ['survival.attributes'],
  'torn-down-on-security-change': ['survival.security'],
  'torn-down-on-byte-range-lock': ['survival.byte-range-lock'],
  'torn-down-on-flush': ['survival.flush'],
  'header-replaced-on-rename': renames,
  'contexts-moved-on-rename': renames,
  'contexts-inherited-from-deleted-file': ['teardown.delete', 'teardown.reopened-stream'],
  'no-teardown': all('teardown', teardowns),
  'no-teardown-on-delete': ['teardown.delete'],
  'no-teardown-on-dismount': ['teardown.dismount'],
  'no-teardown-now-and-then': ['teardown.once', 'teardown.ten-thousand-cycles'],
  'no-teardown-under-load': ['teardown.once', 'teardown.delete'],
  // No faults.
  'keeps-streams': [],
  'lets-go-late': [],
}

/** Checks that no fault of a memory volume can be found by, and why. */
const withoutFault: Readonly<Record<string, string>> = {
  'support.volume': 'the driver refuses volumes by itself: the check tells what is there',
  'support.compressed-file': 'on Windows only',
  load: 'test/conformance/load.test.ts: threads load the package as it is built',
}

/** Where ten thousand cycles tell more than one does; elsewhere they only take their time. */
const cycled: ReadonlySet<VolumeFault> = new Set([
  'no-teardown',
  'no-teardown-now-and-then',
  'keeps-streams',
  'lets-go-late',
])

/** What a check came to, with what became of the contexts where it looks at that. */
function endingsOf(results: Results): Record<string, string> {
  return Object.fromEntries(
    [...results.values()].flatMap(({ id, ending }) => (ending === undefined ? [] : [[id, ending]])),
  )
}

const everything = conformanceChecks.map(({ id }) => id).filter((id) => id !== 'load')
const results = new Map<VolumeFault, Results>()

test.each(volumeFaults.map((fault) => [fault, found[fault]] as const))(
  '%s is found by the checks that should find it, and by no other',
  async (fault, ids) => {
    const checks = everything.filter((id) => id !== 'teardown.ten-thousand-cycles' || cycled.has(fault))
    const run = await runInMemory(fault, { checks })
    results.set(fault, run)
    const failed = idsOf(run, 'fail')
    const expected = everything.filter((id) => ids.includes(id))
    // Which streams one in so many is depends on how long others were waited for.
    if (fault === 'no-teardown-now-and-then') expect(failed).toEqual(expect.arrayContaining(expected))
    else expect(failed).toEqual(expected)
  },
  300_000,
)

test('every check finds a fault, but those that cannot', () => {
  const finders = new Set(Object.values(found).flat())
  const idle = conformanceChecks.map(({ id }) => id).filter((id) => !finders.has(id))
  expect(idle.sort()).toEqual(Object.keys(withoutFault).sort())
})

test('a failure has its usual cause for a hint, and a context that is lost is said to be', () => {
  const run = results.get('no-teardown')!
  for (const id of found['no-teardown']) {
    expect(run.get(id)!.ending).toBe('lost')
    expect(run.get(id)!.hint).toContain('FsRtlTeardownPerStreamContexts')
  }
  expect(run.get('teardown.ten-thousand-cycles')!.evidence).toContain('for a thousand of them 1000.00 contexts')
  expect(results.get('header-replaced-on-rename')!.get('survival.rename')).toMatchObject({ ending: 'lost' })
})

test('a file system without contexts is told from one that has a fault: everything else is not supported', () => {
  const run = results.get('flags-cleared')!
  expect(idsOf(run, 'pass')).toEqual(['support.paging-file'])
  expect(idsOf(run, 'not-supported').length).toBeGreaterThan(25)
})

test('streams that are kept, and those that go late, are no failure, and are told by that', () => {
  const looked = ['last-reference', 'once', 'reopened-stream', 'ten-thousand-cycles'].map((name) => `teardown.${name}`)
  for (const [fault, ending] of [
    ['keeps-streams', 'kept'],
    ['lets-go-late', 'late'],
  ] as const) {
    const run = results.get(fault)!
    expect(endingsOf(run)).toMatchObject(Object.fromEntries(looked.map((id) => [id, ending])))
    expect(endingsOf(run)).toMatchObject({ 'teardown.delete': 'torn-down', 'teardown.dismount': 'torn-down' })
    // What keeps a stream there cannot be told.
    expect(idsOf(run, 'information')).toEqual(['support.volume', 'identity.open-by-id', 'survival.mapping'])
  }
  expect(results.get('keeps-streams')!.get('teardown.last-reference')!.evidence).toContain(
    'an unbuffered handle was closed',
  )
  expect(results.get('lets-go-late')!.get('teardown.last-reference')!.evidence).toMatch(/torn down late, after \d+ ms/)
})

test('what two streams share is told as such, and not as a wrong call', () => {
  const { evidence } = results.get('header-per-file')!.get('teardown.delete')!
  expect(evidence).toMatch(
    /has a context already that was inserted on another stream: the two have one stream context\.$/,
  )
})
