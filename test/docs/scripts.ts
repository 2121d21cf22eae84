/** The documents' TypeScript and JavaScript: types are checked, and what runs must come to what its comments say. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import ts from 'typescript'

import * as perStreamContext from '../../src/index'

import { type Block, root } from './markdown'

/** What an expression came to, and what the comment behind it says. */
export type Seen = [actual: unknown, said: unknown]

const packageName = 'per-stream-context'

/** The sources of an entry point: `per-stream-context` is src/index.ts, `per-stream-context/name` is src/name/index.ts. */
function toSource(specifier: string): string | undefined {
  if (specifier !== packageName && !specifier.startsWith(`${packageName}/`)) return undefined
  return join(root, 'src', specifier.slice(packageName.length + 1), 'index.ts')
}

/** Examples of the reference use what the package exports, and a filter and a stream, without saying where they are from. */
function isFragment({ document, text }: Block): boolean {
  return document.startsWith(join('docs', 'api')) && !/^import /m.test(text)
}

/** The package's entry points, as they are imported. */
const entryPoints = ['', '/json', '/jest', '/conformance']
  .map((path) => packageName + path)
  .filter((name) => existsSync(toSource(name)!))

/** What fragments may use by name. */
const exported = Object.fromEntries(entryPoints.flatMap((name) => Object.entries(load(name) as object))) as Record<
  string,
  unknown
>

const surroundings = [
  ...entryPoints.map((name, index) => `import * as exported${index} from '${name}'`),
  ...Object.keys(exported).map((key) => {
    const index = entryPoints.findIndex((name) => key in (load(name) as object))
    return `const { ${key} } = exported${index}`
  }),
  `declare const filter: import('${packageName}').Filter, stream: import('${packageName}').Stream`,
  '',
].join(';')

/** Whether a block is a test file. */
export function isTestFile({ text }: Block): boolean {
  return /^(test|it|describe)(\.each)?\(/m.test(text)
}

/** What is wrong with the blocks' types, in the compiler's words. */
export function checkTypes(blocks: readonly Block[]): string[] {
  const sources = new Map(
    blocks.map((block, index) => {
      const extension = block.language === 'ts' ? 'ts' : 'js'
      const text = isFragment(block) ? `${surroundings}{${block.text}\n}` : block.text
      return [join(root, 'test', 'docs', `block-${index}.${extension}`), { block, text }] as const
    }),
  )
  const configuration = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: () => undefined,
  })!
  const options: ts.CompilerOptions = {
    ...configuration.options,
    allowJs: true,
    checkJs: true,
    skipLibCheck: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
    // A reader's script declares what the reader is to see, and awaits at its top level.
    noUnusedLocals: false,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noPropertyAccessFromIndexSignature: false,
    paths: { [packageName]: ['./src/index.ts'], [`${packageName}/*`]: ['./src/*/index.ts'] },
  }
  const host = ts.createCompilerHost(options)
  const onDisk = { ...host }
  host.fileExists = (path) => sources.has(path) || onDisk.fileExists(path)
  host.readFile = (path) => sources.get(path)?.text ?? onDisk.readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const source = sources.get(path)
    return source === undefined
      ? onDisk.getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, source.text, version, true)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return [...sources].flatMap(([path, { block }]) => {
    const file = program.getSourceFile(path)!
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start ?? 0)
      const message = ts.flattenDiagnosticMessageText(messageText, '\n')
      return `${block.document}, line ${block.line + line + 1}: ${message}`
    })
  })
}

function isExpression(text: string): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is only parsed
    new Function(`return (${text})`)
    return true
  } catch {
    return false
  }
}

/** JavaScript of a block. `expression // value` in it becomes a row of what is seen and what is said; other comments are for people. */
function translate(block: Block): string {
  const recorded = block.text.replace(/^([^\s/].*?) +\/\/ (.+)$/gm, (line, expression: string, value: string) => {
    const isSaid = isExpression(expression) && isExpression(value)
    return isSaid ? `seen.push([${expression}, ${value}])` : line
  })
  const { outputText } = ts.transpileModule(isTestFile(block) ? block.text : recorded, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  })
  return outputText
}

function load(specifier: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a script says when it runs what it needs
  return require(toSource(specifier) ?? specifier) as unknown
}

/** Runs a block with what it may use by name. */
function execute(block: Block, given: Readonly<Record<string, unknown>>, before: string, after: string): unknown {
  const names = isFragment(block) ? { ...exported, ...given } : given
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is our own
  const action = new Function(...Object.keys(names), before + translate(block) + after) as (
    ...values: unknown[]
  ) => unknown
  return action(...Object.values(names))
}

/** Runs a test file where it stands: its tests become tests of the file that calls this. */
export function runTestFile(block: Block): void {
  execute(block, { require: load, exports: {} }, '{', '\n}')
}

/** What a script came to. */
export interface Run {
  readonly seen: readonly Seen[]
  /** What it wrote to the console. */
  readonly output: string
}

/** Runs a script to its end. */
export async function runScript(block: Block): Promise<Run> {
  const seen: Seen[] = []
  const lines: string[] = []
  const console = { log: (...values: unknown[]) => lines.push(values.join(' ')) }
  const given = { require: load, exports: {}, seen, console }
  if (isFragment(block)) await runOnDriveC(block, given)
  else await execute(block, given, 'return (async () => {', '\n})()')
  return { seen, output: lines.join('\n') }
}

/** Runs an example of the reference, which is about Windows: it finds a drive C: with a document on it. */
async function runOnDriveC(block: Block, given: Readonly<Record<string, unknown>>): Promise<void> {
  const openFilter = (options: perStreamContext.FilterOptions = {}): perStreamContext.Filter =>
    perStreamContext.openFilter({ volumes: { 'C:': { type: 'memory' } }, ...options })
  using filter = openFilter()
  filter.host!.mkdir('C:\\data')
  filter.host!.writeFile('C:\\data\\report.docx', Buffer.from('the document'))
  filter.host!.writeFile('C:\\data\\report.docx:notes', Buffer.from('the notes'))
  using stream = filter.openStream('C:\\data\\report.docx')
  await execute(block, { ...given, openFilter, filter, stream }, 'return (async () => {', '\n})()')
}
