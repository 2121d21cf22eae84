// Counts what programs of test/bench do, by callgrind: the same on every run, and, but for the compiler and the C library, on every machine.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { capture, CommandError, root, run } from '../../scripts/run.mjs'

const directory = join('build', 'measured')

/** The C library's routines for processors without extensions: valgrind shows a program those that the machine has. */
const environment = {
  ...process.env,
  GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-ERMS,-FSRM,-BMI2,-SSE4_2,-SSSE3,-MOVBE',
}

/** Builds programs as they are shipped, against the embedded kernel. */
export function buildPrograms(...targets) {
  const options = { stdio: ['ignore', 2, 2] }
  const settings = ['-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', '-DPSCTX_SWITCH_POINTS=OFF', '-DCMAKE_BUILD_TYPE=Release']
  run('cmake', ['-S', '.', '-B', directory, ...settings], options)
  run('cmake', ['--build', directory, '--target', ...targets], options)
}

const isDriver = (name) => name.startsWith('Psctx')
const isMemoryRoutine = (name) => /^_*mem(cpy|move|set|cmp)/.test(name)

/** Sums callgrind's file: of everything, and of the driver's functions with the memory routines that they call. */
function parse(text) {
  const names = new Map()
  const resolve = (reference) => {
    const [, number, name] = /^(\(\d+\))(?: (.*))?$/.exec(reference)
    if (name !== undefined) names.set(number, name)
    return names.get(number)
  }
  let events = []
  let caller = ''
  let callee
  const sums = { all: {}, driver: {} }
  for (const line of text.split('\n')) {
    const [, key, value] = /^(events|fn|cfn|calls)[=:] ?(.*)$/.exec(line) ?? []
    if (key === 'events') {
      events = value.split(' ')
      for (const sum of Object.values(sums)) for (const event of events) sum[event] = 0
    } else if (key === 'fn') caller = resolve(value)
    else if (key === 'cfn') callee = resolve(value)
    else if (/^[-+*\d]/.test(line)) {
      // What a call costs stands in the line after it, and in the callee's own lines.
      const isCall = callee !== undefined
      const counted = isCall ? [] : [sums.all]
      if (isDriver(caller) && (!isCall || isMemoryRoutine(callee))) counted.push(sums.driver)
      line
        .split(' ')
        .slice(1)
        .forEach((count, index) => {
          for (const sum of counted) sum[events[index]] += Number(count)
        })
      callee = undefined
    }
  }
  return sums
}

/** What one operation takes, of many that a program does, `{ all, driver }` by callgrind's names of events. */
export function count(program, args, times, options = []) {
  const scratch = mkdtempSync(join(tmpdir(), 'psctx-callgrind-'))
  try {
    const file = join(scratch, 'out')
    const path = join(root, directory, 'test', 'driver', program)
    const tool = ['--quiet', '--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${file}`, ...options]
    const { status, output } = capture('valgrind', [...tool, path, ...args, String(times)], { env: environment })
    if (status !== 0) throw new CommandError(`${program}: ${output}`)
    const sums = parse(readFileSync(file, 'utf8'))
    for (const sum of Object.values(sums)) for (const event of Object.keys(sum)) sum[event] /= times
    return sums
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
