/** A program that uses the package as its types say: compiled by types.test.ts with each TypeScript that is supported, and never run. */
import {
  type ArgumentError,
  Batch,
  type BatchResult,
  type Filter,
  type InspectedContext,
  openFilter,
  PerStreamContextError,
  type StreamSupport,
} from 'per-stream-context'

export function explainSupport(support: StreamSupport): string {
  if (support.supported) return `FCB header ${support.headerVersion}`
  const reason: string = support.reason
  return reason
}

export function explainResult(result: BatchResult): bigint | number | undefined {
  switch (result.operation) {
    case 'insert':
      return result.value.sequence
    case 'removeAll':
      return result.value
    case 'lookup':
    case 'remove':
      return result.value?.data.length
  }
}

export function explainContext(context: InspectedContext): bigint | string {
  if (context.holder === 'self') return context.owner + context.instance + context.sequence
  // @ts-expect-error of another's nothing like that is told
  context.owner
  return context.module ?? context.ownerToken
}

export function explainError(error: unknown): string | undefined {
  if (error instanceof PerStreamContextError) {
    if (error.code === 'STATUS_NOT_FOUND') return error.path
    return error.code === 'STATUS_0xC0ABCDEF' ? undefined : error.operation
  }
  return (error as ArgumentError).argument
}

export async function follow(filter: Filter): Promise<number> {
  let age = 0
  const events = filter.events({ types: ['torn-down', 'inserted'] }).unref()
  for await (const event of events) {
    if (event.type === 'torn-down') age = event.age
    else if (event.type === 'dropped') age = event.count
    else age = event.processId
    // @ts-expect-error was not asked for
    if (event.type === 'removed') break
  }
  events.close()
  for await (const { name } of filter.enumerate({ volume: 'C:' })) age += name.length
  const stream = await filter.openStreamAsync('C:\\a', { signal: AbortSignal.timeout(1000) })
  return age + (stream.lookupInto(new Uint8Array(16), { owner: 1n, instance: 2 }) ?? 0)
}

const filter = openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } } })
const stream = filter.openStream('M:\\a')
filter.stream(5).close()
filter.stream({ fd: 5 }).close()
// @ts-expect-error a descriptor, or what has one
filter.stream('M:\\a')
stream.remove({ owner: 1 })
stream.removeAll({ owner: 1n })
// @ts-expect-error made by filter.batch()
new Batch()
const { closed }: { closed: boolean } = filter.track({ match: '*', count: true })
filter
  .batch()
  .lookup(stream)
  .insert(stream, { instance: 1n, data: Buffer.from('a') })
  .run()
  .close()
filter.close()
export { closed }
