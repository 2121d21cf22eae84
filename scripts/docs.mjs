// `npm run docs`: makes what stands in docs/ and is made of the sources. Another directory than docs/ may be given.
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { writeAbi } from './docs-abi.mjs'
import { writeApi } from './docs-api.mjs'
import { writeCommands } from './docs-commands.mjs'
import { drawStart } from './docs-start.mjs'
import { CommandError, root } from './run.mjs'

const docs = resolve(process.argv[2] ?? join(root, 'docs'))

try {
  mkdirSync(docs, { recursive: true })
  rmSync(join(docs, 'api'), { recursive: true, force: true })
  writeAbi(docs)
  writeCommands(docs)
  drawStart(docs)
  await writeApi(join(docs, 'api'))
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
