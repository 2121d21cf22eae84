/** A Windows machine made up for tests: a service manager, a registry, and a system directory in a temporary one. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { DriverMachine } from '../../src/cli/driver'
import { blockLegacyFilters, registrations, serviceKey } from '../../src/cli/service'
import type { ServiceManager, ServiceStatus } from '../../src/cli/service'
import type { Front } from '../../src/index'
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

interface FakeService {
  status: ServiceStatus
  markedForDeletion: boolean
  /** Whether the running driver has an unload routine, which it decides when it starts. */
  unloadable: boolean
}

/** Windows' service manager and registry. What is said of one service is said of `front`'s. */
export class FakeServiceManager implements ServiceManager {
  front: Front = 'legacy'
  /** What the next calls of these fail with. */
  readonly failures = new Map<Action, number>()
  readonly calls: Action[] = []
  /** By key and value, below HKEY_LOCAL_MACHINE. */
  readonly registry = new Map<string, number | string>()
  /** How many queries a driver that is stopping survives. */
  stopDelay = 0
  readonly #services = new Map<string, FakeService>()

  get #name(): string {
    return registrations[this.front].service
  }

  get service(): ServiceStatus | undefined {
    return this.#services.get(this.#name)?.status
  }

  get markedForDeletion(): boolean {
    return this.#existing(this.#name).markedForDeletion
  }

  get allowUnload(): number | string | undefined {
    return this.registry.get(`${serviceKey(this.#name)}\\AllowUnload`)
  }

  set allowUnload(data: number | string | undefined) {
    this.registry.set(`${serviceKey(this.#name)}\\AllowUnload`, data ?? 0)
  }

  query(name: string): ServiceStatus | undefined {
    if (this.#services.get(name)?.status.state === states.stopPending) {
      if (this.stopDelay === 0) this.#set(name, { state: states.stopped, controlsAccepted: 0 })
      else this.stopDelay -= 1
    }
    return this.#services.get(name)?.status
  }

  create(
    name: string,
    _displayName: string,
    _description: string,
    imagePath: string,
    group: string,
    dependency: string,
  ): void {
    this.#enter('create')
    const present = this.#services.get(name)
    if (present !== undefined) throw win32Error(present.markedForDeletion ? 1072 : 1073)
    const configuration = { type: 2, startType: 3, errorControl: 1, imagePath, group, dependency }
    const status = { state: states.stopped, controlsAccepted: 0, exitCode: 0, ...configuration }
    this.#services.set(name, { status, markedForDeletion: false, unloadable: false })
  }

  configure(
    name: string,
    _displayName: string,
    _description: string,
    imagePath: string,
    group: string,
    dependency: string,
  ): void {
    this.#enter('configure')
    if (this.#existing(name).markedForDeletion) throw win32Error(1072)
    this.#set(name, { type: 2, startType: 3, errorControl: 1, imagePath, group, dependency })
  }

  start(name: string): void {
    this.#enter('start')
    const service = this.#existing(name)
    if (service.status.state === states.running) throw win32Error(1056)
    service.unloadable =
      service.status.dependency === 'FltMgr' || this.registry.get(`${serviceKey(name)}\\AllowUnload`) === 1
    this.#set(name, { state: states.running, controlsAccepted: service.unloadable ? 1 : 0 })
  }

  stop(name: string): void {
    this.#enter('stop')
    const { status, unloadable } = this.#existing(name)
    if (status.state !== states.running) throw win32Error(1062)
    if (!unloadable) throw win32Error(1052)
    this.#set(name, { state: states.stopPending })
  }

  delete(name: string): void {
    this.#enter('delete')
    const service = this.#existing(name)
    if (service.markedForDeletion) throw win32Error(1072)
    if (service.status.state === states.stopped) this.#services.delete(name)
    else service.markedForDeletion = true
  }

  write(name: string, key: string, value: string, data: number | string): void {
    this.#enter('write')
    this.#existing(name)
    this.registry.set(`${serviceKey(name, key)}\\${value}`, data)
  }

  read(key: string, value: string): number | string | undefined {
    return this.registry.get(`${key}\\${value}`)
  }

  /** Changes the service behind the commands' back. */
  set(changes: Partial<ServiceStatus>): void {
    this.#set(this.#name, changes)
  }

  /** Deletes the service behind the commands' back. */
  forget(): void {
    this.#services.delete(this.#name)
  }

  #set(name: string, changes: Partial<ServiceStatus>): void {
    const service = this.#existing(name)
    service.status = { ...service.status, ...changes }
  }

  #enter(action: Action): void {
    this.calls.push(action)
    const failure = this.failures.get(action)
    if (failure !== undefined) throw win32Error(failure)
  }

  #existing(name: string): FakeService {
    const service = this.#services.get(name)
    if (service === undefined) throw win32Error(1060)
    return service
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
  answer: DriverAnswer = { version: '1.0.0', front: 'legacy', statistics }

  readonly system = {
    elevated: () => this.isElevated,
    nativeMachine: () => this.machine,
    readDword: (key: string, value: string) => this.services.read(key, value) as number | undefined,
    readString: (key: string, value: string) => this.services.read(key, value) as string | undefined,
  }

  constructor() {
    mkdirSync(join(this.systemRoot, 'System32', 'drivers'), { recursive: true })
    mkdirSync(this.packageRoot)
  }

  /** Has Windows load no legacy filter. */
  blockLegacyFilters(): void {
    this.services.registry.set(`${blockLegacyFilters.key}\\${blockLegacyFilters.name}`, 1)
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
