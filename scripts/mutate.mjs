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
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

import { isAt, judgeSample, sampleOptions } from './mutation/campaign.mjs'
import { placed } from './mutation/listed.mjs'
import { mutantsOf } from './mutation/operators.mjs'
import { Experience, limited, link, testsOf } from './mutation/tests.mjs'
import { root, run } from './run.mjs'

const build = join(root, 'build', 'native')
const directory = join(root, 'build', 'mutate')

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
  options: { ...sampleOptions, room: { type: 'string' }, tests: { type: 'string', default: '.' } },
})

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
const configuration = ['-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release', '--log-level=WARNING']
run('cmake', ['-S', '.', '-B', build, ...configuration], quiet)
run('nice', ['-n', '10', 'cmake', '--build', build, '--parallel', values.jobs], quiet)
mkdirSync(directory, { recursive: true })
const tests = await testsOf(build, new RegExp(values.tests), join(directory, 'times.json'), Number(values.jobs))
console.log(tests.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', '))

const mutants = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'))
  .filter(({ command }) => command.includes('psctx_driver.dir'))
  .map(({ file, command }) => ({ file: relative(root, file), command }))
  .filter(({ file }) => file.startsWith('driver/src/') && (!values.room || file.split('/')[2] === values.room))
  .sort((one, other) => (one.file < other.file ? -1 : 1))
  .flatMap(({ file, command }) => {
    const source = readFileSync(join(root, file), 'utf8')
    return mutantsOf(source).map((mutant) => placed({ ...mutant, file, command, source }))
  })
  .filter((mutant) => positionals.length === 0 || isAt(positionals, mutant))
const experience = new Experience(join(directory, 'experience.json'))
const jobs = Array.from({ length: Number(values.jobs) }, (_, number) => join(directory, `job-${number}`))
for (const job of jobs) {
  rmSync(job, { recursive: true, force: true })
  mkdirSync(job, { recursive: true })
}

await judgeSample({
  mutants,
  isWhole: positionals.length > 0,
  equivalents: JSON.parse(readFileSync(join(root, 'test', 'mutation', 'equivalent.json'), 'utf8')),
  values,
  judge: (mutant, job) => judge(mutant, tests, experience, jobs[job]),
  ways: { late: 'by not ending' },
  others: { same: 'the same to the compiler', stillborn: 'not compiled' },
})
