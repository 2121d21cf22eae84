/** The fuzz target of the codec: a byte that says to which request it is a reply, and the reply. */
import { memory, readHostile, replies } from './replies'

/** How many kinds of replies there are. */
export const kinds = replies.length

/** Reads one reply; says to what, and whether it was decoded or refused. Throws on whatever else becomes of it. */
export function fuzz(data: Uint8Array): string {
  const { name, read } = replies[(data[0] ?? 0) % kinds]!
  memory.bytes.fill(0)
  memory.bytes.set(data.subarray(1, memory.bytes.length + 1))
  return `${name} ${readHostile(read)}`
}

/** A reply of a kind as a driver makes it, for the target: without the zeros at its end. */
export function template(kind: number): Uint8Array {
  memory.bytes.fill(0)
  replies[kind]!.write(() => 1)
  const end = memory.bytes.findLastIndex((byte) => byte !== 0) + 1
  return Uint8Array.of(kind, ...memory.bytes.subarray(0, end))
}
