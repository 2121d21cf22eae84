// What `npm run mutate` and `npm run mutate:ts` have in common: which mutants are judged, what is printed of them, and what is a failure.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

import { wholeNumber } from '../options.mjs'
import { atEnd, CommandError, root } from '../run.mjs'
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

/** The numbers among them; a sample and a time may be left out. */
export function numbersOf({ seed, sample, seconds, jobs }) {
  return {
    seed: wholeNumber('seed', seed, { most: 2 ** 32 - 1 }),
    sample: sample && wholeNumber('sample', sample, { least: 1 }),
    seconds: seconds && wholeNumber('seconds', seconds, { least: 1 }),
    jobs: wholeNumber('jobs', jobs, { least: 1, most: 256 }),
  }
}

function isRunning(process_) {
  try {
    return process.kill(process_, 0)
  } catch ({ code }) {
    return code !== 'ESRCH'
  }
}

/** Takes a directory for this process alone until it ends: of two that plant in it, each would judge the other's mutants. */
export function takeAlone(directory) {
  const file = join(directory, 'taken')
  mkdirSync(directory, { recursive: true })
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    const other = Number(readFileSync(file, 'utf8'))
    if (isRunning(other))
      throw new CommandError(
        `process ${other} plants mutants in ${directory}: wait for it, or, if it is another, remove ${file}`,
      )
    rmSync(file)
    takeAlone(directory)
    return
  }
  atEnd(() => rmSync(file))
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
 * - numbers: of the options
 * - listed: whether that is an option
 * - judge: resolves to how a mutant ends, given the number of the job that does it: 'noticed', 'survived', or one of `ways` or `others`
 * - ways: in which a mutant may be noticed besides, with what is said of each
 * - others: what else may come of a mutant, which is then not counted
 */
export async function judgeSample({ mutants, isWhole, equivalents, numbers, listed, judge, ways, others }) {
  const isListed = (mutant) => isListedIn(equivalents, mutant)
  const candidates = listed ? mutants.filter(isListed) : mutants
  if (candidates.length === 0) throw new CommandError(`no mutant ${listed ? 'is listed' : 'can be planted'} there`)
  const { seed, seconds, jobs, sample = isWhole || listed ? candidates.length : usual } = numbers
  const work = sampled(candidates, sample, seed)
  const chosen = work.length
  const until = seconds ? Date.now() + seconds * 1000 : Infinity
  const noticing = ['noticed', ...Object.keys(ways)]
  const outcomes = Object.fromEntries(
    [...noticing, 'survived', 'equivalent', ...Object.keys(others)].map((outcome) => [outcome, 0]),
  )
  const unexpected = listed ? noticing : ['survived']

  await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      while (work.length > 0 && Date.now() < until) {
        const mutant = work.shift()
        const outcome = isListed(mutant) && !listed ? 'equivalent' : await judge(mutant, job)
        outcomes[outcome] += 1
        if (unexpected.includes(outcome))
          console.log(`${mutant.file}:${mutant.number} ${outcome}\n-${mutant.line}\n+${mutant.mutant}`)
      }
    }),
  )

  const told = (sayings) => Object.entries(sayings).map(([outcome, saying]) => `${outcomes[outcome]} ${saying}`)
  const noticed = noticing.reduce((sum, outcome) => sum + outcomes[outcome], 0)
  const judged = noticed + outcomes.survived
  const sums = [
    `${noticed} noticed (${told(ways).join(', ')})`,
    ...told({ survived: 'survived', equivalent: 'listed as equivalent', ...others }),
  ]
  const planted = chosen - work.length
  const result = judged === 0 ? 'none to be noticed' : `${((100 * noticed) / judged).toFixed(1)} %`
  console.log(`seed ${seed}: ${planted} of ${mutants.length} mutants planted; ${sums.join(', ')}: ${result}`)
  process.exitCode = planted > 0 && (listed ? noticed === 0 : noticed >= share * judged) ? 0 : 1
}
