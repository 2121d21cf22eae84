/** Several processes at once, and processes that die with contexts and requests outstanding. */
import { once } from 'node:events'

import { openFilter } from '../../src/index'

import { killClient, startClient } from './client'
import { audit } from './control'
import { pendingFile, root, until, writeFile } from './volume'

describe('processes', () => {
  test('each have sessions of their own on one stream, at the same time', async () => {
    const path = `${root}\\shared.txt`
    writeFile(path, Buffer.from('shared'))
    const clients = await Promise.all(['100', '100', '100'].map((rounds) => startClient('churn', path, rounds)))
    await Promise.all(clients.map(killClient))
    using filter = openFilter()
    await until(() => filter.statistics().total.sessions === 1)
    expect(filter.statistics().total.contexts).toBe(0)
  })

  test('that are killed leave neither contexts nor a pending request behind', async () => {
    const path = `${root}\\doomed.txt`
    writeFile(path, Buffer.from('doomed'))
    const { streams } = audit()
    using filter = openFilter()
    const client = await startClient('insert-and-pend', path, pendingFile)
    expect(audit().streams).toBe(streams + 2n)
    expect(filter.statistics().total).toMatchObject({ contexts: 2, sessions: 2 })
    await killClient(client)
    await until(() => filter.statistics().total.sessions === 1)
    expect(filter.statistics().total.contexts).toBe(0)
    await until(() => audit().streams === streams)
  })

  test('that end without closing anything leave nothing behind either', async () => {
    const path = `${root}\\left.txt`
    writeFile(path, Buffer.from('left'))
    const client = await startClient('insert-and-exit', path)
    if (client.exitCode === null) await once(client, 'exit')
    expect(client.exitCode).toBe(0)
    using filter = openFilter()
    await until(() => filter.statistics().total.sessions === 1)
    expect(filter.statistics().total.contexts).toBe(0)
  })
})
