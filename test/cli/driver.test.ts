/** `psctx driver …` on a made-up machine: what each command does, that it may be repeated, and what its failures say. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import {
  describeStatus,
  explainFile,
  imagePath,
  install,
  installedDriver,
  isFine,
  start,
  status,
  stop,
  uninstall,
} from '../../src/cli/driver'
import { registrations } from '../../src/cli/service'
import { CommandError } from '../../src/cli/win32-error'
import { readInf } from '../image/inf'
import { FakeMachine, makeImage } from './machine'

const legacyImage = imagePath(registrations.legacy)

let machine: FakeMachine
let destination: string

function putDriver(image = makeImage(), ...path: string[]): string {
  const file = join(machine.packageRoot, ...(path.length > 0 ? path : ['drivers', 'x64', 'psctx.sys']))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, image)
  return file
}

function installAndStart(options = {}): void {
  install(machine, options)
  start(machine)
}

const storeImage = String.raw`\SystemRoot\System32\DriverStore\FileRepository\psctx.inf_amd64_1\psctx.sys`

beforeEach(() => {
  machine = new FakeMachine()
  destination = installedDriver(machine.systemRoot, registrations.legacy)
  putDriver()
})

afterEach(() => {
  machine.dispose()
})

describe('install', () => {
  test('copies the driver of the package and creates the service as psctx.inf does', () => {
    expect(install(machine, {})).toEqual([
      `Copied ${join(machine.packageRoot, 'drivers', 'x64', 'psctx.sys')} to ${destination}.`,
      'Created the service psctx, which is started on demand.',
    ])
    expect(readFileSync(destination)).toEqual(makeImage())
    expect(machine.services.service).toMatchObject({
      type: 2,
      startType: 3,
      errorControl: 1,
      imagePath: legacyImage,
      group: 'FSFilter Activity Monitor',
    })
    expect(machine.services.allowUnload).toBeUndefined()
    expect(readdirSync(dirname(destination))).toEqual(['psctx.sys'])
  })

  test('says what was there already when it is repeated', () => {
    install(machine, {})
    const before = machine.services.service
    expect(install(machine, {})).toEqual([
      `${destination} was there already, the same.`,
      'The service psctx was there already.',
    ])
    expect(machine.services.service).toEqual(before)
  })

  test('does not take a service for installed that is going to be deleted', async () => {
    installAndStart()
    await uninstall(machine)
    expect(() => install(machine, {})).toThrow(
      expect.objectContaining({ code: 'ERROR_SERVICE_MARKED_FOR_DELETE' }) as Error,
    )
  })

  test.each([
    String.raw`system32\drivers\psctx.sys`,
    String.raw`%SystemRoot%\system32\drivers\PSCTX.SYS`,
    String.raw`\systemroot\System32\drivers\psctx.sys`,
  ])('knows its own image by the name %s, too', (path) => {
    install(machine, {})
    machine.services.set({ imagePath: path })
    expect(install(machine, {})).toContain('The service psctx was there already.')
  })

  test.each([
    { imagePath: String.raw`\??\C:\old\psctx.sys` },
    { startType: 4 },
    { group: '' },
    { type: 1 },
    { dependency: 'Tcpip' },
  ])('sets a service right that has %o', (changes) => {
    install(machine, {})
    machine.services.set(changes)
    expect(install(machine, {})[1]).toContain('it has those of this package now')
    expect(machine.services.service).toMatchObject({ type: 2, startType: 3, imagePath: legacyImage })
    expect(machine.services.service?.group).not.toBe('')
  })

  test('takes the driver of the native architecture, also from a checkout', () => {
    machine.machine = 0xaa64
    const image = makeImage({ machine: 0xaa64 })
    const file = putDriver(image, 'build', 'windows', 'arm64', 'psctx.sys')
    expect(install(machine, {})[0]).toBe(`Copied ${file} to ${destination}.`)
    expect(readFileSync(destination)).toEqual(image)
  })

  test('says where it looked when the package has no driver for the machine', () => {
    machine.machine = 0xaa64
    expect(() => install(machine, {})).toThrow(/no psctx.sys for arm64: .*drivers.*build.*--driver/)
    expect(machine.services.service).toBeUndefined()
  })

  test('replaces the file of a running driver, and says when the new one runs', () => {
    installAndStart()
    const file = putDriver(makeImage({ tail: 'newer' }), 'psctx.sys')
    expect(install(machine, { driver: file })).toEqual([
      `Copied ${file} to ${destination}.`,
      'The service psctx was there already.',
      'psctx is running with its old file: the new one runs from its next start on.',
    ])
    expect(readFileSync(destination)).toEqual(makeImage({ tail: 'newer' }))
  })

  test.each([
    ['another architecture', makeImage({ machine: 0xaa64 }), /is a driver for arm64, and this machine is x64/],
    ['a program', makeImage({ subsystem: 3 }), /is no driver image/],
    ['nothing that is an image', Buffer.from('text'), /is no driver image/],
  ])('refuses a file that is %s, before anything is changed', (_, image, message) => {
    const file = putDriver(image, 'other.sys')
    expect(() => install(machine, { driver: file })).toThrow(message)
    expect(existsSync(destination)).toBe(false)
    expect(machine.services.calls).toEqual([])
  })

  test('says so when the file that was named is not there', () => {
    expect(() => install(machine, { driver: join(machine.directory, 'none.sys') })).toThrow(
      /none\.sys cannot be read \(ENOENT\)\. Name the one/,
    )
  })

  test('leaves no half of a file behind when it cannot be put in place', () => {
    mkdirSync(destination)
    expect(() => install(machine, {})).toThrow(/could not be written: EISDIR/)
    expect(readdirSync(dirname(destination))).toEqual(['psctx.sys'])
  })

  test('lets the driver be stopped only when that is asked for', () => {
    expect(install(machine, { allowUnload: true })[2]).toContain('psctx can be stopped once it runs')
    expect(machine.services.allowUnload).toBe(1)
    expect(install(machine, { allowUnload: true })).toHaveLength(2)
  })

  test('says that a driver which runs already cannot be stopped before its next start', () => {
    installAndStart()
    expect(install(machine, { allowUnload: true })[2]).toContain('from its next start on')
  })

  test('leaves a driver that was installed from its INF as it is', () => {
    install(machine, {})
    machine.services.set({ imagePath: storeImage })
    expect(install(machine, {})).toEqual([`psctx is installed already, from its INF: ${storeImage}.`])
    expect(() => install(machine, { driver: 'other.sys' })).toThrow(/pnputil/)
    expect(machine.services.service?.imagePath).toBe(storeImage)
  })

  test.each([
    [5, 'ERROR_ACCESS_DENIED', /Run as administrator/],
    [1072, 'ERROR_SERVICE_MARKED_FOR_DELETE', /restart the machine/],
    [1078, 'ERROR_DUPLICATE_SERVICE_NAME', /display name/],
  ])('tells of Win32 error %i when the service cannot be created', (win32, code, advice) => {
    machine.services.failures.set('create', win32)
    expect(() => install(machine, {})).toThrow(advice)
    expect(() => install(machine, {})).toThrow(expect.objectContaining({ code, win32 }) as Error)
  })
})

describe('start', () => {
  test('starts the driver and says what it answers', () => {
    install(machine, {})
    expect(start(machine)).toEqual(['Started psctx 1.0.0, attached to 3 volumes.'])
    expect(start(machine)).toEqual(['psctx was running already.'])
    expect(machine.services.calls.filter((call) => call === 'start')).toHaveLength(1)
  })

  test('takes it for a success when somebody else was quicker', () => {
    install(machine, {})
    machine.services.failures.set('start', 1056)
    expect(start(machine)).toEqual(['psctx was running already.'])
  })

  test('says how to install a driver that is not', () => {
    expect(() => start(machine)).toThrow(
      'psctx could not be started: ERROR_SERVICE_DOES_NOT_EXIST (1060). The driver is not installed: run `psctx driver install`.',
    )
  })

  test.each([
    [2, 'ERROR_FILE_NOT_FOUND', /install` again/],
    [5, 'ERROR_ACCESS_DENIED', /Run as administrator/],
    [31, 'ERROR_GEN_FAILURE', /System log/],
    [1068, 'ERROR_SERVICE_DEPENDENCY_FAIL', /FltMgr.*--front legacy/],
    [1075, 'ERROR_SERVICE_DEPENDENCY_DELETED', /FltMgr.*--front legacy/],
    [193, 'ERROR_BAD_EXE_FORMAT', /architecture/],
    [216, 'ERROR_EXE_MACHINE_TYPE_MISMATCH', /architecture/],
    [577, 'ERROR_INVALID_IMAGE_HASH', /bcdedit \/set testsigning on.*Secure Boot/],
    [1058, 'ERROR_SERVICE_DISABLED', /install` again/],
    [1072, 'ERROR_SERVICE_MARKED_FOR_DELETE', /restart the machine/],
    [1275, 'ERROR_DRIVER_BLOCKED', /1205/],
    [1453, 'ERROR_1453', /net helpmsg 1453/],
  ])('tells of Win32 error %i', (win32, code, advice) => {
    install(machine, {})
    machine.services.failures.set('start', win32)
    expect(() => start(machine)).toThrow(expect.objectContaining({ name: 'CommandError', code, win32 }) as Error)
    expect(() => start(machine)).toThrow(advice)
  })

  test('fails when the driver runs and does not answer', () => {
    install(machine, {})
    machine.answer = { code: 'STATUS_REVISION_MISMATCH', message: 'Driver and package are of different versions.' }
    expect(() => start(machine)).toThrow(/does not answer: Driver and package are of different versions\./)
  })
})

describe('stop', () => {
  test('stops a driver that allows it, and waits until it is gone', async () => {
    installAndStart({ allowUnload: true })
    machine.services.stopDelay = 3
    expect(await stop(machine)).toEqual(['Stopped psctx.'])
    expect(machine.waited).toBeGreaterThan(0)
    expect(await stop(machine)).toEqual(['psctx was stopped already.'])
  })

  test('says that a legacy filter cannot be unloaded, and what to do', async () => {
    installAndStart()
    await expect(stop(machine)).rejects.toMatchObject({ code: 'ERROR_INVALID_SERVICE_CONTROL', win32: 1052 })
    await expect(stop(machine)).rejects.toThrow(/cannot be unloaded.*restart the machine.*--allow-unload/)
  })

  test('has nothing to stop where nothing is installed', async () => {
    expect(await stop(machine)).toEqual(['psctx is not installed: there is nothing to stop.'])
  })

  test('takes it for a success when the driver was gone by then', async () => {
    installAndStart({ allowUnload: true })
    machine.services.failures.set('stop', 1062)
    expect(await stop(machine)).toEqual(['psctx was stopped already.'])
  })

  test('waits for a stop that is under way, without asking again', async () => {
    installAndStart({ allowUnload: true })
    machine.services.set({ state: 3 })
    machine.services.stopDelay = 2
    expect(await stop(machine)).toEqual(['Stopped psctx.'])
    expect(machine.services.calls).not.toContain('stop')
  })

  test('gives up after ten seconds, and says who keeps the driver', async () => {
    installAndStart({ allowUnload: true })
    machine.services.stopDelay = Infinity
    await expect(stop(machine)).rejects.toThrow(/still stopping: a program has it open/)
    expect(machine.waited).toBe(10000)
  })

  test('says of a driver that takes the request and stays that it cannot be unloaded', async () => {
    installAndStart()
    machine.services.set({ state: 3 })
    machine.services.stopDelay = Infinity
    await expect(stop(machine)).rejects.toMatchObject({ code: 'ERROR_INVALID_SERVICE_CONTROL' })
    expect((await uninstall(machine))[0]).toContain('gone after the next restart')
  })
})

describe('uninstall', () => {
  test('deletes service and file', async () => {
    install(machine, {})
    expect(await uninstall(machine)).toEqual(['Deleted the service psctx.', `Deleted ${destination}.`])
    expect(existsSync(destination)).toBe(false)
    expect(machine.services.service).toBeUndefined()
  })

  test('stops a driver that allows it first', async () => {
    installAndStart({ allowUnload: true })
    expect((await uninstall(machine))[0]).toBe('Stopped psctx.')
    expect(machine.services.service).toBeUndefined()
  })

  test('marks the service of a driver that cannot be stopped, and says when it is gone', async () => {
    installAndStart()
    expect(await uninstall(machine)).toEqual([
      'psctx cannot be unloaded while the system runs: it is gone after the next restart.',
      'Deleted the service psctx.',
      `Deleted ${destination}.`,
    ])
    expect(machine.services.markedForDeletion).toBe(true)
    expect((await uninstall(machine))[1]).toContain('was deleted before')
  })

  test.each([1, 1052, 1061])('takes Win32 error %i for the word of a driver that cannot be stopped', async (win32) => {
    installAndStart()
    machine.services.failures.set('stop', win32)
    expect((await uninstall(machine))[0]).toContain('gone after the next restart')
    expect(machine.services.markedForDeletion).toBe(true)
  })

  test('goes no further when the stop fails otherwise', async () => {
    installAndStart()
    machine.services.failures.set('stop', 1115)
    await expect(uninstall(machine)).rejects.toMatchObject({ code: 'ERROR_SHUTDOWN_IN_PROGRESS' })
    expect(machine.services.calls).not.toContain('delete')
  })

  test('has nothing to do where nothing is', async () => {
    expect(await uninstall(machine)).toEqual(['psctx was not installed: there is nothing to uninstall.'])
  })

  test('deletes a file that was left without a service', async () => {
    install(machine, {})
    machine.services.forget()
    expect(await uninstall(machine)).toEqual([`Deleted ${destination}.`])
  })

  test('takes it for a success when the service was gone by then', async () => {
    install(machine, {})
    machine.services.failures.set('delete', 1060)
    expect((await uninstall(machine))[0]).toBe('The service psctx was gone already.')
  })

  test('leaves what was installed from the INF to pnputil', async () => {
    install(machine, {})
    machine.services.set({ imagePath: storeImage })
    await expect(uninstall(machine)).rejects.toThrow(/pnputil \/delete-driver/)
    expect(machine.services.service).toBeDefined()
  })

  test('keeps the service when the driver does not stop in time', async () => {
    installAndStart({ allowUnload: true })
    machine.services.stopDelay = Infinity
    await expect(uninstall(machine)).rejects.toThrow(/still stopping/)
    expect(machine.services.calls).not.toContain('delete')
  })

  test('says so when the file of a stopped driver cannot be deleted', async () => {
    install(machine, {})
    machine.services.forget()
    const path = installedDriver(join(machine.directory, 'other'), registrations.legacy)
    mkdirSync(path, { recursive: true }) // a directory, which is not deleted as a file
    const other = Object.assign(Object.create(machine) as FakeMachine, { systemRoot: join(machine.directory, 'other') })
    await expect(uninstall(other)).rejects.toThrow(/could not be deleted/)
  })
})

describe('of the two fronts', () => {
  const { legacy, minifilter } = registrations
  const minifilterImage = (): Buffer => makeImage({ tail: '\0FLTMGR.SYS\0' })

  beforeEach(() => {
    machine.services.front = 'minifilter'
    putDriver(minifilterImage(), 'drivers', 'x64', 'psctx-minifilter.sys')
  })

  function values(): Record<string, unknown> {
    return Object.fromEntries(machine.services.registry)
  }

  test('installs the minifilter when that is asked for: its file, its service, its instance for every Windows', () => {
    const file = installedDriver(machine.systemRoot, minifilter)
    expect(install(machine, { front: 'minifilter' })).toEqual([
      `Copied ${join(machine.packageRoot, 'drivers', 'x64', 'psctx-minifilter.sys')} to ${file}.`,
      'Created the service psctx-minifilter, which is started on demand.',
      'Its altitude is 385099.5, a placeholder: whoever ships it asks Microsoft for one of their own.',
    ])
    expect(readFileSync(file)).toEqual(minifilterImage())
    expect(machine.services.service).toMatchObject({ imagePath: imagePath(minifilter), dependency: 'FltMgr' })
    const key = String.raw`SYSTEM\CurrentControlSet\Services\psctx-minifilter`
    expect(values()).toEqual({
      [String.raw`${key}\SupportedFeatures`]: 3,
      [String.raw`${key}\Instances\DefaultInstance`]: 'psctx',
      [String.raw`${key}\Instances\psctx\Altitude`]: '385099.5',
      [String.raw`${key}\Instances\psctx\Flags`]: 0,
      [String.raw`${key}\Parameters\SupportedFeatures`]: 3,
      [String.raw`${key}\Parameters\Instances\DefaultInstance`]: 'psctx',
      [String.raw`${key}\Parameters\Instances\psctx\Altitude`]: '385099.5',
      [String.raw`${key}\Parameters\Instances\psctx\Flags`]: 0,
    })
  })

  test('keeps what is installed, and its altitude, when nothing is said', () => {
    install(machine, { front: 'minifilter' })
    const altitude = String.raw`SYSTEM\CurrentControlSet\Services\psctx-minifilter\Instances\psctx\Altitude`
    machine.services.registry.set(altitude, '389999.5')
    expect(install(machine, {})).toEqual([
      `${installedDriver(machine.systemRoot, minifilter)} was there already, the same.`,
      'The service psctx-minifilter was there already.',
    ])
    expect(machine.services.registry.get(altitude)).toBe('389999.5')
  })

  test('writes an instance that is gone', () => {
    install(machine, { front: 'minifilter' })
    const before = values()
    machine.services.registry.clear()
    install(machine, {})
    expect(values()).toEqual(before)
  })

  test('takes the minifilter where Windows blocks legacy filters, and says so', () => {
    machine.blockLegacyFilters()
    expect(install(machine, {})[0]).toBe(
      'Windows blocks legacy filters here (IoBlockLegacyFsFilters): this is the minifilter.',
    )
    expect(status(machine).front).toBe('minifilter')
  })

  test('says that a legacy filter will not start there, which is installed all the same when it is asked for', () => {
    machine.blockLegacyFilters()
    expect(install(machine, { front: 'legacy' })[0]).toMatch(/this one will not start, and --front minifilter will/)
    expect(status(machine).front).toBe('legacy')
  })

  test.each([
    ['legacy', 'minifilter', 'psctx'],
    ['minifilter', 'legacy', 'psctx-minifilter'],
  ] as const)('with the %s one installed refuses the %s one before it changes anything', (first, second, service) => {
    install(machine, { front: first })
    const calls = [...machine.services.calls]
    const file = installedDriver(machine.systemRoot, registrations[second])
    expect(() => install(machine, { front: second })).toThrow(
      `psctx is installed with its ${first} front (the service ${service}, which is stopped), and only one of the two can run. ` +
        'Run `psctx driver uninstall` first, and restart the machine if it says so.',
    )
    expect(machine.services.calls).toEqual(calls)
    expect(existsSync(file)).toBe(false)
  })

  test('does not install the minifilter beside a legacy filter that is deleted and still runs', async () => {
    install(machine, { front: 'legacy' })
    start(machine)
    await uninstall(machine)
    expect(() => install(machine, { front: 'minifilter' })).toThrow(/the service psctx, which is running/)
  })

  test('refuses the other beside one that was installed from its INF', () => {
    machine.services.front = 'legacy'
    install(machine, {})
    machine.services.set({ imagePath: storeImage })
    expect(() => install(machine, { front: 'minifilter' })).toThrow(/installed with its legacy front/)
  })

  test('tells a file by what it imports', () => {
    const file = putDriver(minifilterImage(), 'mine.sys')
    expect(() => install(machine, { front: 'legacy', driver: file })).toThrow(
      `${file} is the minifilter driver. Leave --front out, or name the psctx.sys to install.`,
    )
    expect(install(machine, { driver: file })[0]).toBe(
      `Copied ${file} to ${installedDriver(machine.systemRoot, minifilter)}.`,
    )
    expect(machine.services.service).toBeDefined()
  })

  test('starts, tells and stops a minifilter by its service, without leave', async () => {
    expect(install(machine, { front: 'minifilter', allowUnload: true }).at(-1)).toBe(
      'A minifilter can be stopped without --allow-unload.',
    )
    start(machine)
    expect(status(machine)).toMatchObject({ front: 'minifilter', allowUnload: false, stoppable: true })
    expect(describeStatus(status(machine))).toEqual(
      expect.arrayContaining(['front: minifilter', 'unloading: allowed, as of every minifilter']),
    )
    expect(await stop(machine)).toEqual(['Stopped psctx.'])
    expect(await uninstall(machine)).toEqual([
      'Deleted the service psctx-minifilter.',
      `Deleted ${installedDriver(machine.systemRoot, minifilter)}.`,
    ])
    expect(machine.services.service).toBeUndefined()
  })

  test('says who keeps a minifilter that does not stop', async () => {
    install(machine, { front: 'minifilter' })
    start(machine)
    machine.services.stopDelay = Infinity
    await expect(stop(machine)).rejects.toThrow(/still stopping: a program has it open/)
  })

  test('where both are registered acts on the one that runs, and uninstalls both', async () => {
    install(machine, { front: 'legacy', allowUnload: true })
    const { service, displayName, description, group, dependency } = minifilter
    machine.services.create(service, displayName, description, imagePath(minifilter), group, dependency)
    machine.services.start(service)
    expect(status(machine).front).toBe('minifilter')
    expect(start(machine)).toEqual(['psctx was running already.'])
    expect(await uninstall(machine)).toEqual([
      'Deleted the service psctx.',
      `Deleted ${installedDriver(machine.systemRoot, legacy)}.`,
      'Stopped psctx.',
      'Deleted the service psctx-minifilter.',
    ])
  })
})

test.each([
  ['psctx.inf', registrations.legacy],
  ['psctx-minifilter.inf', registrations.minifilter],
])('a driver is registered as %s registers it', (file, registration) => {
  const inf = readInf(readFileSync(join(__dirname, '..', '..', 'driver', file), 'utf8'))
  const strings = new Map(inf.get('strings')!.map(({ key, values }) => [key!, values[0]!]))
  const expand = (text: string): string =>
    text.replaceAll('"', '').replace(/%(\w+)%/g, (token, name: string) => strings.get(name) ?? token)
  const of = (key: string): string =>
    expand(inf.get('psctx.service')!.find((line) => line.key === key)?.values[0] ?? '')
  const [service] = inf.get('defaultinstall.ntamd64.services')![0]!.values
  expect({
    service: expand(service!),
    file: of('ServiceBinary').replace('%13%\\', ''),
    displayName: of('DisplayName'),
    description: of('Description'),
    group: of('LoadOrderGroup'),
    dependency: of('Dependencies'),
  }).toEqual({ ...registration, front: undefined, values: undefined })
  const values = (inf.get(of('AddReg').toLowerCase()) ?? []).map(({ values: [, key, name, type, data] }) => ({
    key: expand(key!),
    name,
    data: Number(type) === 0x10001 ? Number(data) : expand(data!),
  }))
  expect(values).toHaveLength(registration.values.length)
  expect(values).toEqual(expect.arrayContaining([...registration.values]))
})

test.each([
  ['install', () => install(machine, {})],
  ['start', () => start(machine)],
  ['stop', () => stop(machine)],
  ['uninstall', () => uninstall(machine)],
])('%s needs an administrator, and changes nothing for others', async (name, command) => {
  machine.isElevated = false
  await expect(Promise.resolve().then(command as () => unknown)).rejects.toThrow(
    `psctx driver ${name} needs an administrator's rights. Run it in a terminal that was opened with "Run as administrator".`,
  )
  expect(machine.services.calls).toEqual([])
  expect(existsSync(destination)).toBe(false)
})

describe('status', () => {
  test('of a machine without the driver', () => {
    expect(status(machine)).toEqual({
      installed: false,
      front: null,
      state: 'absent',
      imagePath: null,
      allowUnload: false,
      stoppable: false,
      driver: null,
    })
    expect(isFine(status(machine))).toBe(false)
    expect(describeStatus(status(machine))).toEqual(['psctx is not installed. `psctx driver install` installs it.'])
  })

  test('of a stopped driver', () => {
    install(machine, {})
    expect(status(machine)).toMatchObject({ installed: true, state: 'stopped', driver: null })
    expect(isFine(status(machine))).toBe(false)
    expect(describeStatus(status(machine))).toContain('`psctx driver start` starts it.')
  })

  test('of a running driver, which needs no administrator', () => {
    installAndStart({ allowUnload: true })
    machine.isElevated = false
    expect(status(machine)).toEqual({
      installed: true,
      front: 'legacy',
      state: 'running',
      imagePath: legacyImage,
      allowUnload: true,
      stoppable: true,
      driver: machine.answer,
    })
    expect(isFine(status(machine))).toBe(true)
    expect(describeStatus(status(machine))).toEqual([
      'psctx is running.',
      `image: ${legacyImage}`,
      'front: legacy',
      'unloading: allowed (a test machine)',
      'version: 1.0.0',
      "3 attached volumes, 0 contexts, 1 open filter (one is this command's)",
    ])
  })

  test.each([
    ['STATUS_ACCESS_DENIED', true],
    ['STATUS_REVISION_MISMATCH', false],
  ])('of a running driver that answers with %s', (code, fine) => {
    installAndStart()
    machine.answer = { code, message: 'What to do.' }
    expect(isFine(status(machine))).toBe(fine)
    expect(describeStatus(status(machine))).toContain('What to do.')
  })
})

test.each([
  ['EPERM', /If psctx is running/],
  ['EBUSY', /If psctx is running/],
  ['ENOSPC', /disk is full/],
])('a file that cannot be written because of %s is explained', (code, advice) => {
  const error = explainFile(Object.assign(new Error('x'), { code }), 'It could not be written')
  expect(error).toBeInstanceOf(CommandError)
  expect(error.message).toMatch(advice)
  expect(error.message).toContain(`It could not be written: ${code}.`)
})
