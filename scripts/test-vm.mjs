// `npm run test:vm`: builds what the Windows machine is to have, and runs the recipe of test/vm there.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { makePayload } from '../test/vm/payload.mjs'
import { CommandError, root } from './run.mjs'
import { build, buildWindows, installDependencies, provide } from './setup.mjs'

/** The package and the Windows binaries, then what the machine gets of them. */
function buildPayload(wanted) {
  const reasons = provide(['build', 'windows'])
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
  build()
  buildWindows()
  return makePayload(wanted)
}

const program = join(root, 'build', 'vm', 'program.cjs')
installDependencies()
const { buildSync } = await import('esbuild') // which was not there before
buildSync({
  entryPoints: [join(root, 'test', 'vm', 'program.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  packages: 'external',
  logLevel: 'error',
})
const { main } = (await import(pathToFileURL(program))).default
const reasons = provide(['ssh'])
if (reasons.size > 0) throw new CommandError(reasons.get('ssh'))
const scripts = join(root, 'test', 'vm', 'scripts')
const { log: tell, error: complain } = console
process.exitCode = await main(process.argv, { scripts, makePayload: buildPayload, tell, complain })
