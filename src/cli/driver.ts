/** What `psctx driver …` does to the driver's file and service. Each command may be repeated: what is done already is said, and no error. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { DriverAnswer, DriverStatus } from '../json'

import { findDriver, machineName, readDriver } from './driver-image'
import {
  acceptStop,
  allowUnloadValue,
  errorControl,
  registration,
  serviceName,
  type ServiceManager,
  type ServiceStatus,
  serviceType,
  startType,
  stateName,
} from './service'
import type { System } from './system'
import { count } from './text'
import { CommandError, explainWin32, isWin32Error, makeWin32CommandError, type Win32ErrorName } from './win32-error'

/** The machine that the commands act on. */
export interface DriverMachine {
  readonly services: ServiceManager
  readonly system: Pick<System, 'elevated' | 'nativeMachine' | 'readDword'>
  /** %SystemRoot%. */
  readonly systemRoot: string
  readonly packageRoot: string
  askDriver(): DriverAnswer
  wait(milliseconds: number): Promise<void>
}

/** What was done, sentence by sentence. */
export type Report = string[]

/** The service's image, as the service manager takes it. */
export const imagePath = String.raw`\SystemRoot\System32\drivers\psctx.sys`

const stopTimeout = 10_000
const stopInterval = 100

/** Where the driver's file is installed. */
export function installedDriver(systemRoot: string): string {
  return join(systemRoot, 'System32', 'drivers', 'psctx.sys')
}

/** An image path as the service manager tells it, below the system's directory and in small letters. */
function belowSystemRoot(path: string, systemRoot: string): string {
  const small = path.toLowerCase().replace(/^\\\?\?\\/, '')
  const prefix = ['\\systemroot\\', '%systemroot%\\', `${systemRoot.toLowerCase()}\\`].find((one) =>
    small.startsWith(one),
  )
  return prefix === undefined ? small : small.slice(prefix.length)
}

function hasImage(service: ServiceStatus, systemRoot: string): boolean {
  return belowSystemRoot(service.imagePath, systemRoot) === belowSystemRoot(imagePath, systemRoot)
}

/** Whether Windows' own driver store has the file: psctx.inf was installed, and pnputil manages it. */
function isFromInf(service: ServiceStatus, systemRoot: string): boolean {
  return belowSystemRoot(service.imagePath, systemRoot).startsWith('system32\\driverstore\\')
}

function isRegisteredRight(service: ServiceStatus, systemRoot: string): boolean {
  return (
    hasImage(service, systemRoot) &&
    service.type === serviceType.fileSystemDriver &&
    service.startType === startType.demand &&
    service.errorControl === errorControl.normal &&
    service.group === registration.group
  )
}

function requireElevation(machine: DriverMachine, command: string): void {
  if (!machine.system.elevated()) {
    throw new CommandError(
      `psctx driver ${command} needs an administrator's rights. Run it in a terminal that was opened with "Run as administrator".`,
    )
  }
}

/** Does something to the service; `what` begins the message when that fails. */
function attempt<T>(what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw explainWin32(error, what)
  }
}

function query(machine: DriverMachine): ServiceStatus | undefined {
  return attempt('The service psctx could not be queried', () => machine.services.query(serviceName))
}

function readAllowUnload(machine: DriverMachine): boolean {
  const key = `SYSTEM\\CurrentControlSet\\Services\\${serviceName}`
  const value = attempt(`${allowUnloadValue} of the service could not be read`, () =>
    machine.system.readDword(key, allowUnloadValue),
  )
  return (value ?? 0) !== 0
}

/** A failure of the file system as the user is told it. */
export function explainFile(error: unknown, what: string): CommandError {
  const { code } = error as NodeJS.ErrnoException
  const advice =
    code === 'EPERM' || code === 'EACCES' || code === 'EBUSY'
      ? 'If psctx is running, stop it (`psctx driver stop`, or restart the machine) and try again; otherwise see who may write there.'
      : 'See whether the disk is full or the directory is missing, and try again.'
  return new CommandError(`${what}: ${code ?? String(error)}. ${advice}`, { cause: error })
}

/** Puts the driver's bytes in place in one step, so that no half of them is ever there. False: they are there already. */
function installFile(image: Buffer, destination: string): boolean {
  const temporary = `${destination}.new`
  try {
    const present = statSync(destination, { throwIfNoEntry: false })
    if (present?.isFile() === true && readFileSync(destination).equals(image)) return false
    writeFileSync(temporary, image)
    renameSync(temporary, destination)
    return true
  } catch (error) {
    rmSync(temporary, { force: true })
    throw explainFile(error, `${destination} could not be written`)
  }
}

function register(machine: DriverMachine, service: ServiceStatus | undefined): string {
  const { displayName, description, group } = registration
  if (service === undefined) {
    attempt('The service psctx could not be created', () => {
      machine.services.create(serviceName, displayName, description, imagePath, group)
    })
    return 'Created the service psctx, which is started on demand.'
  }
  // Also where nothing is to be changed: a service that was deleted while it ran can be queried, and fails here.
  attempt('The service psctx could not be changed', () => {
    machine.services.configure(serviceName, displayName, description, imagePath, group)
  })
  return isRegisteredRight(service, machine.systemRoot)
    ? 'The service psctx was there already.'
    : `The service psctx was there with other settings (image ${service.imagePath}): it has those of this package now.`
}

function isLoaded(service: ServiceStatus | undefined): boolean {
  return service !== undefined && stateName(service.state) !== 'stopped'
}

export interface InstallOptions {
  readonly driver?: string | undefined
  readonly allowUnload?: boolean | undefined
}

/** Copies the driver to the system's drivers and creates its service. */
export function install(machine: DriverMachine, options: InstallOptions): Report {
  const report: Report = []
  requireElevation(machine, 'install')
  const service = query(machine)
  if (service !== undefined && isFromInf(service, machine.systemRoot)) {
    if (options.driver !== undefined) {
      throw new CommandError(
        `psctx is installed from its INF (${service.imagePath}). Remove that with \`pnputil /delete-driver oemNN.inf /uninstall\` (\`pnputil /enum-drivers\` tells the number) before you install another.`,
      )
    }
    report.push(`psctx is installed already, from its INF: ${service.imagePath}.`)
  } else {
    const architecture = machineName(machine.system.nativeMachine())
    const source = options.driver ?? findDriver(machine.packageRoot, architecture)
    const destination = installedDriver(machine.systemRoot)
    const copied = installFile(readDriver(source, architecture), destination)
    report.push(copied ? `Copied ${source} to ${destination}.` : `${destination} was there already, the same.`)
    report.push(register(machine, service))
    if (copied && isLoaded(service))
      report.push('psctx is running with its old file: the new one runs from its next start on.')
  }
  if (options.allowUnload === true && !readAllowUnload(machine)) {
    attempt(`${allowUnloadValue} of the service could not be set`, () => {
      machine.services.writeDword(serviceName, allowUnloadValue, 1)
    })
    report.push(
      isLoaded(service)
        ? 'psctx can be stopped from its next start on, not before.'
        : 'psctx can be stopped once it runs: for test machines, since a file system filter is never quite safe to unload.',
    )
  }
  return report
}

/** Starts the driver. */
export function start(machine: DriverMachine): Report {
  requireElevation(machine, 'start')
  const service = query(machine)
  if (service !== undefined && stateName(service.state) === 'running') return ['psctx was running already.']
  try {
    machine.services.start(serviceName)
  } catch (error) {
    if (isWin32Error(error, 'ERROR_SERVICE_ALREADY_RUNNING')) return ['psctx was running already.']
    throw explainWin32(error, 'psctx could not be started')
  }
  const answer = machine.askDriver()
  if ('message' in answer) {
    throw new CommandError(`psctx was started, but does not answer: ${answer.message} Then run \`psctx doctor\`.`)
  }
  return [`Started psctx ${answer.version}, attached to ${count(answer.statistics.total.attachedVolumes, 'volume')}.`]
}

/** Waits until the driver is gone, which it is when its last handle is closed. */
async function waitUntilStopped(machine: DriverMachine): Promise<void> {
  for (let waited = 0; isLoaded(query(machine)); waited += stopInterval) {
    if (waited >= stopTimeout) {
      throw readAllowUnload(machine)
        ? new CommandError(
            'psctx is still stopping: a program has it open. Close what uses it (Node.js programs with an open filter); it stops after the last one.',
          )
        : makeWin32CommandError('psctx could not be stopped', 'ERROR_INVALID_SERVICE_CONTROL')
    }
    await machine.wait(stopInterval)
  }
}

/** Stops the driver, which it allows on test machines only. */
export async function stop(machine: DriverMachine): Promise<Report> {
  requireElevation(machine, 'stop')
  const service = query(machine)
  if (service === undefined) return ['psctx is not installed: there is nothing to stop.']
  if (!isLoaded(service)) return ['psctx was stopped already.']
  if (stateName(service.state) !== 'stop-pending') {
    try {
      machine.services.stop(serviceName)
    } catch (error) {
      if (isWin32Error(error, 'ERROR_SERVICE_NOT_ACTIVE')) return ['psctx was stopped already.']
      throw explainWin32(error, 'psctx could not be stopped')
    }
  }
  await waitUntilStopped(machine)
  return ['Stopped psctx.']
}

/** What a driver that cannot be unloaded refuses to stop with: at once, and when it has refused before. */
const refusals: readonly Win32ErrorName[] = [
  'ERROR_INVALID_SERVICE_CONTROL',
  'ERROR_SERVICE_CANNOT_ACCEPT_CTRL',
  'ERROR_INVALID_FUNCTION',
]

/** Stops the driver before its service is deleted. False: it goes on until the machine is restarted. */
async function stopForUninstall(machine: DriverMachine, report: Report): Promise<boolean> {
  try {
    report.push(...(await stop(machine)))
    return true
  } catch (error) {
    if (!(error instanceof CommandError) || !refusals.some((name) => name === error.code)) throw error
    report.push('psctx cannot be unloaded while the system runs: it is gone after the next restart.')
    return false
  }
}

function deleteService(machine: DriverMachine): string {
  try {
    machine.services.delete(serviceName)
    return 'Deleted the service psctx.'
  } catch (error) {
    if (isWin32Error(error, 'ERROR_SERVICE_DOES_NOT_EXIST')) return 'The service psctx was gone already.'
    if (isWin32Error(error, 'ERROR_SERVICE_MARKED_FOR_DELETE')) {
      return 'The service psctx was deleted before, and goes when nothing uses it any more.'
    }
    throw explainWin32(error, 'The service psctx could not be deleted')
  }
}

/** Deletes the driver's file. While the driver runs on, Windows may refuse. */
function deleteFile(path: string, stopped: boolean): string | undefined {
  if (!existsSync(path)) return undefined
  try {
    rmSync(path)
    return `Deleted ${path}.`
  } catch (error) {
    if (stopped) throw explainFile(error, `${path} could not be deleted`)
    return `${path} is in use: delete it after the restart.`
  }
}

/** Deletes the driver's service and file. */
export async function uninstall(machine: DriverMachine): Promise<Report> {
  const report: Report = []
  requireElevation(machine, 'uninstall')
  const service = query(machine)
  if (service !== undefined && isFromInf(service, machine.systemRoot)) {
    throw new CommandError(
      `psctx was installed from its INF (${service.imagePath}). Remove it with \`pnputil /delete-driver oemNN.inf /uninstall\`; \`pnputil /enum-drivers\` tells the number.`,
    )
  }
  const stopped = !isLoaded(service) || (await stopForUninstall(machine, report))
  if (service !== undefined) report.push(deleteService(machine))
  const deleted = deleteFile(installedDriver(machine.systemRoot), stopped)
  if (deleted !== undefined) report.push(deleted)
  return report.length > 0 ? report : ['psctx was not installed: there is nothing to uninstall.']
}

export function status(machine: DriverMachine): DriverStatus {
  const service = query(machine)
  if (service === undefined) {
    return { installed: false, state: 'absent', imagePath: null, allowUnload: false, stoppable: false, driver: null }
  }
  const state = stateName(service.state)
  return {
    installed: true,
    state,
    imagePath: service.imagePath,
    allowUnload: readAllowUnload(machine),
    stoppable: (service.controlsAccepted & acceptStop) !== 0,
    driver: state === 'running' ? machine.askDriver() : null,
  }
}

/** Whether a status is that of a driver one can work with, given the rights. */
export function isFine({ state, driver }: DriverStatus): boolean {
  return state === 'running' && driver !== null && (!('code' in driver) || driver.code === 'STATUS_ACCESS_DENIED')
}

/** The status, line by line. */
export function describeStatus(found: DriverStatus): Report {
  if (!found.installed) return ['psctx is not installed. `psctx driver install` installs it.']
  const report = [`psctx is ${found.state}.`, `image: ${String(found.imagePath)}`]
  report.push(`unloading: ${found.allowUnload ? 'allowed (a test machine)' : 'not allowed'}`)
  const { driver } = found
  if (driver === null) {
    if (found.state === 'stopped') report.push('`psctx driver start` starts it.')
  } else if ('message' in driver) {
    report.push(driver.message)
  } else {
    const { sessions, contexts, attachedVolumes } = driver.statistics.total
    report.push(`version: ${driver.version}`)
    report.push(
      `${count(attachedVolumes, 'attached volume')}, ${count(contexts, 'context')}, ${count(sessions, 'open filter')} (one is this command's)`,
    )
  }
  return report
}
