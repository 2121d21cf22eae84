/** What is in the package, and that its manifest says so. */
import { join } from 'node:path'

import { fixtures, obstacle, root, run } from './fixtures'

const megabyte = 1024 * 1024

/** A module whose declarations are needed by those of an entry. */
const declared = [
  'batch',
  'codec/context',
  'codec/events',
  'codec/insert',
  'codec/inspect',
  'codec/list',
  'codec/match',
  'codec/memory',
  'codec/statistics',
  'codec/support',
  'codec/track',
  'codec/version',
  'codec/volumes',
  'conformance/bench',
  'conformance/check',
  'conformance/conformance',
  'conformance/describe',
  'conformance/formats',
  'conformance/judgement',
  'conformance/summary',
  'context',
  'enumeration',
  'errors',
  'events',
  'files',
  'filter',
  'host',
  'jest/environment',
  'jest/matcher',
  'jest/runner',
  'jest/to-be-torn-down',
  'jest/to-have-context',
  'jest/to-have-contexts',
  'jest/to-leave-no-contexts',
  'jest/to-support-contexts',
  'jest/types',
  'jest/watch',
  'jest/with-filter',
  'jest/with-volume',
  'json/documents',
  'json/replacer',
  'minifilters',
  'native',
  'paging',
  'session',
  'stream',
  'tracking',
  'volume-fault',
]
const entries = ['conformance/index', 'index', 'jest/index', 'json/index']
const inner = ['addon', 'cli/main', 'conformance/load-worker', 'json/replacer']
const [code, wrapper] = [
  ['.js', '.js.map'],
  ['.mjs', '.d.ts', '.d.mts'],
]

const expected = [
  'LICENSE',
  'README.md',
  'package.json',
  'dist/THIRD-PARTY-NOTICES.txt',
  ...declared.map((name) => `dist/${name}.d.ts`),
  ...entries.flatMap((name) => [...code, ...wrapper].map((ending) => `dist/${name}${ending}`)),
  ...inner.flatMap((name) => code.map((ending) => `dist/${name}${ending}`)),
  'driver/include/psctx/abi.h',
  'drivers/arm64/psctx-minifilter.inf',
  'drivers/arm64/psctx-minifilter.sys',
  'drivers/arm64/psctx.inf',
  'drivers/arm64/psctx.sys',
  'drivers/x64/psctx-minifilter.inf',
  'drivers/x64/psctx-minifilter.sys',
  'drivers/x64/psctx.inf',
  'drivers/x64/psctx.sys',
  'prebuilds/linux-arm64/psctx.glibc.node',
  'prebuilds/linux-x64/psctx.glibc.node',
  'prebuilds/win32-arm64/psctx.node',
  'prebuilds/win32-x64/psctx.node',
]

const describeIf = obstacle === '' ? describe : describe.skip

describeIf('the package', () => {
  test('holds what it should, and nothing else', () => {
    expect(fixtures().files).toEqual(expected.sort())
  })

  test('is small', () => {
    expect(fixtures().size).toBeLessThan(3 * megabyte)
    expect(fixtures().unpackedSize).toBeLessThan(6 * megabyte)
  })

  test('runs nothing when it is installed, and brings no other package', () => {
    const manifest = jest.requireActual<Record<string, object>>('../../package.json')
    expect(Object.keys(manifest['scripts']!)).not.toEqual(expect.arrayContaining([expect.stringMatching(/install$/)]))
    expect(manifest['dependencies'] ?? {}).toEqual({})
  })

  test('is as publint asks', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js')
    const { status, stdout } = run(process.execPath, [publint, 'run', fixtures().tarball, '--strict'], root)
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('All good!') as string })
  })

  test('has the types it says, for every way to resolve them', () => {
    const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
    const { stdout } = run(process.execPath, [attw, fixtures().tarball, '--format', 'json'], root)
    const { problems } = JSON.parse(stdout) as { problems: object }
    expect(problems).toEqual({})
  })
})
