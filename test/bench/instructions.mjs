// How many instructions each operation takes, in all and in the driver alone: as JSON, for instructions.test.ts. `--record` makes that the
// record which the test compares with; `--tools` says only what they are of.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, root } from '../../scripts/run.mjs'

import { buildPrograms, count } from './callgrind.mjs'

const file = join(root, 'test', 'bench', 'instructions.json')
const times = 500

const programs = {
  lookup: ['lookup_bench', 'lookup', '1000'],
  'insert and remove': ['lookup_bench', 'insert', '1000'],
  'read, passed through': ['passthrough_bench', 'read', 'resident'],
  'write, passed through': ['passthrough_bench', 'write', 'resident'],
  'open and close, passed through': ['passthrough_bench', 'open', 'resident'],
  'open and close, with a rule that does not match': ['passthrough_bench', 'open', 'unmatched'],
  'read, past the minifilter': ['passthrough_bench', 'read', 'minifilter'],
  'write, past the minifilter': ['passthrough_bench', 'write', 'minifilter'],
  'open and close, past the minifilter': ['passthrough_bench', 'open', 'minifilter'],
  'read, by a driver that may be unloaded': ['passthrough_bench', 'read', 'unloadable'],
}

/** What the numbers depend on: the processor's architecture, the compiler and the C library, whoever has packed them. */
function identifyTools() {
  const versions = ['cc', 'ldd'].map((name) => capture(name, ['--version']).output.split('\n')[0])
  return [process.arch, ...versions.map((version) => version.replace(/ \(.*\)/, ''))].join(', ')
}

function measure() {
  buildPrograms('lookup_bench', 'passthrough_bench')
  const operations = Object.entries(programs).map(([operation, [program, ...args]]) => {
    const { all, driver } = count(program, args, times)
    return [operation, { all: Math.round(all.Ir), driver: Math.round(driver.Ir) }]
  })
  return { tools: identifyTools(), operations: Object.fromEntries(operations) }
}

if (process.argv.includes('--tools')) console.log(identifyTools())
else if (process.argv.includes('--record')) writeFileSync(file, `${JSON.stringify(measure(), null, 2)}\n`)
else console.log(JSON.stringify(measure()))
