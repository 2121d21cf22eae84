/** Runs random programs on a volume, beside the reference; what fails is made small, and told with what replays it. */
import fc from 'fast-check'

import type { ContractVolume } from '../contract/volume'

import { compareEvents, filterCount, Model, openOne, programs, Real } from './commands'

const { env } = process
const path = env['PSCTX_MODEL_PATH']
const replayPath = env['PSCTX_MODEL_REPLAY'] ?? null

/** The error of a failure, with the command that repeats what it was made small to. */
async function tell<Values>(name: string, details: fc.RunDetails<Values>): Promise<void> {
  if (!details.failed) return
  const message = (await fc.asyncDefaultReportMessage(details)) ?? ''
  const replay = /replayPath="([^"]*)"/.exec(message)?.[1] ?? ''
  const options = `--seed=${details.seed} --path=${details.counterexamplePath} --replay=${replay}`
  throw new Error(`${message}\n\nAgain: npm run model -- ${options} ${name}`, { cause: details.errorInstance })
}

/** The same programs each time, unless `npm run model` sets how many there are, and which. `name` is what it calls the volume. */
export async function checkModel(name: string, volume: ContractVolume, runs: number, length: number): Promise<void> {
  const seed = Number(env['PSCTX_MODEL_SEED'] ?? 1)
  // Told beforehand: a bugcheck ends the process.
  process.stderr.write(`the model, ${name}: npm run model -- --seed=${seed} ${name}\n`)
  let number = 0
  await fc.assert(
    fc.asyncProperty(programs(length, replayPath), async (commands) => {
      const directory = `model-${number++}`
      const model = new Model()
      const real = new Real(`${volume.root}\\${directory}`, () => volume.open())
      // Keeps a memory volume alive while its filters come and go.
      const keeper = volume.open()
      try {
        keeper.host!.mkdir(real.root)
        model.openFilter(filterCount) // of contexts whose filter is gone
        for (let filter = 0; filter < filterCount; filter += 1) openOne(model, real, filter)
        await fc.asyncModelRun(() => ({ model, real }), commands)
        for (let filter = 0; filter < filterCount; filter += 1) await compareEvents(model, real, filter)
      } finally {
        for (const events of real.events) events.close()
        for (const filter of real.filters) filter.close()
        keeper.close()
      }
    }),
    {
      numRuns: Number(env['PSCTX_MODEL_RUNS'] ?? runs),
      seed,
      asyncReporter: (details) => tell(name, details),
      ...(path === undefined ? {} : { path }),
    },
  )
}
