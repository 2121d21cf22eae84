// A build of the C tests as the judge of mutants of the driver.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { root, run } from '../run.mjs'
import { Experience, limited, link, testsOf } from './tests.mjs'

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }

export class Judge {
  #build
  #directory
  #experience
  #environment
  #limits
  #tests
  #commands
  #originals = new Map()

  /**
   * Builds the tests, and measures them where they are unknown.
   *
   * - name: of the directory in build
   * - options: what CMake is told
   * - directory: where it notes what it learns of its tests
   * - names: a pattern of the tests that are asked
   * - environment, limits: of each program that has a mutant in it
   */
  static async prepare({ name, options, directory, names, jobs, environment = {}, limits = {} }) {
    const judge = new Judge()
    judge.#build = join(root, 'build', name)
    judge.#directory = directory
    judge.#environment = environment
    judge.#limits = limits
    const configuration = ['-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '--log-level=WARNING', ...options]
    run('cmake', ['-S', '.', '-B', judge.#build, ...configuration], quiet)
    run('nice', ['-n', '10', 'cmake', '--build', judge.#build, '--parallel', String(jobs)], quiet)
    judge.#commands = new Map(
      JSON.parse(readFileSync(join(judge.#build, 'compile_commands.json'), 'utf8'))
        .filter(({ command }) => command.includes('psctx_driver.dir'))
        .map(({ file, command }) => [relative(root, file), command]),
    )
    judge.#experience = new Experience(join(directory, `${name}-experience.json`))
    const times = join(directory, `${name}-times.json`)
    judge.#tests = await testsOf(judge.#build, names, { times, jobs, environment, limits })
    return judge
  }

  /** The files of the driver that are built, by their paths below the top level. */
  get files() {
    return [...this.#commands.keys()].filter((file) => file.startsWith('driver/src/')).sort()
  }

  /** Each test with the seconds that it takes. */
  get summary() {
    return this.#tests.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ')
  }

  /** How one mutant ends: 'stillborn', 'same' (the compiler makes the same code of it), 'noticed', 'late' (by not ending), or 'survived'. */
  async judge({ source, offset, length, replacement, file }, job) {
    const directory = join(this.#directory, `job-${job}`)
    if (!this.#originals.has(file))
      this.#originals.set(file, readFileSync(await this.#compile(file, source, directory)))
    const text = source.slice(0, offset) + replacement + source.slice(offset + length)
    const object = await this.#compile(file, text, directory)
    if (!object) return 'stillborn'
    if (readFileSync(object).equals(this.#originals.get(file))) return 'same'
    const linked = new Map()
    for (const test of this.#experience.order(this.#tests, file)) {
      if (!linked.has(test.program)) linked.set(test.program, await link(test, object, directory))
      const program = linked.get(test.program)
      if (!program) return 'stillborn'
      const end = await limited(program, test.args, {
        ...this.#limits,
        cwd: directory,
        seconds: 15 + 5 * test.seconds,
        environment: { ...test.environment, ...this.#environment },
      })
      if (end === 'passed') continue
      this.#experience.note(test, file)
      return end === 'late' ? 'late' : 'noticed'
    }
    return 'survived'
  }

  /** What the compiler makes of a file's text: the object's path, or undefined. */
  async #compile(file, text, directory) {
    const input = join(directory, 'unit.c')
    const object = join(directory, 'unit.o')
    writeFileSync(input, text)
    const [compiler, ...words] = this.#commands.get(file).split(/\s+/)
    const options = words.slice(0, words.indexOf('-o')).filter((word) => word !== '-Werror' && word !== '-g')
    const end = await limited(compiler, [...options, '-w', '-o', object, '-c', input], {
      cwd: this.#build,
      seconds: 60,
    })
    return end === 'passed' ? object : undefined
  }
}
