// Builds with clang's source-based coverage, and tells what was run: lines, branches and conditions, by file.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

import { clang } from '../compilers.mjs'
import { capture, CommandError, root, run } from '../run.mjs'

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
const flags = '-fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc'

/** Configures and builds in a directory of its own, at low priority. */
export function build(directory, definitions, targets = []) {
  const options = [
    ...clang,
    '-DCMAKE_BUILD_TYPE=Debug',
    `-DCMAKE_C_FLAGS=${flags} -O1 -Wno-error`,
    `-DCMAKE_CXX_FLAGS=${flags} -O1 -Wno-error`,
    `-DCMAKE_EXE_LINKER_FLAGS=${flags}`,
    `-DCMAKE_SHARED_LINKER_FLAGS=${flags}`,
    `-DCMAKE_MODULE_LINKER_FLAGS=${flags}`,
  ]
  run('cmake', ['-S', '.', '-B', directory, '--log-level=WARNING', ...options, ...definitions], quiet)
  const which = targets.flatMap((target) => ['--target', target])
  const { status, output } = capture('nice', ['-n', '10', 'cmake', '--build', directory, '--parallel', '2', ...which], {
    stdio: ['ignore', 'pipe', 'ignore'], // clang warns of each decision that it cannot measure
  })
  if (status !== 0) throw new CommandError(`${output}\nthe programs for coverage do not build`)
}

/** An empty directory for what programs write down, and the environment that has them do so. */
export function profilesIn(directory) {
  const profiles = join(directory, 'profiles')
  rmSync(profiles, { recursive: true, force: true })
  mkdirSync(profiles, { recursive: true })
  return { profiles, environment: { LLVM_PROFILE_FILE: join(profiles, '%p-%m.profraw') } }
}

/** What the programs' runs came to in the sources below a directory of the checkout. */
export function measure(profiles, programs, sources) {
  const merged = `${profiles}.profdata`
  const raw = readdirSync(profiles).map((name) => join(profiles, name))
  run('llvm-profdata-19', ['merge', '--sparse', '-o', merged, ...raw])
  const objects = programs.flatMap((program, index) => (index === 0 ? [program] : ['-object', program]))
  const { status, output } = capture(
    'llvm-cov-19',
    ['export', `-instr-profile=${merged}`, ...objects, join(root, sources)],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  if (status !== 0) throw new CommandError('llvm-cov found nothing to tell')
  return JSON.parse(output).data[0].files.map((file) => new Measured(file))
}

/** A file's figures, and the places in it that were not run. */
class Measured {
  #file
  #lines

  constructor(file) {
    this.#file = file
    this.#lines = readFileSync(file.filename, 'utf8').split('\n')
    this.name = relative(root, file.filename)
  }

  /** [covered, all] by kind. */
  get figures() {
    const { lines, branches, mcdc } = this.#file.summary
    return Object.fromEntries(
      Object.entries({ lines, branches, mcdc }).map(([kind, { covered, count }]) => [kind, [covered, count]]),
    )
  }

  #place(number) {
    return { file: this.name, number, line: this.#lines[number - 1].trim() }
  }

  #text([line, column, lastLine, lastColumn]) {
    if (line === lastLine) return this.#lines[line - 1].slice(column - 1, lastColumn - 1)
    const first = this.#lines[line - 1].slice(column - 1)
    const last = this.#lines[lastLine - 1].slice(0, lastColumn - 1)
    return [first, ...this.#lines.slice(line, lastLine - 1), last].map((part) => part.trim()).join(' ')
  }

  /** The lines that hold code which was not run. */
  get lines() {
    const numbers = new Set()
    this.#file.segments.forEach(([line, column, count, hasCount, , isGap], index) => {
      if (!hasCount || isGap || count > 0) return
      const [lastLine, lastColumn] = this.#file.segments[index + 1] ?? [line, column]
      for (let number = line; number <= lastLine; number += 1) {
        const from = number === line ? column - 1 : 0
        const to = number === lastLine ? lastColumn - 1 : undefined
        if (/\w/.test(this.#lines[number - 1].slice(from, to))) numbers.add(number)
      }
    })
    return [...numbers].map((number) => this.#place(number))
  }

  /** The conditions that were never TRUE, or never FALSE. */
  get branches() {
    return this.#conditions.flatMap(({ at, never }) =>
      never.map((outcome) => ({ ...this.#place(at[0]), condition: this.#text(at), never: outcome })),
    )
  }

  /** The conditions that were both, and never made a decision turn by themselves (modified condition/decision coverage). */
  get mcdc() {
    return (this.#file.mcdc_records ?? []).flatMap((record) => {
      const [line, column, lastLine, lastColumn] = record
      const parts = this.#conditions.filter(
        ({ at }) =>
          (at[0] > line || (at[0] === line && at[1] >= column)) &&
          (at[2] < lastLine || (at[2] === lastLine && at[3] <= lastColumn)),
      )
      const shown = record.at(-1)
      return shown.flatMap((isShown, index) => {
        const part = parts.length === shown.length ? parts[index] : undefined
        if (isShown) return []
        const at = part?.at ?? record
        return [{ ...this.#place(at[0]), condition: this.#text(at), never: 'alone', implied: part?.never ?? [] }]
      })
    })
  }

  get #conditions() {
    const conditions = new Map()
    for (const [line, column, lastLine, lastColumn, taken, skipped] of this.#file.branches) {
      const at = [line, column, lastLine, lastColumn]
      const condition = conditions.get(at.join()) ?? { at, taken: 0, skipped: 0 }
      condition.taken += taken
      condition.skipped += skipped
      conditions.set(at.join(), condition)
    }
    return [...conditions.values()]
      .map(({ at, taken, skipped }) => ({
        at,
        never: [...(taken === 0 ? ['true'] : []), ...(skipped === 0 ? ['false'] : [])],
      }))
      .sort((one, other) => one.at[0] - other.at[0] || one.at[1] - other.at[1])
  }
}
