/** `psctx volumes`. */
import type { Command } from 'commander'

import type { Volume } from '../../index'
import type { VolumesDocument } from '../../json'

import { addExamples } from '../help'
import { addKernelOptions, withFilter, type KernelOptions } from '../kernel'
import type { Output, OutputOptions } from '../output'
import type { Runtime } from '../runtime'

type Options = KernelOptions & OutputOptions

function describeAttachment({ attachment, status }: Volume): string {
  if (attachment === 'snapshot') return 'no: a shadow copy'
  return attachment === 'attached' ? 'yes' : `no: ${status ?? 'failed'}`
}

function tell(output: Output, { volumes }: VolumesDocument): string {
  if (volumes.length === 0) return 'The driver’s filter knows no volume.'
  const rows = volumes.map((volume) => [
    volume.mountPoints.join(' '),
    volume.device,
    volume.fileSystem,
    describeAttachment(volume),
    volume.tearsDown ? 'yes' : 'NO',
    String(volume.contexts),
    String(volume.bytes),
  ])
  return output.table(['drive', 'device', 'file system', 'attached', 'tears down', 'contexts', 'bytes'], rows)
}

export function addVolumes(program: Command, runtime: Runtime): void {
  const command = program
    .command('volumes')
    .description('list the volumes: whether the filter is attached, and whether the file system can tear contexts down')
    .option('--json', 'print JSON (VolumesDocument)')
    .action(async (options: Options) => {
      const output = runtime.output(options)
      await withFilter(runtime, options, output, true, ({ filter }) =>
        output.show({ command: 'volumes', kernel: filter.kernel, volumes: filter.volumes() }, (document) =>
          tell(output, document),
        ),
      )
    })
  addKernelOptions(command, runtime)
  addExamples(command, runtime, 'psctx volumes', 'psctx volumes --json')
}
