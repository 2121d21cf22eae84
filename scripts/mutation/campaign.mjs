// What `npm run mutate` and `npm run mutate:ts` have in common: which mutants are judged, what is printed of them, and what is a failure.
import { relative, resolve } from 'node:path'

import { root } from '../run.mjs'
import { isListed as isListedIn } from './listed.mjs'
import { sampled } from './sample.mjs'

const share = 0.97
const usual = 100

/** Options of the command line, for parseArgs. */
export const sampleOptions = {
  seed: { type: 'string', default: '1' },
  sample: { type: 'string' },
  seconds: { type: 'string' },
  jobs: { type: 'string', default: '2' },
  listed: { type: 'boolean', default: false },
}

/** Whether a mutant is at one of the places FILE[:LINE] that the command line names. */
export function isAt(places, { file, number }) {
  return places.some((place) => {
    const [, path, line] = /^(.*?)(?::(\d+))?$/.exec(place)
    return relative(root, resolve(path)) === file && (line === undefined || Number(line) === number)
  })
}

/**
 * Judges a sample of the mutants, or all of them where `isWhole`, several at a time, and prints what nobody notices, or, with --listed, what
 * is noticed of those that are listed; then the sum.
 *
 * - values: of the options
 * - judge: resolves to how a mutant ends, given the number of the job that does it: 'noticed', 'survived', or one of `ways` or `others`
 * - ways: in which a mutant may be noticed besides, with what is said of each
 * - others: what else may come of a mutant, which is then not counted
 */
export async function judgeSample({ mutants, isWhole, equivalents, values, judge, ways, others }) {
  const isListed = (mutant) => isListedIn(equivalents, mutant)
  const candidates = values.listed ? mutants.filter(isListed) : mutants
  const count = Number(values.sample ?? (isWhole || values.listed ? candidates.length : usual))
  const work = sampled(candidates, count, Number(values.seed))
  const chosen = work.length
  const until = values.seconds ? Date.now() + Number(values.seconds) * 1000 : Infinity
  const noticing = ['noticed', ...Object.keys(ways)]
  const outcomes = Object.fromEntries(
    [...noticing, 'survived', 'equivalent', ...Object.keys(others)].map((outcome) => [outcome, 0]),
  )
  const unexpected = values.listed ? noticing : ['survived']

  await Promise.all(
    Array.from({ length: Number(values.jobs) }, async (_, job) => {
      for (let mutant = work.shift(); mutant && Date.now() < until; mutant = work.shift()) {
        const outcome = isListed(mutant) && !values.listed ? 'equivalent' : await judge(mutant, job)
        outcomes[outcome] += 1
        if (unexpected.includes(outcome))
          console.log(`${mutant.file}:${mutant.number} ${outcome}\n-${mutant.line}\n+${mutant.mutant}`)
      }
    }),
  )

  const told = (sayings) => Object.entries(sayings).map(([outcome, saying]) => `${outcomes[outcome]} ${saying}`)
  const noticed = noticing.reduce((sum, outcome) => sum + outcomes[outcome], 0)
  const judged = noticed + outcomes.survived
  const result = judged === 0 ? 1 : noticed / judged
  const sums = [
    `${noticed} noticed (${told(ways).join(', ')})`,
    ...told({ survived: 'survived', equivalent: 'listed as equivalent', ...others }),
  ]
  console.log(
    `seed ${values.seed}: ${chosen - work.length} of ${mutants.length} mutants planted; ${sums.join(', ')}: ${(100 * result).toFixed(1)} %`,
  )
  process.exitCode = (values.listed ? noticed === 0 : result >= share) ? 0 : 1
}
