/** The package as it is installed: in every way that programs use it, in every version of Node.js that it is for. */
import { rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Fixtures, fixtures, installedProject, obstacle, root, run } from './fixtures'

const job = `
const filter = openFilter({ kernel: 'host', volumes: { 'M:': { type: 'memory' } } })
filter.host!.writeFile('M:\\\\a', Buffer.from('a'))
const stream = filter.openStream('M:\\\\a')
stream.insert({ instance: 1n, data: Buffer.from('seen') })
const found = stream.lookup({ instance: 1n })!.data.toString()
const gone = [stream.remove({ instance: 1n })!.data.toString(), stream.lookup({ instance: 1n })]
let code
try { stream.insert({ instance: 2n }); stream.insert({ instance: 2n }) } catch (error) {
  code = error instanceof PerStreamContextError ? error.code : error
}
filter.close()
const text = JSON.stringify({ instance: 1n }, jsonReplacer)
console.log([found, ...gone, code, JSON.parse(text, jsonReviver).instance].join(' '))
`
const plainJob = job.replaceAll('!.', '.')
const said = 'seen seen  STATUS_OBJECT_NAME_COLLISION 1\n'

const programs: Readonly<Record<string, string>> = {
  'program.cjs': `
    const { openFilter, PerStreamContextError } = require('per-stream-context')
    const { jsonReplacer, jsonReviver } = require('per-stream-context/json')
    ${plainJob}`,
  'program.mjs': `
    import { openFilter, PerStreamContextError } from 'per-stream-context'
    import { jsonReplacer, jsonReviver } from 'per-stream-context/json'
    ${plainJob}`,
  'worker.cjs': `
    const { Worker } = require('node:worker_threads')
    require('per-stream-context')
    new Worker(require('node:path').join(__dirname, 'program.mjs'))`,
  'both.mjs': `
    import { createRequire } from 'node:module'
    import * as imported from 'per-stream-context'
    const required = createRequire(import.meta.url)('per-stream-context')
    console.log(Object.keys(imported).every((name) => imported[name] === required[name]), Object.keys(imported).length === Object.keys(required).length)`,
}
const typed = `import { openFilter, PerStreamContextError } from 'per-stream-context'
import { jsonReplacer, jsonReviver } from 'per-stream-context/json'
${job.replace('let code', 'let code: unknown').replace('JSON.parse(text, jsonReviver)', '(JSON.parse(text, jsonReviver) as { instance: bigint })')}`

const describeIf = obstacle === '' ? describe : describe.skip
const nodes: Fixtures['nodes'] = obstacle === '' ? fixtures().nodes : { 'none, which is skipped': '' }

describeIf('installed', () => {
  let project: string
  beforeAll(() => {
    project = installedProject()
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(project, name), text)
    writeFileSync(join(project, 'common.cts'), typed)
    writeFileSync(join(project, 'module.mts'), typed)
    mkdirSync(join(project, 'node_modules', '@types'))
    for (const name of [join('@types', 'node'), 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
    }
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = ['--strict', '--target', 'es2022', '--module', 'node16', '--types', 'node', '--outDir', 'compiled']
    const compiled = run(process.execPath, [compiler, ...options, 'common.cts', 'module.mts'], project)
    expect(compiled).toMatchObject({ status: 0, stdout: '' })
  }, 120_000)
  afterAll(() => {
    rmSync(project, { recursive: true })
  })

  describe.each(Object.keys(nodes))('on Node.js %s', (major) => {
    const node = nodes[major]!

    test.each(['program.cjs', 'program.mjs', 'worker.cjs', 'compiled/common.cjs', 'compiled/module.mjs'])(
      'does its job in %s',
      (program) => {
        expect(run(node, [program], project)).toEqual({ status: 0, stdout: said, stderr: '' })
      },
      60_000,
    )

    test('is the same whether it is imported or required', () => {
      expect(run(node, ['both.mjs'], project)).toEqual({ status: 0, stdout: 'true true\n', stderr: '' })
    })

    test('has the command line', () => {
      const psctx = join('node_modules', '.bin', 'psctx')
      expect(run(node, [psctx, 'doctor', '--json'], project)).toMatchObject({ status: 0, stderr: '' })
    })
  })

  // Electron is not in the registry of npm, whose package fetches it from elsewhere: PSCTX_ELECTRON names its program where it is there.
  const electron = process.env['PSCTX_ELECTRON'] ?? ''
  if (electron !== '') {
    test.each(['program.cjs', 'program.mjs', 'worker.cjs'])(
      "does its job in Electron's Node mode, in %s",
      (program) => {
        expect(run(electron, [program], project, { ELECTRON_RUN_AS_NODE: '1' })).toMatchObject({
          status: 0,
          stdout: said,
        })
      },
    )
  }

  test('says what is wrong where there is no addon', () => {
    const named = run(process.execPath, ['program.cjs'], project, { PSCTX_ADDON_PATH: '/nowhere/psctx.node' })
    expect(named.status).toBe(1)
    expect(named.stderr).toContain('PSCTX_ADDON_PATH names /nowhere/psctx.node, which is not there.')
    const broken = run(process.execPath, ['program.cjs'], project, { PSCTX_ADDON_PATH: 'program.cjs' })
    expect(broken.status).toBe(1)
  })
})
