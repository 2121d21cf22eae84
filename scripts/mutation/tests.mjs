// The C tests as judges of a mutant: which there are, how long each takes, and which of them is asked first.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'

import { atEnd, capture, CommandError } from '../run.mjs'

/** Of a program that hangs without a mutant: an end, not a measure. */
const longest = 300

/**
 * Runs a program that may hang or eat memory, up to its first line of TAP that says `not ok`; resolves to what became of it: 'passed',
 * 'failed', 'aborted' by a signal, or 'late' when its time was up.
 */
export function limited(program, args, { cwd, seconds, environment = {}, kilobytes = 4_000_000 }) {
  return new Promise((resolve) => {
    const processorSeconds = Math.ceil(4 * seconds) // so that what loops when this process is killed ends all the same
    const script = `ulimit -v ${kilobytes}; ulimit -t ${processorSeconds}; exec nice -n 10 "$@"`
    const child = spawn('sh', ['-c', script, 'sh', program, ...args], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    let end
    const stop = (outcome) => {
      end ??= outcome
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if (error.code !== 'ESRCH') throw error // it has ended by itself
      }
    }
    const forget = atEnd(() => stop('failed')) // a group of its own gets no signal from the terminal
    const timer = setTimeout(() => stop('late'), seconds * 1000)
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      if (lines.some((line) => line.startsWith('not ok'))) stop('failed')
    })
    child.on('error', () => stop('failed'))
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      forget()
      resolve(end ?? (signal ? 'aborted' : status === 0 ? 'passed' : 'failed'))
    })
  })
}

/** How a program is linked, as arguments, if it has the driver in it. */
function linkOf(program) {
  const path = join(dirname(program), 'CMakeFiles', `${basename(program)}.dir`, 'link.txt')
  if (!existsSync(path)) return undefined
  const words = readFileSync(path, 'utf8').trim().split(/\s+/)
  const library = words.findIndex((word) => word.endsWith('libpsctx_driver.a'))
  return library < 0 ? undefined : { words, library }
}

/** The environment that CTest runs a test in. */
function environmentOf({ properties }) {
  const variables = properties.find(({ name }) => name === 'ENVIRONMENT')?.value ?? []
  return Object.fromEntries(variables.map((variable) => variable.split('=')))
}

/**
 * The tests of a build whose programs link the driver and whose names match, each with the seconds that it takes when nothing is wrong; the
 * file `times` keeps these as long as the programs are the same.
 */
export async function testsOf(build, names, { times, jobs, environment: own, limits }) {
  const known = existsSync(times) ? JSON.parse(readFileSync(times, 'utf8')) : {}
  const { output } = capture('ctest', ['--test-dir', build, '--show-only=json-v1'])
  const tests = JSON.parse(output.slice(output.indexOf('{')))
    .tests.map((test) => {
      const [program, ...args] = test.command
      return { name: test.name, program, args, environment: environmentOf(test), link: linkOf(program) }
    })
    .filter((test) => test.link && names.test(test.name))
  if (tests.length === 0) throw new CommandError(`no test of the driver has a name that matches ${names}`)
  const unmeasured = tests.filter(({ name, program }) => known[name]?.built !== statSync(program).mtimeMs)
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let test = unmeasured.shift(); test; test = unmeasured.shift()) {
        const { name, program, args, environment } = test
        const started = process.hrtime.bigint()
        const end = await limited(program, args, {
          ...limits,
          cwd: dirname(program),
          seconds: longest,
          environment: { ...environment, ...own },
        })
        if (end !== 'passed')
          throw new CommandError(`${name} has ${end} without a mutant: ctest --test-dir ${build} -R ${name} says why`)
        const seconds = Number(process.hrtime.bigint() - started) / 1e9
        known[name] = { built: statSync(program).mtimeMs, seconds }
      }
    }),
  )
  writeFileSync(times, JSON.stringify(known, undefined, 2))
  return tests.map((test) => ({ ...test, seconds: known[test.name].seconds }))
}

/** Links a test's program with an object in front of the driver's library: its path, or undefined. */
export async function link(test, object, directory) {
  const { words, library } = test.link
  const target = join(directory, basename(test.program))
  const [linker, ...args] = [...words.slice(0, library), object, ...words.slice(library)]
  args[args.indexOf('-o') + 1] = target
  const end = await limited(linker, args, { cwd: dirname(test.program), seconds: 60 })
  return end === 'passed' ? target : undefined
}

/** Remembers, in a file, which tests have noticed mutants where: the likeliest comes first, and of those alike the quickest. */
export class Experience {
  #path
  #noticed

  constructor(path) {
    this.#path = path
    this.#noticed = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  }

  order(tests, file) {
    const times = (place, { name }) => this.#noticed[place]?.[name] ?? 0
    const worth = (test) => (10 * times(file, test) + times(dirname(file), test) + 0.1) / (0.5 + test.seconds)
    return [...tests].sort((one, other) => worth(other) - worth(one))
  }

  note({ name }, file) {
    for (const place of [file, dirname(file)]) {
      this.#noticed[place] ??= {}
      this.#noticed[place][name] = (this.#noticed[place][name] ?? 0) + 1
    }
    writeFileSync(this.#path, JSON.stringify(this.#noticed, undefined, 2))
  }
}
