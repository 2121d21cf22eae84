// docs/commands.md: what psctx says of its commands when it is asked.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, root } from './run.mjs'

function help(...words) {
  const { status, output } = capture(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...words, '--help'], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  if (status !== 0) throw new CommandError(`psctx ${words.join(' ')} --help ended with ${status}`)
  return output.trimEnd()
}

/** The commands that a help text lists, but for help itself. */
function commandsIn(text) {
  const [, list = ''] = /\nCommands:\n((?: {2}.*\n?)+)/.exec(text) ?? []
  return Array.from(list.matchAll(/^ {2}([\w-]+)/gm), ([, name]) => name).filter((name) => name !== 'help')
}

/** The help of a command, and of those below it. */
function* tell(words) {
  const text = help(...words)
  yield `## psctx ${words.join(' ')}`.trimEnd()
  yield `\`\`\`text\n${text}\n\`\`\``
  for (const name of commandsIn(text)) yield* tell([...words, name])
}

/** Writes commands.md into the directory `docs`. */
export function writeCommands(docs) {
  const blocks = [
    '# Commands',
    'What `psctx COMMAND --help` says on Linux, made by `npm run docs`. On Windows there is no `--volume`: the commands act on its own kernel.',
    ...tell([]),
  ]
  writeFileSync(join(docs, 'commands.md'), `${blocks.join('\n\n')}\n`)
}
