/** What `psctx doctor` makes of what was found: facts in, findings out, and nothing else. */
import type { FilterStatistics, Front, StreamSupport, UnsupportedReason } from '../index'
import type { Finding } from '../json'

import { machineName } from './driver-image'
import {
  blockLegacyFilters,
  type InstalledService,
  placeholderAltitude,
  type ServiceStatus,
  stateName,
} from './service'
import { codeIntegrityOption, daxVolumeFlag, type Drive, driveType } from './system'

/** Something that was found out, or why it could not be. */
export type Fact<T> =
  | { readonly value: T }
  | {
      /** One sentence. */
      readonly failure: string
      /** Such as `'STATUS_ACCESS_DENIED'` or `'ERROR_ACCESS_DENIED'`, where it has one. */
      readonly code?: string | undefined
    }

/** Of any system. */
export interface CommonFacts {
  /** Of the package. */
  readonly version: string
  readonly nodeVersion: string
  /** As `process.platform` and `process.arch` have them. */
  readonly platform: string
  readonly architecture: string
  /** The path of the addon, which loads. */
  readonly addon: Fact<string>
}

/** A driver that answers. */
export interface DriverFacts {
  readonly version: string
  readonly statistics: FilterStatistics
  /** By drive: whether its root directory can carry contexts. */
  readonly roots: ReadonlyMap<string, Fact<StreamSupport>>
}

/** Of Windows. */
export interface WindowsFacts {
  readonly elevated: Fact<boolean>
  readonly nativeMachine: Fact<number>
  /** The driver's, of whichever front; undefined: none is installed. */
  readonly service: Fact<InstalledService | undefined>
  readonly filterManager: Fact<ServiceStatus | undefined>
  /** That the minifilter is installed with. */
  readonly altitude: Fact<string | undefined>
  /** Of the legacy filter. */
  readonly allowUnload: Fact<number | undefined>
  readonly driver: Fact<DriverFacts>
  /** CODEINTEGRITY_OPTION_* flags. */
  readonly codeIntegrity: Fact<number>
  /** UEFISecureBootEnabled. */
  readonly secureBoot: Fact<number | undefined>
  /** IoBlockLegacyFsFilters. */
  readonly blockLegacyFilters: Fact<number | undefined>
  /** Events 1205 of Kernel-IO of the last seven days, newest first, as XML. */
  readonly blockEvents: Fact<readonly string[]>
  readonly drives: Fact<readonly Drive[]>
}

/** Of a system without a driver. */
export interface HostFacts {
  /** The embedded kernel did what it is for, and ended with nothing left; its driver's version. */
  readonly kernel: Fact<string>
  readonly ntfs3g: boolean
  readonly fuse: boolean
  readonly root: boolean
}

export interface Facts extends CommonFacts {
  /** Missing elsewhere, and where the addon could not be loaded. */
  readonly windows?: WindowsFacts | undefined
  readonly host?: HostFacts | undefined
}

const elevate = 'Run this in a terminal that was opened with "Run as administrator".'

function ok(check: string, found: string): Finding {
  return { check, level: 'ok', found }
}

function warning(check: string, found: string, advice: string): Finding {
  return { check, level: 'warning', found, advice }
}

function problem(check: string, found: string, advice: string): Finding {
  return { check, level: 'problem', found, advice }
}

/** The finding for a fact: what `judge` makes of it, or that it is not known. */
function judged<T>(check: string, fact: Fact<T>, judge: (value: T) => Finding): Finding {
  if ('value' in fact) return judge(fact.value)
  const denied = fact.code === 'ERROR_ACCESS_DENIED' || fact.code === 'STATUS_ACCESS_DENIED'
  return { check, level: 'unknown', found: fact.failure, ...(denied ? { advice: elevate } : {}) }
}

function judgeNode({ nodeVersion, platform, architecture }: CommonFacts): Finding {
  const found = `${nodeVersion} for ${platform} on ${architecture}`
  const major = Number(/^v?(\d+)/.exec(nodeVersion)?.[1])
  return major >= 20 ? ok('Node.js', found) : problem('Node.js', found, 'Install Node.js 20 or later.')
}

function judgeAddon(facts: CommonFacts): Finding {
  const { addon } = facts
  if ('value' in addon) return ok('addon', addon.value)
  return problem(
    'addon',
    addon.failure,
    'Install the package again with this Node.js, or build the addon with `npm run build` in a checkout.',
  )
}

/** Whether the driver runs, as far as is known. */
function isRunning({ service, driver }: WindowsFacts): boolean {
  return 'value' in driver || ('value' in service && service.value?.state === 4)
}

function judgeRights({ elevated }: WindowsFacts): Finding {
  return judged('rights', elevated, (value) =>
    value
      ? ok('rights', 'administrator')
      : warning('rights', 'no administrator, who alone may open the driver', elevate),
  )
}

function judgeMachine(facts: CommonFacts, { nativeMachine }: WindowsFacts): Finding {
  return judged('architecture', nativeMachine, (value) => {
    const name = machineName(value)
    if (name === facts.architecture) return ok('architecture', `${name}, the driver's as well`)
    return ok('architecture', `${name}, which is the driver's; Node.js is emulated as ${facts.architecture}`)
  })
}

function judgeService({ service }: WindowsFacts): Finding {
  const check = 'driver service'
  const disabled = 4
  return judged(check, service, (value) => {
    if (value === undefined) {
      return problem(check, 'not installed', 'Run `psctx driver install`, then `psctx driver start`.')
    }
    const state = stateName(value.state)
    if (state === 'running') return ok(check, `running, ${value.imagePath}`)
    if (value.startType === disabled) {
      return problem(check, 'disabled', 'Run `psctx driver install`, which sets it to start on demand.')
    }
    if (state !== 'stopped') return warning(check, state, 'Try again in a moment; close what has the driver open.')
    return problem(check, 'stopped', 'Run `psctx driver start`; it says why if that fails.')
  })
}

function judgeDriver(facts: CommonFacts, windows: WindowsFacts): Finding {
  const check = 'driver'
  const { driver } = windows
  if ('value' in driver) {
    const { version } = driver.value
    if (version === facts.version) return ok(check, `version ${version}, that of the package`)
    return warning(
      check,
      `version ${version}; the package is ${facts.version}`,
      'They understand each other. To have the package’s driver, run `psctx driver install` and restart it.',
    )
  }
  if (driver.code === 'STATUS_REVISION_MISMATCH') {
    return problem(
      check,
      'of another version, which this package cannot talk to',
      'Run `psctx driver install`, then start the new driver: stop and start it, or restart the machine.',
    )
  }
  if ('value' in windows.service && !isRunning(windows)) {
    return { check, level: 'unknown', found: 'not loaded, so that it cannot be asked' }
  }
  if (driver.code === 'STATUS_OBJECT_NAME_NOT_FOUND') {
    return problem(check, 'it runs, but its device is not there', 'Restart the machine; then `psctx driver start`.')
  }
  if (driver.code === 'STATUS_ACCESS_DENIED') {
    return warning(check, 'loaded; it opens for administrators only', elevate)
  }
  return problem(check, driver.failure, 'Run `psctx driver status`.')
}

function judgeSigning(windows: WindowsFacts): Finding {
  const check = 'test signing'
  return judged(check, windows.codeIntegrity, (options) => {
    if ((options & codeIntegrityOption.enabled) === 0) return ok(check, 'no signatures are asked for')
    if ((options & codeIntegrityOption.testSigning) !== 0) return ok(check, 'on')
    if (isRunning(windows)) return ok(check, 'off, and the driver runs')
    return warning(
      check,
      'off: Windows loads only drivers that Microsoft has signed',
      'Unless your psctx.sys is signed so, sign it with a test certificate, run `bcdedit /set testsigning on` on a test machine, and restart it.',
    )
  })
}

function judgeSecureBoot(windows: WindowsFacts): Finding {
  const check = 'Secure Boot'
  return judged(check, windows.secureBoot, (value) => {
    if (value === undefined) return ok(check, 'this machine has none')
    if (value === 0) return ok(check, 'off')
    if (isRunning(windows)) return ok(check, 'on, and the driver runs')
    return warning(
      check,
      'on: test signing cannot be turned on',
      'For a driver with a test signature, turn Secure Boot off in the firmware of a test machine.',
    )
  })
}

function judgeMemoryIntegrity(windows: WindowsFacts): Finding {
  const check = 'memory integrity'
  return judged(check, windows.codeIntegrity, (options) => {
    if ((options & codeIntegrityOption.hypervisorEnforced) === 0) return ok(check, 'off')
    if (isRunning(windows)) return ok(check, 'on, and the driver runs')
    return warning(
      check,
      'on: the hypervisor checks drivers, too (HVCI)',
      'Nothing to do unless `psctx driver start` fails with ERROR_INVALID_IMAGE_HASH or ERROR_DRIVER_BLOCKED though the signature is right: then turn it off under Core isolation on a test machine.',
    )
  })
}

/** As which front the driver is installed, as far as is known. */
function installedFront({ service }: WindowsFacts): Front | undefined {
  return 'value' in service ? service.value?.front : undefined
}

function daxDrives({ drives }: WindowsFacts): string[] {
  return 'value' in drives
    ? drives.value.filter(({ flags }) => ((flags ?? 0) & daxVolumeFlag) !== 0).map(({ drive }) => drive)
    : []
}

const change = 'Run `psctx driver uninstall`, restart the machine if it says so, then'

/** Which front fits this machine, and why. */
function judgeFront(windows: WindowsFacts): Finding {
  const check = 'front'
  const front = installedFront(windows)
  const dax = daxDrives(windows)
  const onlyMinifilters = `${dax.join(', ')}: direct access (DAX), which minifilters alone can attach to`
  return judged(check, windows.blockLegacyFilters, (blocking) =>
    judged(check, windows.filterManager, (manager) => {
      const isBlocked = (blocking ?? 0) !== 0
      const hasManager = manager !== undefined && stateName(manager.state) === 'running'
      if (isBlocked && !hasManager) {
        return problem(check, 'none fits: legacy filters are blocked, and Filter Manager does not run', unblock)
      }
      if (front === 'legacy' && isBlocked) {
        const advice = `${change} \`psctx driver install\`, which takes the minifilter here.`
        return problem(check, 'legacy filter, which Windows blocks here; a minifilter fits', advice)
      }
      if (front === 'minifilter' && !hasManager) {
        const advice = `${change} \`psctx driver install --front legacy\`.`
        return problem(check, 'minifilter, and Filter Manager does not run; a legacy filter fits', advice)
      }
      if (front === 'legacy' && dax.length > 0 && hasManager) {
        const advice = `To track opens there: ${change} \`psctx driver install --front minifilter\`.`
        return warning(check, `legacy filter, which fits but for ${onlyMinifilters}`, advice)
      }
      if (front === 'legacy') return ok(check, 'legacy filter, which Windows allows here')
      if (front === 'minifilter') return ok(check, 'minifilter, and Filter Manager runs')
      if (isBlocked) return ok(check, 'the minifilter fits, since Windows blocks legacy filters here')
      if (!hasManager) return ok(check, 'the legacy filter fits, since Filter Manager does not run')
      if (dax.length > 0) return ok(check, `both fit, but for ${onlyMinifilters}`)
      return ok(check, 'both fit: `psctx driver install` takes the legacy filter, `--front minifilter` the other')
    }),
  )
}

/** Of the minifilter alone. */
function judgeAltitude({ altitude }: WindowsFacts): Finding {
  const check = 'altitude'
  return judged(check, altitude, (value) => {
    if (value === undefined) {
      return problem(check, 'none: the service has no instance', 'Run `psctx driver install`, which writes it.')
    }
    if (value !== placeholderAltitude) return ok(check, value)
    return warning(
      check,
      `${value}, this package's placeholder: another minifilter with it cannot be on the same volume`,
      'To ship the driver, ask Microsoft for an altitude of your own: learn.microsoft.com/windows-hardware/drivers/ifs/minifilter-altitude-request',
    )
  })
}

const unblock = `Set ${blockLegacyFilters.name} to 0 below HKLM\\${blockLegacyFilters.key} (a policy may set it again), and restart the machine.`

function judgeBlocking(windows: WindowsFacts): Finding {
  const check = 'legacy filters'
  return judged(check, windows.blockLegacyFilters, (value) => {
    if (value === undefined || value === 0) return ok(check, 'allowed')
    const found = `blocked (${blockLegacyFilters.name})`
    return installedFront(windows) === 'legacy' ? problem(check, found, unblock) : ok(check, found)
  })
}

/** When an event was, and what it carries, of its XML. */
function describeEvent(xml: string): string {
  const time = /<TimeCreated\s+SystemTime=['"]([^'"]+)['"]/.exec(xml)?.[1] ?? 'unknown time'
  const data = [...xml.matchAll(/<Data(?:\s+Name=['"][^'"]*['"])?>([^<]*)<\/Data>/g)].map(([, text]) => text)
  return data.length > 0 ? `${time} (${data.join(', ')})` : time
}

function judgeBlockEvents(windows: WindowsFacts): Finding {
  const check = 'blocked filters'
  return judged(check, windows.blockEvents, (events) => {
    if (events.length === 0) return ok(check, 'no event 1205 of Kernel-IO in the last 7 days')
    const own = events.find((xml) => /psctx/i.test(xml))
    if (own !== undefined && installedFront(windows) !== 'minifilter') {
      return problem(check, `Windows blocked psctx: event 1205, ${describeEvent(own)}`, unblock)
    }
    const times = events.length === 1 ? 'once' : `${events.length} times`
    return warning(
      check,
      `Windows blocked legacy filters ${times} in the last 7 days: event 1205, last ${describeEvent(events[0] ?? '')}`,
      'Compare the time with your last start of psctx; see the row "legacy filters" for what is set now.',
    )
  })
}

function judgeAttachments({ driver }: WindowsFacts): Finding {
  const check = 'attachments'
  if (!('value' in driver)) {
    return { check, level: 'unknown', found: 'only a driver that answers can tell' }
  }
  const { attachedVolumes, attachedFileSystems } = driver.value.statistics.total
  const found = `volumes: ${attachedVolumes}, file systems: ${attachedFileSystems}`
  if (attachedVolumes > 0) return ok(check, found)
  return problem(
    check,
    found,
    'Contexts can be set, but opens are not tracked: see "legacy filters" and "blocked filters" below, and mount a volume.',
  )
}

const reasons: Readonly<Record<UnsupportedReason, string>> = {
  'not-a-file-system': 'no file system answers there',
  volume: 'no file stream: the volume itself was opened',
  'no-stream-context': 'its file system sets no stream context',
  'no-advanced-header': 'its file system has no advanced FCB header',
  'no-filter-contexts': 'its file system does not allow filter contexts',
  'list-not-initialized': 'its file system has not set up the list of contexts: do not load other filters there',
}

function judgeDrive(
  drive: Drive,
  roots: ReadonlyMap<string, Fact<StreamSupport>> | undefined,
  front: Front | undefined,
): Finding {
  const check = `volume ${drive.drive}`
  const notReady = 21
  const unrecognized = 1005
  if (drive.win32 === notReady) return ok(check, 'no medium')
  if (drive.win32 === unrecognized) return ok(check, 'not formatted, or locked by encryption')
  if (drive.win32 !== undefined) return { check, level: 'unknown', found: `Win32 error ${drive.win32}` }

  const name = drive.type === driveType.remote ? 'network' : (drive.fileSystem ?? '')
  if (((drive.flags ?? 0) & daxVolumeFlag) !== 0 && front !== 'minifilter') {
    return warning(
      check,
      `${name}, direct access (DAX): no legacy filter can attach to it`,
      'Install the minifilter, or format it without DAX, to track opens there.',
    )
  }
  const support = roots?.get(drive.drive)
  if (support === undefined) return { check, level: 'unknown', found: `${name}; only a running driver can tell more` }
  return judged(check, support, ({ reason, headerVersion }) => {
    if (reason === undefined) return ok(check, `${name}, carries contexts (FCB header version ${headerVersion})`)
    return warning(check, `${name}: ${reasons[reason]}`, 'Use a volume of another file system, such as NTFS.')
  })
}

function judgeDrives(windows: WindowsFacts): Finding[] {
  const { drives, driver } = windows
  if (!('value' in drives)) return [judged('volumes', drives, () => ok('volumes', ''))]
  const roots = 'value' in driver ? driver.value.roots : undefined
  return drives.value.map((drive) => judgeDrive(drive, roots, installedFront(windows)))
}

function judgeUnloading(windows: WindowsFacts): Finding {
  const check = 'unloading'
  if (installedFront(windows) === 'minifilter') return ok(check, 'allowed, as of every minifilter')
  return judged(check, windows.allowUnload, (value) =>
    (value ?? 0) === 0
      ? ok(check, 'not allowed, as it should be: the driver goes with a restart')
      : warning(
          check,
          'allowed (AllowUnload)',
          'For test machines only: unloading a file system filter is never quite safe.',
        ),
  )
}

function judgeWindows(facts: CommonFacts, windows: WindowsFacts): Finding[] {
  return [
    judgeRights(windows),
    judgeMachine(facts, windows),
    judgeService(windows),
    judgeDriver(facts, windows),
    judgeFront(windows),
    ...(installedFront(windows) === 'minifilter' ? [judgeAltitude(windows)] : []),
    judgeUnloading(windows),
    judgeAttachments(windows),
    judgeBlocking(windows),
    judgeBlockEvents(windows),
    judgeSigning(windows),
    judgeSecureBoot(windows),
    judgeMemoryIntegrity(windows),
    ...judgeDrives(windows),
  ]
}

function judgeHost(facts: CommonFacts, host: HostFacts): Finding[] {
  const ntfs = 'real NTFS volumes'
  const missing = [
    ...(host.ntfs3g ? [] : ['ntfs-3g is not installed']),
    ...(host.fuse ? [] : ['/dev/fuse is not there']),
    ...(host.root ? [] : ['mounting needs root']),
  ]
  return [
    ok('driver', `none on ${facts.platform}: the driver runs in the embedded kernel, in this process`),
    'value' in host.kernel
      ? ok(
          'embedded kernel',
          `driver ${host.kernel.value}: inserted, looked up and removed a context; nothing was left`,
        )
      : problem('embedded kernel', host.kernel.failure, 'Build the addon again; if that does not help, report it.'),
    missing.length === 0
      ? ok(ntfs, 'ntfs-3g and /dev/fuse are there')
      : warning(
          ntfs,
          missing.join('; '),
          'Memory volumes work all the same. For real NTFS streams install ntfs-3g, and mount as root with streams_interface=windows.',
        ),
  ]
}

/** What is to be said of what was found. */
export function diagnose(facts: Facts): Finding[] {
  return [
    ok('package', `per-stream-context ${facts.version}`),
    judgeNode(facts),
    judgeAddon(facts),
    ...(facts.windows === undefined ? [] : judgeWindows(facts, facts.windows)),
    ...(facts.host === undefined ? [] : judgeHost(facts, facts.host)),
  ]
}

/** Whether nothing is a problem; warnings and what is not known are none. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level !== 'problem')
}
