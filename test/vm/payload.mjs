// Makes what the recipe copies to a machine, in build/vm: the tests with their programs as one archive, the driver, the self-test.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { CommandError, root, run } from '../../scripts/run.mjs'
import { nodeOf, stageTests } from '../windows/stage.mjs'

const nodeVersion = 22

/** Reports as JUnit, whose suites are named by their files; a file that cannot be loaded is an error there. */
const jest = {
  testEnvironment: 'node',
  testMatch: ['**/contract-*.test.js'],
  cacheDirectory: './jest-cache',
  testTimeout: 60_000,
  reporters: [
    'default',
    ['jest-junit', { outputDirectory: '<rootDir>', suiteNameTemplate: '{filepath}', reportTestSuiteErrors: 'true' }],
  ],
}

/** Starts Jest where its configuration is, whatever directory a connection begins in. */
const runTests = "process.chdir(__dirname)\nrequire('jest').run(['--runInBand', ...process.argv.slice(2)])\n"

/** Signs the driver with a certificate that is made for this, and whose key is gone afterwards. Test signing asks for no more. */
export function signDriver(driver, signed) {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-sign-'))
  const key = join(directory, 'key.pem')
  const certificate = join(directory, 'certificate.pem')
  try {
    const subject = ['-subj', '/CN=psctx test', '-addext', 'extendedKeyUsage=codeSigning']
    const files = ['-keyout', key, '-out', certificate]
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
    run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], quiet)
    rmSync(signed, { force: true })
    run(
      'osslsigncode',
      ['sign', '-h', 'sha256', '-certs', certificate, '-key', key, '-in', driver, '-out', signed],
      quiet,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Makes the payload for an architecture, with a file of the contract suite for each drive, where it works in `directory`. */
export function makePayload({ architecture, file, drives, directory }) {
  const place = join(root, 'build', 'vm', architecture)
  const stage = join(place, 'stage')
  const windows = join(root, 'build', 'windows', architecture)
  stageTests({ stage, architecture, project: join(root, 'test', 'vm', 'windows', 'tsconfig.json'), jest })
  for (const drive of drives) {
    const test = `require('./contract').describeDrive(${JSON.stringify(drive)}, ${JSON.stringify(directory)})\n`
    writeFileSync(join(stage, 'test', 'vm', 'windows', `contract-${drive[0]}.test.js`), test)
  }
  writeFileSync(join(stage, 'run-tests.js'), runTests)
  const node = nodeOf(stage, architecture, nodeVersion)
  if (!existsSync(node)) throw new CommandError(`${node} is not there: no Node.js for Windows was installed`)
  copyFileSync(node, join(stage, 'node.exe'))
  const archive = join(place, 'payload.tar')
  const left = ['jest-cache', 'node_modules/node-win-*', 'node_modules/.bin'].map((name) => `--exclude=./${name}`)
  run('tar', ['-cf', archive, ...left, '-C', stage, '.'])
  const driver = join(place, file)
  mkdirSync(place, { recursive: true })
  signDriver(join(windows, file), driver)
  return { archive, driver, selfTest: join(windows, 'psctx-selftest.exe') }
}
