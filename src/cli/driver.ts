/** What `psctx driver …` does to the driver's file and service. Each command may be repeated: what is done already is said, and no error. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Front } from '../index'
import type { DriverAnswer, DriverStatus } from '../json'

import { findDriver, imageFront, machineName, readDriver } from './driver-image'
import {
  acceptStop,
  allowUnloadValue,
  blockLegacyFilters,
  errorControl,
  findInstalled,
  type InstalledService,
  isLoaded,
  placeholderAltitude,
  type Registration,
  registrations,
  serviceKey,
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
  readonly system: Pick<System, 'elevated' | 'nativeMachine' | 'readDword' | 'readString'>
  /** %SystemRoot%. */
  readonly systemRoot: string
  readonly packageRoot: string
  askDriver(): DriverAnswer
  wait(milliseconds: number): Promise<void>
}

/** What was done, sentence by sentence. */
export type Report = string[]

/** A service's image, as the service manager takes it. */
export function imagePath({ file }: Registration): string {
  return String.raw`\SystemRoot\System32\drivers` + `\\${file}`
}

const stopTimeout = 10_000
const stopInterval = 100

/** Where a driver's file is installed. */
export function installedDriver(systemRoot: string, { file }: Registration): string {
  return join(systemRoot, 'System32', 'drivers', file)
}

/** An image path as the service manager tells it, below the system's directory and in small letters. */
function belowSystemRoot(path: string, systemRoot: string): string {
  const small = path.toLowerCase().replace(/^\\\?\?\\/, '')
  const prefix = ['\\systemroot\\', '%systemroot%\\', `${systemRoot.toLowerCase()}\\`].find((one) =>
    small.startsWith(one),
  )
  return prefix === undefined ? small : small.slice(prefix.length)
}

/** Whether Windows' own driver store has the file: its INF was installed, and pnputil manages it. */
function isFromInf(service: ServiceStatus, systemRoot: string): boolean {
  return belowSystemRoot(service.imagePath, systemRoot).startsWith('system32\\driverstore\\')
}

function isRegisteredRight(service: ServiceStatus, driver: Registration, systemRoot: string): boolean {
  return (
    belowSystemRoot(service.imagePath, systemRoot) === belowSystemRoot(imagePath(driver), systemRoot) &&
    service.type === serviceType.fileSystemDriver &&
    service.startType === startType.demand &&
    service.errorControl === errorControl.normal &&
    service.group === driver.group &&
    service.dependency === driver.dependency
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

function query(machine: DriverMachine, { service }: Registration): ServiceStatus | undefined {
  return attempt(`The service ${service} could not be queried`, () => machine.services.query(service))
}

function findServices(machine: DriverMachine): InstalledService[] {
  return attempt('The services of psctx could not be queried', () => findInstalled(machine.services))
}

function readFlag(machine: DriverMachine, key: string, value: string): boolean {
  const read = attempt(`${value} could not be read`, () => machine.system.readDword(key, value))
  return (read ?? 0) !== 0
}

function readAllowUnload(machine: DriverMachine, { service }: Registration): boolean {
  return readFlag(machine, serviceKey(service), allowUnloadValue)
}

/** Whether it can be unloaded while the system runs: a minifilter always, a legacy filter on test machines. */
function isUnloadable(machine: DriverMachine, driver: Registration): boolean {
  return driver.front === 'minifilter' || readAllowUnload(machine, driver)
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

function register(machine: DriverMachine, driver: Registration, service: ServiceStatus | undefined): string {
  const { service: name, displayName, description, group, dependency } = driver
  if (service === undefined) {
    attempt(`The service ${name} could not be created`, () => {
      machine.services.create(name, displayName, description, imagePath(driver), group, dependency)
    })
    return `Created the service ${name}, which is started on demand.`
  }
  // Also where nothing is to be changed: a service that was deleted while it ran can be queried, and fails here.
  attempt(`The service ${name} could not be changed`, () => {
    machine.services.configure(name, displayName, description, imagePath(driver), group, dependency)
  })
  return isRegisteredRight(service, driver, machine.systemRoot)
    ? `The service ${name} was there already.`
    : `The service ${name} was there with other settings (image ${service.imagePath}): it has those of this package now.`
}

/** Writes the values of the service's key that are not there: an altitude that somebody has set stays. */
function writeValues(machine: DriverMachine, { service, values }: Registration): string[] {
  const { system, services } = machine
  const missing = attempt(`The values of the service ${service} could not be read`, () =>
    values.filter(({ key, name, data }) => {
      const path = serviceKey(service, key)
      return (typeof data === 'string' ? system.readString(path, name) : system.readDword(path, name)) === undefined
    }),
  )
  attempt(`The values of the service ${service} could not be written`, () => {
    for (const { key, name, data } of missing) services.write(service, key, name, data)
  })
  return missing.some(({ data }) => data === placeholderAltitude)
    ? [`Its altitude is ${placeholderAltitude}, a placeholder: whoever ships it asks Microsoft for one of their own.`]
    : []
}

export interface InstallOptions {
  readonly front?: Front | undefined
  readonly driver?: string | undefined
  readonly allowUnload?: boolean | undefined
}

/** A file that was named, and whether it is the driver of the front that was. */
function readNamed({ driver, front }: InstallOptions, architecture: string): Buffer | undefined {
  if (driver === undefined) return undefined
  const image = readDriver(driver, architecture)
  if (front !== undefined && front !== imageFront(image)) {
    throw new CommandError(
      `${driver} is the ${imageFront(image)} driver. Leave --front out, or name the ${registrations[front].file} to install.`,
    )
  }
  return image
}

function isBlocked(machine: DriverMachine): boolean {
  return readFlag(machine, blockLegacyFilters.key, blockLegacyFilters.name)
}

/** As which front the driver is installed: what was said, what is there already, what this machine loads. Throws when the other is there. */
function chooseFront(
  machine: DriverMachine,
  installed: readonly InstalledService[],
  asked: Front | undefined,
  report: Report,
): Front {
  const front = asked ?? installed[0]?.front ?? (isBlocked(machine) ? 'minifilter' : 'legacy')
  const other = installed.find((service) => service.front !== front)
  if (other !== undefined) {
    throw new CommandError(
      `psctx is installed with its ${other.front} front (the service ${registrations[other.front].service}, which is ${stateName(other.state)}), ` +
        'and only one of the two can run. Run `psctx driver uninstall` first, and restart the machine if it says so.',
    )
  }
  if (installed.length > 0 || !isBlocked(machine)) return front
  report.push(
    front === 'minifilter'
      ? `Windows blocks legacy filters here (${blockLegacyFilters.name}): this is the minifilter.`
      : `Windows blocks legacy filters here (${blockLegacyFilters.name}): this one will not start, and --front minifilter will.`,
  )
  return front
}

/** Copies the driver to the system's drivers and creates its service. */
export function install(machine: DriverMachine, options: InstallOptions): Report {
  const report: Report = []
  requireElevation(machine, 'install')
  const installed = findServices(machine)
  const service = installed[0]
  if (
    service !== undefined &&
    isFromInf(service, machine.systemRoot) &&
    (options.front ?? service.front) === service.front
  ) {
    if (options.driver !== undefined) {
      throw new CommandError(
        `psctx is installed from its INF (${service.imagePath}). Remove that with \`pnputil /delete-driver oemNN.inf /uninstall\` (\`pnputil /enum-drivers\` tells the number) before you install another.`,
      )
    }
    report.push(`psctx is installed already, from its INF: ${service.imagePath}.`)
  } else {
    const architecture = machineName(machine.system.nativeMachine())
    const named = readNamed(options, architecture)
    const asked = options.front ?? (named === undefined ? undefined : imageFront(named))
    const driver = registrations[chooseFront(machine, installed, asked, report)]
    const source = options.driver ?? findDriver(machine.packageRoot, architecture, driver.file)
    const destination = installedDriver(machine.systemRoot, driver)
    const copied = installFile(named ?? readDriver(source, architecture), destination)
    report.push(copied ? `Copied ${source} to ${destination}.` : `${destination} was there already, the same.`)
    report.push(register(machine, driver, service))
    report.push(...writeValues(machine, driver))
    if (copied && service !== undefined && isLoaded(service))
      report.push('psctx is running with its old file: the new one runs from its next start on.')
  }
  if (options.allowUnload === true) report.push(...allowUnload(machine))
  return report
}

/** Lets the driver that is installed be stopped. */
function allowUnload(machine: DriverMachine): Report {
  const [service] = findServices(machine)
  if (service === undefined) return []
  const driver = registrations[service.front]
  if (driver.front === 'minifilter') return ['A minifilter can be stopped without --allow-unload.']
  const report: Report = []
  if (!readAllowUnload(machine, driver)) {
    attempt(`${allowUnloadValue} of the service could not be set`, () => {
      machine.services.write(driver.service, '', allowUnloadValue, 1)
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
  const [service] = findServices(machine)
  if (service !== undefined && stateName(service.state) === 'running') return ['psctx was running already.']
  try {
    machine.services.start(registrations[service?.front ?? 'legacy'].service)
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
async function waitUntilStopped(machine: DriverMachine, driver: Registration): Promise<void> {
  for (let waited = 0; ; waited += stopInterval) {
    const service = query(machine, driver)
    if (service === undefined || !isLoaded(service)) return
    if (waited >= stopTimeout) {
      throw isUnloadable(machine, driver)
        ? new CommandError(
            'psctx is still stopping: a program has it open. Close what uses it (Node.js programs with an open filter); it stops after the last one.',
          )
        : makeWin32CommandError('psctx could not be stopped', 'ERROR_INVALID_SERVICE_CONTROL')
    }
    await machine.wait(stopInterval)
  }
}

/**
 * Stops the driver, which a legacy filter allows on test machines only. A minifilter is stopped by its service as well, and not by FilterUnload:
 * the system waits for the last handle of the driver's device first, and whoever asks needs no privilege of their own.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ifs/when-the-filterunloadcallback-routine-is-called | When the FilterUnloadCallback routine is called}
 */
export async function stop(machine: DriverMachine): Promise<Report> {
  requireElevation(machine, 'stop')
  const [service] = findServices(machine)
  if (service === undefined) return ['psctx is not installed: there is nothing to stop.']
  if (!isLoaded(service)) return ['psctx was stopped already.']
  const driver = registrations[service.front]
  if (stateName(service.state) !== 'stop-pending') {
    try {
      machine.services.stop(driver.service)
    } catch (error) {
      if (isWin32Error(error, 'ERROR_SERVICE_NOT_ACTIVE')) return ['psctx was stopped already.']
      throw explainWin32(error, 'psctx could not be stopped')
    }
  }
  await waitUntilStopped(machine, driver)
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

function deleteService(machine: DriverMachine, { service }: Registration): string {
  try {
    machine.services.delete(service)
    return `Deleted the service ${service}.`
  } catch (error) {
    if (isWin32Error(error, 'ERROR_SERVICE_DOES_NOT_EXIST')) return `The service ${service} was gone already.`
    if (isWin32Error(error, 'ERROR_SERVICE_MARKED_FOR_DELETE')) {
      return `The service ${service} was deleted before, and goes when nothing uses it any more.`
    }
    throw explainWin32(error, `The service ${service} could not be deleted`)
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

/** Deletes the driver's services and files, of whichever front. */
export async function uninstall(machine: DriverMachine): Promise<Report> {
  const report: Report = []
  requireElevation(machine, 'uninstall')
  for (const driver of Object.values(registrations)) await uninstallDriver(machine, driver, report)
  return report.length > 0 ? report : ['psctx was not installed: there is nothing to uninstall.']
}

async function uninstallDriver(machine: DriverMachine, driver: Registration, report: Report): Promise<void> {
  const service = query(machine, driver)
  if (service !== undefined && isFromInf(service, machine.systemRoot)) {
    throw new CommandError(
      `psctx was installed from its INF (${service.imagePath}). Remove it with \`pnputil /delete-driver oemNN.inf /uninstall\`; \`pnputil /enum-drivers\` tells the number.`,
    )
  }
  const stopped = service === undefined || !isLoaded(service) || (await stopForUninstall(machine, report))
  if (service !== undefined) report.push(deleteService(machine, driver))
  const deleted = deleteFile(installedDriver(machine.systemRoot, driver), stopped)
  if (deleted !== undefined) report.push(deleted)
}

export function status(machine: DriverMachine): DriverStatus {
  const [service] = findServices(machine)
  if (service === undefined) {
    return {
      installed: false,
      front: null,
      state: 'absent',
      imagePath: null,
      allowUnload: false,
      stoppable: false,
      driver: null,
    }
  }
  const state = stateName(service.state)
  return {
    installed: true,
    front: service.front,
    state,
    imagePath: service.imagePath,
    allowUnload: readAllowUnload(machine, registrations[service.front]),
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
  const report = [`psctx is ${found.state}.`, `image: ${String(found.imagePath)}`, `front: ${String(found.front)}`]
  const unloading = found.allowUnload ? 'allowed (a test machine)' : 'not allowed'
  report.push(`unloading: ${found.front === 'minifilter' ? 'allowed, as of every minifilter' : unloading}`)
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
