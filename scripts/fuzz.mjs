// `npm run fuzz -- [--seconds N] [--front legacy|minifilter] [target…]`: runs the fuzz targets under libFuzzer; `--record` makes the seed corpus anew.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { sanitized } from './compilers.mjs'
import { fuzzCodec, recordCodec } from './fuzzing/codec.mjs'
import { frontOf, oneOf, runScript, wholeNumber } from './options.mjs'
import { CommandError, root, run } from './run.mjs'
import { demand } from './setup.mjs'

const native = ['names', 'passthrough', 'requests', 'sequences']
const targets = [...native, 'codec']
const ofFronts = ['passthrough', 'requests', 'sequences'] // the others do not know which one there is
// What the tests say of a request that they send is longer than a seed needs to be.
const longest = { names: 64, passthrough: 256, requests: 512, sequences: 1024 }
const suites = ['driver_core', 'driver_bounds', 'driver_counts', 'driver_inspect', 'driver_tracking']
const build = join(root, 'build', 'fuzz')
const programs = join(build, 'test', 'driver')
const env = { ...process.env, UBSAN_OPTIONS: 'print_stacktrace=1' }

function seedsOf(target) {
  return join(root, 'test', 'fuzz', 'corpus', target)
}

/** What earlier runs have found on this machine. */
function foundOf(target) {
  const directory = join(build, 'corpus', target)
  mkdirSync(directory, { recursive: true })
  return directory
}

function buildPrograms(names) {
  demand(['build', 'clang'])
  run('cmake', [
    ...['-S', '.', '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DPSCTX_FUZZER=ON'],
    ...sanitized('address,undefined'),
  ])
  run('cmake', ['--build', build, '--parallel', '2', '--target', ...names])
}

function fuzz(target, seconds, front) {
  if (target === 'codec') {
    fuzzCodec({ seconds, seeds: seedsOf(target), found: foundOf(target), build })
    return
  }
  run(
    join(programs, `libfuzzer_${target}`),
    [
      ...[`-max_total_time=${seconds}`, `-max_len=${longest[target]}`, '-print_final_stats=1', '-verbosity=1'],
      ...[`-artifact_prefix=${build}/`, foundOf(target), seedsOf(target)],
    ],
    { env: { ...env, PSCTX_FRONT: front } },
  )
}

/** Seeds are what the contract suite sends, and what libFuzzer has found since, without what adds nothing. */
function record() {
  buildPrograms([...native.map((target) => `libfuzzer_${target}`), ...suites])
  const recorded = mkdtempSync(join(tmpdir(), 'psctx-seeds-'))
  for (const suite of suites) {
    run(join(programs, suite), [], { env: { ...env, PSCTX_RECORD: recorded }, stdio: 'ignore' })
  }
  for (const target of native) {
    const minimal = mkdtempSync(join(tmpdir(), 'psctx-seeds-'))
    const sources = target === 'requests' ? [recorded] : [seedsOf(target)]
    run(
      join(programs, `libfuzzer_${target}`),
      [...['-merge=1', `-max_len=${longest[target]}`, minimal, ...sources, foundOf(target)]],
      { env, stdio: 'ignore' },
    )
    rmSync(seedsOf(target), { recursive: true, force: true })
    mkdirSync(seedsOf(target), { recursive: true })
    let bytes = 0
    for (const name of readdirSync(minimal)) {
      copyFileSync(join(minimal, name), join(seedsOf(target), name))
      bytes += statSync(join(minimal, name)).size
    }
    console.log(`${target}: ${String(readdirSync(minimal).length)} seeds, ${String(bytes)} bytes`)
    rmSync(minimal, { recursive: true })
  }
  rmSync(recorded, { recursive: true })
  const seeds = recordCodec({ seeds: seedsOf('codec'), found: foundOf('codec'), build })
  console.log(`codec: ${seeds.length} seeds, ${seeds.reduce((sum, { length }) => sum + length, 0)} bytes`)
}

await runScript(() => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      front: { type: 'string', default: 'legacy' },
      record: { type: 'boolean', default: false },
    },
  })
  const front = frontOf(values.front)
  const seconds = wholeNumber('seconds', values.seconds, { least: 1, most: 2 ** 31 - 1 })
  const known = front === 'legacy' ? targets : ofFronts
  const chosen = positionals.length > 0 ? positionals.map((name) => oneOf('a target', targets, name)) : known
  const frontless = chosen.find((target) => !known.includes(target))
  if (frontless !== undefined) throw new CommandError(`${frontless} has nothing to do with a front`)
  if (values.record) {
    record()
  } else {
    const compiled = chosen.filter((target) => target !== 'codec')
    if (compiled.length > 0) buildPrograms(compiled.map((target) => `libfuzzer_${target}`))
    for (const target of chosen) fuzz(target, seconds, front)
  }
})
