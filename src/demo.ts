/** The main job, step by step on a real volume: what `npm start` shows. Ends with 0 only if every step came out as it should. */
import Table from 'cli-table3'
import colours from 'picocolors'

import { makeDemoVolume, type DemoVolume } from './demo-volume'
import { openFilter, PerStreamContextError, type Filter } from './index'

const identity = { owner: 1n, instance: 42n }

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
  ),
)

interface Row {
  readonly what: string
  readonly result: string
  readonly good: boolean
}

/** Collects what each step did; a step that throws is a row too, and ends the demonstration. */
class Steps {
  readonly rows: Row[] = []

  /** Runs a step. `action` returns what is to be seen, and throws if it is not what it should be. */
  step(what: string, action: () => string): void {
    try {
      this.rows.push({ what, result: action(), good: true })
    } catch (error) {
      this.rows.push({ what, result: error instanceof Error ? error.message : String(error), good: false })
      throw error
    }
  }

  print(): void {
    const table = new Table({ chars: { ...noBorders, middle: '' }, style: { 'padding-left': 0, 'padding-right': 2 } })
    for (const [index, { what, result, good }] of this.rows.entries()) {
      table.push([
        { content: index + 1, hAlign: 'right' },
        what,
        result,
        good ? colours.green('ok') : colours.red('FAILED'),
      ])
    }
    console.log(table.toString())
  }
}

function expectEqual<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`)
}

/** The steps while the filter is open. */
function runSteps(steps: Steps, filter: Filter, drive: string): void {
  const path = `${drive}\\report.docx:notes`
  steps.step('write a file with a named stream', () => {
    filter.host?.writeFile(`${drive}\\report.docx`, Buffer.from('the document'))
    filter.host?.writeFile(path, Buffer.from('the notes'))
    return path
  })

  const stream = filter.openStream(path)
  steps.step('open the stream', () => {
    const { supported, headerVersion } = stream.support()
    expectEqual(supported, true, 'supported')
    return `it can carry contexts (FCB header version ${headerVersion})`
  })
  steps.step('insert a context', () => {
    const { outcome, sequence } = stream.insert({ ...identity, data: Buffer.from('seen') })
    expectEqual(outcome, 'inserted', 'outcome')
    return `${outcome}: owner 1, instance 42, sequence ${sequence}`
  })
  steps.step('look it up', () => {
    const data = stream.lookup(identity)?.data.toString()
    expectEqual(data, 'seen', 'data')
    return `data "${data}"`
  })

  const second = filter.openStream(path)
  steps.step('open the stream a second time', () => {
    const data = second.lookup(identity)?.data.toString()
    expectEqual(data, 'seen', 'data')
    return `the second handle sees the same context, data "${data}"`
  })
  steps.step('look on the default stream', () => {
    using other = filter.openStream(`${drive}\\report.docx`)
    expectEqual(other.lookup(identity), undefined, 'context')
    return 'nothing there: each stream has its own contexts'
  })
  steps.step('insert the same identity again', () => {
    try {
      stream.insert(identity)
    } catch (error) {
      if (error instanceof PerStreamContextError && error.code === 'STATUS_OBJECT_NAME_COLLISION') return error.code
      throw error
    }
    throw new Error('it was inserted twice')
  })
  steps.step('remove it', () => {
    const data = second.remove(identity)?.data.toString()
    expectEqual(data, 'seen', 'data')
    expectEqual(stream.lookup(identity), undefined, 'context')
    return 'removed through the second handle, gone for the first one'
  })
  steps.step('insert it once more', () => {
    const { sequence } = stream.insert({ ...identity, data: Buffer.from('seen again') })
    return `sequence ${sequence}`
  })
  steps.step('close the first handle', () => {
    stream.close()
    expectEqual(filter.statistics().session.tornDown, 0, 'contexts torn down')
    return 'the context stays: the stream is still open'
  })
  steps.step('close the second handle', () => {
    second.close()
    const { tornDown, contexts } = filter.statistics().session
    expectEqual(tornDown, 1, 'contexts torn down')
    expectEqual(contexts, 0, 'contexts')
    return 'the file system tore the stream down, and with it 1 context'
  })
  steps.step('count', () => {
    const { inserted, removed, tornDown } = filter.statistics().session
    expectEqual(inserted, removed + tornDown, 'inserted')
    return `${inserted} inserted = ${removed} removed + ${tornDown} torn down`
  })
}

/** Runs the steps; the last one closes the filter, which throws if the kernel still holds anything. */
function runOn(volume: DemoVolume, steps: Steps): void {
  const filter = openFilter({ kernel: 'host', volumes: { [volume.drive]: volume.definition } })
  console.log(`kernel: ${filter.kernel} (driver ${filter.version})`)
  console.log(`volume: ${volume.drive}, ${volume.description}\n`)
  try {
    runSteps(steps, filter, volume.drive)
    steps.step('close the filter', () => {
      filter.close()
      return 'the kernel stopped, and nothing was left in it'
    })
  } finally {
    filter.close()
  }
}

function main(): void {
  // Seen only when the steps are over, so that an interrupted demonstration unmounts its volume too.
  process.once('SIGINT', () => process.exit(130))
  const steps = new Steps()
  const volume = makeDemoVolume()
  try {
    runOn(volume, steps)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  } finally {
    steps.print()
    volume.dispose()
  }
}

main()
