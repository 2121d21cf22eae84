/** Runs random programs on a volume, beside the reference; what fails is made small, and told with what replays it. */
import fc from 'fast-check'

import type { ContractVolume } from '../contract/volume'

import { compareEvents, filterCount, Model, openOne, programs, Real } from './commands'

const { env } = process
const seed = env['PSCTX_MODEL_SEED']
const path = env['PSCTX_MODEL_PATH']
const replayPath = env['PSCTX_MODEL_REPLAY'] ?? null

/** `npm run model` sets how many programs there are, and which. */
export async function checkModel(volume: ContractVolume, runs: number, length: number): Promise<void> {
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
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    },
  )
}
