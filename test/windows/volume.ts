/** The volume of hostfs.sys, with the driver loaded in the system's own kernel. */
import { once } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'

import { openFilter, type Filter } from '../../src/index'
import type { ContractVolume } from '../contract/volume'

import { killClient, startClient } from './client'
import { audit, command, CommandStatus } from './control'

export const root = '\\\\.\\PsHostFs'
/** Reads of it wait until they are cancelled. */
export const pendingFile = `${root}\\pending`
const collision = 0xc0000035 // STATUS_OBJECT_NAME_COLLISION
const pipe = '\\\\.\\pipe\\psctx-contract'

/** The path of a file on the volume as its file system's commands have it. */
function name(path: string): string {
  if (!path.startsWith(`${root}\\`)) throw new Error(`${path} is not below ${root}`)
  return path.slice(root.length + 1)
}

export function writeFile(path: string, data: Uint8Array): void {
  try {
    command('create', name(path))
  } catch (error) {
    if (!(error instanceof CommandStatus) || error.status !== collision) throw error
  }
  const file = openSync(path, 'r+')
  try {
    writeSync(file, data, 0, data.length, 0)
  } finally {
    closeSync(file)
  }
}

/** Waits, at most ten seconds, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Ten seconds were not enough for ${condition}`)
    await setTimeout(20)
  }
}

export async function windowsVolume(): Promise<ContractVolume> {
  const server = createServer()
  server.listen(pipe)
  await once(server, 'listening')

  let dismounted = false
  let idle = audit().allocations
  for (let sample = 0; sample < 10; sample += 1) {
    await setTimeout(20)
    const { allocations } = audit()
    if (allocations < idle) idle = allocations
  }
  const remount = (): void => {
    if (dismounted) command('mount')
    dismounted = false
  }
  return {
    kernel: 'windows',
    front: process.env['PSCTX_FRONT'] === 'minifilter' ? 'minifilter' : 'legacy',
    root,
    volumePath: `${root}\\volume`,
    directoryPath: (path) => `${path}::$INDEX_ALLOCATION`,
    pipe,
    open(options): Filter {
      remount()
      return openFilter(options)
    },
    files: () => ({
      write: writeFile,
      mkdir: (path) => command('mkdir', name(path)),
      rename: (from, to) => command('rename', name(from), name(to)),
      link: (existing, newPath) => command('link', name(existing), name(newPath)),
      unlink: (path) => command('delete', name(path)),
      dismount: () => {
        command('dismount')
        dismounted = true
      },
      setAllocationFault: (countdown) => command('fault', String(countdown)),
    }),
    attachedVolumes: () => 1,
    async check() {
      remount()
      // The driver keeps a volume's name, and that of one that is gone for as long as a request may be on its way through the device; what
      // its housekeeping allocates when it looks for volumes is there for a moment.
      let seen = audit()
      await until(() => {
        seen = audit()
        return seen.allocations <= idle
      })
      const { allocations, contexts, references } = seen
      expect({ allocations, contexts, references }).toEqual({ allocations: idle, contexts: 0n, references: 0n })
    },
    async insertAndDie(path, filter) {
      const client = await startClient('insert', path)
      expect(filter.statistics().total).toMatchObject({ contexts: 2, sessions: 2 })
      await killClient(client)
      await until(() => filter.statistics().total.sessions === 1)
    },
    dispose() {
      server.close()
      remount()
    },
  }
}
