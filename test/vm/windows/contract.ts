/** The contract on a drive of a Windows machine, whose driver runs in the system's own kernel. */
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { openFilter, type Filter } from '../../../src/index'
import { describeContract } from '../../contract/contract'
import type { ContractVolume } from '../../contract/volume'
import { killClient, startClient } from '../../windows/client'

const pipe = '\\\\.\\pipe\\psctx-contract'

function unsupported(what: string): never {
  throw new Error(`Nothing in user mode has a Windows machine ${what}.`)
}

/** Waits, at most ten seconds, until the driver's totals are those of one filter without contexts, or of none. */
async function settle(sessions: number, filter: Filter): Promise<void> {
  const deadline = Date.now() + 10_000
  while (filter.statistics().total.contexts > 0 || filter.statistics().total.sessions > sessions) {
    if (Date.now() > deadline) throw new Error(`the driver still holds ${JSON.stringify(filter.statistics().total)}`)
    await sleep(20)
  }
}

async function openDrive(drive: string, parent: string): Promise<ContractVolume> {
  const server = createServer()
  server.listen(pipe)
  await once(server, 'listening')
  const path = mkdtempSync(`${drive}\\${parent}\\contract-`)
  return {
    kernel: 'windows',
    front: 'legacy',
    root: drive,
    directory: path.slice(drive.length),
    volumePath: `\\\\.\\${drive}`,
    directoryPath: (one) => one,
    pipe,
    open: (options) => openFilter(options),
    files: () => ({
      write: (one, data) => writeFileSync(one, data),
      mkdir: (one) => mkdirSync(one),
      rename: (from, to) => renameSync(from, to),
      link: (existing, newPath) => linkSync(existing, newPath),
      unlink: (one) => unlinkSync(one),
      dismount: () => unsupported('dismount a volume that is in use'),
      setAllocationFault: () => unsupported('fail a certain allocation'),
    }),
    attachedVolumes() {
      const filter = openFilter({ readOnly: true })
      try {
        return filter.statistics().total.attachedVolumes
      } finally {
        filter.close()
      }
    },
    async check() {
      const filter = openFilter({ readOnly: true })
      try {
        await settle(1, filter)
      } finally {
        filter.close()
      }
    },
    async insertAndDie(one, filter) {
      const client = await startClient('insert', one)
      expect(filter.statistics().total).toMatchObject({ contexts: 2, sessions: 2 })
      await killClient(client)
      await settle(1, filter)
    },
    dispose() {
      server.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Declares the contract's tests for a drive; they work in a directory of their own below `parent`, a directory there. */
export function describeDrive(drive: string, parent: string): void {
  describeContract(`the drive ${drive}`, () => openDrive(drive, parent), [
    'paging file',
    'dismount',
    'allocation faults',
  ])
}
