/** Another process with the driver open: started with what it is to do, it says `ready` when that is done, and waits to be killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, read } from 'node:fs'
import { once } from 'node:events'

import { openFilter } from '../../src/index'

/** Starts a client, which has done its work when this returns. */
export async function startClient(...work: readonly string[]): Promise<ChildProcess> {
  const client = spawn(process.execPath, [__filename, ...work], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  client.stdout.setEncoding('utf8')
  for await (const text of client.stdout) {
    said += text as string
    if (said.includes('ready')) return client
  }
  throw new Error(`The client ended with code ${client.exitCode}, and said ${JSON.stringify(said)}`)
}

/** Kills a client and waits for its end. */
export async function killClient(client: ChildProcess): Promise<void> {
  const exited = once(client, 'exit')
  client.kill('SIGKILL')
  await exited
}

function insert(path: string): void {
  const stream = openFilter().openStream(path)
  stream.insert({ instance: 1n, pool: 'nonpaged', data: Buffer.alloc(1000) })
  stream.insert({ instance: 2n, data: Buffer.alloc(1000) })
}

/** Leaves a read pending on a file whose reads wait until they are cancelled. */
function pend(path: string): void {
  read(openSync(path, 'r'), Buffer.alloc(1), 0, 1, 0, () => undefined)
}

/** Inserts and removes the same identity again and again, and checks each answer. */
function churn(path: string, rounds: number): void {
  const filter = openFilter()
  const stream = filter.openStream(path)
  for (let round = 0; round < rounds; round += 1) {
    const data = Buffer.from(`${process.pid} ${round}`)
    stream.insert({ data })
    if (stream.remove()?.data.equals(data) !== true)
      throw new Error(`round ${round}: not the context that was inserted`)
  }
  const { inserted, removed } = filter.statistics().session
  if (inserted !== rounds || removed !== rounds) throw new Error(`${inserted} inserted, ${removed} removed`)
  filter.close()
}

function main([work, path, more]: readonly string[]): void {
  switch (work) {
    case 'insert':
    case 'insert-and-exit':
      insert(path!)
      break
    case 'insert-and-pend':
      insert(path!)
      pend(more!)
      break
    case 'churn':
      churn(path!, Number(more))
      break
    default:
      throw new Error(`unknown work: ${work}`)
  }
  process.stdout.write('ready\n')
  if (work !== 'insert-and-exit') setInterval(() => undefined, 1000)
}

if (require.main === module) main(process.argv.slice(2))
