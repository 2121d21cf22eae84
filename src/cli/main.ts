#!/usr/bin/env node
/** `psctx`, the program: the command line in its real surroundings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { addonPath } from '../addon'
import type { DriverAnswer } from '../json'

import { loadWindowsAddon, packageRoot } from './addon'
import type { CommonFacts, Facts } from './doctor'
import type { DriverMachine } from './driver'
import { exitCode } from './failure'
import { run } from './program'
import type { LiveArea, Terminal } from './surroundings'

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }

// What needs the addon is imported when it is needed: without an addon, `psctx doctor` says so.

async function makeMachine(): Promise<DriverMachine> {
  const { openFilter, PerStreamContextError } = await import('../index.js')
  const { service, system } = loadWindowsAddon()
  const systemRoot = process.env['SystemRoot']
  if (systemRoot === undefined) throw new Error('The environment does not tell %SystemRoot%: set it.')
  return {
    services: service,
    system,
    systemRoot,
    packageRoot,
    askDriver(): DriverAnswer {
      try {
        const filter = openFilter({ kernel: 'windows', readOnly: true })
        try {
          return { version: filter.version, front: filter.front, statistics: filter.statistics() }
        } finally {
          filter.close()
        }
      } catch (error) {
        if (!(error instanceof PerStreamContextError)) throw error
        return { code: error.code, message: error.message }
      }
    },
    wait: (milliseconds) => setTimeout(milliseconds),
  }
}

async function findFacts(): Promise<Facts> {
  const common: Omit<CommonFacts, 'addon'> = {
    version,
    nodeVersion: process.version,
    platform: process.platform,
    architecture: process.arch,
  }
  try {
    const facts = await import('./facts.js')
    return {
      ...common,
      addon: { value: addonPath() },
      ...(process.platform === 'win32'
        ? { windows: facts.findWindowsFacts(loadWindowsAddon()) }
        : { host: facts.findHostFacts() }),
    }
  } catch (error) {
    return { ...common, addon: { failure: error instanceof Error ? error.message : String(error) } }
  }
}

async function makeLiveArea(): Promise<LiveArea> {
  const { default: logUpdate } = await import('log-update')
  return {
    draw: (text) => {
      logUpdate(text)
    },
    end: () => {
      logUpdate.done()
    },
  }
}

const terminal: Terminal = {
  get columns() {
    return process.stdout.columns
  },
  get rows() {
    return process.stdout.rows
  },
  output: process.stdout,
  live: makeLiveArea,
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, as `head`, closes the pipe. What has something to remove first listens for that.
  if (error.code === 'EPIPE') {
    if (process.emit('SIGPIPE', 'SIGPIPE')) return
    process.exit(exitCode.fine)
  }
  process.stderr.write(
    `psctx: Standard output could not be written (${error.code ?? error.message}). See whether there is room.\n`,
  )
  process.exit(exitCode.wrong)
})

process.stderr.on('error', () => {
  // Nobody is left to be told.
})

void run(process.argv.slice(2), {
  version,
  platform: process.platform,
  environment: process.env,
  terminal: process.stdout.isTTY ? terminal : undefined,
  get input() {
    return process.stdin
  },
  out(text) {
    if (process.stdout.write(text)) return undefined
    return new Promise((resolve) => {
      const end = (): void => {
        process.stdout.off('drain', end).off('close', end)
        resolve()
      }
      process.stdout.on('drain', end).on('close', end)
    })
  },
  error: (text) => process.stderr.write(text),
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    return () => process.off('SIGINT', listener)
  },
  open: async (options) => (await import('../index.js')).openFilter(options),
  machine: makeMachine,
  facts: findFacts,
  report: () => import('../report/index.js'),
  conformance: () => import('../conformance/index.js'),
  completion: async (program) => {
    const { default: tab } = await import('@bomb.sh/tab/commander')
    return tab(program, { completionCommandName: 'completion' })
  },
}).then((code) => {
  process.exitCode = code
})
