/** The prebuilt addons for Linux: what they need, and that arm64's runs. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { fixtures, installedProject, obstacle, root, run } from './fixtures'

const oldest = [2, 28] as const
/** The parts of glibc; libc++ and its like are linked in. */
const glibc = /^(?:libc|libm|libdl|libpthread|librt|ld-linux-[a-z0-9-]+)\.so\.\d$/

const describeIf = obstacle === '' ? describe : describe.skip
const noArm64 = process.env['PSCTX_NO_ARM64'] ?? ''

const readelf = (option: string, path: string) => execFileSync('readelf', ['-W', option, path], { encoding: 'utf8' })

describeIf.each([
  ['x64', 'X86-64'],
  ['arm64', 'AArch64'],
])('the addon for Linux on %s', (architecture, machine) => {
  const path = join(root, 'prebuilds', `linux-${architecture}`, 'psctx.glibc.node')

  test('is for that processor', () => {
    expect(readelf('--file-header', path)).toMatch(new RegExp(`Machine:.*${machine}`))
  })

  test(`needs no glibc after ${oldest.join('.')}, and nothing else`, () => {
    const versions = Array.from(readelf('--version-info', path).matchAll(/Name: GLIBC_(\d+)\.(\d+)/g), (match) => [
      Number(match[1]),
      Number(match[2]),
    ])
    expect(versions.length).toBeGreaterThan(0)
    const later = versions.filter(([major, minor]) => major! > oldest[0] || minor! > oldest[1])
    expect(later).toEqual([])
    expect(readelf('--version-info', path)).not.toMatch(/Name: (?:GLIBCXX|CXXABI|GCC)_/)
    const needed = Array.from(readelf('--dynamic', path).matchAll(/\(NEEDED\).*\[(.*)\]/g), ([, library]) => library!)
    expect(needed.length).toBeGreaterThan(0)
    expect(needed.filter((library) => !glibc.test(library))).toEqual([])
  })

  test('is stripped, and tells no path of the machine that built it', () => {
    const sections = readelf('--section-headers', path)
    expect(sections).toContain('.dynsym')
    expect(sections).not.toMatch(/\.symtab|\.debug_/)
    expect(readFileSync(path).includes(root)).toBe(false)
  })
})

const describeArm64 = obstacle === '' && noArm64 === '' ? describe : describe.skip

describeArm64('the addon for arm64', () => {
  let project: string
  beforeAll(() => {
    project = installedProject()
  }, 60_000)
  afterAll(() => {
    rmSync(project, { recursive: true })
  })

  test('is loaded and does its job in an emulated Node.js', () => {
    writeFileSync(
      join(project, 'program.mjs'),
      `import { openFilter } from 'per-stream-context'
      const filter = openFilter()
      filter.host.writeFile('M:\\\\a:notes', Buffer.from('a'))
      const stream = filter.openStream('M:\\\\a:notes')
      stream.insert({ instance: 1n, data: Buffer.from('seen') })
      const found = [stream.lookup({ instance: 1n }), stream.remove({ instance: 1n })].map(({ data }) => data.toString())
      filter.close()
      console.log(process.arch, ...found)`,
    )
    const emulated = ['-L', '/usr/aarch64-linux-gnu', fixtures().arm64, 'program.mjs']
    expect(run('qemu-aarch64-static', emulated, project)).toEqual({
      status: 0,
      stdout: 'arm64 seen seen\n',
      stderr: '',
    })
  }, 120_000)
})
