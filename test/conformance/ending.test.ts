/** What became of contexts is judged when a file system has had its time, whatever has been waited for before. */
import { Bench } from '../../src/conformance/bench'
import { countLost, settle } from '../../src/conformance/ending'
import { openFilter, type VolumeFault } from '../../src/index'

async function withBench(fault: VolumeFault, action: (bench: Bench) => Promise<void>): Promise<void> {
  const base = openFilter({ kernel: 'host', volumes: { 'F:': { type: 'memory', fault } } })
  try {
    const place = { base, directory: 'F:\\', seconds: 0, signal: undefined, patience: 2_000, keptPatience: 1 }
    const bench = new Bench({ ...place, advance: () => undefined }, 'check')
    try {
      await action(bench)
    } finally {
      await bench.clear()
    }
  } finally {
    base.close()
  }
}

function hang(bench: Bench, path: string): void {
  using stream = bench.filter.openStream(path)
  stream.insert()
}

test('contexts that no open finds are not lost before their file system has had its time', async () => {
  await withBench('lets-go-late', async (bench) => {
    hang(bench, bench.make('file'))
    expect(await settle(bench, [bench.make('another')])).toMatchObject({ ending: 'late' })
    hang(bench, bench.make('third'))
    expect(await settle(bench, [])).toMatchObject({ ending: 'late' })
  })
})

test('a stream that is found again is kept, however little is waited for it', async () => {
  await withBench('keeps-streams', async (bench) => {
    const path = bench.make('file')
    hang(bench, path)
    expect(await countLost(bench.filter, [path])).toBe(0)
    expect(await countLost(bench.filter, [])).toBe(1)
    expect(await settle(bench, [path])).toMatchObject({ ending: 'kept' })
  })
})
