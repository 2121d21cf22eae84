/** What can be known of psctx.inf without InfVerif: it is whole, and what it says of the driver is what a legacy filter needs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Line, readInf } from './inf'

const text = readFileSync(join(__dirname, '..', '..', 'driver', 'psctx.inf'), 'utf8')
const inf = readInf(text)
const architectures = ['ntamd64', 'ntarm64', 'ntx86']

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
  expect(values('Version', 'CatalogFile')).toEqual(['psctx.cat'])
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
  expect(files).toEqual(['psctx.sys'])
  for (const file of files) {
    const [disk] = values('SourceDisksFiles', file)
    expect(values('SourceDisksNames', disk!)).toHaveLength(1)
  }
  const [service, flags, list] = values(`DefaultInstall.${name}.Services`, 'AddService')
  expect([service, flags]).toEqual(['psctx', '']) // no flag: it is the function driver of no device
  expect(values(list!, 'ServiceBinary')).toEqual(['%13%\\psctx.sys'])
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
