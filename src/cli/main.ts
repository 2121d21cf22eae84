#!/usr/bin/env node
/** `psctx`, the program: the command line in its real surroundings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { addonPath } from '../addon'

import { loadWindowsAddon, packageRoot } from './addon'
import type { CommonFacts, Facts } from './doctor'
import type { DriverAnswer, DriverMachine } from './driver'
import { run } from './program'

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
          return { version: filter.version, statistics: filter.statistics() }
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

void run(process.argv.slice(2), {
  version,
  platform: process.platform,
  columns: process.stdout.isTTY ? process.stdout.columns : 120,
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  machine: makeMachine,
  facts: findFacts,
  filter: async ({ readOnly }) => (await import('../index.js')).openFilter({ kernel: 'windows', readOnly }),
  interrupted() {
    const controller = new AbortController()
    process.once('SIGINT', () => {
      controller.abort()
    })
    return controller.signal
  },
}).then((code) => {
  process.exitCode = code
})
