/** Plants a fault for each tool of the static analysis, which has to find it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const obstacle = process.env['CI'] ? '' : (process.env['PSCTX_NO_ANALYSIS'] ?? '')

;(obstacle === '' ? test : test.skip)(
  `each tool of the static analysis finds what is planted for it${obstacle === '' ? '' : ` (${obstacle})`}`,
  () => {
    const planted = join('test', 'planted', 'planted.mjs')
    const { status, stdout, stderr } = spawnSync(process.execPath, [planted, '--analysis'], {
      cwd: root,
      encoding: 'utf8',
    })

    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' })
  },
  300_000,
)
