/** A Windows machine made up for tests: a service manager that keeps one service, and a system directory in a temporary one. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { DriverMachine } from '../../src/cli/driver'
import type { ServiceManager, ServiceStatus } from '../../src/cli/service'
import type { DriverAnswer } from '../../src/json'

/** An error as the addon throws it. */
export function win32Error(win32: number, operation = 'service'): Error {
  return Object.assign(new Error(`${operation} failed with Win32 error ${win32}`), { win32, operation })
}

export const statistics = {
  session: {
    contexts: 0,
    pagedBytes: 0,
    nonPagedBytes: 0,
    inserted: 0,
    removed: 0,
    tornDown: 0,
    missed: 0,
    pagedRecordBytes: 0,
    nonPagedRecordBytes: 0,
  },
  total: {
    contexts: 0,
    pagedBytes: 0,
    nonPagedBytes: 0,
    sessions: 1,
    attachedVolumes: 3,
    attachedFileSystems: 2,
    pagedRecordBytes: 0,
    nonPagedRecordBytes: 0,
  },
}

type Action = Exclude<keyof ServiceManager, 'query'>

const states = { stopped: 1, stopPending: 3, running: 4 }

/** Windows' service manager, as far as one driver service goes. */
export class FakeServiceManager implements ServiceManager {
  service: ServiceStatus | undefined
  allowUnload: number | undefined
  /** What the next calls of these fail with. */
  readonly failures = new Map<Action, number>()
  readonly calls: Action[] = []
  /** How many queries a driver that is stopping survives. */
  stopDelay = 0
  markedForDeletion = false
  /** Whether the running driver has an unload routine, which it decides when it starts. */
  #unloadable = false

  query(): ServiceStatus | undefined {
    if (this.service?.state === states.stopPending) {
      if (this.stopDelay === 0) this.#set({ state: states.stopped, controlsAccepted: 0 })
      else this.stopDelay -= 1
    }
    return this.service
  }

  create(_name: string, _displayName: string, _description: string, imagePath: string, group: string): void {
    this.#enter('create')
    if (this.service !== undefined) throw win32Error(this.markedForDeletion ? 1072 : 1073)
    this.service = {
      state: states.stopped,
      controlsAccepted: 0,
      exitCode: 0,
      type: 2,
      startType: 3,
      errorControl: 1,
      imagePath,
      group,
    }
  }

  configure(_name: string, _displayName: string, _description: string, imagePath: string, group: string): void {
    this.#enter('configure')
    if (this.markedForDeletion) throw win32Error(1072)
    this.#set({ type: 2, startType: 3, errorControl: 1, imagePath, group })
  }

  start(): void {
    this.#enter('start')
    if (this.#existing().state === states.running) throw win32Error(1056)
    this.#unloadable = this.allowUnload === 1
    this.#set({ state: states.running, controlsAccepted: this.#unloadable ? 1 : 0 })
  }

  stop(): void {
    this.#enter('stop')
    if (this.#existing().state !== states.running) throw win32Error(1062)
    if (!this.#unloadable) throw win32Error(1052)
    this.#set({ state: states.stopPending })
  }

  delete(): void {
    this.#enter('delete')
    if (this.markedForDeletion) throw win32Error(1072)
    if (this.#existing().state === states.stopped) this.service = undefined
    else this.markedForDeletion = true
  }

  writeDword(_name: string, value: string, number: number): void {
    this.#enter('writeDword')
    if (value !== 'AllowUnload') throw new Error(`unexpected value ${value}`)
    this.allowUnload = number
  }

  /** Changes the service behind the commands' back. */
  set(changes: Partial<ServiceStatus>): void {
    this.#set(changes)
  }

  #set(changes: Partial<ServiceStatus>): void {
    this.service = { ...this.#existing(), ...changes }
  }

  #enter(action: Action): void {
    this.calls.push(action)
    const failure = this.failures.get(action)
    if (failure !== undefined) throw win32Error(failure)
  }

  #existing(): ServiceStatus {
    if (this.service === undefined) throw win32Error(1060)
    return this.service
  }
}

/** A machine in a temporary directory, which `dispose` deletes. */
export class FakeMachine implements DriverMachine {
  readonly services = new FakeServiceManager()
  readonly directory = mkdtempSync(join(tmpdir(), 'psctx-cli-'))
  readonly systemRoot = join(this.directory, 'Windows')
  readonly packageRoot = join(this.directory, 'package')
  isElevated = true
  machine = 0x8664
  waited = 0
  answer: DriverAnswer = { version: '1.0.0', statistics }

  readonly system = {
    elevated: () => this.isElevated,
    nativeMachine: () => this.machine,
    readDword: () => this.services.allowUnload,
  }

  constructor() {
    mkdirSync(join(this.systemRoot, 'System32', 'drivers'), { recursive: true })
    mkdirSync(this.packageRoot)
  }

  askDriver(): DriverAnswer {
    return this.answer
  }

  wait(milliseconds: number): Promise<void> {
    this.waited += milliseconds
    return Promise.resolve()
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true })
  }
}

/** The headers of an image, with a tail that tells it from others. */
export function makeImage({ machine = 0x8664, subsystem = 1, tail = '' } = {}): Buffer {
  const image = Buffer.alloc(512)
  image.write('MZ', 0, 'latin1')
  image.writeUInt32LE(0x80, 0x3c)
  image.write('PE\0\0', 0x80, 'latin1')
  image.writeUInt16LE(machine, 0x84)
  image.writeUInt16LE(subsystem, 0x80 + 24 + 68)
  return Buffer.concat([image, Buffer.from(tail)])
}
