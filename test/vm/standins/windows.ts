/** Stands in for the programs of a Windows machine that the recipe runs: each changes the machine's state as the real one would. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, win32 } from 'node:path'

import type { Dump, Facts } from '../facts'
import type { ScriptName } from '../machine'

const scripts = join(__dirname, '..', 'scripts')
const readScript = (name: string) => readFileSync(join(scripts, `${name}.ps1`), 'utf8')

/** What happens in the self-test or in the contract. */
export type Mode =
  | 'all passes'
  | 'a test of the self-test fails'
  | 'the self-test does not come to its end'
  | 'the self-test hangs'
  | 'the machine crashes'
  | 'the connection is lost'
  | 'a test of the contract fails'
  | 'a file of the contract has no result'

export interface State {
  mode: Mode
  administrator: boolean
  marked: boolean
  boots: number
  testSigning: { stored: 0 | 1 | null; active: boolean }
  policyForbidsTestSigning: boolean
  verifier: Record<string, string | number>
  verifierActive: boolean
  service: 'stopped' | 'running' | 'deleted' | null
  driverNeverStops: boolean
  filesAreInUse: boolean
  /** The processes here that run programs there. */
  processes: number[]
  dumps: Dump[]
}

export const newMachine: State = {
  mode: 'all passes',
  administrator: true,
  marked: false,
  boots: 1,
  testSigning: { stored: null, active: false },
  policyForbidsTestSigning: false,
  verifier: {},
  verifierActive: false,
  service: null,
  driverNeverStops: false,
  filesAreInUse: false,
  processes: [],
  dumps: [],
}

export interface Reply {
  readonly status?: number
  readonly out?: string | Buffer
  readonly error?: string
}

/** What the machine's power and network are. */
export interface Hardware {
  /** Ends everything: the machine is down. */
  powerOff(): void
  /** Ends the connections. */
  unplug(): void
}

const drivers = 'C:\\Windows\\System32\\drivers'
const crashEvent = `<Event><System><Provider Name='Microsoft-Windows-WER-SystemErrorReporting'/><EventID>1001</EventID>
<TimeCreated SystemTime='2026-11-27T00:00:00Z'/></System><EventData><Data>0x000000c4 (0x62)</Data></EventData></Event>`

function kill(process_: number): void {
  try {
    process.kill(process_, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export class StandInWindows {
  readonly #directory: string
  readonly #hardware: Hardware
  state: State = { ...newMachine }
  /** The commands that were run, one a line. */
  commands: string[] = []

  constructor(directory: string, hardware: Hardware) {
    this.#directory = directory
    this.#hardware = hardware
    for (const path of ['C:\\Users\\tester', drivers, 'C:\\Windows\\Minidump', 'D:\\']) {
      mkdirSync(this.locate(path), { recursive: true })
    }
  }

  /** Where a path of the machine lies here. */
  locate(path: string): string {
    const whole = win32.resolve('C:\\Users\\tester', path)
    return join(this.#directory, whole[0]!, ...whole.slice(3).split('\\'))
  }

  /** Runs a command line, in the name of a process here. Undefined: it never ends. */
  run(line: string, process_: number): Reply | undefined {
    const [program = '', ...words] = line.split(' ')
    if (program === 'powershell.exe') return this.#powershell(words.at(-1)!)
    this.commands.push(line)
    switch (win32.basename(program)) {
      case 'psctx-selftest.exe':
        return this.#selfTest(process_)
      case 'node.exe':
        return this.#node(words[0]!, words.slice(1))
      case 'tar.exe':
        execFileSync('tar', ['-xf', this.locate(words[1]!), '-C', this.locate(words[3]!)])
        return {}
      case 'cmd.exe':
        return this.#shell(words)
      case 'reg.exe':
        this.state.marked = false
        return {}
      case 'bcdedit.exe':
        this.state.testSigning.stored = words[0] === '/deletevalue' ? null : words[2] === 'on' ? 1 : 0
        return {}
      case 'verifier.exe':
        return this.#verifier(words)
      case 'wevtutil.exe':
        return this.#events(words[1]!)
      case 'sc.exe':
        return this.#service(words[0]!)
      case 'shutdown.exe':
        this.#restart()
        return undefined
      default:
        return { status: 1, error: `Der Befehl "${program}" konnte nicht gefunden werden.` }
    }
  }

  /** Programs and volatile keys are gone, settings hold. */
  #restart(): void {
    for (const process_ of this.state.processes) kill(process_)
    const { boots, testSigning, policyForbidsTestSigning, verifier, service } = this.state
    Object.assign(this.state, {
      boots: boots + 1,
      marked: false,
      processes: [],
      testSigning: { ...testSigning, active: testSigning.stored === 1 && !policyForbidsTestSigning },
      verifierActive: verifier['VerifyDrivers'] !== undefined,
      service: service === 'running' ? 'stopped' : service === 'deleted' ? null : service,
    })
    this.#hardware.powerOff()
  }

  #facts(): Facts {
    const { state } = this
    const directories = ['C:\\Users\\tester', 'C:\\', 'D:\\'].flatMap((place) =>
      readdirSync(this.locate(place)).flatMap((name) =>
        name.startsWith('psctx-vm-') ? [win32.join(place, name)] : [],
      ),
    )
    const volume = (drive: string, fileSystem: string | null) => ({ drive, fileSystem, free: 50 * 2 ** 30 })
    return {
      version: '10.0.26100.0',
      architecture: 'AMD64',
      home: 'C:\\Users\\tester',
      systemRoot: 'C:\\Windows',
      marked: state.marked,
      secureBoot: false,
      testSigning: state.testSigning.active,
      storedTestSigning: state.testSigning.stored === null ? {} : { '{0123}': state.testSigning.stored },
      verifier: Object.fromEntries(
        Object.entries(state.verifier).map(([name, value]) => [
          name,
          { kind: typeof value === 'string' ? 'String' : 'DWord', value },
        ]),
      ),
      service: state.service !== null,
      driverFile: readdirSync(this.locate(drivers)).length > 0,
      directories,
      volumes: [volume('C:', 'NTFS'), volume('D:', 'NTFS'), volume('E:', null)],
      dumps: state.dumps,
      newestEvent: 4711,
    }
  }

  /** Which of the recipe's scripts it is that PowerShell is given, and the variables that are set before it. */
  #identify(encoded: string): { name: ScriptName; variables: Record<string, string> } {
    const text = Buffer.from(encoded, 'base64').toString('utf16le')
    const prelude = readScript('prelude')
    const names: ScriptName[] = ['facts', 'mark', 'end-processes', 'restore-verifier']
    const name = names.find((one) => text.startsWith(prelude) && text.endsWith(readScript(one)))
    if (name === undefined) throw new Error(`not a script of the recipe: ${text}`)
    const head = text.slice(prelude.length, -readScript(name).length)
    const variables = [...head.matchAll(/^\$(\w+) = '(.*)'$/gm)].map(([, key, value]) => [key!, value!] as const)
    return { name, variables: Object.fromEntries(variables) }
  }

  #powershell(encoded: string): Reply {
    const { state } = this
    const { name, variables } = this.#identify(encoded)
    this.commands.push(`powershell ${name}`)
    switch (name) {
      case 'facts':
        return {
          out: JSON.stringify(
            state.administrator ? { administrator: true, ...this.#facts() } : { administrator: false },
          ),
        }
      case 'mark':
        state.marked = true
        return {}
      case 'end-processes':
        for (const process_ of state.processes.splice(0)) kill(process_)
        return {}
      case 'restore-verifier': {
        const values = JSON.parse(variables['values']!) as Record<string, { value: string | number }>
        state.verifier = Object.fromEntries(Object.entries(values).map(([key, { value }]) => [key, value]))
        return {}
      }
    }
  }

  /** It loads the driver, tells what it tests as TAP, and removes the driver again. */
  #selfTest(process_: number): Reply | undefined {
    const { state } = this
    const begin = 'TAP version 13\r\nok 1 - the version is told\r\nok 2 - paging files # SKIP no paging file\r\n'
    state.service = 'running'
    state.processes.push(process_)
    switch (state.mode) {
      case 'the machine crashes':
        this.#crash()
        return undefined
      case 'the connection is lost':
        this.#hardware.unplug()
        return undefined
      case 'the self-test hangs':
        return undefined
      case 'the self-test does not come to its end':
        return { status: 1, out: `${begin}Bail out! no progress\r\n` }
    }
    const failed = state.mode === 'a test of the self-test fails'
    state.service = null
    state.processes = []
    return {
      status: failed ? 1 : 0,
      out: `${begin}${failed ? 'not ok' : 'ok'} 3 - contexts are torn down\r\n1..3\r\n`,
    }
  }

  #crash(): void {
    const written = '2026-11-27T00:00:00.0000000Z'
    const dump = { path: 'C:\\Windows\\Minidump\\112726-1-01.dmp', bytes: 5, written }
    writeFileSync(this.locate(dump.path), 'crash')
    this.state.dumps = [dump, { path: 'C:\\Windows\\MEMORY.DMP', bytes: 2 ** 32, written }]
    this.#restart()
  }

  #node(program: string, words: readonly string[]): Reply {
    if (win32.basename(program) === 'run-tests.js') return this.#jest(win32.dirname(program), words)
    switch (words.slice(0, 2).join(' ')) {
      case 'driver install':
        this.#install(words[words.indexOf('--driver') + 1]!)
        return {}
      case 'driver start':
        this.state.service = 'running'
        return {}
      default:
        return { out: '{}' }
    }
  }

  #install(path: string): void {
    cpSync(this.locate(path), this.locate(win32.join(drivers, win32.basename(path))))
    this.state.service = 'stopped'
  }

  #jest(directory: string, words: readonly string[]): Reply {
    const { mode } = this.state
    const failures = mode === 'a test of the contract fails' ? 1 : 0
    const suites = words
      .filter((word) => word.endsWith('.test.js'))
      .slice(mode === 'a file of the contract has no result' ? 1 : 0)
      .map((file) => `<testsuite name="C:\\x\\${file}" tests="3" failures="${failures}" errors="0" skipped="1"/>`)
    writeFileSync(this.locate(`${directory}\\junit.xml`), `<testsuites>${suites.join('')}</testsuites>`)
    return { status: failures }
  }

  /** cmd.exe's own commands; what is not there is no matter to those that delete. */
  #shell(words: readonly string[]): Reply {
    const [command, ...paths] = words.filter((word) => !word.startsWith('/'))
    const [path, target] = paths.map((one) => this.locate(one))
    if (command === 'mkdir') mkdirSync(path!)
    else if (command === 'copy') cpSync(path!, target!)
    else if (command === 'del' && this.state.service !== null) return { error: 'Zugriff verweigert' }
    else if (!this.state.filesAreInUse) rmSync(path!, { recursive: true, force: true })
    return {}
  }

  #verifier([command, ...words]: readonly string[]): Reply {
    if (command === '/query')
      return { out: this.state.verifierActive ? `Treiber: ${this.state.verifier['VerifyDrivers']}` : 'Keine Treiber' }
    this.state.verifier = command === '/reset' ? {} : { VerifyDrivers: words.at(-1)!, VerifyDriverLevel: 0x209bb }
    return { status: 2 } // a restart is needed
  }

  #events(query: string): Reply {
    if (!statSync(this.locate(query)).isFile()) throw new Error('no query')
    const crashed = this.state.dumps.length > 0
    return { out: Buffer.from(`\ufeff<Events>${crashed ? crashEvent : ''}</Events>`, 'utf16le') }
  }

  #service(command: string): Reply {
    const { state } = this
    if (state.service === null) return { status: 36 }
    if (command === 'delete') state.service = state.service === 'running' ? 'deleted' : null
    else if (!state.driverNeverStops) state.service = 'stopped'
    return {}
  }
}
