/** The seeds of the fuzz targets: kept small, there for each target, and of the ABI version that the driver has. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import * as abi from '../../src/abi'

const corpus = join(__dirname, 'corpus')
/** What a seed of test/fuzz/requests.c begins with, before the request. */
const caseSize = 4

function seedsOf(target: string): string[] {
  return readdirSync(join(corpus, target)).map((name) => join(corpus, target, name))
}

describe('the seed corpus', () => {
  it('has seeds for every target', () => {
    expect(readdirSync(corpus).sort()).toEqual(['codec', 'names', 'passthrough', 'requests', 'sequences'])
    for (const target of readdirSync(corpus)) expect(seedsOf(target).length).toBeGreaterThan(5)
  })

  it('takes less than 2 MB', () => {
    const bytes = readdirSync(corpus)
      .flatMap(seedsOf)
      .reduce((sum, seed) => sum + statSync(seed).size, 0)
    expect(bytes).toBeLessThan(2 * 2 ** 20)
  })

  it('is of this ABI version: `npm run fuzz -- --record` makes it anew', () => {
    const requests = seedsOf('requests')
      .map((seed) => readFileSync(seed))
      .filter((seed) => seed.length >= caseSize + 8)
    const current = requests.filter((seed) => seed.readUInt16LE(caseSize + 4) === abi.version.abi)
    expect(current.length).toBeGreaterThan(requests.length / 2)
  })
})
