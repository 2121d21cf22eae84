/**
 * Static analysis of driver/src, driver/host and binding, with no finding left: clang-tidy with the clang static analyzer, gcc's analyzer, and
 * cppcheck with its addons. A file is looked at again only when it, what it includes, or the question has changed; `--all` asks anew.
 *
 *     npm run lint:analysis -- [--all] [--tool clang-tidy|gcc|cppcheck] [FILE...]
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

import { capture, root, run } from './run.mjs'
import { provide } from './setup.mjs'

for (const reason of provide(['analysis']).values()) throw new Error(reason)

const directory = join(root, 'build', 'analysis')
const suppressions = join('scripts', 'analysis', 'cppcheck-suppressions.txt')

/** The options of a compiler's command that say what is compiled: language, definitions, directories. */
function languageOptions(command) {
  const words = command.split(' ').slice(1)
  const options = []
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]
    if (word === '-isystem') options.push(word, words[(index += 1)])
    else if (/^-(D|I|std=|fshort-wchar|fno-strict-aliasing|fPIC)/.test(word)) options.push(word)
  }
  return options
}

/** Where cppcheck keeps what it hands to its addons, which would lie beside the source else. */
function workspaceOf(file) {
  return join(directory, 'cppcheck', file.replaceAll('/', '+'))
}

const tools = {
  'clang-tidy': {
    program: 'clang-tidy-19',
    configuration: ['.clang-tidy'],
    takes: () => true,
    arguments: ({ file }) => ['-p', directory, '--quiet', file],
  },
  gcc: {
    program: 'gcc',
    configuration: [],
    // Of C++ it says itself that it understands too little.
    takes: ({ file }) => file.endsWith('.c'),
    // What a compiler warns of anyway, the build says.
    arguments: ({ file, options }) => [
      '-fanalyzer',
      '-O1',
      '-Werror',
      '-Wno-multichar',
      '-Wno-unknown-pragmas',
      ...options,
      '-c',
      file,
      '-o',
      '/dev/null',
    ],
  },
  cppcheck: {
    program: 'cppcheck',
    configuration: [suppressions],
    takes: () => true,
    arguments: ({ file, options }) => [
      '--quiet',
      '--error-exitcode=1',
      `--cppcheck-build-dir=${workspaceOf(file)}`,
      '--enable=warning,style,performance,portability',
      '--inline-suppr',
      `--suppressions-list=${suppressions}`,
      '--platform=unix64',
      ...['threadsafety', 'misc'].filter(() => file.endsWith('.c')).map((addon) => `--addon=${addon}`),
      file.endsWith('.c') ? '--std=c11' : '--std=c++17',
      ...options.filter((option) => /^-[DI]/.test(option)),
      file,
    ],
  },
}

/** What is compiled on Linux, with the command for each file. */
function compilations() {
  const database = join(directory, 'compile_commands.json')
  run(
    'cmake',
    [
      ...['-S', '.', '-B', directory, '-DPSCTX_ADDON=ON', '-DPSCTX_TESTS=OFF', '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON'],
      ...[
        '-DCMAKE_BUILD_TYPE=Debug',
        '-DCMAKE_C_COMPILER=clang-19',
        '-DCMAKE_CXX_COMPILER=clang++-19',
        '--log-level=WARNING',
      ],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return JSON.parse(readFileSync(database, 'utf8'))
    .map(({ file, command }) => ({ file: relative(root, file), options: languageOptions(command) }))
    .filter(({ file }) => /^(driver|binding)\//.test(file))
}

/** Runs a program off this thread, and resolves to its exit status and all that it printed. */
function start(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    child.stdout.on('data', (data) => output.push(data))
    child.stderr.on('data', (data) => output.push(data))
    child.on('error', ({ message }) => resolve({ status: 1, output: `${program}: ${message}\n` }))
    child.on('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(output).toString() }))
  })
}

/** A digest of all that a tool's answer depends on. */
function digestOf(tool, compilation, source) {
  const hash = createHash('sha256')
    .update(tool.version)
    .update(JSON.stringify(tool.arguments(compilation)))
    .update(source)
  for (const file of tool.configuration) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Asks one tool about one file, and returns what it found, which is nothing in the end. */
async function examine(name, compilation, digest) {
  const tool = tools[name]
  const stamp = join(directory, 'stamps', name, compilation.file.replaceAll('/', '+'))
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return { findings: '', asked: false }
  mkdirSync(workspaceOf(compilation.file), { recursive: true })
  const { status, output } = await start(tool.program, tool.arguments(compilation))
  if (status !== 0) return { findings: `${name}: ${compilation.file}\n${output}`, asked: true }
  mkdirSync(join(directory, 'stamps', name), { recursive: true })
  writeFileSync(stamp, digest)
  return { findings: '', asked: true }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, tool: { type: 'string', multiple: true } },
})
const names = values.tool ?? Object.keys(tools)
for (const name of names) {
  if (!(name in tools)) throw new Error(`--tool is one of ${Object.keys(tools).join(', ')}`)
  tools[name].version = capture(tools[name].program, ['--version']).output
}
if (values.all) rmSync(join(directory, 'stamps'), { recursive: true, force: true })

const files = positionals.map((file) => relative(root, file))
const chosen = compilations().filter(({ file }) => files.length === 0 || files.includes(file))
const work = []
for (const compilation of chosen) {
  const compiler = compilation.file.endsWith('.c') ? 'clang-19' : 'clang++-19'
  const text = capture(compiler, [...compilation.options, '-Wno-everything', '-E', '-P', compilation.file]).output
  const source = readFileSync(join(root, compilation.file)) + text
  for (const name of names) {
    if (tools[name].takes(compilation))
      work.push({ name, compilation, digest: digestOf(tools[name], compilation, source) })
  }
}

const started = process.hrtime.bigint()
let asked = 0
let found = 0
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const result = await examine(next.name, next.compilation, next.digest)
      if (result.asked) asked += 1
      if (result.findings) {
        found += 1
        console.error(result.findings)
      }
    }
  }),
)
const seconds = Number(process.hrtime.bigint() - started) / 1e9
console.log(
  `${chosen.length} files, ${names.join(', ')}: ${asked} answers asked for in ${seconds.toFixed(0)} s, ${found} with findings`,
)
process.exitCode = found === 0 && chosen.length > 0 ? 0 : 1
