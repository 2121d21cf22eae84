/** What `psctx doctor` makes of made-up systems: every row, in every case that it tells apart. */
import type { StreamSupport, UnsupportedReason } from '../../src/codec/support'
import { diagnose, type DriverFacts, type Fact, type Facts, isHealthy, type WindowsFacts } from '../../src/cli/doctor'
import { placeholderAltitude } from '../../src/cli/service'
import type { Drive } from '../../src/cli/system'
import { statistics } from './machine'

const supported: StreamSupport = { supported: true, deviceType: 8, headerVersion: 3 }

const service = {
  state: 4,
  controlsAccepted: 0,
  exitCode: 0,
  type: 2,
  startType: 3,
  errorControl: 1,
  imagePath: String.raw`\SystemRoot\System32\drivers\psctx.sys`,
  group: 'FSFilter Activity Monitor',
  dependency: '',
  front: 'legacy',
} as const

/** Filter Manager's service, which runs. */
const filterManager = { ...service, imagePath: 'system32\\drivers\\fltmgr.sys' }

function driverFacts(changes: Partial<DriverFacts> = {}): Fact<DriverFacts> {
  return {
    value: { version: '1.0.0', statistics, roots: new Map([['C:', { value: supported }]]), ...changes },
  }
}

/** A Windows system on which all is well. */
const well: WindowsFacts = {
  elevated: { value: true },
  nativeMachine: { value: 0x8664 },
  service: { value: service },
  filterManager: { value: filterManager },
  altitude: { value: undefined },
  allowUnload: { value: undefined },
  driver: driverFacts(),
  codeIntegrity: { value: 3 },
  secureBoot: { value: 0 },
  blockLegacyFilters: { value: undefined },
  blockEvents: { value: [] },
  drives: { value: [{ drive: 'C:', type: 3, fileSystem: 'NTFS', flags: 0x3e706ff }] },
}

const minifilter: Partial<WindowsFacts> = {
  service: { value: { ...service, front: 'minifilter', dependency: 'FltMgr' } },
  altitude: { value: '389999.5' },
}
const blocked: Partial<WindowsFacts> = { blockLegacyFilters: { value: 1 } }
const noManager: Partial<WindowsFacts> = { filterManager: { value: undefined } }
const none: Partial<WindowsFacts> = { service: { value: undefined } }
const dax: Partial<WindowsFacts> = {
  drives: { value: [{ drive: 'D:', type: 3, fileSystem: 'NTFS', flags: 0x20000000 }] },
}

/** The same before the driver is started. */
const stopped: WindowsFacts = {
  ...well,
  service: { value: { ...service, state: 1 } },
  driver: { failure: 'openFilter failed.', code: 'STATUS_OBJECT_NAME_NOT_FOUND' },
}

const common: Facts = {
  version: '1.0.0',
  nodeVersion: 'v20.20.2',
  platform: 'win32',
  architecture: 'x64',
  addon: { value: 'psctx.node' },
}

function onWindows(changes: Partial<WindowsFacts>, of = well): Facts {
  return { ...common, windows: { ...of, ...changes } }
}

function finding(facts: Facts, check: string) {
  const found = diagnose(facts).find((row) => row.check === check)
  if (found === undefined) throw new Error(`no row ${check}`)
  return found
}

test('a system on which all is well has nothing but good rows', () => {
  const findings = diagnose({ ...common, windows: well })
  expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
  expect(findings.filter(({ advice }) => advice !== undefined)).toEqual([])
  expect(isHealthy(findings)).toBe(true)
  expect(findings.map(({ check }) => check)).toEqual([
    'package',
    'Node.js',
    'addon',
    'rights',
    'architecture',
    'driver service',
    'driver',
    'front',
    'unloading',
    'attachments',
    'legacy filters',
    'blocked filters',
    'test signing',
    'Secure Boot',
    'memory integrity',
    'volume C:',
  ])
})

test('a system without the driver says what to do first, and only that is a problem', () => {
  const findings = diagnose(onWindows({ service: { value: undefined } }, stopped))
  expect(isHealthy(findings)).toBe(false)
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([
    {
      check: 'driver service',
      level: 'problem',
      found: 'not installed',
      advice: 'Run `psctx driver install`, then `psctx driver start`.',
    },
  ])
})

test.each([
  ['v18.20.0', 'problem'],
  ['v20.0.0', 'ok'],
  ['v26.1.0', 'ok'],
])('Node.js %s is %s', (nodeVersion, level) => {
  expect(finding({ ...common, nodeVersion }, 'Node.js').level).toBe(level)
})

test('an addon that does not load is a problem, and the rest is told all the same', () => {
  const findings = diagnose({ ...common, addon: { failure: 'No native build was found' } })
  expect(findings.map(({ level }) => level)).toEqual(['ok', 'ok', 'problem'])
  expect(findings[2]).toMatchObject({ found: 'No native build was found' })
  expect(findings[2]?.advice).toContain('npm run build')
})

/** Rows by check: what changes, the level, what is found, what is advised. */
const rows: [string, string, Facts, string, RegExp, RegExp?][] = [
  ['rights', 'no administrator', onWindows({ elevated: { value: false } }), 'warning', /no administrator/, /Run as/],
  ['architecture', 'emulation', onWindows({ nativeMachine: { value: 0xaa64 } }), 'ok', /arm64.*emulated as x64/],
  ['driver service', 'stopped', onWindows({}, stopped), 'problem', /stopped/, /driver start/],
  [
    'driver service',
    'disabled',
    onWindows({ service: { value: { ...service, state: 1, startType: 4 } } }, stopped),
    'problem',
    /disabled/,
    /driver install/,
  ],
  [
    'driver service',
    'stopping',
    onWindows({ service: { value: { ...service, state: 3 } } }, stopped),
    'warning',
    /stop-pending/,
    /in a moment/,
  ],
  ['driver', 'not loaded', onWindows({}, stopped), 'unknown', /not loaded/],
  [
    'driver',
    'older',
    onWindows({ driver: driverFacts({ version: '0.9.0' }) }),
    'warning',
    /0\.9\.0.*1\.0\.0/,
    /driver install/,
  ],
  [
    'driver',
    'of another ABI',
    onWindows({ driver: { failure: 'x', code: 'STATUS_REVISION_MISMATCH' } }),
    'problem',
    /cannot talk to/,
    /driver install/,
  ],
  [
    'driver',
    'running without its device',
    onWindows({ driver: { failure: 'x', code: 'STATUS_OBJECT_NAME_NOT_FOUND' } }),
    'problem',
    /device is not there/,
    /Restart/,
  ],
  [
    'driver',
    'closed to users',
    onWindows({ driver: { failure: 'x', code: 'STATUS_ACCESS_DENIED' } }),
    'warning',
    /administrators only/,
    /Run as/,
  ],
  ['driver', 'failing', onWindows({ driver: { failure: 'It broke.' } }), 'problem', /It broke\./, /driver status/],
  ['unloading', 'allowed', onWindows({ allowUnload: { value: 1 } }), 'warning', /AllowUnload/, /test machines/],
  ['unloading', 'set to 0', onWindows({ allowUnload: { value: 0 } }), 'ok', /not allowed/],
  [
    'attachments',
    'none',
    onWindows({
      driver: driverFacts({ statistics: { ...statistics, total: { ...statistics.total, attachedVolumes: 0 } } }),
    }),
    'problem',
    /volumes: 0/,
    /legacy filters/,
  ],
  ['attachments', 'no driver to ask', onWindows({}, stopped), 'unknown', /only a driver that answers/],
  [
    'legacy filters',
    'blocked',
    onWindows({ blockLegacyFilters: { value: 1 } }),
    'problem',
    /blocked/,
    /IoBlockLegacyFsFilters to 0 below HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\I\/O System.*restart/,
  ],
  [
    'legacy filters',
    'blocked, and the minifilter is installed',
    onWindows({ ...minifilter, ...blocked }),
    'ok',
    /blocked/,
  ],
  ['legacy filters', 'blocked, and nothing is installed', onWindows({ ...none, ...blocked }), 'ok', /blocked/],
  ['front', 'legacy, allowed', onWindows({}), 'ok', /legacy filter, which Windows allows/],
  ['front', 'legacy, blocked', onWindows(blocked), 'problem', /a minifilter fits/, /uninstall.*takes the minifilter/],
  ['front', 'legacy with a DAX volume', onWindows(dax), 'warning', /D:.*DAX/, /--front minifilter/],
  ['front', 'minifilter', onWindows({ ...minifilter, ...blocked, ...dax }), 'ok', /Filter Manager runs/],
  [
    'front',
    'minifilter without Filter Manager',
    onWindows({ ...minifilter, ...noManager }),
    'problem',
    /Filter Manager does not run; a legacy filter fits/,
    /--front legacy/,
  ],
  [
    'front',
    'neither',
    onWindows({ ...none, ...blocked, ...noManager }),
    'problem',
    /none fits/,
    /IoBlockLegacyFsFilters to 0/,
  ],
  ['front', 'nothing installed', onWindows(none), 'ok', /both fit: .*takes the legacy filter/],
  [
    'front',
    'nothing installed, a DAX volume',
    onWindows({ ...none, ...dax }),
    'ok',
    /both fit, but for D:.*minifilters/,
  ],
  ['front', 'nothing installed, legacy blocked', onWindows({ ...none, ...blocked }), 'ok', /minifilter fits, since/],
  [
    'front',
    'nothing installed, no Filter Manager',
    onWindows({ ...none, ...noManager }),
    'ok',
    /legacy filter fits, since/,
  ],
  ['altitude', 'of its owner', onWindows(minifilter), 'ok', /389999\.5/],
  [
    'altitude',
    'the placeholder',
    onWindows({ ...minifilter, altitude: { value: placeholderAltitude } }),
    'warning',
    /placeholder/,
    /minifilter-altitude-request/,
  ],
  [
    'altitude',
    'missing',
    onWindows({ ...minifilter, altitude: { value: undefined } }),
    'problem',
    /no instance/,
    /driver install/,
  ],
  ['unloading', 'of the minifilter', onWindows(minifilter), 'ok', /as of every minifilter/],
  [
    'volume D:',
    'with direct access, and the minifilter',
    onWindows({ ...minifilter, ...dax }),
    'unknown',
    /running driver/,
  ],
  ['legacy filters', 'allowed by value', onWindows({ blockLegacyFilters: { value: 0 } }), 'ok', /allowed/],
  [
    'test signing',
    'off, and nothing runs',
    onWindows({ codeIntegrity: { value: 1 } }, stopped),
    'warning',
    /off/,
    /bcdedit/,
  ],
  [
    'test signing',
    'off, and the driver runs',
    onWindows({ codeIntegrity: { value: 1 } }),
    'ok',
    /off, and the driver runs/,
  ],
  ['test signing', 'not needed', onWindows({ codeIntegrity: { value: 0 } }, stopped), 'ok', /no signatures/],
  [
    'Secure Boot',
    'on, and nothing runs',
    onWindows({ secureBoot: { value: 1 } }, stopped),
    'warning',
    /on:/,
    /firmware/,
  ],
  ['Secure Boot', 'on, and the driver runs', onWindows({ secureBoot: { value: 1 } }), 'ok', /driver runs/],
  ['Secure Boot', 'of an older machine', onWindows({ secureBoot: { value: undefined } }), 'ok', /has none/],
  [
    'memory integrity',
    'on, and nothing runs',
    onWindows({ codeIntegrity: { value: 0x403 } }, stopped),
    'warning',
    /HVCI/,
    /Core isolation/,
  ],
  ['memory integrity', 'on, and the driver runs', onWindows({ codeIntegrity: { value: 0x403 } }), 'ok', /driver runs/],
]

test.each(rows.map(([check, what, facts, level, found, advice]) => ({ check, what, facts, level, found, advice })))(
  '$check: $what',
  ({ check, facts, level, found, advice }) => {
    const row = finding(facts, check)
    expect(row.level).toBe(level)
    expect(row.found).toMatch(found)
    if (advice === undefined) expect(row.advice).toBeUndefined()
    else expect(row.advice).toMatch(advice)
  },
)

describe('event 1205', () => {
  const event = (data: string) =>
    `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>1205</EventID>` +
    `<TimeCreated SystemTime='2026-01-02T03:04:05.678Z'/></System><EventData>${data}</EventData></Event>`

  test('of psctx is a problem', () => {
    const events = [
      event("<Data Name='DriverName'>other</Data>"),
      event("<Data Name='DriverName'>\\Driver\\psctx</Data>"),
    ]
    const row = finding(onWindows({ blockEvents: { value: events } }), 'blocked filters')
    expect(row).toMatchObject({ level: 'problem' })
    expect(row.found).toBe('Windows blocked psctx: event 1205, 2026-01-02T03:04:05.678Z (\\Driver\\psctx)')
  })

  test('of psctx is none of the minifilter that is installed', () => {
    const events = [event("<Data Name='DriverName'>\\Driver\\psctx</Data>")]
    const row = finding(onWindows({ ...minifilter, blockEvents: { value: events } }), 'blocked filters')
    expect(row).toMatchObject({ level: 'warning' })
  })

  test('of another filter is a warning', () => {
    const row = finding(onWindows({ blockEvents: { value: [event('<Data>other</Data>')] } }), 'blocked filters')
    expect(row).toMatchObject({ level: 'warning' })
    expect(row.found).toContain('once in the last 7 days: event 1205, last 2026-01-02T03:04:05.678Z (other)')
  })

  test('without data tells its time alone, and how often', () => {
    const row = finding(onWindows({ blockEvents: { value: [event(''), event('')] } }), 'blocked filters')
    expect(row.found).toContain('2 times in the last 7 days: event 1205, last 2026-01-02T03:04:05.678Z')
    expect(row.found).not.toContain('(')
  })
})

describe('a volume', () => {
  const ntfs: Drive = { drive: 'C:', type: 3, fileSystem: 'NTFS', flags: 0 }
  const root = (fact: Fact<StreamSupport>) => driverFacts({ roots: new Map([['C:', fact]]) })

  test.each<[string, Drive, Partial<WindowsFacts>, string, RegExp]>([
    ['without a medium', { drive: 'C:', type: 5, win32: 21 }, {}, 'ok', /no medium/],
    ['that is not formatted', { drive: 'C:', type: 3, win32: 1005 }, {}, 'ok', /not formatted/],
    ['that fails', { drive: 'C:', type: 3, win32: 1117 }, {}, 'unknown', /Win32 error 1117/],
    ['on a network', { drive: 'C:', type: 4 }, { driver: driverFacts({ roots: new Map() }) }, 'unknown', /network/],
    ['with direct access', { ...ntfs, flags: 0x20000000 }, {}, 'warning', /DAX.*no legacy filter/],
    ['that the driver has not seen', ntfs, { driver: stopped.driver }, 'unknown', /only a running driver/],
    ['that does not open', ntfs, { driver: root({ failure: 'C: could not be opened' }) }, 'unknown', /not be opened/],
    ['that carries contexts', ntfs, {}, 'ok', /NTFS, carries contexts \(FCB header version 3\)/],
  ])('%s', (_, drive, changes, level, found) => {
    const row = finding(onWindows({ ...changes, drives: { value: [drive] } }), 'volume C:')
    expect(row.level).toBe(level)
    expect(row.found).toMatch(found)
  })

  test.each<[UnsupportedReason, RegExp]>([
    ['no-advanced-header', /no advanced FCB header/],
    ['no-filter-contexts', /does not allow filter contexts/],
    ['list-not-initialized', /has not set up the list/],
    ['no-stream-context', /sets no stream context/],
    ['not-a-file-system', /no file system/],
    ['volume', /volume itself/],
  ])('whose root says %s is a warning', (reason, found) => {
    const driver = root({ value: { supported: false, reason, deviceType: 8, headerVersion: 0 } })
    const row = finding(onWindows({ driver, drives: { value: [ntfs] } }), 'volume C:')
    expect(row).toMatchObject({ level: 'warning' })
    expect(row.found).toMatch(found)
    expect(row.advice).toContain('NTFS')
  })

  test('has a row of its own for each drive', () => {
    const drives = { value: [ntfs, { ...ntfs, drive: 'D:' }] }
    const checks = diagnose(onWindows({ drives })).map(({ check }) => check)
    expect(checks.slice(-2)).toEqual(['volume C:', 'volume D:'])
  })
})

test.each<[keyof WindowsFacts, string]>([
  ['elevated', 'rights'],
  ['nativeMachine', 'architecture'],
  ['service', 'driver service'],
  ['allowUnload', 'unloading'],
  ['codeIntegrity', 'test signing'],
  ['codeIntegrity', 'memory integrity'],
  ['secureBoot', 'Secure Boot'],
  ['blockLegacyFilters', 'legacy filters'],
  ['blockLegacyFilters', 'front'],
  ['filterManager', 'front'],
  ['blockEvents', 'blocked filters'],
  ['drives', 'volumes'],
])('%s that could not be found out makes %s unknown, with the reason', (fact, check) => {
  const failure = { failure: 'It could not be read: ERROR_ACCESS_DENIED (5)', code: 'ERROR_ACCESS_DENIED' }
  const row = finding(onWindows({ [fact]: failure }), check)
  expect(row).toMatchObject({ level: 'unknown', found: failure.failure })
  expect(row.advice).toContain('Run as administrator')
  expect(finding(onWindows({ [fact]: { failure: 'Gone.' } }), check)).toEqual({
    check,
    level: 'unknown',
    found: 'Gone.',
  })
})

describe('a system without a driver', () => {
  const host = { kernel: { value: '1.0.0' }, ntfs3g: true, fuse: true, root: true }
  const linux: Facts = { ...common, platform: 'linux' }

  test('has the embedded kernel', () => {
    const findings = diagnose({ ...linux, host })
    expect(findings.map(({ check, level }) => [check, level])).toEqual([
      ['package', 'ok'],
      ['Node.js', 'ok'],
      ['addon', 'ok'],
      ['driver', 'ok'],
      ['embedded kernel', 'ok'],
      ['real NTFS volumes', 'ok'],
    ])
  })

  test('has a problem when that fails', () => {
    const findings = diagnose({ ...linux, host: { ...host, kernel: { failure: 'Pool was left.' } } })
    expect(isHealthy(findings)).toBe(false)
    expect(findings[4]).toMatchObject({ level: 'problem', found: 'Pool was left.' })
  })

  test.each([
    ['ntfs3g', /ntfs-3g is not installed/],
    ['fuse', /\/dev\/fuse is not there/],
    ['root', /needs root/],
  ])('says what NTFS volumes lack: %s', (what, found) => {
    const facts = { ...linux, host: { ...host, [what]: false } }
    expect(finding(facts, 'real NTFS volumes')).toMatchObject({ level: 'warning' })
    expect(finding(facts, 'real NTFS volumes').found).toMatch(found)
    expect(isHealthy(diagnose(facts))).toBe(true)
  })
})
