/**
 * Plants faults of one token each in driver/src, and runs the C tests on each, until one fails: what none of them notices is printed as a
 * difference, and is a test that is missing. What no test can notice is listed, with the reason, in test/mutation/equivalent.json.
 *
 *     npm run mutate -- [--seed S] [--sample N] [--seconds N] [--jobs N] [--room ROOM] [FILE...]
 *
 * It fails when fewer than 97 % of the mutants that are not equivalent are noticed. The same seed plants the same faults.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { parseArgs } from 'node:util'

import { mutantsOf } from './mutation/operators.mjs'
import { root, run } from './run.mjs'

const share = 0.97
const directory = join(root, 'build', 'mutate')
const equivalents = JSON.parse(readFileSync(join(root, 'test', 'mutation', 'equivalent.json'), 'utf8'))

/** Numbers in [0, 1) that a seed determines (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The first N of a list that is shuffled. */
function sampled(list, count, random) {
  const rest = [...list]
  return Array.from(
    { length: Math.min(count, rest.length) },
    () => rest.splice(Math.floor(random() * rest.length), 1)[0],
  )
}

/** Runs a program that may hang or eat memory; resolves to its exit status, or undefined when its time was up. */
function limited(program, args, { cwd, seconds }) {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', 'ulimit -v 4000000; exec nice -n 10 "$@"', 'sh', program, ...args], {
      cwd,
      stdio: 'ignore',
      detached: true,
    })
    let late = false
    const timer = setTimeout(() => {
      late = true
      process.kill(-child.pid, 'SIGKILL')
    }, seconds * 1000)
    child.on('error', () => resolve(1))
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve(late ? undefined : (status ?? 1))
    })
  })
}

/** The test programs that link the driver: what links each, and how long it takes when nothing is wrong. */
async function programsOf() {
  const below = join(directory, 'test', 'driver')
  const programs = []
  for (const entry of readdirSync(join(below, 'CMakeFiles'))) {
    const name = entry.replace(/\.dir$/, '')
    if (!entry.endsWith('.dir') || !/^(driver_|filter_)/.test(name) || name === 'driver_core_fixture') continue
    const [, ...link] = readFileSync(join(below, 'CMakeFiles', entry, 'link.txt'), 'utf8')
      .trim()
      .split(/\s+/)
    const started = process.hrtime.bigint()
    const status = await limited(join(below, name), [], { cwd: below, seconds: 300 })
    if (status !== 0) throw new Error(`${name} fails without a mutant`)
    programs.push({ name, below, link, seconds: Number(process.hrtime.bigint() - started) / 1e9, kills: new Map() })
  }
  return programs.sort((one, other) => one.seconds - other.seconds)
}

/** The place of a mutant, as the lists of equivalents tell it: by what the line says, not by its number. */
function placeOf({ file, source, offset, length, replacement }) {
  const start = source.lastIndexOf('\n', offset) + 1
  const end = source.indexOf('\n', offset)
  return {
    file,
    number: source.slice(0, start).split('\n').length,
    line: source.slice(start, end).trim(),
    mutant: (source.slice(start, offset) + replacement + source.slice(offset + length, end)).trim(),
  }
}

async function compile({ command, source }, room, name) {
  const input = join(room, `${name}.c`)
  const object = join(room, `${name}.o`)
  writeFileSync(input, source)
  const [compiler, ...words] = command.split(/\s+/)
  const options = words.slice(0, words.indexOf('-o')).filter((word) => word !== '-Werror' && word !== '-g')
  const status = await limited(compiler, [...options, '-w', '-o', object, '-c', input], { cwd: directory, seconds: 60 })
  return status === 0 ? object : undefined
}

/** How one mutant ended: 'stillborn', 'same' (the compiler makes the same code of it), the program that noticed it, or 'survived'. */
async function judge(mutant, programs, room) {
  const { source, offset, length, replacement, command, file } = mutant
  const object = await compile(
    { command, source: source.slice(0, offset) + replacement + source.slice(offset + length) },
    room,
    'unit',
  )
  if (!object) return 'stillborn'
  const code = readFileSync(object)
  const original = await compile({ command, source }, room, 'unit')
  if (readFileSync(original).equals(code)) return 'same'
  const changed = join(room, 'mutant.o')
  writeFileSync(changed, code)
  const order = [...programs].sort(
    (one, other) => (other.kills.get(file) ?? 0) / (1 + other.seconds) - (one.kills.get(file) ?? 0) / (1 + one.seconds),
  )
  for (const program of order) {
    const target = join(room, program.name)
    const archive = program.link.findIndex((word) => word.endsWith('libpsctx_driver.a'))
    const words = [...program.link.slice(0, archive), changed, ...program.link.slice(archive)]
    words[words.indexOf('-o') + 1] = target
    if ((await limited('cc', words, { cwd: program.below, seconds: 60 })) !== 0) return 'stillborn'
    const status = await limited(target, [], { cwd: program.below, seconds: 10 + 5 * program.seconds })
    if (status !== 0) {
      program.kills.set(file, (program.kills.get(file) ?? 0) + 1)
      return program.name
    }
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
  },
})

run(
  'cmake',
  [
    '-S',
    '.',
    '-B',
    directory,
    '-DPSCTX_ADDON=OFF',
    '-DPSCTX_TESTS=ON',
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON',
    '--log-level=WARNING',
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
run('nice', ['-n', '10', 'cmake', '--build', directory, '--parallel', values.jobs], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const programs = await programsOf()
console.log(programs.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', '))

const wanted = positionals.map((file) => relative(root, file))
const mutants = JSON.parse(readFileSync(join(directory, 'compile_commands.json'), 'utf8'))
  .map(({ file, command }) => ({ file: relative(root, file), command }))
  .filter(
    ({ file }) =>
      file.startsWith('driver/src/') &&
      (wanted.length === 0 || wanted.includes(file)) &&
      (!values.room || file.split('/')[2] === values.room),
  )
  .sort((one, other) => (one.file < other.file ? -1 : 1))
  .flatMap(({ file, command }) => {
    const source = readFileSync(join(root, file), 'utf8')
    return mutantsOf(source).map((mutant) => ({ ...mutant, file, command, source }))
  })
const random = randomOf(Number(values.seed))
const work = values.sample || wanted.length === 0 ? sampled(mutants, Number(values.sample ?? 100), random) : mutants
const planted = work.length
const until = values.seconds ? Date.now() + Number(values.seconds) * 1000 : Infinity
const outcomes = { noticed: 0, survived: 0, equivalent: 0, same: 0, stillborn: 0 }
const survivors = []

await Promise.all(
  Array.from({ length: Number(values.jobs) }, async (_, job) => {
    const room = join(directory, `job-${job}`)
    rmSync(room, { recursive: true, force: true })
    mkdirSync(room, { recursive: true })
    for (let mutant = work.shift(); mutant && Date.now() < until; mutant = work.shift()) {
      const place = placeOf(mutant)
      if (
        equivalents.some(
          ({ file, line, mutant }) => file === place.file && line === place.line && mutant === place.mutant,
        )
      ) {
        outcomes.equivalent += 1
        continue
      }
      const outcome = await judge(mutant, programs, room)
      if (Object.hasOwn(outcomes, outcome)) outcomes[outcome] += 1
      else outcomes.noticed += 1
      if (outcome !== 'survived') continue
      survivors.push(place)
      console.log(`${place.file}:${place.number}\n-${place.line}\n+${place.mutant}`)
    }
  }),
)
const judged = outcomes.noticed + outcomes.survived
const result = judged === 0 ? 1 : outcomes.noticed / judged
mkdirSync(dirname(join(directory, 'survivors.json')), { recursive: true })
writeFileSync(join(directory, 'survivors.json'), JSON.stringify(survivors, undefined, 2))
console.log(
  `seed ${values.seed}: ${planted - work.length} of ${mutants.length} mutants planted; ${outcomes.noticed} noticed, ${outcomes.survived} survived, ` +
    `${outcomes.equivalent} listed as equivalent, ${outcomes.same} the same to the compiler, ${outcomes.stillborn} not compiled: ${(100 * result).toFixed(1)} %`,
)
process.exitCode = result >= share ? 0 : 1
