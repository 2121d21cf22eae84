// `npm test`: sets the machine up, builds everything, runs every suite, and sums up in its last line.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { narrow, sanitized } from './compilers.mjs'
import { capture, CommandError, endOf, inContinuousIntegration, root, run, runBeside } from './run.mjs'
import { build, buildLinux, buildWindows, installDependencies, provide } from './setup.mjs'

const total = { passed: 0, failed: 0, skipped: 0 }

function count(suite, { passed, failed, skipped = 0 }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  console.log(`-- ${suite}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
}

function skip(suite, reason) {
  count(`${suite} (${reason})`, { passed: 0, failed: 0, skipped: 1 })
}

/** A step that passes or fails as a whole. */
async function step(suite, action) {
  try {
    await action()
    count(suite, { passed: 1, failed: 0 })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.error(error.message)
    count(suite, { passed: 0, failed: 1 })
  }
}

/** Checks of the sources, by the names of their npm scripts: each takes one processor, and none waits for another. */
async function check(scripts) {
  const steps = Object.entries(scripts).map(([suite, script]) =>
    step(suite, () => runBeside('npm', ['run', '--silent', script])),
  )
  await Promise.all(steps)
}

/**
 * The static analysis, whole in continuous integration; for a person, who is not to wait minutes for the answers of every file, as many of those
 * that are not known yet as come in a quarter of a minute, so that after some runs it is what has changed.
 */
async function analyze() {
  const report = join(root, 'build', 'analysis', 'report.json')
  rmSync(report, { force: true })
  const limit = inContinuousIntegration ? [] : ['--seconds', '15']
  await step('static analysis', () => run(process.execPath, [join('scripts', 'analyze.mjs'), ...limit]))
  const { left } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { left: 0 }
  if (left > 0) skip('the rest of the static analysis', `${left} questions: \`npm run lint:analysis\` asks them all`)
}

/**
 * Builds the C tests in a directory of their own, or those targets of them that are told, and counts the TAP lines of those programs whose names
 * match.
 */
function runNativeTests(suite, directory, options, programs = '.', targets = []) {
  const jobs = String(availableParallelism())
  try {
    run('cmake', ['-S', '.', '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', ...options])
    const only = targets.length > 0 ? ['--target', ...targets] : []
    run('cmake', ['--build', directory, '--parallel', jobs, ...only])
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.error(error.message)
    count(suite, { passed: 0, failed: 1 })
    return
  }
  const { status, output } = capture('ctest', [
    '--test-dir',
    directory,
    '--verbose',
    '--parallel',
    jobs,
    '--timeout',
    '300',
    '-R',
    programs,
  ])
  const lines = output.split('\n')
  const skipped = lines.filter((line) => /^\d+: ok .* # SKIP /.test(line))
  const passed = lines.filter((line) => /^\d+: ok /.test(line)).length - skipped.length
  const failed = lines.filter((line) => /^\d+: not ok /.test(line)).length
  if (status !== 0 || failed > 0 || passed === 0) console.log(output)
  for (const line of skipped) console.log(line)
  count(suite, {
    passed,
    failed: status !== 0 || passed === 0 ? Math.max(failed, 1) : failed,
    skipped: skipped.length,
  })
}

/** C tests that show what the driver does, beside those of its legacy filter, which are in filter_tests. */
const ofTheDriver = ['core', 'bounds', 'answers', 'counts', 'inspect', 'tracking', 'instances', 'keys'].map(
  (name) => `driver_${name}`,
)

/** How many tests have failed, of those that a report tells: at least one where its program did not end well, whatever else it was that failed. */
function failedOf(told, end) {
  return end === 0 ? told : Math.max(told, 1)
}

async function runJest(environment) {
  const report = join(root, 'build', 'jest.json')
  rmSync(report, { force: true })
  mkdirSync(join(root, 'build'), { recursive: true })
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const options = { cwd: root, env: environment, stdio: ['ignore', 'ignore', 'inherit'] }
  const end = await endOf(spawn(process.execPath, ['--expose-gc', jest, '--json', '--outputFile', report], options))
  if (!existsSync(report)) {
    count('Jest, which ended without a report', { passed: 0, failed: 1 })
    return
  }
  const result = JSON.parse(readFileSync(report, 'utf8'))
  count('Jest', {
    passed: result.numPassedTests,
    failed: failedOf(result.numFailedTests + result.numRuntimeErrorTestSuites, end),
    skipped: result.numPendingTests + result.numTodoTests,
  })
}

/** The suites of test/windows, which tell their counts in a file; they wait more than they work, and so run beside others. */
async function runOnWine() {
  const report = join(root, 'build', 'wine', 'results.json')
  rmSync(report, { force: true })
  const end = await runBeside(process.execPath, [join('test', 'windows', 'run.mjs')]).then(
    () => 0,
    (error) => {
      if (!(error instanceof CommandError)) throw error
      console.error(error.message)
      return 1
    },
  )
  if (!existsSync(report)) {
    count('Wine, which ended without a report', { passed: 0, failed: 1 })
    return
  }
  const suites = JSON.parse(readFileSync(report, 'utf8'))
  const sum = (counts) => suites.reduce((total, suite) => total + suite[counts], 0)
  count('Wine', { passed: sum('passed'), failed: failedOf(sum('failed'), end) })
}

try {
  const reasons = provide([
    'build',
    'ntfs',
    'format',
    'clang',
    'analysis',
    'valgrind',
    'windows',
    'wine',
    'chromium',
    'arm64',
    'narrow',
    'ssh',
    'sshd',
  ])
  if (reasons.has('build')) throw new CommandError(reasons.get('build'))
  installDependencies()
  await step('build', build)
  const checks = { types: 'typecheck', ESLint: 'lint:ts', Prettier: 'lint:format' }
  if (reasons.has('format')) skip('clang-format', reasons.get('format'))
  else checks['clang-format'] = 'lint:c'
  await check(checks)

  if (reasons.has('analysis')) skip('static analysis', reasons.get('analysis'))
  else await analyze()

  runNativeTests('C tests', 'build/native', ['-DCMAKE_BUILD_TYPE=Release'])
  if (reasons.has('narrow')) {
    skip('C tests of the driver, 32-bit', reasons.get('narrow'))
  } else {
    runNativeTests(
      'C tests of the driver, 32-bit',
      'build/narrow',
      narrow,
      `^(filter|${ofTheDriver.join('|')})(_minifilter)?$`,
      ['filter_tests', ...ofTheDriver],
    )
  }
  if (reasons.has('clang')) {
    skip('C tests with sanitizers', reasons.get('clang'))
  } else {
    runNativeTests(
      'C tests, AddressSanitizer and UndefinedBehaviorSanitizer',
      'build/asan',
      sanitized('address,undefined'),
    )
    runNativeTests(
      'C tests with threads, ThreadSanitizer',
      'build/tsan',
      sanitized('thread'),
      '^(host_threads|host_fltmgr.*|fsd_tests|filter|driver_(races|bounds|inspect|counts|tracking|instances)(_minifilter)?)$',
    )
  }
  // The first time, Zig builds a C++ library for each platform: nobody is to wait for that who has not asked for what needs it.
  const isBuilt = (system) => inContinuousIntegration || existsSync(join(root, 'build', system, 'arm64', 'psctx.node'))
  const noZig = isBuilt('windows')
    ? ''
    : 'Zig takes minutes to build it the first time: `npm run build:windows` does that'
  if (reasons.has('windows')) {
    skip('Windows binaries', reasons.get('windows'))
  } else {
    await step('Windows binaries', () => buildWindows({ withoutZig: noZig !== '' }))
    if (noZig !== '') skip('the addon for Windows on arm64', noZig)
  }
  const noPackage =
    reasons.get('windows') ??
    (isBuilt('linux') ? undefined : 'its addons for Linux take minutes to build the first time: `npm pack` does that')
  if (noPackage) {
    skip('the package', noPackage)
  } else {
    await step('Linux addons', buildLinux)
    await step('npm pack', () => run(process.execPath, [join('test', 'package', 'prepare.mjs')]))
  }
  const obstacle = reasons.get('windows') ?? reasons.get('wine')
  if (obstacle) skip('Wine', obstacle)
  const wine = obstacle ? undefined : runOnWine()
  await runJest({
    ...process.env,
    PSCTX_NO_NTFS: reasons.get('ntfs') ?? '',
    PSCTX_NO_CLANG: reasons.get('clang') ?? '',
    PSCTX_NO_VALGRIND: reasons.get('valgrind') ?? '',
    PSCTX_NO_ANALYSIS: reasons.get('analysis') ?? '',
    PSCTX_NO_SSH: reasons.get('ssh') ?? reasons.get('sshd') ?? '',
    PSCTX_NO_WINDOWS: reasons.get('windows') ?? '',
    PSCTX_NO_ZIG: noZig,
    PSCTX_NO_CHROMIUM: reasons.get('chromium') ?? '',
    PSCTX_NO_PACKAGE: noPackage ?? '',
    PSCTX_NO_ARM64: reasons.get('arm64') ?? '',
  })
  await wine
  if (inContinuousIntegration && total.skipped > 0)
    throw new CommandError('nothing may be skipped where CI is set, and something was: see above')
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  total.failed += 1
}

console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed === 0 ? 0 : 1
