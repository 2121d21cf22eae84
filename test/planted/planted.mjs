/**
 * `npm run planted`: plants each fault of faults.mjs in a copy of the driver, and shows that the tool that is there for it finds it.
 *
 * planted [--short] [--check | --baseline] [--analysis] [name …]; --check only looks whether each can be planted, --baseline that their tools
 * find nothing without them, --analysis takes those for the static analysis. A fault whose text is not in the source any more is a failure, as
 * is one that is not found within its bound.
 *
 * Of the driver, only the file with the fault is compiled, and the tool linked with it in front of the driver's library; or, where the tool
 * has the driver in a library of its own with the kernel, that. Of the facade, a copy is tested. The static analysis is asked about the file.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { compilations, tools } from '../../scripts/analysis/tools.mjs'
import { oneOf, runScript } from '../../scripts/options.mjs'
import { capture, CommandError, root, run } from '../../scripts/run.mjs'
import { faults } from './faults.mjs'

const seconds = 120 // of a tool that hangs: an end, not a measure
const build = join(root, 'build', 'native')
const addon = join(root, 'build', 'Release', 'psctx.node')
let isBaseline = false

function isOfFacade(fault) {
  return fault.file.endsWith('.ts')
}

function pathOf(fault) {
  return join(isOfFacade(fault) ? 'src' : join('driver', 'src'), fault.file)
}

function isAnalysis(fault) {
  return fault.tool[0] === 'analysis'
}

/** What the C tests' build says of a source file, as arguments. */
function compilerOf(fault) {
  const path = join(root, pathOf(fault))
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'))
  const entry = commands.find((command) => command.file === path && command.command.includes('psctx_driver.dir'))
  if (entry === undefined) throw new CommandError(`no compile command for ${path}`)
  return entry.command.split(' ').filter((argument) => argument !== '')
}

/** The file with the fault, or why it cannot be planted. */
function plant(fault, text) {
  for (const [from, to] of fault.edits) {
    const occurrences = text.split(from).length - 1
    if (occurrences !== 1) {
      throw new CommandError(`${fault.name}: its text stands ${occurrences} times in ${pathOf(fault)}, not once`)
    }
    text = text.replace(from, () => to)
  }
  return text
}

function planted(fault) {
  return plant(fault, readFileSync(join(root, pathOf(fault)), 'utf8'))
}

function compile(fault, directory) {
  const source = join(directory, 'planted.c')
  const object = join(directory, 'planted.o')
  writeFileSync(source, planted(fault))
  const [compiler, ...given] = compilerOf(fault)
  const kept = given.slice(0, given.indexOf('-o')) // then come the output and the source
  run(compiler, [...kept, '-Wno-error', '-w', '-I', dirname(join(root, pathOf(fault))), '-o', object, '-c', source])
  return object
}

/** Where CMake has put a program's link command. */
function linkOf(target) {
  for (const directory of ['driver', 'explore', 'host', 'fuzz']) {
    const path = join(build, 'test', directory, 'CMakeFiles', `${target}.dir`, 'link.txt')
    if (existsSync(path)) return { directory: join(build, 'test', directory), text: readFileSync(path, 'utf8') }
  }
  throw new CommandError(`no link command for ${target}; has the build been made with makefiles?`)
}

function link(target, object, program) {
  const { directory, text } = linkOf(target)
  const given = text.trim().split(/\s+/)
  const output = given.indexOf('-o')
  run(given[0], [...given.slice(1, output), '-o', program, object, ...given.slice(output + 2)], { cwd: directory })
}

/** A tool of the static analysis, and its arguments for the file with the fault in the place of the one without. */
function makeQuestion(fault, directory) {
  const { program, arguments: argumentsOf } = tools[fault.tool[1]]
  const file = pathOf(fault)
  const source = join(directory, 'planted.c')
  writeFileSync(source, isBaseline ? readFileSync(join(root, file)) : planted(fault))
  const { options } = compilations().find((compilation) => compilation.file === file)
  return {
    command: program,
    parameters: argumentsOf(source, [...options, `-I${dirname(join(root, file))}`]),
    env: process.env,
    cwd: root,
  }
}

/** Builds the library of kernel and driver, whose objects are named one by one, with another object in the place of the driver's own. */
function linkLibrary(fault, object, directory) {
  const { directory: built, text } = linkOf('psctx_kernel')
  const given = text.trim().split(/\s+/)
  const own = `/psctx_driver.dir/src/${fault.file}.o`
  if (!given.some((argument) => argument.endsWith(own))) throw new CommandError(`no ${own} in the library`)
  const output = given.indexOf('-o')
  run(
    given[0],
    given.slice(1).map((argument, index) => {
      if (index === output) return join(directory, given[output + 1])
      return argument.endsWith(own) ? object : argument
    }),
    { cwd: built },
  )
}

/** The tool with the fault, as what is to be run and with which variables. */
function makeProgram(fault, directory) {
  const [target, ...parameters] = fault.tool
  const env = { ...process.env, PSCTX_FRONT: fault.front ?? 'legacy', ...fault.environment }
  const { directory: built, text } = linkOf(target)
  if (isBaseline) return { command: join(built, target), parameters, env }
  const object = compile(fault, directory)
  if (text.includes('libpsctx_kernel.so')) {
    linkLibrary(fault, object, directory)
    return { command: join(built, target), parameters, env: { ...env, LD_LIBRARY_PATH: directory } }
  }
  const command = join(directory, target)
  link(target, object, command)
  return { command, parameters, env }
}

/** The same of the facade: its sources, its tests of this kind and what they need, and Jest. */
function makeCopy(fault, directory) {
  const [test, variables] = fault.tool
  for (const name of [
    'src',
    'test/contract',
    'test/fuzz',
    'test/model',
    'package.json',
    'tsconfig.json',
    'jest.config.js',
  ]) {
    cpSync(join(root, name), join(directory, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  if (!isBaseline) writeFileSync(join(directory, pathOf(fault)), planted(fault))
  return {
    command: process.execPath,
    parameters: [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--runInBand', '--runTestsByPath', test],
    env: { ...process.env, ...variables, PSCTX_ADDON_PATH: addon },
  }
}

/** Undefined when the tool has found the fault, or what is wrong. */
function find(fault) {
  const directory = join(root, 'build', 'planted', fault.name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const make = isAnalysis(fault) ? makeQuestion : isOfFacade(fault) ? makeCopy : makeProgram
  const { command, parameters, env, cwd = directory } = make(fault, directory)
  const { status, signal, stdout, stderr, error } = spawnSync(command, parameters, {
    encoding: 'utf8',
    cwd,
    env,
    timeout: seconds * 1000,
    maxBuffer: 1 << 28,
  })
  const output = `${stdout}${stderr}${signal === null ? '' : `\nended by ${signal}\n`}`
  writeFileSync(join(directory, 'output.txt'), output)
  const tool = [fault.tool[0], ...parameters].join(' ')
  if (error !== undefined) return `${tool}: ${error.message}`
  if (isBaseline) return status === 0 ? undefined : `${tool} fails without a fault`
  if (status === 0) return `${tool} finds nothing`
  if (!fault.says.test(output)) return `${tool} fails, but does not say ${fault.says}`
  return undefined
}

function main() {
  const flag = { type: 'boolean', default: false }
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: { short: flag, check: flag, baseline: flag, analysis: flag },
  })
  const known = faults.map(({ name }) => name)
  for (const name of names) oneOf('a fault', known, name)
  isBaseline = values.baseline
  const chosen = faults.filter(
    (fault) =>
      (names.length === 0 || names.includes(fault.name)) &&
      (!values.short || fault.short) &&
      (!values.analysis || isAnalysis(fault)),
  )
  if (values.check) {
    chosen.forEach(planted)
    console.log(`${chosen.length} faults can be planted`)
    return
  }
  if (chosen.some(isOfFacade) && !existsSync(addon)) run('npm', ['run', 'build:native'])
  const programs = chosen.filter((fault) => !isOfFacade(fault) && !isAnalysis(fault))
  if (programs.length > 0) {
    if (!existsSync(join(build, 'compile_commands.json'))) {
      run('cmake', ['-S', root, '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
    }
    const targets = [...new Set(programs.map((fault) => fault.tool[0]))]
    const jobs = ['--parallel', String(availableParallelism())]
    const { status, output } = capture('cmake', ['--build', build, ...jobs, '--target', ...targets])
    if (status !== 0) throw new CommandError(`${output}\nthe tools do not build`)
  }

  let failed = 0
  for (const [index, fault] of chosen.entries()) {
    const started = Date.now()
    let obstacle
    try {
      obstacle = find(fault)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      obstacle = error.message
    }
    failed += obstacle === undefined ? 0 : 1
    const took = ((Date.now() - started) / 1000).toFixed(1)
    console.log(
      `${obstacle === undefined ? 'ok' : 'not ok'} ${index + 1} - ${fault.mechanism}: ${fault.name} (${took} s)`,
    )
    if (obstacle !== undefined) console.log(`# ${obstacle}`)
  }
  console.log(
    `1..${chosen.length}\n# ${chosen.length - failed} of ${chosen.length} ${isBaseline ? 'tools pass without a fault' : 'planted faults found'}`,
  )
  process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1
}

await runScript(main, 2)
