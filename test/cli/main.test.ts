/** The program psctx itself, as `npm run build:ts` leaves it, on a system without a driver. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

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
    // What the environment names would be taken for the addon of the directory.
    env: directory === root ? process.env : { ...process.env, PSCTX_ADDON_PATH: '' },
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

test('where the addon is missing, doctor says so, and there is help all the same', () => {
  const directory = mkdtempSync(join(tmpdir(), 'psctx-cli-'))
  try {
    cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(directory, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    const { status, stdout, stderr } = psctx(['doctor', '--json'], directory)
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    const { findings } = JSON.parse(stdout) as Diagnosis
    expect(findings.find(({ check }) => check === 'addon')).toMatchObject({ level: 'problem' })
    expect(psctx(['insert', '--help'], directory)).toMatchObject({ status: 0, stderr: '' })
    const failed = psctx(['stat', '--quiet'], directory)
    expect(failed).toMatchObject({ status: 1, stdout: '' })
    expect(failed.stderr).toMatch(/^psctx: .+psctx\.glibc\.node is not there\. Install the package again.*\n$/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

const sh = (script: string, environment: NodeJS.ProcessEnv = {}) => {
  const command = `psctx() { '${process.execPath}' '${join(root, bin.psctx)}' "$@"; }; ${script}`
  const env = { ...process.env, ...environment }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', env, timeout: 60000 })
  return { status, stdout, stderr }
}

test('a reader that has seen enough ends it quietly', () => {
  const script = `for line in $(seq 3000); do echo stat; done | psctx shell --quiet --json | head -n 1; echo "\${PIPESTATUS[1]}"`
  const { stdout, stderr } = sh(script)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^\{"command":"stat",.*\}\n0\n$/)
})

test('output that cannot be written is a failure, which is told', () => {
  expect(sh('psctx stat --quiet > /dev/full')).toEqual({
    status: 1,
    stdout: '',
    stderr: 'psctx: Standard output could not be written (ENOSPC). See whether there is room.\n',
  })
})

test('nothing is coloured where no terminal is, nor where NO_COLOR is set', () => {
  const terminal = (environment: NodeJS.ProcessEnv) =>
    sh(`script -qec "'${process.execPath}' '${join(root, bin.psctx)}' volumes" /dev/null`, {
      ...environment,
      TERM: 'xterm',
    }).stdout
  expect(terminal({ NO_COLOR: '' })).toContain('\u001b[1m')
  expect(terminal({ NO_COLOR: '1' })).not.toContain('\u001b')
  expect(sh('psctx volumes', { FORCE_COLOR: '1' }).stdout).not.toContain('\u001b')
})

test('SIGINT ends watch with sums and exit code 0', async () => {
  const child = spawn(process.execPath, [join(root, bin.psctx), 'watch', '*'])
  const code = new Promise((resolve) => child.on('exit', resolve))
  let stderr = ''
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      setTimeout(resolve, 100) // it has said what it runs on, and begins
    })
  })
  child.kill('SIGINT')
  expect(await code).toBe(0)
  expect(stderr).toMatch(/\npsctx: 0 events; 0 opens matched, 0 given a context, 0 missed\n$/)
})

test.each(['watch', 'track'])('Ctrl-C on a terminal ends %s with its last view and exit code 0', async (command) => {
  // Without a shell beside it, which Ctrl-C would end as well: not every one waits to see how its command ends.
  const line = `exec '${process.execPath}' '${join(root, bin.psctx)}' ${command} '*'`
  const child = spawn('script', ['-qec', line, '/dev/null'], { env: { ...process.env, TERM: 'xterm' } })
  const code = new Promise((resolve) => child.on('exit', resolve))
  let screen = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (!screen.includes('0 opens matched') && (screen += chunk.toString()).includes('0 opens matched')) {
      child.stdin.write('\u0003')
    }
  })
  expect(await code).toBe(0)
})

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('there is a script for %s', (shell) => {
    const { status, stdout, stderr } = psctx(['completion', shell])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('psctx complete')
  })

  test.each([
    [['ins'], ['insert', 'inspect']],
    [
      ['driver', 'st'],
      ['start', 'stop', 'status'],
    ],
    [
      ['insert', '--data-'],
      ['--data-hex', '--data-file'],
    ],
    [
      ['insert', '--pool', ''],
      ['paged', 'nonpaged'],
    ],
    [['completion', 'b'], ['bash']],
  ])('%j may become %j', (words, expected) => {
    const { status, stdout } = psctx(['complete', '--', ...words])
    expect(status).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.pop()).toMatch(/^:\d+$/)
    expect(lines.map((line) => line.split('\t')[0]).sort()).toEqual([...expected].sort())
  })

  test('bash completes a command line with it', () => {
    const script = `_get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur="\${words[cword]}"; }
      source <(psctx completion bash); COMP_WORDS=(psctx insp); COMP_CWORD=1; __psctx_complete 2>/dev/null; echo "\${COMPREPLY[@]}"`
    expect(sh(script)).toEqual({ status: 0, stdout: 'inspect\n', stderr: '' })
  })
})

test('the rooms of the command line use the library through its entry points', () => {
  const directory = join(root, 'src', 'cli')
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const outside = files.flatMap((name) =>
    Array.from(readFileSync(join(directory, name), 'utf8').matchAll(/(?:from|import\() ?'(\.[^']*)'/g), ([, path]) =>
      relative(join(root, 'src'), join(directory, dirname(name), path!)).replace(/\.js$/, ''),
    ).filter((path) => !path.startsWith('cli')),
  )
  expect([...new Set(outside)].sort()).toEqual([
    'addon',
    'conformance',
    'conformance/index',
    'index',
    'json',
    'report',
    'report/index',
  ])
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
