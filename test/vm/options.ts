/** The command line of `npm run test:vm`. */
import { resolve } from 'node:path'

import { Command, InvalidArgumentError, Option } from 'commander'

import type { Front } from '../../src/index'
import { registrations } from '../../src/cli/service'

import type { Target } from './ssh'

export interface Options {
  readonly target: Target
  readonly front: Front
  readonly volumes: readonly string[]
  readonly verifier: boolean
  readonly testSigning: boolean
  readonly shard: Shard
  /** A directory that is not there, or empty. If it is left out: one below build/vm that is named after the run. */
  readonly output?: string
  /** How long the machine may take to restart, in milliseconds. */
  readonly wait: number
  readonly keep: boolean
}

export interface Shard {
  readonly index: number
  readonly count: number
}

function parseDrive(text: string, before: readonly string[] = []): string[] {
  if (!/^[A-Za-z]:\\?$/.test(text))
    throw new InvalidArgumentError('A volume is a drive letter with its colon, such as D:')
  return [...new Set([...before, text.slice(0, 2).toUpperCase()])]
}

function parseNumber(text: string, least: number, most: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`)
  }
  return number
}

export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const shard = { index: Number(index), count: Number(count) }
  if (index === undefined || shard.index < 1 || shard.index > shard.count) {
    throw new InvalidArgumentError('A shard is i/n, from 1/n to n/n.')
  }
  return shard
}

/** The part of a list that a shard has: parts differ by one at most, the first ones are the longer, as Jest's are. */
export function takeShard<T>(list: readonly T[], { index, count }: Shard): T[] {
  const start = (part: number) => part * Math.floor(list.length / count) + Math.min(part, list.length % count)
  return list.slice(start(index - 1), start(index))
}

/** The command; `action` is given what was asked for. */
export function makeProgram(action: (options: Options) => Promise<void>): Command {
  const program = new Command('npm run test:vm --')
  program
    .description(
      'Tests the driver and the package on a Windows machine, over OpenSSH, and leaves the machine as it was found.',
    )
    .argument('<user@host>', 'an administrator, who logs in with a key')
    .option('--volume <drive>', 'a volume to test on, such as D: (again for more; C: if left out)', parseDrive)
    .addOption(
      new Option('--front <front>', 'the driver to test').choices(Object.keys(registrations)).default('legacy'),
    )
    .option('--verifier', 'with Driver Verifier on the driver; the machine restarts before and after')
    .option('--test-signing', 'with test signing on, for the run; the machine restarts before and after')
    .option('--shard <i/n>', 'only the i-th of n parts of the suites', parseShard)
    .option('--identity <file>', 'the private key')
    .option('--port <number>', 'the port of the SSH server', (text) => parseNumber(text, 1, 65_535))
    .option('--output <directory>', 'where the results go; a new one or an empty one')
    .option('--wait <seconds>', 'how long the machine may take to restart (900)', (text) =>
      parseNumber(text, 1, 86_400),
    )
    .option('--keep', 'put nothing back, and tell what would have been')
    .addHelpText(
      'after',
      `
Example:
  npm run test:vm -- admin@192.0.2.7 --volume D: --test-signing --verifier

Exit codes: 0 all passed and the machine is as it was found; 1 not so; 2 wrong usage; 130 interrupted.
docs/testing-on-windows.md tells how to prepare a machine.`,
    )
    .action(async (destination: string, given: Record<string, unknown>) => {
      if (destination.startsWith('-') || /\s/.test(destination)) program.error(`error: ${destination} is no user@host`)
      await action({
        target: {
          destination,
          ...(given['port'] === undefined ? {} : { port: given['port'] as number }),
          ...(given['identity'] === undefined ? {} : { identity: given['identity'] as string }),
        },
        front: given['front'] as Front,
        volumes: (given['volume'] as string[] | undefined) ?? ['C:'],
        verifier: given['verifier'] === true,
        testSigning: given['testSigning'] === true,
        shard: (given['shard'] as Shard | undefined) ?? { index: 1, count: 1 },
        ...(given['output'] === undefined ? {} : { output: resolve(given['output'] as string) }),
        wait: ((given['wait'] as number | undefined) ?? 900) * 1000,
        keep: given['keep'] === true,
      })
    })
  return program
}
