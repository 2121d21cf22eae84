/**
 * Plants Stryker's mutants in src, and runs those Jest suites on each that run its place, until one fails: what none of them notices is
 * printed as a difference, and is a test that is missing. What no test can notice is listed, with the reason, in test/mutation/equivalent-ts.json.
 *
 *     npm run mutate:ts -- [--seed S] [--sample N] [--seconds N] [--jobs N] [--suites PATTERN] [--listed] [FILE[:LINE]...]
 *
 * Without a file, a sample of all of them but for the files and rooms that test/mutation/unjudged.json gives a reason for; of files that are named, every
 * mutant. `--suites` asks only those suites whose names match. Each runs in a process of its own, so that it may end it: a request that the embedded kernel answers with a bugcheck aborts, and is
 * noticed by that. `--listed` judges the mutants that are listed, and fails when one is noticed. Otherwise it fails when fewer than 97 % of
 * the mutants that are not equivalent are noticed. The same seed plants the same faults.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { isListed as isListedIn, placed } from './mutation/listed.mjs'
import { sampled } from './mutation/sample.mjs'
import { plant, runSuites, suitesOf } from './mutation/suites.mjs'
import { Experience } from './mutation/tests.mjs'
import { root } from './run.mjs'

const share = 0.97
const likely = 3
const directory = join(root, 'build', 'mutate-ts')
const tree = join(directory, 'tree')
const read = (name) => JSON.parse(readFileSync(join(root, 'test', 'mutation', name), 'utf8'))
const equivalents = read('equivalent-ts.json')
const unjudged = read('unjudged.json')
const isListed = (mutant) => isListedIn(equivalents, mutant)

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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    sample: { type: 'string' },
    seconds: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    suites: { type: 'string', default: '.' },
    listed: { type: 'boolean', default: false },
  },
})

mkdirSync(directory, { recursive: true })
const files = scriptsIn('src')
const planted = await plant(files, tree)
const helpers = scriptsIn('test').filter((name) => !name.endsWith('.test.ts'))
const texts = [...files, ...helpers].map((name) => readFileSync(join(root, name), 'utf8'))
const known = join(directory, 'suites.json')
const suites = await suitesOf(tree, texts, known, new RegExp(values.suites), Number(values.jobs))
console.log(suites.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', '))

const wanted = positionals.map((place) => {
  const [, path, number] = /^(.*?)(?::(\d+))?$/.exec(place)
  return { file: relative(root, resolve(path)), number: number && Number(number) }
})
const mutants = planted
  .map(placed)
  .filter(({ file, number }) =>
    wanted.length === 0
      ? !unjudged.some((part) => file.startsWith(part.file))
      : wanted.some((place) => place.file === file && (place.number ?? number) === number),
  )
const candidates = values.listed ? mutants.filter(isListed) : mutants
const count = Number(values.sample ?? (wanted.length === 0 && !values.listed ? 100 : candidates.length))
const work = sampled(candidates, count, Number(values.seed))
const chosen = work.length
const until = values.seconds ? Date.now() + Number(values.seconds) * 1000 : Infinity
const outcomes = { noticed: 0, aborted: 0, late: 0, survived: 0, equivalent: 0 }
const unexpected = values.listed ? ['noticed', 'aborted', 'late'] : ['survived']
const experience = new Experience(join(directory, 'experience.json'))

await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let mutant = work.shift(); mutant && Date.now() < until; mutant = work.shift()) {
      const outcome = isListed(mutant) && !values.listed ? 'equivalent' : await judge(mutant, suites, experience)
      outcomes[outcome] += 1
      if (unexpected.includes(outcome))
        console.log(`${mutant.file}:${mutant.number} ${outcome}\n-${mutant.line}\n+${mutant.mutant}`)
    }
  }),
)
const noticed = outcomes.noticed + outcomes.aborted + outcomes.late
const judged = noticed + outcomes.survived
const result = judged === 0 ? 1 : noticed / judged
console.log(
  `seed ${values.seed}: ${chosen - work.length} of ${mutants.length} mutants planted; ${noticed} noticed ` +
    `(${outcomes.aborted} by ending the process, ${outcomes.late} by not ending), ${outcomes.survived} survived, ` +
    `${outcomes.equivalent} listed as equivalent: ${(100 * result).toFixed(1)} %`,
)
process.exitCode = (values.listed ? noticed === 0 : result >= share) ? 0 : 1
