/** The documents' command lines: those that cannot be run here must at least be right. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Command } from 'commander'

import { run } from '../../src/cli/program'
import type { Surroundings } from '../../src/cli/surroundings'

import { type Block, root } from './markdown'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const selftestOptions = readFileSync(join(root, 'test', 'kernel', 'options.c'), 'utf8').match(/(?<=L")--[\w-]+/g)!

/** Programs of Windows that the documents use. */
const programsOfWindows = new Set([
  'bcdedit',
  'cd',
  'copy',
  'fltmc',
  'mklink',
  'powershell',
  'reg',
  'sc',
  'shutdown',
  'verifier',
])

/** What the command line says of its arguments, or undefined if they are right. Nothing is done. */
async function checkPsctx(words: readonly string[], platform: string): Promise<string | undefined> {
  let error = ''
  // No command acts, whatever it is.
  const original = Reflect.get(Command.prototype, 'action')
  Command.prototype.action = function (this: Command) {
    return original.call(this, () => undefined)
  }
  try {
    const surroundings: Partial<Surroundings> = {
      version: '1.0.0',
      platform,
      out: () => undefined,
      error: (text) => (error += text),
    }
    const code = await run(words, surroundings as Surroundings)
    return code === 0 ? undefined : error
  } finally {
    Command.prototype.action = original
  }
}

/** The words of a line, as Windows and, in what the documents do, other shells have them. */
function split(line: string): string[] {
  return Array.from(
    line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, bare]) => (double ?? single ?? bare)!,
  )
}

function checkNpm([command, name]: readonly string[]): string | undefined {
  if (command === 'run') return name !== undefined && name in scripts ? undefined : `there is no script ${name}`
  return ['start', 'test', 'init', 'install', 'ci', 'pack'].includes(command!)
    ? undefined
    : `npm ${command} is not known here`
}

function checkSelftest(words: readonly string[]): string | undefined {
  return words.find((word) => word.startsWith('--') && !selftestOptions.includes(word))
}

/** What is wrong with a command line, or undefined. */
async function check(line: string, { language }: Block): Promise<string | undefined> {
  const isWindows = language === 'bat'
  const command = line.replace(/\s*(& rem|#) .*$/, '').replace(/\s*[|>].*$/, '')
  const [program, ...words] = split(command)
  if (program === undefined || program === 'rem') return undefined
  if (program === 'npx' && words[0] === 'psctx') return checkPsctx(words.slice(1), isWindows ? 'win32' : 'linux')
  if (program === 'npm') return checkNpm(words)
  if (program === 'node' || (program === 'npx' && words[0] === 'jest')) {
    const file = words.find((word) => word.includes('/'))!
    return existsSync(join(root, file)) ? undefined : `there is no ${file}`
  }
  if (/(^|\\)psctx-selftest\.exe$/.test(program)) return checkSelftest(words)
  return !isWindows || programsOfWindows.has(program) ? undefined : `${program} is not known here`
}

/** What is wrong with the command lines of a block. */
export async function checkCommands(block: Block): Promise<string[]> {
  const faults: string[] = []
  for (const line of block.text.replaceAll('\\\n', ' ').split('\n')) {
    const fault = await check(line.trim(), block)
    if (fault !== undefined) faults.push(`${line}: ${fault}`)
  }
  if (block.language === 'sh') {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: block.text, encoding: 'utf8' })
    if (status !== 0) faults.push(stderr)
  }
  return faults
}

/** A directory that the package is installed in. */
export class Installation {
  readonly directory = mkdtempSync(join(tmpdir(), 'psctx-docs-'))

  constructor() {
    const bin = join(this.directory, 'bin')
    const modules = join(this.directory, 'node_modules')
    for (const directory of [bin, modules]) mkdirSync(directory)
    symlinkSync(root, join(modules, 'per-stream-context'))
    // What npx does where a package is installed, without npm's second.
    const program = `exec "${process.execPath}" "${join(root, 'dist', 'cli', 'main.js')}" "$@"`
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\n[ "$1" = psctx ] || exit 127\nshift\n${program}\n`, { mode: 0o755 })
  }

  /** Runs a block as a shell runs a script that ends with the first command that fails. */
  run({ text }: Block): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    return spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: 30_000,
      env: {
        ...process.env,
        PATH: `${join(this.directory, 'bin')}:${process.env['PATH']}`,
        NO_COLOR: '1',
        FORCE_COLOR: undefined,
      },
    })
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true })
  }
}
