/**
 * Static analysis of driver/src, driver/host and binding, with no finding left: gcc's analyzer, cppcheck with its addons, and clang-tidy with the
 * clang static analyzer. A question is asked again only when a file, what it includes, or the question itself has changed; --all asks anew. After
 * --seconds no further one is asked, and what is left is for the next time.
 *
 *     npm run lint:analysis -- [--all] [--seconds N] [--tool gcc|cppcheck|clang-tidy] [FILE...]
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'

import { compilations, directory, sourceOf, tools } from './analysis/tools.mjs'
import { oneOf, runScript, wholeNumber } from './options.mjs'
import { capture, CommandError, root } from './run.mjs'
import { demand } from './setup.mjs'

/** Runs a program off this thread, and resolves to its exit status and what it printed, errors apart. */
function start(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, errors] = [child.stdout, child.stderr].map((stream) => {
      const chunks = []
      stream.on('data', (chunk) => chunks.push(chunk))
      return () => Buffer.concat(chunks).toString()
    })
    child.on('error', ({ message }) => resolve({ status: 1, output: '', errors: `${program}: ${message}\n` }))
    child.on('close', (status) => resolve({ status: status ?? 1, output: output(), errors: errors() }))
  })
}

const texts = new Map()

/** A file, with the comments that may silence a tool, and all that it includes. */
function textOf(file, options) {
  if (!texts.has(file)) {
    const compiler = file.endsWith('.c') ? 'clang-19' : 'clang++-19'
    const preprocessed = start(compiler, [...options, '-Wno-everything', '-E', '-P', file])
    texts.set(
      file,
      preprocessed.then(({ output }) => readFileSync(join(root, file)) + output),
    )
  }
  return texts.get(file)
}

/** A digest of all that the answer to a question depends on. */
async function digestOf({ name, files, options }) {
  const { version, configuration, arguments: argumentsOf } = tools[name]
  const hash = createHash('sha256')
    .update(version)
    .update(JSON.stringify(argumentsOf(files[0], options)))
  for (const file of files) hash.update(await textOf(file, options))
  for (const file of configuration) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Asks one question unless its answer is known, and returns what was found, which is nothing in the end. */
async function ask(question, isLate) {
  const { name, options } = question
  const source = sourceOf(question)
  const stamp = join(directory, 'stamps', name, relative(root, source).replaceAll('/', '+'))
  const digest = await digestOf(question)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return 'known'
  if (isLate()) return 'left'
  const { program, arguments: argumentsOf } = tools[name]
  const { status, output, errors } = await start(program, argumentsOf(source, options))
  if (status !== 0) {
    console.error(`${name}: ${source}\n${output}${errors}`)
    return 'found'
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
  return 'clean'
}

await runScript(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      tool: { type: 'string', multiple: true, default: Object.keys(tools) },
    },
  })
  const seconds = values.seconds === undefined ? Infinity : wholeNumber('seconds', values.seconds)
  for (const name of values.tool) oneOf('--tool', Object.keys(tools), name)
  demand(['analysis'])
  for (const name of values.tool) tools[name].version = capture(tools[name].program, ['--version']).output
  if (values.all) rmSync(join(directory, 'stamps'), { recursive: true, force: true })

  const chosen = positionals.map((file) => relative(root, file))
  const all = compilations()
  const questions = values.tool.flatMap((name) =>
    tools[name]
      .subjects(all)
      .filter(({ files }) => chosen.length === 0 || files.some((file) => chosen.includes(file)))
      .map((subject) => ({ name, ...subject })),
  )
  if (questions.length === 0) throw new CommandError(`nothing is asked about ${positionals.join(', ')}`)
  const report = { asked: questions.length, known: 0, clean: 0, found: 0, left: 0 }
  const started = process.hrtime.bigint()
  const secondsGone = () => Number(process.hrtime.bigint() - started) / 1e9
  const isLate = () => secondsGone() > seconds
  const waiting = questions.values()
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (const question of waiting) report[await ask(question, isLate)] += 1
    }),
  )
  writeFileSync(join(directory, 'report.json'), JSON.stringify(report))
  console.log(
    `${values.tool.join(', ')}, ${report.asked} questions: ${report.known} answered before, ${report.clean} without a finding, ` +
      `${report.found} with findings, ${report.left} left, in ${secondsGone().toFixed(0)} s`,
  )
  process.exitCode = report.found === 0 ? 0 : 1
})
