/** Memory that the package holds is memory that V8 knows of, and gives back. */
import { runProgram } from './program'

const prologue = `
  const { openFilter } = require(process.argv[1])
  const filter = openFilter()
  filter.host.writeFile('M:\\\\a', Buffer.from('a'))
  const stream = filter.openStream('M:\\\\a')
  const mebibytes = (kind) => process.memoryUsage()[kind] / 2 ** 20
`

test('thousands of batches that nobody closes, in one synchronous loop, are collected on the way', () => {
  const output = runProgram(`${prologue}
    let most = 0
    const data = Buffer.alloc(65000)
    for (let round = 0; round < 4000; round += 1) {
      const batch = filter.batch()
      for (let instance = 0; instance < 15; instance += 1) batch.insert(stream, { instance, data, ifExists: 'replace' })
      batch.run()
      most = Math.max(most, mebibytes('rss'))
    }
    console.log(most)
  `)
  expect(Number(output)).toBeLessThan(1000) // all of them take 3,900
}, 60_000)

test('a batch that is closed has given its memory back', () => {
  const output = runProgram(
    `${prologue}
    const data = Buffer.alloc(65000)
    gc()
    const before = mebibytes('arrayBuffers')
    const batches = Array.from({ length: 50 }, () => {
      const batch = filter.batch()
      for (let instance = 0; instance < 15; instance += 1) batch.insert(stream, { instance, data, ifExists: 'replace' })
      return batch.run()
    })
    const held = mebibytes('arrayBuffers') - before
    for (const batch of batches) batch.close()
    const collect = (rounds) => {
      gc() // frees them on another thread
      const left = mebibytes('arrayBuffers') - before
      if (rounds > 0 && left > 1) setTimeout(collect, 10, rounds - 1)
      else console.log(held, left, batches.length)
    }
    collect(100)
  `,
    '--expose-gc',
  )
  const [held, left] = output.split(' ').map(Number)
  expect(held).toBeGreaterThan(45)
  expect(left).toBeLessThan(5)
})

test('of a filter, V8 knows what it takes, and has it back after close()', () => {
  const output = runProgram(
    `${prologue}
    gc()
    const before = mebibytes('arrayBuffers')
    const filters = Array.from({ length: 100 }, () => openFilter())
    const held = mebibytes('arrayBuffers') - before
    for (const one of filters) one.close()
    filters.length = 0
    const collect = (rounds) => {
      gc()
      const left = mebibytes('arrayBuffers') - before
      if (rounds > 0 && left > 1) setTimeout(collect, 10, rounds - 1)
      else console.log(held, left)
    }
    collect(100)
  `,
    '--expose-gc',
  )
  const [held, left] = output.split(' ').map(Number)
  expect(held).toBeGreaterThan(15)
  expect(left).toBeLessThan(1)
})

test('streams that nobody holds any more are closed, though their filter is open', () => {
  const output = runProgram(
    `${prologue}
    const before = filter.host.audit().handles
    ;(() => {
      for (let index = 0; index < 100; index += 1) filter.openStream('M:\\\\a')
      filter.host.openFile('M:\\\\a')
    })()
    const opened = filter.host.audit().handles - before
    const collect = (rounds) => {
      gc()
      const left = filter.host.audit().handles - before
      if (rounds > 0 && left > 0) setTimeout(collect, 10, rounds - 1)
      else console.log(opened, left)
    }
    collect(100)
  `,
    '--expose-gc',
  )
  expect(output.trim()).toBe('101 0')
})

test('what was closed and is collected later closes nothing that was opened after it', () => {
  const output = runProgram(
    `${prologue}
    const isClosed = (action) => {
      try {
        return action() === undefined
      } catch (error) {
        return error.code
      }
    }
    const count = 70000 // more than there are numbers for one handle
    for (let index = 0; index < count; index += 1) filter.openStream('M:\\\\a').close()
    for (let index = 0; index < count; index += 1) filter.host.openFile('M:\\\\a').close()
    const file = filter.host.openFile('M:\\\\a')
    const other = filter.openStream('M:\\\\a')
    const collect = (rounds) => {
      gc()
      if (rounds > 0) setTimeout(collect, 10, rounds - 1)
      else console.log(isClosed(() => other.support()), isClosed(() => file.read()))
    }
    collect(20)
  `,
    '--expose-gc',
  )
  expect(output.trim()).toBe('false false')
})
