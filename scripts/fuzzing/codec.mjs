// Fuzzes the codec, guided by what each reply runs of it: one that runs something as often as none before it is kept, and others are made of it.
import { createHash, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import { buildSync } from 'esbuild'
import { createInstrumenter } from 'istanbul-lib-instrument'

import { randomOf } from '../mutation/sample.mjs'
import { CommandError, root } from '../run.mjs'

/** A reply's kind and what is read of three entries of the longest ones. */
const longest = 1024
const interesting = [0, 1, 2, 3, 7, 8, 0x10, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, 4088, 4096]

/** The target, with counters of its statements, branches and functions. */
function load(build) {
  const program = join(build, 'codec.js')
  const { outputFiles } = buildSync({
    ...{ entryPoints: [join(root, 'test', 'fuzz', 'codec.ts')], bundle: true, platform: 'node', format: 'cjs' },
    ...{ target: 'node20', write: false },
  })
  const instrumenter = createInstrumenter({ coverageVariable: '__fuzzed__', esModules: false, compact: true })
  writeFileSync(program, instrumenter.instrumentSync(outputFiles[0].text, program))
  const { fuzz, template, kinds } = createRequire(import.meta.url)(program)
  const { s, f, b } = globalThis.__fuzzed__[program]
  return { fuzz, template, kinds, counters: [s, f, ...Object.values(b)] }
}

/** What has been run how often: by powers of two, as there is no more to learn from the hundredth turn of a loop. */
class Coverage {
  #counters
  #seen

  constructor(counters) {
    this.#counters = counters.map((counter) => ({ counter, keys: Object.keys(counter) }))
    this.#seen = this.#counters.map(({ keys }) => new Uint32Array(keys.length))
  }

  clear() {
    for (const { counter, keys } of this.#counters) for (const key of keys) counter[key] = 0
  }

  /** Whether anything was run as often as never before, since it was cleared. */
  learn() {
    let isNew = false
    this.#counters.forEach(({ counter, keys }, group) => {
      const seen = this.#seen[group]
      keys.forEach((key, index) => {
        const bit = (1 << (32 - Math.clz32(counter[key]))) >>> 1
        if ((seen[index] & bit) === bit) return
        seen[index] |= bit
        isNew = true
      })
    })
    return isNew
  }

  get reached() {
    return this.#seen.reduce((sum, seen) => sum + seen.filter((bits) => bits !== 0).length, 0)
  }

  get count() {
    return this.#counters.reduce((sum, { keys }) => sum + keys.length, 0)
  }
}

/** Another reply, made of one that is there, or of two. */
function mutated(reply, other, random) {
  const below = (limit) => Math.floor(random() * limit)
  let bytes = Buffer.from(reply)
  for (let changes = 1 + below(4); changes > 0; changes -= 1) {
    const at = below(bytes.length)
    const word = 1 + 4 * below(Math.ceil(bytes.length / 4))
    if (word + 4 > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(8)]).subarray(0, longest)
    const isWord = word + 4 <= bytes.length
    const ways = [
      () => (bytes[at] ^= 1 << below(8)),
      () => (bytes[at] = below(256)),
      () => isWord && bytes.writeUInt32LE(interesting[below(interesting.length)], word),
      () => isWord && bytes.writeUInt32LE(below(128), word),
      () => isWord && bytes.writeUInt32LE((bytes.readUInt32LE(word) + below(17) - 8) >>> 0, word),
      () => other.copy(bytes, at, Math.min(at, other.length)),
      () => (bytes = bytes.subarray(0, 1 + at)),
    ]
    ways[below(ways.length)]()
  }
  return bytes
}

function readAll(directory) {
  return existsSync(directory) ? readdirSync(directory).map((name) => readFileSync(join(directory, name))) : []
}

function write(directory, reply) {
  writeFileSync(join(directory, createHash('sha1').update(reply).digest('hex')), reply)
}

/** The target with its coverage; what it fails for is written down and reported. */
function prepare(build) {
  mkdirSync(build, { recursive: true })
  const { fuzz, template, kinds, counters } = load(build)
  const coverage = new Coverage(counters)
  const isNew = (reply) => {
    coverage.clear()
    try {
      fuzz(reply)
    } catch (error) {
      const path = join(build, 'crash-codec')
      writeFileSync(path, reply)
      throw new CommandError(`codec: ${error.stack}\nThe reply is in ${path}`)
    }
    return coverage.learn()
  }
  const templates = Array.from({ length: kinds }, (_, kind) => Buffer.from(template(kind)))
  return { isNew, coverage, templates }
}

/** Fuzzes for so many seconds, from the seeds and what earlier runs have found, which is added to. Throws for a reply that fails. */
export function fuzzCodec({ seconds, seeds, found, build }) {
  const { isNew, coverage, templates } = prepare(build)
  const random = randomOf(randomInt(2 ** 32))
  const corpus = [...templates, ...readAll(seeds), ...readAll(found)].filter((reply) => isNew(reply))
  const started = process.hrtime.bigint()
  const until = started + BigInt(seconds) * 1_000_000_000n
  let cases = 0
  const pick = () => corpus[Math.floor(random() * corpus.length)]
  while (process.hrtime.bigint() < until) {
    for (let turn = 0; turn < 1000; turn += 1) {
      const reply = mutated(pick(), pick(), random)
      cases += 1
      if (!isNew(reply)) continue
      corpus.push(reply)
      write(found, reply)
    }
  }
  const rate = Math.round(cases / (Number(process.hrtime.bigint() - started) / 1e9))
  console.log(
    `codec: ${cases} replies, ${rate} a second; ${coverage.reached} of ${coverage.count} counters reached, ` +
      `${corpus.length} replies in the corpus, no failure`,
  )
}

/** Makes the seeds anew: the shortest replies that together run all that is known to be run. Returns them. */
export function recordCodec({ seeds, found, build }) {
  const { isNew, templates } = prepare(build)
  const known = [...readAll(seeds), ...readAll(found)].sort((one, other) => one.length - other.length)
  const kept = [...templates, ...known].filter((reply) => isNew(reply))
  rmSync(seeds, { recursive: true, force: true })
  mkdirSync(seeds, { recursive: true })
  for (const reply of kept) write(seeds, reply)
  return kept
}
