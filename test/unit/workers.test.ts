/** Workers that are terminated at whatever moment: nothing half made is known to anybody, and nothing is left. */
import { runProgram } from './program'

/** What a worker is about when it is terminated, again and again until then. */
test.each([
  ['loads the package', ''],
  ['opens filters', 'for (;;) { const filter = openFilter(); filter.openStream("M:\\\\a"); filter.close() }'],
  ['makes iterators over events', 'for (;;) { const events = filter.events(); events.return() }'],
  ['leaves iterators over events to themselves', 'for (let i = 0; i < 15; i += 1) filter.events().next(); for (;;) ;'],
  ['opens streams off the loop', 'for (;;) filter.openStreamAsync("M:\\\\a").catch(() => undefined)'],
  ['fills batches', 'for (;;) filter.batch().lookup(stream).run().close()'],
])(
  'a worker that %s can be terminated at any time',
  (_, work) => {
    const output = runProgram(`
    const { Worker } = require('node:worker_threads')
    const { openFilter } = require(process.argv[1])
    const filter = openFilter()
    filter.host.writeFile('M:\\\\a', Buffer.from('a'))
    const program = \`
      const { openFilter } = require(process.argv[2])
      const filter = openFilter()
      const stream = filter.openStream('M:\\\\\\\\a')
      ${work.replaceAll('\\', '\\\\\\')}
    \`
    const kill = async (milliseconds) => {
      const worker = new Worker(program, { eval: true, argv: [process.argv[1]], stderr: true })
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.once('error', (error) => console.log(error))
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      await worker.terminate()
      await ended
    }
    // Every stage of the start, which takes some tens of milliseconds, and the work after it.
    const stages = Array.from({ length: 24 }, (_, index) => 4 * index)
    ;(async () => {
      for (const stage of stages) await Promise.all([kill(stage), kill(stage + 2)])
      const { sessions, contexts } = filter.statistics().total
      console.log(sessions, contexts, filter.host.audit().irps)
      filter.close()
    })()
  `)
    expect(output.trim()).toBe('1 0 0')
  },
  60_000,
)
