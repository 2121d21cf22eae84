/** The driver's service as Windows keeps it: the interface to the service manager, and what the numbers mean. */
import type { ServiceState } from '../json'

/** What the driver's service is called. */
export const serviceName = 'psctx'

/** What the driver's service is registered as: that of psctx.inf. */
export const registration = {
  displayName: 'psctx',
  description: 'Per-stream context file system filter driver',
  group: 'FSFilter Activity Monitor',
} as const

/** The REG_DWORD of the service's key that lets the driver be stopped; read when it starts. */
export const allowUnloadValue = 'AllowUnload'

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
}

/** The service manager of Windows, or of a test. What fails throws the addon's error with the member `win32`. */
export interface ServiceManager {
  /** `undefined` when there is no such service. */
  query(name: string): ServiceStatus | undefined
  create(name: string, displayName: string, description: string, imagePath: string, group: string): void
  configure(name: string, displayName: string, description: string, imagePath: string, group: string): void
  start(name: string): void
  stop(name: string): void
  delete(name: string): void
  writeDword(name: string, value: string, number: number): void
}
