// Puts into a directory what a Windows machine needs to run tests: the package, the tests with the facade that they import, Jest, Node.js.
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { placeBinaries } from '../../scripts/binaries.mjs'
import { capture, CommandError, root, run } from '../../scripts/run.mjs'
import { build, buildWindows, once } from '../../scripts/setup.mjs'

const here = join(root, 'test', 'windows')

/**
 * Puts the package, as it is published but for what other machines need, into the directory package/ beside the modules that it depends on. It
 * is packed beside the checkout, whose own may be packed meanwhile.
 */
function unpackPackage(stage, architecture) {
  const source = join(stage, 'source')
  build()
  buildWindows({ withoutZig: architecture !== 'arm64' })
  rmSync(source, { recursive: true, force: true })
  for (const name of ['package.json', 'README.md', 'dist', join('driver', 'include')])
    cpSync(join(root, name), join(source, name), { recursive: true })
  placeBinaries(source, { linux: [], windows: [architecture] })
  const { status, output } = capture('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', stage], {
    cwd: source,
  })
  if (status !== 0) throw new CommandError(`npm pack ended with ${status}`)
  const [{ filename }] = JSON.parse(output)
  rmSync(join(stage, 'package'), { recursive: true, force: true })
  run('tar', ['-xzf', join(stage, filename), '-C', stage])
  for (const name of [filename, 'source']) rmSync(join(stage, name), { recursive: true })
}

/**
 * Fills `stage`. `project` is the TypeScript project of the tests, compiled into it; `jest` is the configuration of Jest there;
 * `architecture` is Node.js' name of the machine's.
 */
export function stageTests({ stage, architecture, project, jest }) {
  mkdirSync(stage, { recursive: true })
  const inputs = ['package.json', 'package-lock.json'].map((name) => join('test', 'windows', name))
  const place = relative(root, stage)
  once(`packages-${place.replaceAll(/\W/g, '-')}`, {
    inputs,
    products: [join(place, 'node_modules', '.package-lock.json')],
    make: () => {
      for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(here, name), join(stage, name))
      const options = ['--os=win32', `--cpu=${architecture}`, '--ignore-scripts', '--no-audit', '--no-fund']
      run('npm', ['ci', ...options], { cwd: stage })
    },
  })
  for (const name of ['src', 'test']) rmSync(join(stage, name), { recursive: true, force: true })
  run('npx', ['tsc', '--project', project, '--outDir', stage])
  unpackPackage(stage, architecture)
  cpSync(join(stage, 'package', 'prebuilds'), join(stage, 'prebuilds'), { recursive: true })
  writeFileSync(join(stage, 'jest.config.js'), `module.exports = ${JSON.stringify(jest)}\n`)
}

/** Windows' own Node.js in a stage. */
export const nodeOf = (stage, architecture, version) =>
  join(stage, 'node_modules', `node-win-${architecture}-${version}`, 'bin', 'node.exe')
