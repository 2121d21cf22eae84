/** The archives in which the driver ships beside the package. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { unzipSync } from 'fflate'

import { obstacle, root } from './fixtures'

const { version } = jest.requireActual<{ version: string }>('../../package.json')
const names = [
  'LICENSE.txt',
  'README.txt',
  'psctx-minifilter.inf',
  'psctx-minifilter.pdb',
  'psctx-minifilter.sys',
  'psctx-selftest.exe',
  'psctx.inf',
  'psctx.pdb',
  'psctx.sys',
  'sign.ps1',
  'sign.sh',
]

function pack(timeZone: string): Buffer[] {
  const env = { ...process.env, TZ: timeZone }
  const output = execFileSync('npm', ['run', '--silent', 'pack:driver'], { cwd: root, env, encoding: 'utf8' })
  const paths = output.split('\n').filter((line) => line.endsWith('.zip'))
  expect(paths).toEqual(['x64', 'arm64', 'x86'].map((name) => `build/packages/psctx-driver-${version}-${name}.zip`))
  return paths.map((path) => readFileSync(join(root, path)))
}

const describeIf = obstacle === '' ? describe : describe.skip

describeIf('the driver’s archives', () => {
  test('are the same bytes wherever they are made', () => {
    const [here, there] = [pack('UTC'), pack('Asia/Tokyo')]
    expect(here.map((archive, index) => archive.equals(there[index]!))).toEqual([true, true, true])
  }, 120_000)

  test.each(['x64', 'arm64', 'x86'])('hold what the driver needs on %s', (architecture) => {
    const directory = `psctx-driver-${version}-${architecture}`
    const files = unzipSync(readFileSync(join(root, 'build', 'packages', `${directory}.zip`)))
    expect(Object.keys(files)).toEqual(['', ...names].map((name) => `${directory}/${name}`))
    for (const name of ['psctx.sys', 'psctx-minifilter.sys']) {
      const driver = readFileSync(join(root, 'build', 'windows', architecture, name))
      expect(driver.equals(files[`${directory}/${name}`]!)).toBe(true)
    }
    expect(Buffer.from(files[`${directory}/README.txt`]!).toString()).toContain(
      `psctx.sys ${version} for Windows on ${architecture}\r\n`,
    )
  })

  test('are signed by their script', () => {
    const directory = mkdtempSync(join(tmpdir(), 'psctx-driver-'))
    try {
      const archive = join(root, 'build', 'packages', `psctx-driver-${version}-x64.zip`)
      execFileSync('cmake', ['-E', 'tar', 'xf', archive], { cwd: directory })
      const unpacked = join(directory, `psctx-driver-${version}-x64`)
      execFileSync('sh', [join(unpacked, 'sign.sh')], { stdio: 'pipe' })
      for (const name of ['psctx.sys', 'psctx-minifilter.sys', 'psctx-selftest.exe']) {
        const told = execFileSync('osslsigncode', ['verify', '-CAfile', 'psctx.crt', '-in', name], {
          cwd: unpacked,
          encoding: 'utf8',
        })
        expect(told).toMatch(/Signature verification: ok/)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 60_000)
})
