// docs/commands.md: what psctx says of its commands when it is asked.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, root } from './run.mjs'

/** What psctx prints, which must be all well. */
function psctx(words, input = '') {
  const { status, output } = capture(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...words], {
    input,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  if (status !== 0) throw new CommandError(`psctx ${words.join(' ')} ended with ${status}`)
  return output.trimEnd()
}

const help = (words) => psctx([...words, '--help'])
/** What `help` in the shell prints of commands, of each by itself, or of all in one when none is named. */
function shellHelp(names) {
  const lines = names.length === 0 ? ['help'] : names.map((name) => `help ${name}`)
  return psctx(['shell', '--quiet'], lines.map((line) => `${line}\n`).join('')).split(/\n+(?=Usage: )/)
}

/** The commands that a help text lists, but for help itself. */
function commandsIn(text) {
  const [, list = ''] = /\nCommands:\n((?: {2}.*\n?)+)/.exec(text) ?? []
  return Array.from(list.matchAll(/^ {2}([\w-]+)/gm), ([, name]) => name).filter((name) => name !== 'help')
}

/** The help of a command, and of those below it. */
function* tell(words) {
  const text = help(words)
  yield `## psctx ${words.join(' ')}`.trimEnd()
  yield `\`\`\`text\n${text}\n\`\`\``
  for (const name of commandsIn(text)) yield* tell([...words, name])
}

/** What the shell has beside them. */
function* tellShell() {
  const others = new Set([...commandsIn(help([])), 'exit'])
  const names = commandsIn(...shellHelp([])).filter((name) => !others.has(name))
  for (const [index, text] of shellHelp(names).entries()) {
    yield `### ${names[index]}`
    yield `\`\`\`text\n${text}\n\`\`\``
  }
}

/** Writes commands.md into the directory `docs`. */
export function writeCommands(docs) {
  const blocks = [
    '# Commands',
    'What `psctx COMMAND --help` says on Linux, made by `npm run docs`. On Windows there is no `--volume`: the commands act on its own kernel.',
    ...tell([]),
    '## In the shell',
    'Beside the commands above, `psctx shell` has these; `help` there tells all of them. Those that make, read, rename and delete files, and `dismount`, are for the embedded kernel alone.',
    ...tellShell(),
  ]
  writeFileSync(join(docs, 'commands.md'), `${blocks.join('\n\n')}\n`)
}
