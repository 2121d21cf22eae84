/** Every command's help is printed, and every example in it is run as it stands there, on the embedded kernel. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { shellPrompt } from '../../src/cli/help'
import { splitLine } from '../../src/cli/shell/words'
import type { Surroundings } from '../../src/cli/surroundings'
import { openFilter } from '../../src/index'
import { FakeMachine, makeImage } from './machine'
import { Execution, psctx, shell } from './surroundings'

let directory: string
let machine: FakeMachine
const here = process.cwd()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'psctx-help-'))
  machine = new FakeMachine()
  process.chdir(directory)
  writeFileSync('events.ndjson', '')
  writeFileSync('commands.txt', 'stat\n')
  writeFileSync('report.docx', 'text')
  writeFileSync('psctx.sys', makeImage())
})
afterEach(() => {
  process.chdir(here)
  machine.dispose()
  rmSync(directory, { recursive: true })
})

/** The names of commands that a help lists. */
const commandsOf = (help: string) =>
  Array.from(
    /^Commands:\n([\s\S]*?)\n(?:\n|$)/m.exec(help)?.[1]?.matchAll(/^ {2}([a-z]+)/gm) ?? [],
    ([, word]) => word!,
  )
const examplesOf = (help: string) =>
  /^Examples:\n([\s\S]*)$/m
    .exec(help)?.[1]
    ?.trimEnd()
    .split('\n')
    .map((line) => line.slice(2)) ?? []

const commands = [
  'insert',
  'lookup',
  'remove',
  'list',
  'inspect',
  'watch',
  'track',
  'volumes',
  'stat',
  'report',
  'conformance',
  'driver',
  'doctor',
  'shell',
  'completion',
]
const driverCommands = ['install', 'start', 'stop', 'uninstall', 'status'].map((word) => `driver ${word}`)
const shellCommands = [
  'open',
  'close',
  'handles',
  'write',
  'read',
  'mkdir',
  'rename',
  'link',
  'unlink',
  'dismount',
  'wait',
  'stop',
  'exit',
]

test('the help lists every command, and the shell’s lists its own', async () => {
  expect(commandsOf((await psctx(['--help'])).out)).toEqual([...commands, 'help'])
  expect(commandsOf((await psctx(['driver', '--help'])).out)).toEqual([
    ...driverCommands.map((line) => line.slice(7)),
    'help',
  ])
  const common = commands.filter((name) => name !== 'shell' && name !== 'completion')
  const inShell = commandsOf((await shell('help')).out)
  expect([...inShell].sort()).toEqual([...common, ...shellCommands, 'help'].sort())
})

/** Runs an example of the command line: quotes as everywhere, < and > as in any shell, Ctrl-C where it would go on for ever. */
async function runCommandLine(line: string, changes: Partial<Surroundings>): Promise<number> {
  const words = splitLine(line.replaceAll('/mnt/ntfs', directory)).map(({ text }) => text)
  expect(words.shift()).toBe('psctx')
  const input = words.includes('<') ? words.splice(words.indexOf('<'), 2)[1] : undefined
  if (words.includes('>')) words.splice(words.indexOf('>'), 2)
  const execution = new Execution(words, changes)
  execution.input.end(input === 'commands.txt' ? 'stat\n' : '')
  const endless = words[0] === 'watch' || words[0] === 'track'
  if (endless) {
    await execution.until(() => execution.isInterruptible)
    setTimeout(() => {
      execution.interrupt()
    }, 20)
  }
  const code = await execution.code
  if (code !== 0) throw new Error(`${line}: ${execution.out}${execution.error}`)
  return code
}

/** The examples of a help, those for the shell together as one script. */
async function runExamples(help: string, changes: Partial<Surroundings>): Promise<void> {
  const examples = examplesOf(help)
  expect(examples.length).toBeGreaterThan(0)
  const script = examples.filter((line) => line.startsWith(shellPrompt))
  for (const line of examples.filter((one) => !one.startsWith(shellPrompt))) await runCommandLine(line, changes)
  if (script.length === 0) return
  const text = script.map((line) => line.slice(shellPrompt.length)).join('\n')
  const result = await psctx(['shell', '--quiet'], changes, text)
  expect({ ...result, out: '' }).toEqual({ code: 0, out: '', error: '' })
}

/** Milliseconds that examples may take where much else runs: those of conformance are whole runs. */
const patience = 60_000

test.each(commands.filter((name) => name !== 'driver' && name !== 'completion'))(
  '%s: the examples run',
  async (name) => {
    const { code, out, error } = await psctx([name, '--help'])
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toMatch(new RegExp(`^Usage: psctx ${name}`))
    await runExamples(out, {})
  },
  patience,
)

test.each(commands.filter((name) => !['driver', 'completion', 'shell'].includes(name)))(
  '%s: the examples for Windows run',
  async (name) => {
    const kernel = { kernel: 'host', volumes: { 'C:': { type: 'memory' } } } as const
    using filter = openFilter(kernel)
    filter.host!.mkdir('C:\\data')
    filter.host!.writeFile('C:\\data\\report.docx:notes', Buffer.from('text'))
    const open: Surroundings['open'] = (options) =>
      Promise.resolve(openFilter({ ...kernel, readOnly: options.readOnly }))
    const changes: Partial<Surroundings> = { platform: 'win32', open }
    const { out } = await psctx([name, '--help'], changes)
    expect(out).not.toMatch(/M:\\/)
    await runExamples(out, changes)
  },
  patience,
)

test('driver: the examples run, one command after another', async () => {
  machine.services.allowUnload = 1
  const drivers = join(machine.packageRoot, 'drivers', 'x64')
  mkdirSync(drivers, { recursive: true })
  writeFileSync(join(drivers, 'psctx.sys'), makeImage())
  const windows = { platform: 'win32', machine: () => Promise.resolve(machine) }
  for (const line of ['driver install', 'driver start', 'driver status', 'driver', 'driver stop', 'driver uninstall']) {
    const { code, out } = await psctx([...line.split(' '), '--help'], windows)
    expect(code).toBe(0)
    await runExamples(out, windows)
  }
})

test('completion: the examples ask for the scripts of shells', async () => {
  const asked: string[] = []
  const completion: Surroundings['completion'] = (program) => {
    expect(program.commands.map((command) => command.name())).toContain('insert')
    return Promise.resolve({ parse: () => undefined, setup: (...words) => asked.push(words.join(' ')) })
  }
  await runExamples((await psctx(['completion', '--help'])).out, { completion })
  expect(asked).toEqual(['psctx psctx bash', 'psctx psctx powershell'])
})

test.each(shellCommands.filter((name) => name !== 'exit'))('%s of the shell: the examples run', async (name) => {
  const { code, out } = await shell(`help ${name}`)
  expect(code).toBe(0)
  expect(out).toMatch(new RegExp(`^Usage: ${name}`))
  await runExamples(out, {})
})

test('the help in the shell shows what is typed in the shell', async () => {
  const { out } = await shell('insert --help')
  expect(out).toMatch(/^Usage: insert /)
  expect(out).not.toContain('--volume')
  for (const line of examplesOf(out)) expect(line.startsWith(shellPrompt)).toBe(true)
})
