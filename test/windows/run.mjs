// Runs the suites of this directory on a Wine machine, with the Windows binaries that `npm run build:windows` has made, and tells each
// suite's counts in build/wine/results.json. Ends with 0 only if nothing has failed.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { runScript } from '../../scripts/options.mjs'
import { CommandError, root } from '../../scripts/run.mjs'
import { ends, expectDisguise, expectNothingLeft, expectRefusal, loading, runSelfTest, selfTests } from './selftest.mjs'
import { nodeOf, stageTests } from './stage.mjs'
import { expectedVerdicts, faults } from './verdicts.mjs'
import { openWineMachine } from './wine.mjs'

const here = join(root, 'test', 'windows')
const directory = join(root, 'build', 'wine')
const stage = join(directory, 'stage')
const jestMinutes = 5
const conformanceSeconds = 180
const everything = '(contract|support|descriptor|processes|overlapped)\\.test'

function stagePackage() {
  const project = join(here, 'tsconfig.json')
  const jest = {
    testEnvironment: 'node',
    testMatch: ['**/test/windows/*.test.js'],
    cacheDirectory: './jest-cache',
    testTimeout: 60_000, // some start processes, which takes Wine seconds on a busy machine
  }
  stageTests({ stage, architecture: 'x64', project, jest })
}

/** Windows' own Node.js. */
const nodeProgram = (version) => nodeOf(stage, 'x64', version)

class Results {
  #suites = []

  add(suite, { passed, failed }) {
    this.#suites.push({ suite, passed, failed })
    console.log(`-- ${suite}: ${passed} passed, ${failed} failed`)
    if (failed > 0) process.exitCode = 1
  }

  write() {
    writeFileSync(join(directory, 'results.json'), JSON.stringify(this.#suites))
  }
}

/** Runs Jest in Windows' own Node.js, one file after the other: the driver's counters are the machine's. */
async function runJest(machine, results, version, suite, pattern, front = 'legacy') {
  const report = join(directory, `jest-${version}.json`)
  rmSync(report, { force: true })
  const jest = join('node_modules', 'jest', 'bin', 'jest.js')
  const arguments_ = ['--expose-gc', jest, '--runInBand', '--json', '--outputFile', `..\\jest-${version}.json`, pattern]
  const { stdout, stderr, timedOut } = await machine.run(nodeProgram(version), arguments_, {
    cwd: stage,
    timeout: jestMinutes * 60_000,
    environment: { PSCTX_FRONT: front },
  })
  const name = `${suite}, Windows Node.js ${version}`
  if (!existsSync(report)) {
    console.log(stdout + stderr)
    results.add(`${name}, which ${timedOut ? 'did not end' : 'ended without a report'}`, { passed: 0, failed: 1 })
    return
  }
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  const failed = numFailedTests + numPendingTests + numRuntimeErrorTestSuites
  if (failed > 0) console.log(stderr)
  results.add(name, { passed: numPassedTests, failed: numPassedTests === 0 ? Math.max(failed, 1) : failed })
}

/** Commands of the test file system, as test/windows/control.ts sends them. */
async function command(machine, ...lines) {
  const script = `const { command } = require('./test/windows/control'); for (const line of ${JSON.stringify(lines)}) command(line)`
  const { status, stderr } = await machine.run(nodeProgram(20), ['-e', script], { cwd: stage })
  if (status !== 0) throw new CommandError(`${lines.join(', ')}: ${stderr}`)
}

/** Runs the self-test's checks of a file system. Its exit code, its verdicts by their check's id, and what it printed. */
async function runConformance(machine, ...arguments_) {
  const program = join(root, 'build', 'windows', 'x64', 'psctx-selftest.exe')
  const { status, stdout, stderr } = await machine.run(
    program,
    ['--volume', '\\\\.\\PsHostFs', '--conformance', ...arguments_],
    { timeout: conformanceSeconds * 1000 },
  )
  const verdicts = Object.fromEntries([...stdout.matchAll(/^# verdict: (\S+) (\S+)\r?$/gm)].map(([, ...pair]) => pair))
  return { status, verdicts, output: stdout + stderr }
}

/** The volume gets the verdicts that are expected of it, all of them and no others. */
async function judgeVolume(machine) {
  const { status, verdicts, output } = await runConformance(machine, '--cycles', '1000', '--stress', '2', '--dismount')
  const ids = new Set([...Object.keys(expectedVerdicts), ...Object.keys(verdicts)])
  const others = [...ids].filter((id) => verdicts[id] !== expectedVerdicts[id])
  if (status !== 0 || others.length > 0) {
    const list = others.map((id) => `${id}: ${verdicts[id]}, not ${expectedVerdicts[id]}`).join('\n')
    throw new CommandError(`the volume is judged otherwise, exit code ${status}:\n${list}\n${output}`)
  }
}

/** Ctrl+C ends the load long before its time; what was made is removed, and the exit code says that nothing was judged. */
async function interruptConformance(machine) {
  const program = join(root, 'build', 'windows', 'x64', 'psctx-selftest.exe')
  const arguments_ = ['--volume', '\\\\.\\PsHostFs', '--conformance', '--stress', '3600', '--only', 'load']
  const conformance = machine.launch(program, arguments_, { timeout: conformanceSeconds * 1000 })
  let ended = false
  const exited = conformance.exited.finally(() => (ended = true))
  while (!ended && !conformance.output().includes('# seed')) await setTimeout(100)
  conformance.interrupt()
  const { status, stdout, timedOut } = await exited
  if (status !== 2 || timedOut || !/^ok \d+ - the files of this run are removed/m.test(stdout)) {
    throw new CommandError(`interrupted, it ends with ${status}:\n${stdout}`)
  }
}

/** A volume that is broken on purpose, or lets go in its own time, is found to: the check's verdict, and what is told of the context. */
async function judgeFault(machine, { fault, check, verdict, evidence }) {
  await command(machine, 'dismount', `mount|${fault}`)
  const { status, verdicts, output } = await runConformance(machine, '--only', check)
  await command(machine, 'dismount', 'mount')
  if (status !== (verdict === 'fail' ? 1 : 0) || verdicts[check] !== verdict || !evidence.test(output)) {
    throw new CommandError(`${check} on a volume with ${fault} ends with ${status}:\n${output}`)
  }
}

/** A step that passes or fails as a whole. */
async function step(results, suite, action) {
  try {
    await action()
    results.add(suite, { passed: 1, failed: 0 })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.error(error.message)
    results.add(suite, { passed: 0, failed: 1 })
  }
}

/** Runs the package's command line; its exit code must be the one expected, and its output match. */
async function runCommandLine(machine, arguments_, { code = 0, output = /(?:)/ } = {}) {
  const program = join('package', 'dist', 'cli', 'main.js')
  const { status, stdout, stderr } = await machine.run(nodeProgram(20), [program, ...arguments_], { cwd: stage })
  if (status !== code || !output.test(stdout + stderr)) {
    throw new CommandError(`psctx ${arguments_.join(' ')} ended with ${status}, not with ${code}:\n${stdout}${stderr}`)
  }
}

/** The minifilter's image, over Filter Manager's, which is attached to the volume that is mounted already. */
async function testMinifilter(machine, results) {
  const name = (suite) => `${suite}, the minifilter`
  const psctx = (arguments_, expected) =>
    step(results, name(`psctx ${arguments_.join(' ')}`), () => runCommandLine(machine, arguments_, expected))
  const driver = loading(machine, 'psctx-minifilter.sys')

  await step(results, 'Filter Manager starts', () => machine.startFilterManager())
  for (const [suite, arguments_] of selfTests) {
    results.add(name(suite), await runSelfTest(machine, [...driver, ...arguments_]))
  }
  for (const [what, end] of ends) {
    await step(results, `the self-test ${what}, and leaves nothing of the minifilter`, async () => {
      await end(machine, driver)
      await expectNothingLeft(machine)
    })
  }
  await psctx(['driver', 'install', '--front', 'minifilter'])
  await psctx(['driver', 'start'])
  await psctx(['driver', 'status'], { output: /minifilter/ })
  await psctx(['doctor'], { output: /minifilter/ })
  await step(results, 'the self-test loads no driver beside the minifilter', () =>
    expectRefusal(machine, 'psctx-minifilter.sys', 'psctx.sys'),
  )
  await runJest(machine, results, 22, name('the contract'), everything, 'minifilter')
  await psctx(['driver', 'stop'])
  await psctx(['driver', 'uninstall'])
  await step(results, 'Filter Manager stops', () => machine.stopFilterManager())
}

async function main() {
  rmSync(join(directory, 'results.json'), { force: true })
  stagePackage()
  const results = new Results()
  const machine = await openWineMachine(join(directory, 'machine'))
  const psctx = (...arguments_) =>
    step(results, `psctx ${arguments_.join(' ')}`, () => runCommandLine(machine, arguments_))
  try {
    await step(results, 'the file system starts', () => machine.startFileSystem())
    await psctx('driver', 'uninstall')
    await step(results, 'psctx driver status, not installed', () =>
      runCommandLine(machine, ['driver', 'status'], { code: 1, output: /not installed/ }),
    )
    await psctx('driver', 'install', '--allow-unload')
    await psctx('driver', 'start')
    await psctx('driver', 'start')
    await psctx('driver', 'status')
    await step(results, 'psctx doctor', () => runCommandLine(machine, ['doctor'], { output: /1\.0\.0/ }))
    await step(results, 'psctx inspect', () =>
      runCommandLine(machine, ['inspect', '\\\\.\\PsHostFs\\pending'], { output: /No filter holds/ }),
    )
    await runJest(machine, results, 20, 'the contract', everything)
    await psctx('driver', 'stop')
    await runJest(machine, results, 20, 'without the driver', 'absent\\.test')
    await psctx('driver', 'start')
    await runJest(machine, results, 22, 'the contract', everything)
    for (const [suite, arguments_] of selfTests) results.add(suite, await runSelfTest(machine, arguments_))
    await step(results, 'the self-test judges hostfs.sys', () => judgeVolume(machine))
    await step(results, 'the self-test is interrupted', () => interruptConformance(machine))
    for (const fault of faults) {
      await step(results, `the self-test judges a volume with ${fault.fault}`, () => judgeFault(machine, fault))
    }
    await psctx('driver', 'stop')
    await psctx('driver', 'stop')
    await psctx('driver', 'uninstall')
    await psctx('driver', 'uninstall')
    results.add('the self-test, with an image', await runSelfTest(machine, loading(machine, 'psctx.sys')))
    await step(results, 'it has left nothing', () => expectNothingLeft(machine))
    await testMinifilter(machine, results)
    await step(results, 'the self-test finds another front than it took an image for, and says that it stays', () =>
      expectDisguise(machine),
    )
  } finally {
    await step(results, 'no rule of the kernel was broken', () => machine.close())
    results.write()
  }
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await runScript(main)
