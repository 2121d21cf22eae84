// `npm run test:vm`: builds what the Windows machine is to have, and runs the recipe of test/vm there.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { makePayload } from '../test/vm/payload.mjs'
import { runScript } from './options.mjs'
import { root } from './run.mjs'
import { build, buildWindows, demand, installDependencies } from './setup.mjs'

/** The package and the Windows binaries, then what the machine gets of them. */
function buildPayload(wanted) {
  demand(['build', 'windows'])
  build()
  buildWindows()
  return makePayload(wanted)
}

await runScript(async () => {
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
  demand(['ssh'])
  const scripts = join(root, 'test', 'vm', 'scripts')
  const { log: tell, error: complain } = console
  process.exitCode = await main(process.argv, { scripts, makePayload: buildPayload, tell, complain })
})
