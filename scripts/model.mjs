/**
 * Runs random programs on the facade and on the reference model, on the memory volume and on NTFS, for as long as asked.
 *
 *     npm run model -- [--runs N] [--seed S] [--path P] [--replay R] [memory|ntfs]
 *
 * A failure tells the seed, the path and the replay path that repeat it.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { run } from './run.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    replay: { type: 'string' },
  },
})
const env = { ...process.env, PSCTX_MODEL_RUNS: values.runs }
if (values.seed) env.PSCTX_MODEL_SEED = values.seed
if (values.path) env.PSCTX_MODEL_PATH = values.path
if (values.replay) env.PSCTX_MODEL_REPLAY = values.replay
run(
  process.execPath,
  [join('node_modules', 'jest', 'bin', 'jest.js'), '--runInBand', `test/model/${positionals[0] ?? ''}`],
  { env },
)
