/** `psctx driver …`. */
import { Option, type Command } from 'commander'

import type { DriverDocument } from '../../json'

import {
  describeStatus,
  install,
  isFine,
  start,
  status,
  stop,
  uninstall,
  type DriverMachine,
  type InstallOptions,
  type Report,
} from '../driver'
import { exitCode } from '../failure'
import { addExamples } from '../help'
import type { OutputOptions } from '../output'
import type { Runtime } from '../runtime'
import { registrations } from '../service'
import { CommandError } from '../win32-error'

function findMachine({ surroundings, isWindows }: Runtime): Promise<DriverMachine> {
  if (isWindows) return surroundings.machine()
  throw new CommandError(
    `There is no driver to manage on ${surroundings.platform}: the package runs it in its embedded kernel, ` +
      'which openFilter() starts by itself. Run `psctx doctor` to see whether that works.',
  )
}

interface Step {
  readonly name: 'install' | 'start' | 'stop' | 'uninstall'
  readonly description: string
  readonly act: (machine: DriverMachine, options: InstallOptions) => Report | Promise<Report>
}

const steps: readonly Step[] = [
  {
    name: 'install',
    description: 'copy the driver to the system and create its service; start it with "driver start"',
    act: install,
  },
  { name: 'start', description: 'load the driver', act: start },
  {
    name: 'stop',
    description: 'unload the driver: the minifilter, or a legacy filter that was installed with --allow-unload',
    act: stop,
  },
  {
    name: 'uninstall',
    description: 'stop the driver if it can be, and delete its service and file',
    act: uninstall,
  },
]

const examples: Readonly<Record<Step['name'], readonly string[]>> = {
  install: ['psctx driver install', 'psctx driver install --driver psctx.sys --allow-unload'],
  start: ['psctx driver start'],
  stop: ['psctx driver stop'],
  uninstall: ['psctx driver uninstall'],
}

function addStep(driver: Command, { name, description, act }: Step, runtime: Runtime): void {
  const command = driver.command(name).description(description)
  if (name === 'install') {
    command
      .addOption(
        new Option(
          '--front <front>',
          'what to install (default: what is there already; else the legacy filter, unless Windows blocks those here)',
        ).choices(Object.keys(registrations)),
      )
      .option('--driver <file>', "the image to install (default: the package's own, for this machine)")
      .option('--allow-unload', 'let a legacy filter be stopped: for test machines')
  }
  command.option('--json', 'print JSON (DriverDocument)').action(async (options: InstallOptions & OutputOptions) => {
    const done = await act(await findMachine(runtime), options)
    const document: DriverDocument = { command: `driver ${name}`, done }
    await runtime.output(options).show(document, () => done.join('\n'))
  })
  addExamples(command, runtime, ...examples[name])
}

export function addDriver(program: Command, runtime: Runtime): void {
  const driver = program
    .command('driver')
    .description('install, start, stop and uninstall the driver (Windows, as an administrator)')
  for (const step of steps) addStep(driver, step, runtime)
  const command = driver
    .command('status')
    .description('tell whether the driver is installed and runs; exits with 0 if it runs')
    .option('--json', 'print JSON (DriverStatusDocument)')
    .action(async (options: OutputOptions) => {
      const found = status(await findMachine(runtime))
      await runtime.output(options).show({ command: 'driver status', ...found }, () => describeStatus(found).join('\n'))
      runtime.code = isFine(found) ? exitCode.fine : exitCode.wrong
    })
  addExamples(command, runtime, 'psctx driver status', 'psctx driver status --json')
  addExamples(driver, runtime, 'psctx driver install', 'psctx driver start', 'psctx driver status')
}
