/** What is written on the command line: numbers, names of volumes, and data. */
import { open } from 'node:fs/promises'

import { InvalidArgumentError, Option, type Command } from 'commander'

import { CommandError } from './win32-error'
import { UsageError } from './failure'
import type { Runtime } from './runtime'

const maximumIdentifier = 2n ** 64n - 1n

/** An owner or an instance. */
export function toIdentifier(text: string): bigint {
  const number = /^(?:\d+|0x[\da-f]+)$/i.test(text) ? BigInt(text) : -1n
  if (number < 0n || number > maximumIdentifier) {
    throw new InvalidArgumentError('Write a number from 0 to 2**64-1, such as 42 or 0x2a.')
  }
  return number
}

/** An option whose value is an owner or an instance, 0 when nothing is said. */
export function identifierOption(flags: string, description: string): Option {
  return new Option(flags, `${description}, decimal or 0x…`).argParser(toIdentifier).default(0n, '0')
}

export function toCount(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('Write a number from 1 on.')
  return number
}

/** A drive or a path on the volume that is meant. */
export function toVolumeName(text: string): string {
  if (text === '') throw new InvalidArgumentError('Write a drive, such as C:.')
  return text
}

function toBytes(text: string): Buffer {
  const digits = text.replace(/[\s:]/g, '')
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) {
    throw new InvalidArgumentError('Write two hexadecimal digits for each byte, such as 00ff or "00 ff".')
  }
  return Buffer.from(digits, 'hex')
}

/** What says which bytes are meant. */
export interface DataOptions {
  readonly data?: string
  readonly dataHex?: Buffer
  readonly dataFile?: string
}

export function addDataOptions(command: Command): Command {
  return command
    .addOption(new Option('--data <text>', 'data: this text, as UTF-8').conflicts(['dataHex', 'dataFile']))
    .addOption(
      new Option('--data-hex <digits>', 'data: these bytes, such as 00ff').argParser(toBytes).conflicts('dataFile'),
    )
    .option('--data-file <file>', 'data: what is in this file, or with - on standard input')
}

/** The bytes, of which there are too many when there are more than so many: no more than that is read. */
async function readAll(chunks: AsyncIterable<Uint8Array | string>, maximum: number): Promise<Buffer> {
  const read: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Uint8Array)
    read.push(bytes)
    length += bytes.length
    if (length > maximum) throw new UsageError(`The data has more than ${maximum} bytes, which is the most. Name less.`)
  }
  return Buffer.concat(read)
}

/** Opens a file of this machine to be read, chunk by chunk. */
export async function* readFile(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    const file = await open(path)
    yield* file.createReadStream() as AsyncIterable<Uint8Array>
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandError(
      `The file ${path} cannot be read (${code ?? String(error)}). Name a file that is there and may be read.`,
      { cause: error },
    )
  }
}

/** The bytes that are meant; none when nothing is said. Those of a file are `maximum` at most. */
export async function readData(options: DataOptions, maximum: number, runtime: Runtime): Promise<Buffer> {
  const { data, dataHex, dataFile } = options
  if (data !== undefined) return Buffer.from(data)
  if (dataHex !== undefined) return dataHex
  if (dataFile === undefined) return Buffer.alloc(0)
  if (dataFile !== '-') return readAll(readFile(dataFile), maximum)
  if (runtime.shell !== undefined) {
    throw new UsageError('Standard input is where the shell reads its commands. Name a file with --data-file.')
  }
  return readAll(runtime.surroundings.input, maximum)
}
