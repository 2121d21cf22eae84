/** Recordings written by hand: events as `psctx watch --json` prints them, with whatever a test does not care about filled in. */
import { jsonReplacer, type FilterEvent } from '../../src/index'

type Some = Readonly<Record<string, unknown>> & { readonly type: FilterEvent['type'] }

/** 2026-01-01T00:00:00Z. */
export const origin = 134_116_992_000_000_000n

const ofContext = { owner: 0n, instance: 0n, sequence: 1n, name: '\\a', nameTruncated: false }

function defaults(type: FilterEvent['type']): object {
  if (type === 'torn-down') return { ...ofContext, age: 0 }
  if (type === 'removed') return { ...ofContext, processId: 8, age: 0 }
  return type === 'inserted' || type === 'tracked' || type === 'cleanup' ? { ...ofContext, processId: 8 } : {}
}

/** Events, `at` so many milliseconds; numbered in their order where `number` is not said. */
export function record(events: readonly (Some & { readonly at?: number })[]): FilterEvent[] {
  let number = 0
  return events.map(({ at = number, ...event }) => {
    number = (event['number'] as number | undefined) ?? number + 1
    const time = origin + BigInt(Math.round(at * 10_000))
    const date = new Date(Number(time / 10_000n) - 11_644_473_600_000)
    return { number, time, date, ...defaults(event.type), ...event } as unknown as FilterEvent
  })
}

export function toLines(events: readonly FilterEvent[]): string[] {
  return events.map((event) => JSON.stringify(event, jsonReplacer))
}
