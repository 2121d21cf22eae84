/** The program psctx itself, as `npm run build:ts` leaves it, on a system without a driver. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { find } from '../../src/cli/facts'
import { win32Error } from './machine'

const root = join(__dirname, '..', '..')
const { version, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  bin: { psctx: string }
}

function psctx(line: string[], directory = root) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(directory, bin.psctx), ...line], {
    encoding: 'utf8',
    timeout: 60000,
  })
  return { status, stdout, stderr }
}

interface Diagnosis {
  readonly healthy: boolean
  readonly findings: { readonly check: string; readonly level: string; readonly found: string }[]
}

test('is a script that the shell hands to Node.js', () => {
  expect(readFileSync(join(root, bin.psctx), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
})

test('tells the version of the package', () => {
  expect(psctx(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
})

test('wrong usage is exit code 2, on standard error', () => {
  expect(psctx(['nonsense'])).toMatchObject({ status: 2, stdout: '' })
})

test('there is no driver to start here', () => {
  const { status, stdout, stderr } = psctx(['driver', 'start'])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(`There is no driver to manage on ${process.platform}`)
})

test('doctor runs the embedded kernel, and finds it well', () => {
  const { status, stdout, stderr } = psctx(['doctor', '--json'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { healthy, findings } = JSON.parse(stdout) as Diagnosis
  expect(healthy).toBe(true)
  expect(findings.find(({ check }) => check === 'embedded kernel')).toMatchObject({ level: 'ok' })
  expect(findings.find(({ check }) => check === 'addon')?.found).toMatch(/psctx\.node$/)
})

test('doctor says that the addon is missing where it is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-cli-'))
  try {
    cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(directory, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    const { status, stdout, stderr } = psctx(['doctor', '--json'], directory)
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    const { findings } = JSON.parse(stdout) as Diagnosis
    expect(findings.find(({ check }) => check === 'addon')).toMatchObject({ level: 'problem' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

describe('a fact', () => {
  test('is what was found', () => {
    expect(find('x', () => undefined)).toEqual({ value: undefined })
  })

  test('is otherwise why it was not, with the name of the error', () => {
    const denied = () => {
      throw win32Error(5)
    }
    expect(find('The log could not be read', denied)).toEqual({
      failure: 'The log could not be read: ERROR_ACCESS_DENIED (5)',
      code: 'ERROR_ACCESS_DENIED',
    })
    const broken = () => {
      throw Object.assign(new Error('It broke.'), { code: 'STATUS_UNSUCCESSFUL' })
    }
    expect(find('x', broken)).toEqual({ failure: 'It broke.', code: 'STATUS_UNSUCCESSFUL' })
  })
})
