// What is built and run for the coverage of each part, and where it is not measured.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

import { capture, root, run } from '../run.mjs'
import { build, measure, profilesIn } from './clang.mjs'

const directory = join(root, 'build', 'coverage')

/** The driver, by its C tests, with both fronts. */
export function driver() {
  build(directory, ['-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON'])
  const { profiles, environment } = profilesIn(directory)
  const tests = ['--test-dir', directory, '--timeout', '600', '--output-on-failure', '-R', 'driver|filter']
  run('nice', ['-n', '10', 'ctest', ...tests], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const programs = readdirSync(join(directory, 'test', 'driver'))
    .filter((name) => /^(driver_[a-z]+|filter_tests)$/.test(name))
    .map((name) => join(directory, 'test', 'driver', name))
  return measure(profiles, programs, 'driver/src')
}

/** What runs in a browser alone, and is tested there: test/report/browser.test.ts. */
const inBrowser = ['src/report/page.ts']

/**
 * The library, the program and the rooms beside them, by the lines that hold a statement, and the addon below them, by the Jest suites: but
 * for those that need a browser, a virtual machine, Windows, a package or a mounted NTFS volume, those that run the package as it is built
 * alone, and those that take minutes where the addon is measured (the broken volumes, the model). A test has more time than usual, since
 * what is measured is slower. The addon's sources for Windows run in Wine, where nothing measures them: they are in neither figure.
 * `passed` says whether every test did: what comes behind a failure is not run, so that the figures are then too low.
 */
export function library() {
  const addon = join(directory, 'addon')
  const reports = join(directory, 'jest')
  build(addon, ['-DPSCTX_ADDON=ON', '-DPSCTX_TESTS=OFF'], ['psctx_addon'])
  const { profiles, environment } = profilesIn(addon)
  const path = join(addon, 'Release', 'psctx.node')
  rmSync(reports, { recursive: true, force: true })
  const suites = 'test/((unit|contract|cli|conformance|jest)/(?!ntfs|types|faults|runners)|report/model)'
  const program = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const options = [
    ...['--silent', '--testTimeout=120000', '--testPathPatterns', suites, '--coverage', '--coverageProvider=babel'],
    ...[`--coverageDirectory=${reports}`, '--collectCoverageFrom=src/**/*.ts', '--coverageReporters=json-summary'],
  ]
  const { status } = capture('nice', ['-n', '10', process.execPath, '--expose-gc', program, ...options], {
    env: { ...process.env, ...environment, PSCTX_ADDON_PATH: path },
  })
  const src = Object.entries(JSON.parse(readFileSync(join(reports, 'coverage-summary.json'), 'utf8')))
    .filter(([file]) => file !== 'total')
    .map(([file, { lines }]) => ({
      name: relative(root, file),
      figures: { lines: [lines.covered, lines.total] },
      lines: [],
      branches: [],
      mcdc: [],
    }))
    .filter(({ name }) => !inBrowser.includes(name))
  const binding = measure(profiles, [path], 'binding').map(({ name, figures: { lines }, lines: notRun }) => ({
    name,
    figures: { lines },
    lines: notRun,
    branches: [],
    mcdc: [],
  }))
  return { src, binding, passed: status === 0 }
}
