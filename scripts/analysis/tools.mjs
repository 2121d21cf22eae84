/** The tools of the static analysis, how each is asked, and what is compiled on Linux that they are asked about. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { root, run } from '../run.mjs'

/** Where the analysis keeps what it makes. */
export const directory = join(root, 'build', 'analysis')

const suppressions = join('scripts', 'analysis', 'cppcheck-suppressions.txt')
const isC = (file) => file.endsWith('.c')

/**
 * program        what is run
 * configuration  the files that say what it looks for
 * subjects       of the compilations given, what it is asked about at once: each the files of a subject, and their options
 * arguments      of the program, for a source file that is or includes those of a subject
 */
export const tools = {
  gcc: {
    program: 'gcc',
    configuration: [],
    // Of C++ it says itself that it understands too little.
    subjects: (compilations) => one(compilations.filter(({ file }) => isC(file))),
    // What a compiler warns of anyway, the build says.
    arguments: (source, options) => [
      '-fanalyzer',
      '-O1',
      '-Werror',
      '-Wno-multichar',
      '-Wno-unknown-pragmas',
      ...options,
      '-c',
      source,
      '-o',
      '/dev/null',
    ],
  },
  cppcheck: {
    program: 'cppcheck',
    configuration: [suppressions],
    // The C files of a room together: it sees what one hands to another, and its addons, of which each takes seconds, read the headers once.
    subjects: (compilations) => [
      ...rooms(compilations.filter(({ file }) => isC(file))),
      ...one(compilations.filter(({ file }) => !isC(file))),
    ],
    arguments: (source, options) => [
      '--quiet',
      '--error-exitcode=1',
      '--enable=warning,style,performance,portability',
      '--inline-suppr',
      `--suppressions-list=${suppressions}`,
      '--platform=unix64',
      // cert is in no package, misra needs the text of its rules, naming and y2038 have nothing to look for: no names of theirs, no time_t.
      ...['threadsafety', 'misc'].filter(() => isC(source)).map((addon) => `--addon=${addon}`),
      isC(source) ? '--std=c11' : '--std=c++17',
      // One configuration, the one that is compiled here, instead of all that could be.
      ...['-D__GNUC__=12', '-D__linux__', '-D__x86_64__'],
      ...options.filter((option) => /^-[DI]/.test(option)),
      source,
    ],
  },
  'clang-tidy': {
    program: 'clang-tidy-19',
    configuration: ['.clang-tidy'],
    subjects: one,
    arguments: (source, options) => ['--quiet', source, '--', ...options],
  },
}

function one(compilations) {
  return compilations.map(({ file, options }) => ({ files: [file], options }))
}

/** The files of each directory that are compiled with the same options. */
function rooms(compilations) {
  const found = new Map()
  for (const { file, options } of compilations) {
    const key = JSON.stringify([dirname(file), options])
    if (!found.has(key)) found.set(key, { files: [], options })
    found.get(key).files.push(file)
  }
  return [...found.values()]
}

/** The file to hand to a tool for a subject: its only one, or one that includes all. */
export function sourceOf({ files }) {
  if (files.length === 1) return files[0]
  const source = join(directory, 'rooms', `${dirname(files[0]).replaceAll('/', '+')}.c`)
  mkdirSync(dirname(source), { recursive: true })
  writeFileSync(source, files.map((file) => `#include "${join(root, file)}"\n`).join(''))
  return source
}

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

/** What is compiled on Linux of the driver, the embedded kernel and the addon: each file below the top level, with its options. */
export function compilations() {
  const options = {
    PSCTX_ADDON: 'ON',
    PSCTX_TESTS: 'OFF',
    CMAKE_EXPORT_COMPILE_COMMANDS: 'ON',
    CMAKE_BUILD_TYPE: 'Debug',
    CMAKE_C_COMPILER: 'clang-19',
    CMAKE_CXX_COMPILER: 'clang++-19',
  }
  const definitions = Object.entries(options).map(([name, value]) => `-D${name}=${value}`)
  run('cmake', ['-S', '.', '-B', directory, '--log-level=WARNING', ...definitions], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return JSON.parse(readFileSync(join(directory, 'compile_commands.json'), 'utf8'))
    .map(({ file, command }) => ({ file: relative(root, file), options: languageOptions(command) }))
    .filter(({ file }) => /^(driver|binding)\//.test(file))
}
