/**
 * Hostile replies: whatever bytes a driver answers with, a decoder gives values or throws a RangeError, and it comes to an end.
 *
 * The seeds that `npm run fuzz` starts from, and a seeded run of mutations of well-formed replies; PSCTX_FUZZ_SEED makes it another one.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import * as abi from '../../src/abi'
import { decodeEvent, firstEvent } from '../../src/codec/events'
import { fuzz } from './codec'
import { bytes, entries, memory, readHostile, replies } from './replies'

const seeds = join(__dirname, 'corpus', 'codec')
const casesAtLeast = 20_000

let state = BigInt(process.env['PSCTX_FUZZ_SEED'] ?? 1)
function random(limit: number): number {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
  return Number(state >> 33n) % limit
}

function mutate(): void {
  const interesting = [0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, bytes, bytes - 8]
  for (let changes = random(5); changes > 0; changes -= 1) {
    const word = random(random(2) === 0 ? 16 : bytes / 4)
    memory.words[word] = random(2) === 0 ? interesting[random(interesting.length)]! : random(2 ** 31)
  }
}

describe('a hostile reply', () => {
  it.each(replies)('to $name is decoded or refused with a RangeError', ({ write, read }) => {
    const outcomes = { decoded: 0, refused: 0 }
    for (let cases = 0; cases < casesAtLeast / replies.length; cases += 1) {
      memory.bytes.fill(0)
      write(random)
      mutate()
      outcomes[readHostile(read)] += 1
    }
    expect(outcomes.decoded).toBeGreaterThan(0)
  })

  it('that earlier runs have found is decoded or refused, and every kind of reply is decoded', () => {
    const outcomes = new Set(readdirSync(seeds).map((name) => fuzz(readFileSync(join(seeds, name)))))
    for (const { name } of replies) expect(outcomes).toContain(`${name} decoded`)
    expect([...outcomes].some((outcome) => outcome.endsWith('refused'))).toBe(true)
  })

  it('that says a name is longer than all memory costs no time', () => {
    memory.bytes.fill(0)
    entries(abi.waitReply.size, abi.waitReply.count, 96, (entry) => {
      memory.setUint32(entry + abi.event.nameLength, 0xffffffff)
    })
    expect(() => decodeEvent(memory, firstEvent(0))).toThrow(RangeError)
  })
})
