/** What `node test/package/prepare.mjs` has packed and fetched: `npm test` runs it before. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(__dirname, '..', '..')

export interface Fixtures {
  readonly tarball: string
  readonly files: readonly string[]
  /** In bytes. */
  readonly size: number
  readonly unpackedSize: number
  /** The programs, by major version. */
  readonly nodes: Readonly<Record<string, string>>
  readonly arm64: string
}

/** Why there is nothing to test; set by `npm test`. */
export const obstacle = process.env['PSCTX_NO_PACKAGE'] ?? ''

/** Throws when the package was not packed. */
export function fixtures(): Fixtures {
  const path = join(root, 'build', 'packages', 'fixtures.json')
  if (!existsSync(path)) throw new Error('Run `node test/package/prepare.mjs` first.')
  return JSON.parse(readFileSync(path, 'utf8')) as Fixtures
}

/** An empty project with the package, and nothing else, installed from the tarball without a registry. */
export function installedProject(): string {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-package-'))
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=peer', '--silent']
  execFileSync('npm', ['install', ...options, fixtures().tarball], { cwd: directory })
  return directory
}

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  })
  return { status, stdout, stderr }
}
