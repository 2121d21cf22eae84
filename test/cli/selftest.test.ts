/** The self-test, which needs no Node.js, knows of its own what a driver is installed as: what the command line knows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { registrations } from '../../src/cli/service'

const kernel = join(__dirname, '..', 'kernel')
const front = readFileSync(join(kernel, 'front.c'), 'utf8').replaceAll('\\\\', '\\')
const service = readFileSync(join(kernel, 'service.c'), 'utf8')

/** The table of a front's values. */
function valuesOf(table: string) {
  const text = front.slice(front.indexOf(`${table}[]`))
  const rows = text.slice(0, text.indexOf('};')).matchAll(/\{L"\\?(.*?)", L"(\w+)", (?:L"(.*?)"|NULL), (\d+)\}/g)
  return [...rows].map(([, key, name, text, number]) => ({ key, name, data: text ?? Number(number) }))
}

test('its minifilter has the values that are installed, and nothing that lets a legacy filter be stopped', () => {
  const values = valuesOf('MinifilterValues')
  expect(values).toEqual(expect.arrayContaining([...registrations.minifilter.values]))
  expect(values).toHaveLength(registrations.minifilter.values.length)
})

test('its legacy filter has the value that lets it be stopped', () => {
  expect(valuesOf('LegacyValues')).toEqual([{ key: '', name: 'AllowUnload', data: 1 }])
})

test('its services have the names, the group and the dependency that are installed', () => {
  expect([...front.matchAll(/\.Service = L"(.*?)"/g)].map(([, name]) => name)).toEqual([
    registrations.legacy.service,
    registrations.minifilter.service,
  ])
  expect(front).toContain(`MinifilterDependencies[] = L"${registrations.minifilter.dependency}\\0"`)
  expect(service).toContain(`#define SERVICE_GROUP L"${registrations.minifilter.group}"`)
  expect(registrations.legacy.group).toBe(registrations.minifilter.group)
})
