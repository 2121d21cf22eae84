/** What the commands print as JSON is what `per-stream-context/json` says: real outputs, compiled as literals of those types. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  createProgram,
  flattenDiagnosticMessageText,
  getPreEmitDiagnostics,
  ModuleKind,
  ModuleResolutionKind,
  ScriptTarget,
} from 'typescript'

import { jsonReplacer, jsonReviver } from '../../src/json'
import { FakeMachine, makeImage } from './machine'
import { Execution, psctx, shell } from './surroundings'

const root = join(__dirname, '..', '..')
let directory: string
let machine: FakeMachine

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true })
  directory = mkdtempSync(join(root, 'build', 'documents-'))
  machine = new FakeMachine()
})
afterAll(() => {
  rmSync(directory, { recursive: true })
  machine.dispose()
})

/** What was read, as TypeScript would write it. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  if (Buffer.isBuffer(value)) return `Buffer.from('${value.toString('hex')}', 'hex')`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}: ${literal(member)}`)
    .join(', ')} }`
}

type Typed = readonly [type: string, value: unknown]

/** What the compiler says of values of types: missing members, members that no type has, and wrong ones; of `wrong`, that it says nothing. */
function compile(values: readonly Typed[], wrong: readonly Typed[]): string[] {
  const file = join(directory, 'documents.ts')
  const declare = ([type, value]: Typed, name: string) => `export const ${name}: json.${type} = ${literal(value)}`
  const lines = [
    ...values.map((value, index) => declare(value, `value${index}`)),
    ...wrong.flatMap((value, index) => ['// @ts-expect-error', declare(value, `wrong${index}`)]),
  ]
  const documents = JSON.stringify(join(root, 'src', 'json', 'documents'))
  writeFileSync(file, [`import type * as json from ${documents}`, ...lines].join('\n'))
  const program = createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    target: ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ModuleKind.Node16,
    moduleResolution: ModuleResolutionKind.Node16,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  })
  return getPreEmitDiagnostics(program)
    .filter((one) => one.file?.fileName === file || one.file === undefined)
    .map(({ messageText }) => flattenDiagnosticMessageText(messageText, '\n'))
}

const pascal = (word: string) => word.replace(/(?:^| )./g, (letter) => letter.trim().toUpperCase())
const types: Readonly<Record<string, string>> = {
  mkdir: 'FileDocument',
  unlink: 'FileDocument',
  dismount: 'FileDocument',
  rename: 'NameDocument',
  link: 'NameDocument',
  track: 'TrackLine',
  'driver install': 'DriverDocument',
  'driver start': 'DriverDocument',
  'driver stop': 'DriverDocument',
  'driver uninstall': 'DriverDocument',
}

/** The type of a document, by the command that it names; an event names none. */
function typeOf(value: unknown): string {
  const { command } = value as { readonly command?: string }
  return command === undefined ? 'WatchLine' : (types[command] ?? `${pascal(command)}Document`)
}

async function collect(): Promise<unknown[]> {
  const script = [
    'mkdir M:\\d',
    'write M:\\a.txt --data text',
    'watch * --instance 9 &',
    'track *.txt --instance 8 --count &',
    'open h M:\\a.txt',
    'open volume M:',
    'insert h --owner 0xffffffffffffffff --instance 1 --data-hex 00ff',
    'insert h --instance 2',
    'insert h --instance 2 --if-exists replace',
    'handles',
    'lookup h',
    'list',
    'list h',
    'inspect h',
    'remove h',
    'remove h --all',
    'read M:\\a.txt',
    'link M:\\a.txt M:\\b.txt',
    'rename M:\\b.txt M:\\c.txt',
    'unlink M:\\c.txt',
    'close h',
    'close volume',
    'volumes',
    'stat',
    'doctor',
    'stop',
    'dismount M:',
  ]
  const { code, out, error } = await shell(script.join('\n'), '--json')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  const texts = out.trimEnd().split('\n')

  const driver = join(machine.directory, 'psctx.sys')
  writeFileSync(driver, makeImage())
  const windows = { platform: 'win32', machine: () => Promise.resolve(machine) }
  for (const line of ['status', `install --driver ${driver} --allow-unload`, 'start', 'status', 'stop', 'uninstall']) {
    texts.push((await psctx(['driver', ...line.split(' '), '--json'], windows)).out)
  }
  machine.answer = { code: 'STATUS_ACCESS_DENIED', message: 'Run as an administrator.' }
  await psctx(['driver', 'install', '--driver', driver], windows)
  await psctx(['driver', 'start'], windows)
  texts.push((await psctx(['driver', 'status', '--json'], windows)).out)
  texts.push((await psctx(['insert', 'M:\\a.txt', '--json'])).out)
  const report = new Execution(['report', '-', '--json', '--output', join(directory, 'report.html')])
  report.input.end()
  await report.code
  texts.push(report.out)
  return texts.map((text) => {
    const value: unknown = JSON.parse(text, jsonReviver)
    expect(JSON.parse(JSON.stringify(value, jsonReplacer), jsonReviver)).toEqual(value)
    return value
  })
}

test('every command’s JSON has the members and types that it is said to have, and no others', async () => {
  const values = await collect()
  const covered = new Set(values.map(typeOf))
  const said = Object.keys(types).map((command) => types[command]!)
  for (const type of [
    ...said,
    'InsertDocument',
    'LookupDocument',
    'RemoveDocument',
    'ListDocument',
    'InspectDocument',
  ]) {
    expect(covered).toContain(type)
  }
  for (const type of ['VolumesDocument', 'StatDocument', 'ReportDocument', 'DoctorDocument', 'DriverStatusDocument']) {
    expect(covered).toContain(type)
  }
  for (const type of [
    'OpenDocument',
    'CloseDocument',
    'HandlesDocument',
    'WriteDocument',
    'ReadDocument',
    'WatchLine',
  ]) {
    expect(covered).toContain(type)
  }
  const typed = values.map((value) => [typeOf(value), value] as const)
  const lines = values.map((value) => ['ShellLine', value] as const)
  // That it would say so: a member too many, one too few, and one of another type.
  const insert = values.find((value) => typeOf(value) === 'InsertDocument') as Record<string, unknown>
  const wrong = [
    { ...insert, extra: 1 },
    { ...insert, path: undefined },
    { ...insert, owner: '1' },
  ]
  const wrongLines = wrong.map((value) => ['InsertDocument', value] as const)
  expect(compile([...typed, ...lines], wrongLines)).toEqual([])
}, 60_000)
