/**
 * `npm run planted`: plants each fault of faults.mjs in a copy of the driver, and shows that the tool that is there for it finds it.
 *
 * planted [--short | --check | --analysis] [name …]; --check only looks whether each can be planted, --analysis takes those for the static analysis. Only the file with the fault is compiled, and the tool linked with it in front of the driver's library. A fault
 * whose text is not in the source any more is a failure, as is one that is not found within its bound.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { availableParallelism } from 'node:os'

import { compilations, tools } from '../../scripts/analysis/tools.mjs'
import { capture, CommandError, root, run } from '../../scripts/run.mjs'
import { faults } from './faults.mjs'

const seconds = 120 // of a tool that hangs: an end, not a measure
const build = join(root, 'build', 'native')

const isAnalysis = (fault) => fault.tool[0] === 'analysis'

/** What the C tests' build says of a source file, as arguments. */
function compilerOf(file) {
  const path = join(root, 'driver', 'src', file)
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
      throw new CommandError(
        `${fault.name}: its text stands ${occurrences} times in driver/src/${fault.file}, not once`,
      )
    }
    text = text.replace(from, () => to)
  }
  return text
}

function planted(fault) {
  return plant(fault, readFileSync(join(root, 'driver', 'src', fault.file), 'utf8'))
}

function compile(fault, directory) {
  const source = join(directory, 'planted.c')
  const object = join(directory, 'planted.o')
  writeFileSync(source, planted(fault))
  const [compiler, ...given] = compilerOf(fault.file)
  const kept = given.slice(0, given.indexOf('-o')) // then come the output and the source
  run(compiler, [
    ...kept,
    '-Wno-error',
    '-w',
    '-I',
    dirname(join(root, 'driver', 'src', fault.file)),
    '-o',
    object,
    '-c',
    source,
  ])
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
function analysisOf(fault, directory) {
  const { program, arguments: argumentsOf } = tools[fault.tool[1]]
  const file = join('driver', 'src', fault.file)
  const source = join(directory, 'planted.c')
  writeFileSync(source, planted(fault))
  const { options } = compilations().find((compilation) => compilation.file === file)
  return { program, parameters: argumentsOf(source, [...options, `-I${dirname(join(root, file))}`]) }
}

/** A program of the C tests with the fault in it, and its arguments. */
function testOf(fault, directory) {
  const [target, ...parameters] = fault.tool
  const program = join(directory, target)
  link(target, compile(fault, directory), program)
  return { program, parameters }
}

/** Undefined when the tool has found the fault, or what is wrong. */
function find(fault) {
  const directory = join(root, 'build', 'planted', fault.name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const { program, parameters } = isAnalysis(fault) ? analysisOf(fault, directory) : testOf(fault, directory)
  const { status, stdout, stderr, error } = spawnSync(program, parameters, {
    encoding: 'utf8',
    cwd: isAnalysis(fault) ? root : directory,
    timeout: seconds * 1000,
    maxBuffer: 1 << 28,
  })
  const output = `${stdout}${stderr}`
  writeFileSync(join(directory, 'output.txt'), output)
  if (error !== undefined) return `${fault.tool.join(' ')}: ${error.message}`
  if (status === 0) return `${fault.tool.join(' ')} finds nothing`
  if (!fault.says.test(output)) return `${fault.tool.join(' ')} fails, but does not say ${fault.says}`
  return undefined
}

function main() {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  const short = process.argv.includes('--short')
  const analysis = process.argv.includes('--analysis')
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name))
  if (unknown.length > 0) throw new CommandError(`no such fault: ${unknown.join(', ')}`)
  const chosen = faults.filter(
    (fault) =>
      (names.length === 0 || names.includes(fault.name)) && (!short || fault.short) && (!analysis || isAnalysis(fault)),
  )
  if (process.argv.includes('--check')) {
    chosen.forEach(planted)
    console.log(`${chosen.length} faults can be planted`)
    return
  }
  const tests = chosen.filter((fault) => !isAnalysis(fault))
  if (tests.length > 0) {
    if (!existsSync(join(build, 'compile_commands.json'))) {
      run('cmake', ['-S', root, '-B', build, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'])
    }
    const targets = [...new Set(tests.map((fault) => fault.tool[0]))]
    capture('cmake', ['--build', build, '--parallel', String(availableParallelism()), '--target', ...targets])
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
  console.log(`1..${chosen.length}\n# ${chosen.length - failed} of ${chosen.length} planted faults found`)
  process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1
}

try {
  main()
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
