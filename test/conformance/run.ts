/** Runs of the checks on volumes of the embedded kernel. */
import { conformance, type ConformanceOptions, type ConformanceResult } from '../../src/conformance'
import { openFilter, type VolumeFault } from '../../src/index'

/** The results of a run, by the ids of the checks. */
export type Results = ReadonlyMap<string, ConformanceResult>

export async function collect(directory: string, options: ConformanceOptions): Promise<Results> {
  const results = new Map<string, ConformanceResult>()
  for await (const result of conformance(directory, options)) results.set(result.id, result)
  return results
}

/** Runs the checks on a memory volume of its own. */
export async function runInMemory(fault?: VolumeFault, options: ConformanceOptions = {}): Promise<Results> {
  const filter = openFilter({ kernel: 'host', volumes: { 'F:': { type: 'memory', fault } } })
  try {
    return await collect('F:\\', { filter, dismount: true, ...options })
  } finally {
    filter.close() // throws if a byte of pool is left
  }
}

/** The ids of the checks that came to this. */
export function idsOf(results: Results, verdict: ConformanceResult['verdict']): string[] {
  return [...results.values()].filter((result) => result.verdict === verdict).map(({ id }) => id)
}

/** What a call throws. */
export function errorOf(call: () => unknown): { readonly code?: string; readonly argument?: string } {
  try {
    call()
  } catch (error) {
    return error as { code?: string }
  }
  throw new Error('Nothing was thrown.')
}
