// What a part of `npm run bench` has measured: a table for people, with each bound beside what it bounds, and JSON in build/bench.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

import Table from 'cli-table3'

import { root } from '../../scripts/run.mjs'

/** The value that this share of the values is below. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * share)]
}

export const median = (values) => quantile(values, 0.5)

/** Where the parts of a run are kept until they are recorded. */
export const directory = join(root, 'build', 'bench')

/** A bound: what is measured must not be above it. `told` is how it is written, `reason` why it is missed where it is. */
export const atMost = (limit, reason, told = limit.toFixed(2)) => ({ limit, told: `≤ ${told}`, reason })

function judge(value, { limit, told, reason }) {
  if (reason === undefined) throw new TypeError(`the bound ${told} has no reason to be missed for`)
  return value <= limit ? { told, isMet: true } : { told, isMet: false, reason }
}

const machine = {
  processor: cpus()[0].model.trim(),
  processors: cpus().length,
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
}

export class Report {
  #rows = []

  constructor(name, unit) {
    this.name = name
    this.unit = unit
  }

  /**
   * Adds what a thing took through several contenders, of which the first is the baseline: `[name, values, ...bounds]`, a value for each round. The
   * ratio to the baseline is the median of those of the rounds, so that the machine may change its speed from one to the next. A bound is of that
   * ratio, and may be a function of all ratios by name.
   */
  compare(operation, contenders) {
    const [[, baseline]] = contenders
    const ratios = Object.fromEntries(
      contenders.map(([name, values]) => [name, median(values.map((value, round) => value / baseline[round]))]),
    )
    for (const [through, values, ...bounds] of contenders) {
      const value = median(values)
      const ratio = ratios[through]
      const judged = bounds.map((bound) => judge(ratio, typeof bound === 'function' ? bound(ratios) : bound))
      const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / value
      this.#rows.push({ operation, through, value, spread, ratio, bounds: judged })
    }
  }

  /** Adds a value with bounds of its own. Whether they are met. */
  measure(operation, value, ...bounds) {
    const judged = bounds.map((bound) => judge(value, bound))
    this.#rows.push({ operation, through: '', value, bounds: judged })
    return judged.every(({ isMet }) => isMet)
  }

  /** Prints the table and writes the JSON. */
  finish() {
    const table = new Table({
      head: ['operation', 'through', this.unit, 'spread', 'ratio', 'bound'],
      style: { head: [], border: [] },
      colWidths: [null, null, null, null, null, 60],
      wordWrap: true,
    })
    let previous
    for (const { operation, through, value, spread, ratio, bounds } of this.#rows) {
      table.push([
        operation === previous ? '' : operation,
        through,
        value.toFixed(value < 10 ? 2 : 0),
        spread === undefined ? '' : `${(spread * 100).toFixed(0)} %`,
        ratio?.toFixed(2) ?? '',
        bounds.map(({ told, isMet, reason }) => `${told}: ${isMet ? 'met' : `MISSED: ${reason}`}`).join('\n'),
      ])
      previous = operation
    }
    console.log(table.toString())
    mkdirSync(directory, { recursive: true })
    writeFileSync(
      join(directory, `${this.name}.json`),
      JSON.stringify({ unit: this.unit, machine, rows: this.#rows }, null, 2),
    )
  }
}
