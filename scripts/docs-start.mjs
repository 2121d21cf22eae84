// docs/start.svg: what `npm start` prints, as it stands on a terminal.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, root } from './run.mjs'
import { drawTerminal } from './terminal-svg.mjs'

/** What the demonstration prints, with the colours of a terminal; the name of its image, which is another each time, is made one. */
export function runDemonstration() {
  const { status, output } = capture(process.execPath, [join(root, 'dist', 'demo.js')], {
    env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined },
  })
  if (status !== 0) throw new CommandError(`The demonstration ended with ${status}`)
  return output.replace(/[^\s(]*\/psctx-ntfs-\w+\//, '/tmp/')
}

/** Draws the picture into the directory `docs`. */
export function drawStart(docs) {
  writeFileSync(join(docs, 'start.svg'), drawTerminal(`$ npm start\n${runDemonstration()}`, 'npm start'))
}
