/** The state of the Windows system, as the addon tells it. */

/** A drive letter. `win32` stands in place of file system and flags that could not be had. */
export interface Drive {
  /** Such as `'C:'`. */
  readonly drive: string
  /** Of GetDriveType. */
  readonly type: number
  readonly fileSystem?: string
  /** Of GetVolumeInformation. */
  readonly flags?: number
  readonly win32?: number
}

export const driveType = { unknown: 0, noRoot: 1, removable: 2, fixed: 3, remote: 4, cdRom: 5, ramDisk: 6 } as const

/** FILE_DAX_VOLUME of GetVolumeInformation. */
export const daxVolumeFlag = 0x20000000

/** CODEINTEGRITY_OPTION_*. */
export const codeIntegrityOption = { enabled: 0x01, testSigning: 0x02, hypervisorEnforced: 0x400 } as const

/** What the addon offers on Windows. What fails throws its error with the member `win32`. */
export interface System {
  elevated(): boolean
  /** IMAGE_FILE_MACHINE_* of the system, whatever this process is emulated as. */
  nativeMachine(): number
  codeIntegrity(): number
  /** A REG_DWORD below HKEY_LOCAL_MACHINE; `undefined` when it is not there. */
  readDword(key: string, value: string): number | undefined
  /** A REG_SZ, likewise. */
  readString(key: string, value: string): string | undefined
  drives(): readonly Drive[]
}
