/** The recipe: looks at a machine, prepares it, tests on it, fetches what came of it, and puts everything back. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve, win32 } from 'node:path'

import { registrations, type Registration } from '../../src/cli/service'

import { architectureOf, findDifferences, findObstacles, isSame, newDumps, testSigningUndo, type Facts } from './facts'
import { Machine, RecipeError } from './machine'
import { takeShard, type Options } from './options'
import { eventQuery, findBadNews, readEvents, readJUnit, readTap, type Result } from './results'
import { UndoStack, type Remainder } from './undo'

/** What is copied to the machine: three files here. */
export interface Payload {
  /** A tar archive with node.exe, package/, the tests, and run-tests.js, which runs those of the files that it is given. */
  readonly archive: string
  /** The driver, signed for this run alone. */
  readonly driver: string
  readonly selfTest: string
}

export type MakePayload = (wanted: {
  readonly architecture: 'x64' | 'arm64'
  /** The file name of the driver. */
  readonly file: string
  /** Drives that the contract suite is to have a file for: `contract-D.test.js`. */
  readonly drives: readonly string[]
  /** The directory on each of these drives that the suite may work in. */
  readonly directory: string
}) => Payload

export interface Verdict {
  /** Why the run has failed; none: it has not. */
  readonly failures: readonly string[]
  /** What is not as it was found. */
  readonly remainders: readonly string[]
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const suites = ['self-test', 'contract'] as const

interface Unit {
  readonly suite: (typeof suites)[number]
  readonly drive: string
}

/** How long a suite may take, in milliseconds: with Driver Verifier everything is slow. */
const longestSuite = 45 * 60_000

const nameOf = ({ suite, drive }: Unit): string => `${suite} (${drive})`

/** The units of work of a run's shard. */
export function planUnits({ volumes, shard }: Pick<Options, 'volumes' | 'shard'>): Unit[] {
  const units = suites.flatMap((suite) => volumes.map((drive) => ({ suite, drive })))
  return takeShard(units, shard)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export class Recipe {
  readonly #options: Options
  readonly #driver: Registration
  readonly #machine: Machine
  readonly #makePayload: MakePayload
  readonly #tell: (line: string) => void
  readonly #undo = new UndoStack()
  readonly #failures: string[] = []
  readonly #counts = { passed: 0, failed: 0, skipped: 0 }
  /** The directory on the machine, below the user's own, and on each volume. */
  readonly #directory = `psctx-vm-${randomBytes(4).toString('hex')}`
  readonly #output: string
  /** What has told its result. */
  readonly #done = new Set<Unit>()
  #before!: Facts
  #restartsAtEnd = false
  /** Why the machine is not to be reached any more. */
  #lost: Error | undefined

  constructor(options: Options, machine: Machine, makePayload: MakePayload, tell: (line: string) => void) {
    this.#options = options
    this.#driver = registrations[options.front]
    this.#machine = machine
    this.#makePayload = makePayload
    this.#tell = tell
    this.#output = options.output ?? resolve('build', 'vm', this.#directory)
  }

  #path(...names: readonly string[]): string {
    return win32.join(this.#directory, ...names)
  }

  #write(name: string, content: string | Buffer): void {
    writeFileSync(join(this.#output, name), content)
  }

  #writeFacts(name: string, facts: Facts): void {
    this.#write(name, `${JSON.stringify(facts, undefined, 2)}\n`)
  }

  #fail(reason: string): void {
    this.#failures.push(reason)
    this.#tell(`FAILED: ${reason}`)
  }

  #count(name: string, result: Result): void {
    this.#counts.passed += result.passed
    this.#counts.failed += result.failed
    this.#counts.skipped += result.skipped
    this.#tell(`${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`)
    if (result.failed > 0) this.#fail(`${name}: ${result.failed} failed`)
    for (const problem of result.problems) this.#fail(`${name}: ${problem}`)
  }

  /** Runs it all. `putBack` is the signal that ends putting back, which an interrupted run does too. */
  async run(putBack: AbortSignal): Promise<Verdict> {
    const units = planUnits(this.#options)
    const { index, count } = this.#options.shard
    if (units.length === 0)
      throw new RecipeError(`shard ${index}/${count} has nothing to do: there are fewer suites than shards`)
    mkdirSync(this.#output, { recursive: true })
    if (readdirSync(this.#output).length > 0)
      throw new RecipeError(`${this.#output} is not empty: name another directory`)

    await this.#machine.connect()
    this.#before = await this.#machine.facts()
    this.#writeFacts('facts-before.json', this.#before)
    const obstacles = findObstacles(this.#before, this.#options)
    if (obstacles.length > 0) throw new RecipeError(obstacles.join('\n'))
    this.#tell(`Windows ${this.#before.version}, ${this.#before.architecture}, ${this.#before.home}`)
    const payload = this.#makePayload({
      architecture: architectureOf(this.#before),
      file: this.#driver.file,
      drives: units.flatMap(({ suite, drive }) => (suite === 'contract' ? [drive] : [])),
      directory: this.#directory,
    })

    let interrupted: unknown
    try {
      await this.#prepare(payload)
      await this.#test(units)
    } catch (error) {
      if (this.#machine.signal.aborted) interrupted = error
      else this.#fail(messageOf(error))
    }
    this.#machine.signal = putBack
    if (interrupted === undefined) await this.#attempt(() => this.#gather())
    for (const unit of units.filter((one) => !this.#done.has(one))) this.#fail(`${nameOf(unit)}: no result`)
    const remainders = this.#options.keep ? this.#keep() : await this.#putBack()
    if (interrupted !== undefined) this.#fail('interrupted')
    return { failures: this.#failures, remainders, ...this.#counts }
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#fail(messageOf(error))
    }
  }

  async #mark(): Promise<void> {
    await this.#machine.powershell('mark')
  }

  /** Remembers how something is put back, once the machine can be reached. */
  #remember(what: string, byHand: string, undo: () => Promise<void>): void {
    this.#undo.push(what, byHand, async () => {
      await this.#reach()
      await undo()
    })
  }

  /** Connects if there is no connection; where that was tried in vain it is not tried again. */
  async #reach(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (this.#machine.connected) return
    try {
      await this.#machine.waitUntil(() => true, 'the machine answers')
    } catch (error) {
      this.#lost = error instanceof Error ? error : new Error(String(error))
      throw this.#lost
    }
  }

  async #prepare(payload: Payload): Promise<void> {
    const { testSigning, verifier } = this.#options
    const unmark = 'reg.exe delete HKLM\\SOFTWARE\\psctx-vm /f'
    this.#remember('the mark', unmark, async () => {
      await this.#machine.run(unmark) // a restart has done that
    })
    await this.#mark()
    // What a driver or a program keeps open can be removed after the restart.
    const directories = ['.', ...this.#options.volumes].map((place) => `${place}\\${this.#directory}`)
    const driver = `${this.#before.systemRoot}\\System32\\drivers\\${this.#driver.file}`
    const remove = [
      ...directories.map((path) => `cmd.exe /d /c rmdir /s /q ${path}`),
      `cmd.exe /d /c del /f /q ${driver}`,
    ]
    this.#remember('the files', remove.join('; '), async () => {
      for (const command of remove) await this.#machine.run(command) // whether they are gone is among the facts
    })
    this.#remember('a restart, where it is needed', 'shutdown.exe /r /t 0', async () => {
      if (!this.#restartsAtEnd) return
      await this.#mark()
      await this.#machine.restart()
    })
    await this.#copy(payload)
    if (verifier) await this.#setVerifier()
    if (testSigning && !this.#before.testSigning) await this.#setTestSigning()
    if (this.#restartsAtEnd) await this.#restart()
    for (const drive of this.#options.volumes) {
      await this.#machine.must(`cmd.exe /d /c mkdir ${drive}\\${this.#directory}`)
    }
    const { service } = this.#driver
    const byHand = `sc.exe stop ${service}, sc.exe delete ${service}, and a restart if it does not stop`
    this.#remember('the driver', byHand, () => this.#removeDriver())
    this.#remember('programs that run', `end what runs from ${this.#directory}`, async () => {
      await this.#machine.powershell('end-processes', { directory: this.#directory })
    })
  }

  async #copy({ archive, driver, selfTest }: Payload): Promise<void> {
    this.#tell(`copying package, tests, driver and self-test to ${win32.join(this.#before.home, this.#directory)}`)
    const query = join(this.#output, 'query.xml')
    writeFileSync(query, eventQuery(this.#before.newestEvent))
    const files = {
      'payload.tar': archive,
      [this.#driver.file]: driver,
      'psctx-selftest.exe': selfTest,
      'query.xml': query,
    }
    await this.#machine.transfer([
      `mkdir ${this.#directory}`,
      ...Object.entries(files).map(([name, path]) => `put "${path}" ${this.#directory}/${name}`),
    ])
    rmSync(query)
    await this.#machine.must(`tar.exe -xf ${this.#path('payload.tar')} -C ${this.#directory}`)
  }

  async #setVerifier(): Promise<void> {
    this.#remember("Driver Verifier's settings", 'verifier.exe /reset, then restart', async () => {
      if (isSame((await this.#machine.facts()).verifier, this.#before.verifier)) return
      await this.#machine.run('verifier.exe /reset')
      if (isSame((await this.#machine.facts()).verifier, this.#before.verifier)) return
      await this.#machine.powershell('restore-verifier', { values: JSON.stringify(this.#before.verifier) })
    })
    const { file } = this.#driver
    this.#tell(`switching Driver Verifier on for ${file}`)
    this.#restartsAtEnd = true
    // Its exit code says whether a restart is needed; whether it has worked is in the registry.
    const { stdout } = await this.#machine.run(`verifier.exe /standard /driver ${file}`)
    const drivers = (await this.#machine.facts()).verifier['VerifyDrivers']?.value
    if (!String(drivers).toLowerCase().includes(file))
      throw new RecipeError(`Driver Verifier took no settings: ${stdout.toString().trim()}`)
  }

  async #setTestSigning(): Promise<void> {
    this.#remember('test signing', 'bcdedit.exe /deletevalue testsigning, then restart', async () => {
      const command = testSigningUndo(this.#before, await this.#machine.facts())
      if (command !== undefined) await this.#machine.must(command)
    })
    this.#tell('switching test signing on')
    this.#restartsAtEnd = true
    await this.#machine.must('bcdedit.exe /set testsigning on')
  }

  async #restart(): Promise<void> {
    const facts = await this.#machine.restart()
    await this.#mark()
    if (!facts.testSigning)
      throw new RecipeError('test signing is off after the restart: a policy of the machine forbids it')
  }

  /** A driver that does not stop is gone after a restart. */
  async #removeDriver(): Promise<void> {
    await this.#machine.run(`sc.exe stop ${this.#driver.service}`)
    await this.#machine.run(`sc.exe delete ${this.#driver.service}`)
    if ((await this.#machine.facts()).service) this.#restartsAtEnd = true
  }

  async #test(units: readonly Unit[]): Promise<void> {
    for (const unit of units.filter(({ suite }) => suite === 'self-test')) await this.#runSelfTest(unit)
    const contracts = units.filter(({ suite }) => suite === 'contract')
    if (contracts.length > 0) await this.#runContract(contracts)
  }

  /** The self-test loads the driver itself, and unloads it in the midst of its work. */
  async #runSelfTest(unit: Unit): Promise<void> {
    const { drive } = unit
    const name = nameOf(unit)
    this.#tell(`running the ${name}`)
    const driver = `--driver ${this.#path(this.#driver.file)}`
    const command = `${this.#path('psctx-selftest.exe')} ${driver} --volume ${drive}\\${this.#directory}`
    const { status, stdout, stderr } = await this.#machine.run(command, longestSuite)
    this.#write(`selftest-${drive[0]}.tap`, stdout)
    const result = readTap(stdout.toString())
    this.#done.add(unit)
    this.#count(name, result)
    if (status !== 0 && result.failed === 0) this.#fail(`${name}: it ended with ${status}: ${stderr}`)
  }

  /** A program in JavaScript on the Node.js that was brought along. */
  #node(program: string, ...arguments_: readonly string[]): string {
    return [this.#path('node.exe'), this.#path(program), ...arguments_].join(' ')
  }

  async #runContract(units: readonly Unit[]): Promise<void> {
    const drives = units.map(({ drive }) => drive)
    const psctx = 'package\\dist\\cli\\main.js'
    const unload = this.#options.front === 'legacy' ? ['--allow-unload'] : []
    await this.#machine.must(
      this.#node(psctx, 'driver', 'install', ...unload, '--driver', this.#path(this.#driver.file)),
    )
    await this.#machine.must(this.#node(psctx, 'driver', 'start'))
    this.#write('doctor.json', (await this.#machine.run(this.#node(psctx, 'doctor', '--json'))).stdout)
    const files = drives.map((drive) => `contract-${drive[0]}.test.js`)
    const name = `contract (${drives.join(', ')})`
    this.#tell(`running the ${name}`)
    const jest = this.#node('run-tests.js', ...files)
    const { status, stdout, stderr } = await this.#machine.run(jest, longestSuite)
    this.#write('jest.log', `${stdout.toString()}${stderr}\n`)
    const report = join(this.#output, 'junit.xml')
    await this.#machine.transfer([`get ${this.#directory}/junit.xml "${report}"`])
    const result = readJUnit(readFileSync(report, 'utf8'), files)
    for (const unit of units) this.#done.add(unit)
    this.#count(name, result)
    if (status !== 0 && result.failed === 0) this.#fail(`${name}: Jest ended with ${status}: see jest.log`)
    if (this.#options.verifier) await this.#askVerifier()
  }

  /** While the driver is loaded, Driver Verifier's statistics name it, in whatever language the rest is. */
  async #askVerifier(): Promise<void> {
    const { stdout } = await this.#machine.run('verifier.exe /query')
    this.#write('verifier.txt', stdout)
    if (!stdout.toString('latin1').replaceAll('\0', '').toLowerCase().includes(this.#driver.file)) {
      this.#fail(`Driver Verifier does not tell of ${this.#driver.file}: see verifier.txt`)
    }
  }

  /** What the machine says of what has happened. It may have crashed, and be on its way up again. */
  async #gather(): Promise<void> {
    await this.#reach()
    const facts = await this.#machine.facts()
    this.#writeFacts('facts-after.json', facts)
    if (!facts.marked) {
      this.#fail('the machine restarted by itself')
      await this.#mark()
    }
    const dumps = newDumps(this.#before, facts)
    for (const { path, bytes, written } of dumps) this.#fail(`a crash dump: ${path}, ${bytes} bytes, ${written}`)
    const { stdout } = await this.#machine.must(
      `wevtutil.exe qe ${this.#path('query.xml')} /sq:true /f:xml /e:Events /uni:true`,
    )
    this.#write('events.xml', stdout)
    for (const news of findBadNews(readEvents(stdout))) this.#fail(news)
    await this.#fetchDumps(dumps.map(({ path }) => path))
  }

  /** Small dumps are fetched; the whole memory, MEMORY.DMP, stays where it is. */
  async #fetchDumps(paths: readonly string[]): Promise<void> {
    for (const path of paths.filter((one) => win32.basename(one).toUpperCase() !== 'MEMORY.DMP')) {
      const name = win32.basename(path)
      await this.#machine.must(`cmd.exe /d /c copy /y ${path} ${this.#path(name)}`)
      await this.#machine.transfer([`get ${this.#directory}/${name} "${join(this.#output, name)}"`])
    }
  }

  #keep(): string[] {
    return this.#undo.list().map(({ what, byHand }) => `${what} (kept): ${byHand}`)
  }

  async #putBack(): Promise<string[]> {
    this.#tell('putting the machine back as it was found')
    const remainders = await this.#undo.unwind((what) => this.#tell(`putting back: ${what}`))
    return [...remainders.map(describe), ...(await this.#compare())]
  }

  async #compare(): Promise<string[]> {
    try {
      await this.#reach()
      const facts = await this.#machine.facts()
      this.#writeFacts('facts-at-end.json', facts)
      return findDifferences(this.#before, facts, this.#driver)
    } catch (error) {
      return [`whether it is as it was found could not be seen: ${messageOf(error)}`]
    }
  }
}

function describe({ what, byHand, reason }: Remainder): string {
  return `${what}: ${byHand} (${reason})`
}
