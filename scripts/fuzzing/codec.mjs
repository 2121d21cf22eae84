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

/** The target, and the counters of its statements, functions and branches, which its instrumentation counts up. */
function load(build) {
  const program = join(build, 'codec.js')
  const { outputFiles } = buildSync({
    ...{ entryPoints: [join(root, 'test', 'fuzz', 'codec.ts')], bundle: true, platform: 'node', format: 'cjs' },
    ...{ target: 'node20', write: false },
  })
  const instrumenter = createInstrumenter({ coverageVariable: '__fuzzed__', esModules: false, compact: true })
  writeFileSync(program, instrumenter.instrumentSync(outputFiles[0].text, program))
  const target = createRequire(import.meta.url)(program)
  const coverage = globalThis.__fuzzed__[program]
  const counts = [coverage.s, coverage.f, ...Object.values(coverage.b)].map((counted) => Object.keys(counted).length)
  const counters = new Uint32Array(counts.reduce((sum, count) => sum + count, 0))
  let end = 0
  const [statements, functions, ...branches] = counts.map((count) => counters.subarray(end, (end += count)))
  Object.assign(coverage, { s: statements, f: functions, b: branches })
  return { ...target, counters }
}

/** What has been run how often: by powers of two, as there is no more to learn from the hundredth turn of a loop. */
class Coverage {
  #counters
  #seen

  constructor(counters) {
    this.#counters = counters
    this.#seen = new Uint32Array(counters.length)
  }

  clear() {
    this.#counters.fill(0)
  }

  /** Whether anything was run as often as never before, since it was cleared. */
  learn() {
    let isNew = false
    for (let index = 0; index < this.#counters.length; index += 1) {
      const count = this.#counters[index]
      if (count === 0) continue
      const bit = 1 << (31 - Math.clz32(count))
      if ((this.#seen[index] & bit) !== 0) continue
      this.#seen[index] |= bit
      isNew = true
    }
    return isNew
  }

  get reached() {
    return this.#seen.filter((bits) => bits !== 0).length
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
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // most replies are refused with an error that nobody looks at
  const isNew = (reply) => {
    coverage.clear()
    try {
      fuzz(reply)
    } catch {
      const path = join(build, 'crash-codec')
      writeFileSync(path, reply)
      Error.stackTraceLimit = stackTraceLimit
      try {
        fuzz(reply)
      } catch (error) {
        throw new CommandError(`codec: ${error.stack}\nThe reply is in ${path}`, { cause: error })
      }
      throw new CommandError(`codec: failed once, and not again. The reply is in ${path}`)
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
    `codec: ${cases} replies, ${rate} a second; ${coverage.reached} statements, functions and branches reached, ` +
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
