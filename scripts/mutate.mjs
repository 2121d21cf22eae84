/**
 * Plants faults of one token each in driver/src, and runs the C tests on each, until one fails: what none of them notices is printed as a
 * difference, and is a test that is missing. What no test can notice is listed, with the reason, in test/mutation/equivalent.json.
 *
 *     npm run mutate -- [--seed S] [--sample N] [--seconds N] [--jobs N] [--room ROOM] [--tests PATTERN] [--listed] [FILE[:LINE]...]
 *
 * Without a file, a sample of all of them; of files that are named, every mutant. `--tests` asks only those tests of CTest whose names match.
 * `--listed` judges the mutants that are listed, and fails when one is noticed. Otherwise it fails when fewer than 97 % of the mutants that
 * are not equivalent are noticed. The same seed plants the same faults.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { isListed as isListedIn, placed } from './mutation/listed.mjs'
import { mutantsOf } from './mutation/operators.mjs'
import { sampled } from './mutation/sample.mjs'
import { Experience, limited, link, testsOf } from './mutation/tests.mjs'
import { root, run } from './run.mjs'

const share = 0.97
const build = join(root, 'build', 'native')
const directory = join(root, 'build', 'mutate')
const equivalents = JSON.parse(readFileSync(join(root, 'test', 'mutation', 'equivalent.json'), 'utf8'))
const isListed = (mutant) => isListedIn(equivalents, mutant)

/** What the compiler makes of a file's text: the object's path, or undefined. */
async function compile({ command }, text, job) {
  const input = join(job, 'unit.c')
  const object = join(job, 'unit.o')
  writeFileSync(input, text)
  const [compiler, ...words] = command.split(/\s+/)
  const options = words.slice(0, words.indexOf('-o')).filter((word) => word !== '-Werror' && word !== '-g')
  const end = await limited(compiler, [...options, '-w', '-o', object, '-c', input], { cwd: build, seconds: 60 })
  return end === 'passed' ? object : undefined
}

const originals = new Map()

/** How one mutant ended: 'stillborn', 'same' (the compiler makes the same code of it), 'noticed', 'late' (by not ending), or 'survived'. */
async function judge(mutant, tests, experience, job) {
  const { source, offset, length, replacement, file } = mutant
  if (!originals.has(file)) originals.set(file, readFileSync(await compile(mutant, source, job)))
  const object = await compile(mutant, source.slice(0, offset) + replacement + source.slice(offset + length), job)
  if (!object) return 'stillborn'
  if (readFileSync(object).equals(originals.get(file))) return 'same'
  const linked = new Map()
  for (const test of experience.order(tests, file)) {
    if (!linked.has(test.program)) linked.set(test.program, await link(test, object, job))
    const program = linked.get(test.program)
    if (!program) return 'stillborn'
    const { args, environment, seconds } = test
    const end = await limited(program, args, { cwd: job, seconds: 15 + 5 * seconds, environment })
    if (end === 'passed') continue
    experience.note(test, file)
    return end === 'late' ? 'late' : 'noticed'
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
    room: { type: 'string' },
    tests: { type: 'string', default: '.' },
    listed: { type: 'boolean', default: false },
  },
})

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
const options = ['-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release', '--log-level=WARNING']
run('cmake', ['-S', '.', '-B', build, ...options], quiet)
run('nice', ['-n', '10', 'cmake', '--build', build, '--parallel', values.jobs], quiet)
mkdirSync(directory, { recursive: true })
const tests = await testsOf(build, new RegExp(values.tests), join(directory, 'times.json'), Number(values.jobs))
console.log(tests.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', '))

const wanted = positionals.map((place) => {
  const [, path, number] = /^(.*?)(?::(\d+))?$/.exec(place)
  return { file: relative(root, resolve(path)), number: number && Number(number) }
})
const mutants = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'))
  .filter(({ command }) => command.includes('psctx_driver.dir'))
  .map(({ file, command }) => ({ file: relative(root, file), command }))
  .filter(({ file }) => file.startsWith('driver/src/') && (!values.room || file.split('/')[2] === values.room))
  .sort((one, other) => (one.file < other.file ? -1 : 1))
  .flatMap(({ file, command }) => {
    const source = readFileSync(join(root, file), 'utf8')
    return mutantsOf(source).map((mutant) => placed({ ...mutant, file, command, source }))
  })
  .filter(
    ({ file, number }) =>
      wanted.length === 0 || wanted.some((place) => place.file === file && (place.number ?? number) === number),
  )
const candidates = values.listed ? mutants.filter(isListed) : mutants
const count = Number(values.sample ?? (wanted.length === 0 && !values.listed ? 100 : candidates.length))
const work = sampled(candidates, count, Number(values.seed))
const planted = work.length
const until = values.seconds ? Date.now() + Number(values.seconds) * 1000 : Infinity
const outcomes = { noticed: 0, late: 0, survived: 0, equivalent: 0, same: 0, stillborn: 0 }
const unexpected = values.listed ? ['noticed', 'late'] : ['survived']
const experience = new Experience(join(directory, 'experience.json'))

await Promise.all(
  Array.from({ length: Number(values.jobs) }, async (_, number) => {
    const job = join(directory, `job-${number}`)
    rmSync(job, { recursive: true, force: true })
    mkdirSync(job, { recursive: true })
    for (let mutant = work.shift(); mutant && Date.now() < until; mutant = work.shift()) {
      const outcome = isListed(mutant) && !values.listed ? 'equivalent' : await judge(mutant, tests, experience, job)
      outcomes[outcome] += 1
      if (unexpected.includes(outcome))
        console.log(`${mutant.file}:${mutant.number} ${outcome}\n-${mutant.line}\n+${mutant.mutant}`)
    }
  }),
)
const noticed = outcomes.noticed + outcomes.late
const judged = noticed + outcomes.survived
const result = judged === 0 ? 1 : noticed / judged
console.log(
  `seed ${values.seed}: ${planted - work.length} of ${mutants.length} mutants planted; ${noticed} noticed (${outcomes.late} by not ending), ` +
    `${outcomes.survived} survived, ${outcomes.equivalent} listed as equivalent, ${outcomes.same} the same to the compiler, ` +
    `${outcomes.stillborn} not compiled: ${(100 * result).toFixed(1)} %`,
)
process.exitCode = (values.listed ? noticed === 0 : result >= share) ? 0 : 1
