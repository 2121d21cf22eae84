/**
 * Plants Stryker's mutants in src, and runs those Jest suites on each that run its place, until one fails: what none of them notices is
 * printed as a difference, and is a test that is missing. What no test can notice is listed, with the reason, in test/mutation/equivalent-ts.json.
 *
 *     npm run mutate:ts -- [--seed S] [--sample N] [--seconds N] [--jobs N] [--suites PATTERN] [--listed] [FILE[:LINE]...]
 *
 * Without a file, a sample of all of them but for the files and rooms that test/mutation/unjudged.json gives a reason for; of files that are
 * named, every mutant. `--suites` asks only those suites whose names match. Each runs in a process of its own, so that it may end it: a request
 * that the embedded kernel answers with a bugcheck aborts, and is noticed by that. `--listed` judges the mutants that are listed, and fails when
 * one is noticed. Otherwise it fails when fewer than 97 % of the mutants that are not equivalent are noticed. The same seed plants the same faults.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { isAt, judgeSample, numbersOf, sampleOptions, takeAlone } from './mutation/campaign.mjs'
import { placed } from './mutation/listed.mjs'
import { plant, runSuites, suitesOf } from './mutation/suites.mjs'
import { Experience } from './mutation/tests.mjs'
import { pattern, runScript } from './options.mjs'
import { root } from './run.mjs'

const likely = 3
const directory = join(root, 'build', 'mutate-ts')
const tree = join(directory, 'tree')
const read = (name) => JSON.parse(readFileSync(join(root, 'test', 'mutation', name), 'utf8'))
const unjudged = read('unjudged.json')

/** The TypeScript below a folder, by path. */
function scriptsIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()
}

/**
 * How one mutant ended: 'noticed', 'aborted' (by ending the process), 'late' (by not ending), or 'survived'. The likeliest suites are asked
 * one by one, and then the rest of them at once, which saves most of the time that a mutant takes that survives.
 */
async function judge(mutant, suites, experience) {
  const judges = experience.order(
    suites.filter(({ runs }) => runs.has(mutant.id)),
    mutant.file,
  )
  const turns = [...judges.slice(0, likely).map((suite) => [suite]), judges.slice(likely)]
  for (const turn of turns.filter(({ length }) => length > 0)) {
    const seconds = turn.reduce((sum, suite) => sum + suite.seconds, 0)
    const end = await runSuites(turn, tree, 20 + 5 * seconds, { __STRYKER_ACTIVE_MUTANT__: mutant.id })
    if (end === 'passed') continue
    if (turn.length === 1) experience.note(turn[0], mutant.file)
    return end === 'failed' ? 'noticed' : end
  }
  return 'survived'
}

await runScript(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...sampleOptions, suites: { type: 'string', default: '.' } },
  })
  const numbers = numbersOf(values)
  const names = pattern('suites', values.suites)

  takeAlone(directory)
  const files = scriptsIn('src')
  const planted = await plant(files, tree)
  const helpers = scriptsIn('test').filter((name) => !name.endsWith('.test.ts'))
  const texts = [...files, ...helpers].map((name) => readFileSync(join(root, name), 'utf8'))
  const known = join(directory, 'suites.json')
  const suites = await suitesOf(tree, texts, known, names, numbers.jobs)
  console.log(suites.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', '))

  const mutants = planted
    .map(placed)
    .filter((mutant) =>
      positionals.length > 0 ? isAt(positionals, mutant) : !unjudged.some(({ file }) => mutant.file.startsWith(file)),
    )
  const experience = new Experience(join(directory, 'experience.json'))

  await judgeSample({
    mutants,
    isWhole: positionals.length > 0,
    equivalents: read('equivalent-ts.json'),
    numbers,
    listed: values.listed,
    judge: (mutant) => judge(mutant, suites, experience),
    ways: { aborted: 'by ending the process', late: 'by not ending' },
    others: {},
  })
})
