/** What can be known of the INFs without InfVerif: they are whole, and what they say of the driver is what a filter of its kind needs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Line, readInf } from './inf'

const architectures = ['ntamd64', 'ntarm64', 'ntx86']

describe.each(['psctx', 'psctx-minifilter'])('%s.inf', (driver) => {
  const text = readFileSync(join(__dirname, '..', '..', 'driver', `${driver}.inf`), 'utf8')
  const inf = readInf(text)

  function section(name: string): Line[] {
    const lines = inf.get(name.toLowerCase())
    if (lines === undefined) throw new Error(`there is no [${name}]`)
    return lines
  }

  function values(name: string, key: string): string[] {
    return section(name).flatMap((line) => (line.key?.toLowerCase() === key.toLowerCase() ? line.values : []))
  }

  test('is ASCII, which every Windows reads the same', () => {
    expect(text).toMatch(/^[\t\r\n -~]*$/)
  })

  test('is for Windows NT, in the class of activity monitors, with a catalog', () => {
    expect(values('Version', 'Signature')).toEqual(['$WINDOWS NT$'])
    expect(values('Version', 'Class')).toEqual(['ActivityMonitor'])
    expect(values('Version', 'ClassGuid')).toEqual(['{b86dff51-a31e-4bac-b3cf-e8cfe75c9fc2}'])
    expect(values('Version', 'CatalogFile')).toEqual([`${driver}.cat`])
    expect(values('Version', 'PnpLockdown')).toEqual(['1'])
  })

  test('has a date and a version of four parts', () => {
    const [date, version] = values('Version', 'DriverVer')
    expect(date).toMatch(/^(?:0[1-9]|1[0-2])\/(?:0[1-9]|[12]\d|3[01])\/20\d\d$/)
    expect(version).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  })

  test('installs on each architecture and on nothing undecorated', () => {
    const installs = [...inf.keys()].filter((name) => name.startsWith('defaultinstall'))
    const expected = architectures.flatMap((name) => [`defaultinstall.${name}`, `defaultinstall.${name}.services`])
    expect(installs.sort()).toEqual(expected.sort())
  })

  test.each(architectures)('on %s copies files from its sources, and adds the service', (name) => {
    const copied = values(`DefaultInstall.${name}`, 'CopyFiles').flatMap((list) => section(list))
    const files = copied.flatMap((line) => line.values)
    expect(files).toEqual([`${driver}.sys`])
    for (const file of files) {
      const [disk] = values('SourceDisksFiles', file)
      expect(values('SourceDisksNames', disk!)).toHaveLength(1)
    }
    const [service, flags, list] = values(`DefaultInstall.${name}.Services`, 'AddService')
    expect([service, flags]).toEqual([driver, '']) // no flag: it is the function driver of no device
    expect(values(list!, 'ServiceBinary')).toEqual([`%13%\\${driver}.sys`])
  })

  test('copies to where the service starts it from', () => {
    expect(values('DestinationDirs', 'DefaultDestDir')).toEqual(['13'])
  })

  test("is a file system driver's service, on demand, in the load order group of its class", () => {
    const service = 'Psctx.Service'
    expect(values(service, 'ServiceType')).toEqual(['2'])
    expect(values(service, 'StartType')).toEqual(['3'])
    expect(values(service, 'ErrorControl')).toEqual(['1'])
    expect(values(service, 'LoadOrderGroup')).toEqual(['FSFilter Activity Monitor'])
  })

  test('uses every string that it has, and has every string that it uses', () => {
    const used = text.match(/%[A-Za-z]\w*%/g)!.map((token) => token.slice(1, -1).toLowerCase())
    const defined = section('Strings').map((line) => line.key!.toLowerCase())
    expect([...new Set(used)].sort()).toEqual(defined.sort())
  })

  test('has no section that nothing names', () => {
    const standard = ['version', 'sourcedisksnames', 'sourcedisksfiles', 'destinationdirs', 'strings']
    const named = [...inf.values()].flat().flatMap((line) => line.values.map((value) => value.toLowerCase()))
    const orphans = [...inf.keys()].filter(
      (name) => !standard.includes(name) && !name.startsWith('defaultinstall.') && !named.includes(name),
    )
    expect(orphans).toEqual([])
  })

  /** What the minifilter's writes to the registry of its service: the key, the name and the value of each line, with strings filled in. */
  function registry(): string[][] {
    const strings = new Map(section('Strings').map((line) => [line.key!.toLowerCase(), line.values[0]!]))
    const fill = (value: string) =>
      value.replaceAll('"', '').replace(/%(\w+)%/g, (_, name: string) => strings.get(name.toLowerCase())!)
    const lists = values('Psctx.Service', 'AddReg')
    return lists.flatMap((list) => section(list).map((line) => line.values.map(fill)))
  }

  if (driver === 'psctx') {
    test('writes nothing to the registry, and depends on nothing: it is no minifilter', () => {
      expect(registry()).toEqual([])
      expect(values('Psctx.Service', 'Dependencies')).toEqual([])
    })
  } else {
    test('is loaded after Filter Manager', () => {
      expect(values('Psctx.Service', 'Dependencies')).toEqual(['FltMgr'])
    })

    test.each(['Instances', 'Parameters\\Instances'])('has one instance that attaches by itself, below %s', (place) => {
      const lines = registry().filter(([, key]) => key === place || key!.startsWith(`${place}\\`))
      const [root, key, name, kind, instance] = lines[0]!
      expect([root, key, name, kind]).toEqual(['HKR', place, 'DefaultInstance', '0x00000000'])
      expect(lines.slice(1)).toEqual([
        ['HKR', `${place}\\${instance}`, 'Altitude', '0x00000000', expect.any(String)],
        ['HKR', `${place}\\${instance}`, 'Flags', '0x00010001', '0x0'],
      ])
    })

    test('has an altitude in the range of its load order group, and says where to ask for one', () => {
      const altitudes = registry().flatMap(([, , name, , value]) => (name === 'Altitude' ? [value!] : []))
      expect(new Set(altitudes).size).toBe(1)
      expect(altitudes[0]).toMatch(/^\d{6}(?:\.\d+)?$/)
      expect(Number(altitudes[0])).toBeGreaterThanOrEqual(360_000)
      expect(Number(altitudes[0])).toBeLessThan(390_000)
      expect(text).toMatch(/placeholder[^[]*minifilter-altitude-request/s)
    })

    test('has the altitude that the embedded kernel is told', () => {
      const fronts = readFileSync(join(__dirname, '..', '..', 'driver', 'fronts.c'), 'utf8')
      const told = /define PSCTX_ALTITUDE L"([^"]*)"/.exec(fronts)?.[1]
      expect(
        registry()
          .filter(([, , name]) => name === 'Altitude')
          .map((line) => line[4]),
      ).toEqual([told, told])
    })
  }
})
