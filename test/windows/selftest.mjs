// psctx-selftest.exe on a Wine machine: what it says of an installed driver, and that it leaves nothing of one that it loads itself.
import { appendFileSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { CommandError, root } from '../../scripts/run.mjs'

const built = join(root, 'build', 'windows', 'x64')
const program = join(built, 'psctx-selftest.exe')
const volume = ['--volume', String.raw`\\.\PsHostFs`]
const milliseconds = 300_000

/** As the machine names an image that was built. */
const image = (machine, name) => machine.constructor.path(join(built, name))

/** Runs it, and counts its results, which are TAP; what a volume does not have is no test of it. */
export async function runSelfTest(machine, arguments_) {
  const { status, stdout, stderr } = await machine.run(program, arguments_, { timeout: milliseconds })
  const lines = stdout.split(/\r?\n/)
  const passed = lines.filter((line) => /^ok /.test(line) && !/ # SKIP/.test(line)).length
  const failed = lines.filter((line) => /^not ok /.test(line)).length
  if (status !== 0 || failed > 0) console.log(stdout + stderr)
  return { passed, failed: status !== 0 || passed === 0 ? Math.max(failed, 1) : failed }
}

/** The runs whose counts are told: on the file system, and on a volume whose files carry no contexts. */
export const selfTests = [
  ['the self-test, on hostfs.sys', [...volume, '--stress', '5']],
  ['the self-test, on a volume without contexts', ['--volume', 'C:\\']],
]

/** Has it load an image itself. */
export const loading = (machine, name) => ['--driver', image(machine, name)]

/** No service has a key, and nothing answers. */
export async function expectNothingLeft(machine) {
  for (const service of ['psctx', 'psctx-minifilter']) {
    const key = String.raw`HKLM\SYSTEM\CurrentControlSet\Services` + `\\${service}`
    const { status, stdout } = await machine.run('reg', ['query', key, '/s'])
    if (status === 0) throw new CommandError(`the key of ${service} is left:\n${stdout}`)
  }
  const { status, stdout } = await machine.run(program, volume)
  if (status !== 1 || !/the driver is not loaded/.test(stdout)) throw new CommandError(`a driver is left:\n${stdout}`)
}

/** It does not come to its end, and says why. */
async function expectFailure(machine, arguments_, reason) {
  const { status, stdout, stderr } = await machine.run(program, arguments_, { timeout: milliseconds })
  if (status !== 1 || !reason.test(stdout)) {
    throw new CommandError(`${arguments_.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  }
}

/** Ctrl+C in the midst of the stress. */
async function interrupt(machine, driver) {
  const arguments_ = [...driver, ...volume, '--stress', '3600', '--only', 'stress']
  const selfTest = machine.launch(program, arguments_, { timeout: milliseconds })
  let ended = false
  const exited = selfTest.exited.finally(() => (ended = true))
  while (!ended && !selfTest.output().includes('# seed')) await setTimeout(100)
  selfTest.interrupt()
  const { status, stdout, timedOut } = await exited
  const isTold = /^ok \d+ - nothing of the driver is left/m.test(stdout) && stdout.includes('Bail out! interrupted')
  if (status !== 1 || timedOut || !isTold) throw new CommandError(`interrupted, it ends with ${status}:\n${stdout}`)
}

/** What may end a run that loads a driver, each with how. */
export const ends = [
  ['is interrupted', interrupt],
  // Wine has no NtLoadDriver: what was written for it goes.
  [
    'cannot load it',
    (machine, driver) => expectFailure(machine, [...driver, '--native', ...volume], /NtLoadDriver fails/),
  ],
  [
    'gives up',
    (machine, driver) =>
      expectFailure(
        machine,
        [...driver, '--volume', `C:\\${'d'.repeat(504)}`],
        /Bail out! the directory's name is too/,
      ),
  ],
]

/** Where one front is installed and runs, neither image is loaded. */
export async function expectRefusal(machine, installed, other) {
  await expectFailure(machine, [...loading(machine, installed), ...volume], /there is a service psctx\S* already/)
  await expectFailure(machine, [...loading(machine, other), ...volume], /there is a driver already/)
}

/**
 * The legacy filter's image with the name of Filter Manager's behind it: its bytes say that it is a minifilter, and its answer that it is none.
 * Since it was installed as a minifilter it cannot be stopped: this is a machine's last step.
 */
export async function expectDisguise(machine) {
  const path = join(machine.directory, 'disguised.sys')
  copyFileSync(join(built, 'psctx.sys'), path)
  appendFileSync(path, 'fltmgr.sys\0')
  const arguments_ = ['--driver', machine.constructor.path(path), ...volume]
  await expectFailure(
    machine,
    arguments_,
    /Bail out! .* was taken for a minifilter\r?\n[^]*Bail out! the driver cannot/,
  )
}
