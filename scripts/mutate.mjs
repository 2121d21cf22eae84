/**
 * Plants faults of one token each in driver/src, and runs the C tests on each, until one fails, and on what none of them notices those with
 * AddressSanitizer and UndefinedBehaviorSanitizer: what goes unnoticed still is printed as a difference, and is a test that is missing. What no
 * test can notice is listed, with the reason, in test/mutation/equivalent.json.
 *
 *     npm run mutate -- [--seed S] [--sample N] [--seconds N] [--jobs N] [--room ROOM] [--tests PATTERN] [--listed] [FILE[:LINE]...]
 *
 * Without a file, a sample of all of them; of files that are named, every mutant. `--tests` asks only those tests of CTest whose names match.
 * `--listed` judges the mutants that are listed, and fails when one is noticed. Otherwise it fails when fewer than 97 % of the mutants that
 * are not equivalent are noticed. The same seed plants the same faults.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { sanitized } from './compilers.mjs'
import { isAt, judgeSample, numbersOf, sampleOptions, takeAlone } from './mutation/campaign.mjs'
import { Judge } from './mutation/judge.mjs'
import { placed } from './mutation/listed.mjs'
import { mutantsOf } from './mutation/operators.mjs'
import { pattern, runScript } from './options.mjs'
import { root } from './run.mjs'
import { demand } from './setup.mjs'

const directory = join(root, 'build', 'mutate')

await runScript(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...sampleOptions, room: { type: 'string' }, tests: { type: 'string', default: '.' } },
  })
  const numbers = numbersOf(values)
  const { jobs } = numbers
  demand(['build'])
  takeAlone(directory)
  for (let job = 0; job < jobs; job += 1) {
    rmSync(join(directory, `job-${job}`), { recursive: true, force: true })
    mkdirSync(join(directory, `job-${job}`), { recursive: true })
  }

  const shared = { directory, names: pattern('tests', values.tests), jobs }
  const plain = await Judge.prepare({ name: 'native', options: ['-DCMAKE_BUILD_TYPE=Release'], ...shared })
  console.log(plain.summary)

  let strict
  /** The tests with sanitizers take several times as long: they are built when the first mutant comes to them. */
  function withSanitizers() {
    demand(['clang'])
    strict ??= Judge.prepare({
      name: 'asan',
      options: sanitized('address,undefined'),
      environment: { ASAN_OPTIONS: 'hard_rss_limit_mb=4000' },
      limits: { kilobytes: 'unlimited' }, // of addresses, which the sanitizer takes terabytes of
      ...shared,
    })
    return strict
  }

  async function judge(mutant, job) {
    const outcome = await plain.judge(mutant, job)
    if (outcome !== 'survived') return outcome
    return (await (await withSanitizers()).judge(mutant, job)) === 'survived' ? 'survived' : 'sanitized'
  }

  const mutants = plain.files
    .filter((file) => !values.room || file.split('/')[2] === values.room)
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8')
      return mutantsOf(source).map((mutant) => placed({ ...mutant, file, source }))
    })
    .filter((mutant) => positionals.length === 0 || isAt(positionals, mutant))

  await judgeSample({
    mutants,
    isWhole: positionals.length > 0,
    equivalents: JSON.parse(readFileSync(join(root, 'test', 'mutation', 'equivalent.json'), 'utf8')),
    numbers,
    listed: values.listed,
    judge,
    ways: { late: 'by not ending', sanitized: 'with sanitizers alone' },
    others: { same: 'the same to the compiler', stillborn: 'not compiled' },
  })
})
