/** What a run comes to: where it ran, and how many checks of each subject came to what. */
import { readFileSync } from 'node:fs'
import { release, type as systemName, version } from 'node:os'
import { sep } from 'node:path'

import { optionsOf, type Filter, type KernelName } from '../index'

import type { Verdict } from './judgement'
import type { ConformanceResult } from './conformance'

/** Where a run was made. */
export interface ConformanceEnvironment {
  /** The file system's driver, such as `Ntfs`; of a directory of the embedded kernel, with the file system that it lies on. */
  readonly fileSystem: string
  /** Whose kernel ran the driver. */
  readonly kernel: KernelName
  /** The operating system and its build. */
  readonly system: string
  /** The version of the driver `psctx`. */
  readonly driver: string
}

/** How many checks came to what. */
export type ConformanceCounts = Readonly<Record<Verdict, number>>

/** What a run comes to, and where it was made. */
export interface ConformanceSummary extends ConformanceEnvironment {
  /** How many checks came to what. */
  readonly counts: ConformanceCounts
  /** 0: none failed, and some passed; 1: some failed; 2: nothing could be judged. */
  readonly exitCode: 0 | 1 | 2
}

/** The type of the file system that a directory of this machine lies on. */
function mountedType(directory: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  let found: readonly string[] | undefined
  for (const mount of mounts) {
    const point = mount[1]?.replace(/\\040/g, ' ')
    if (point === undefined) continue
    const isAbove = directory === point || directory.startsWith(point.endsWith(sep) ? point : point + sep)
    if (isAbove && point.length >= (found?.[1]?.length ?? 0)) found = mount
  }
  return found?.[2]
}

/** Where checks of a directory run by this filter. */
export function conformanceEnvironment(directory: string, filter: Filter): ConformanceEnvironment {
  const drive = /^(?:\\\\[?.]\\)?([A-Za-z]:)/.exec(directory)?.[1]?.toUpperCase()
  const volume = filter.volumes().find(({ mountPoints }) => drive !== undefined && mountPoints.includes(drive))
  const name = volume?.fileSystem.replace(/^\\FileSystem\\/i, '') ?? 'unknown'
  const definition = drive === undefined ? undefined : optionsOf(filter).volumes?.[drive]
  const below = definition?.type === 'directory' ? mountedType(definition.path) : undefined
  return {
    fileSystem: below === undefined ? name : `${name} on ${below}`,
    kernel: filter.kernel,
    system: filter.kernel === 'windows' ? `${version()} ${release()}` : `embedded kernel, ${systemName()} ${release()}`,
    driver: filter.version,
  }
}

/** Sums a run up. */
export function summarize(
  results: readonly ConformanceResult[],
  environment: ConformanceEnvironment,
): ConformanceSummary {
  const counts = { pass: 0, fail: 0, 'not-supported': 0, information: 0 }
  for (const { verdict } of results) counts[verdict] += 1
  const exitCode = counts.fail > 0 ? 1 : counts.pass > 0 ? 0 : 2
  return { ...environment, counts, exitCode }
}
