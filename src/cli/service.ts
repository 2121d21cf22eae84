/** The driver's services as Windows keeps them, one for each front: the interface to the service manager, and what the numbers mean. */
import type { Front } from '../index'
import type { ServiceState } from '../json'

/** A value of a service's key, or of one below it. */
export interface ServiceValue {
  /** Empty for the service's own. */
  readonly key: string
  readonly name: string
  /** A REG_DWORD, or a REG_SZ. */
  readonly data: number | string
}

/** What a front's driver is installed as: that of its INF. */
export interface Registration {
  readonly front: Front
  /** What its service is called. */
  readonly service: string
  /** Its image's file name. */
  readonly file: string
  readonly displayName: string
  readonly description: string
  readonly group: string
  /** The service that is to run before; empty: none. */
  readonly dependency: string
  readonly values: readonly ServiceValue[]
}

/** Filter Manager's service. */
export const filterManager = 'FltMgr'

/** A minifilter's place among the others. Whoever ships the driver asks Microsoft for one of their own. */
export const placeholderAltitude = '385099.5'

const instance = 'psctx'
/** Where Filter Manager looks: below Parameters from Windows 11 24H2 on, in the service's own key before. */
const featureKeys = ['', 'Parameters']
const instanceKeys = ['Instances', String.raw`Parameters\Instances`]
/** Offloaded reads and writes, which may go past the driver; without it there would be none on a volume that it is attached to. */
const supportedFeatures = 3
export const altitudeValue = { key: `Instances\\${instance}`, name: 'Altitude' } as const

export const registrations: Readonly<Record<Front, Registration>> = {
  legacy: {
    front: 'legacy',
    service: 'psctx',
    file: 'psctx.sys',
    displayName: 'psctx',
    description: 'Per-stream context file system filter driver',
    group: 'FSFilter Activity Monitor',
    dependency: '',
    values: [],
  },
  minifilter: {
    front: 'minifilter',
    service: 'psctx-minifilter',
    file: 'psctx-minifilter.sys',
    displayName: 'psctx-minifilter',
    description: 'Per-stream context file system minifilter driver',
    group: 'FSFilter Activity Monitor',
    dependency: filterManager,
    values: [
      ...featureKeys.map((key) => ({ key, name: 'SupportedFeatures', data: supportedFeatures })),
      ...instanceKeys.flatMap((key) => [
        { key, name: 'DefaultInstance', data: instance },
        { key: `${key}\\${instance}`, name: 'Altitude', data: placeholderAltitude },
        { key: `${key}\\${instance}`, name: 'Flags', data: 0 },
      ]),
    ],
  },
}

/** The REG_DWORD of the legacy filter's service that lets it be stopped; read when it starts. */
export const allowUnloadValue = 'AllowUnload'

/** Where the system keeps a service's values, or those of a key below it: below HKEY_LOCAL_MACHINE. */
export function serviceKey(service: string, key = ''): string {
  return String.raw`SYSTEM\CurrentControlSet\Services` + `\\${service}${key === '' ? '' : `\\${key}`}`
}

/** The REG_DWORD, below HKEY_LOCAL_MACHINE, that has Windows load no legacy filter, when it is not 0. */
export const blockLegacyFilters = {
  key: String.raw`SYSTEM\CurrentControlSet\Control\Session Manager\I/O System`,
  name: 'IoBlockLegacyFsFilters',
} as const

export const serviceType = { fileSystemDriver: 2 } as const
export const startType = { demand: 3 } as const
export const errorControl = { normal: 1 } as const
export const acceptStop = 1

const states: Readonly<Record<number, ServiceState>> = {
  1: 'stopped',
  2: 'start-pending',
  3: 'stop-pending',
  4: 'running',
  5: 'continue-pending',
  6: 'pause-pending',
  7: 'paused',
}

/** The name of a SERVICE_* state. */
export function stateName(state: number): ServiceState {
  return states[state] ?? 'unknown'
}

/** The service manager's numbers. */
export interface ServiceStatus {
  readonly state: number
  readonly controlsAccepted: number
  readonly exitCode: number
  readonly type: number
  readonly startType: number
  readonly errorControl: number
  readonly imagePath: string
  readonly group: string
  /** The first service that is to run before; empty: none. */
  readonly dependency: string
}

/** A service that is installed, of one of the fronts. */
export interface InstalledService extends ServiceStatus {
  readonly front: Front
}

/** The service manager of Windows, or of a test. What fails throws the addon's error with the member `win32`. */
export interface ServiceManager {
  /** `undefined` when there is no such service. */
  query(name: string): ServiceStatus | undefined
  create(
    name: string,
    displayName: string,
    description: string,
    imagePath: string,
    group: string,
    dependency: string,
  ): void
  configure(
    name: string,
    displayName: string,
    description: string,
    imagePath: string,
    group: string,
    dependency: string,
  ): void
  start(name: string): void
  stop(name: string): void
  delete(name: string): void
  /** A REG_DWORD or a REG_SZ of the service's key, or of the one below it that is named. */
  write(name: string, key: string, value: string, data: number | string): void
}

/** The services that are installed, the one that is loaded first: no more than one is, since they have one device. */
export function findInstalled(services: Pick<ServiceManager, 'query'>): InstalledService[] {
  return Object.values(registrations)
    .flatMap(({ front, service }) => {
      const status = services.query(service)
      return status === undefined ? [] : [{ ...status, front }]
    })
    .sort((one, other) => Number(isLoaded(other)) - Number(isLoaded(one)))
}

export function isLoaded({ state }: ServiceStatus): boolean {
  return stateName(state) !== 'stopped'
}
