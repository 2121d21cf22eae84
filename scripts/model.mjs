/**
 * Runs random programs on the facade and on the reference model, on the memory volume and on NTFS, for as long as asked.
 *
 *     npm run model -- [--runs N] [--seed S] [--path P] [--replay R] [memory|ntfs]
 *
 * The programs are others each time unless a seed says which. A failure tells the command that repeats it, whose seed may be below zero: `--seed=-1`.
 */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { oneOf, runScript, wholeNumber } from './options.mjs'
import { run } from './run.mjs'

await runScript(() => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      path: { type: 'string' },
      replay: { type: 'string' },
    },
  })
  const volumes = positionals.map((name) => oneOf('a volume', ['memory', 'ntfs'], name))
  const suites = volumes.length > 0 ? volumes.map((name) => `test/model/${name}`) : ['test/model/']
  const seeds = { least: -(2 ** 31), most: 2 ** 31 - 1 } // fast-check's
  const env = {
    ...process.env,
    PSCTX_MODEL_RUNS: wholeNumber('runs', values.runs, { least: 1 }),
    PSCTX_MODEL_SEED: values.seed ? wholeNumber('seed', values.seed, seeds) : randomInt(seeds.most),
  }
  if (values.path) env.PSCTX_MODEL_PATH = values.path
  if (values.replay) env.PSCTX_MODEL_REPLAY = values.replay
  run(process.execPath, [join('node_modules', 'jest', 'bin', 'jest.js'), '--runInBand', ...suites], { env })
})
