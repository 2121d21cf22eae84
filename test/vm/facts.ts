/** What is known of a Windows machine, and what follows from it: whether the recipe can run there, has it crashed, is it as it was found. */

import type { Registration } from '../../src/cli/service'

/** What scripts/facts.ps1 tells. Nothing in it depends on the language of the system. */
export interface Facts {
  readonly version: string
  /** As Windows calls it: AMD64, ARM64, x86. */
  readonly architecture: string
  /** The user's own directory, where a connection begins. */
  readonly home: string
  readonly systemRoot: string
  /** Whether the mark is there, which goes when the machine restarts. */
  readonly marked: boolean
  readonly secureBoot: boolean
  /** Whether the system that runs was started with test signing. */
  readonly testSigning: boolean
  /** What the boot configuration says of test signing: 0 or 1 by the object, where it says anything. */
  readonly storedTestSigning: Readonly<Record<string, number>>
  /** Driver Verifier's values in the registry. */
  readonly verifier: Readonly<Record<string, { readonly kind: string; readonly value: unknown }>>
  /** Whether either front is there. */
  readonly service: boolean
  readonly driverFile: boolean
  /** Directories of a recipe, on every drive and in `home`. */
  readonly directories: readonly string[]
  readonly volumes: readonly {
    readonly drive: string
    readonly fileSystem: string | null
    readonly free: number | null
  }[]
  readonly dumps: readonly Dump[]
  /** The number of the newest entry of the System log. */
  readonly newestEvent: number
}

export interface Dump {
  readonly path: string
  readonly bytes: number
  /** UTC, ISO 8601. */
  readonly written: string
}

export interface Wishes {
  readonly volumes: readonly string[]
  readonly testSigning: boolean
  readonly verifier: boolean
}

/** Reads what scripts/facts.ps1 has written; undefined is told of a user who is no administrator. Throws for anything else. */
export function parseFacts(text: string): Facts | undefined {
  let value: { administrator?: unknown }
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    throw new Error(`this is not what a Windows machine answers: ${JSON.stringify(text.slice(0, 200))}`)
  }
  if (value.administrator === false) return undefined
  if (value.administrator !== true) throw new Error(`the facts lack whether the user is an administrator: ${text}`)
  return value as unknown as Facts
}

/** The architectures that there is a driver, an addon and a Node.js for, by Windows' names. */
const architectures: Readonly<Record<string, 'x64' | 'arm64'>> = { AMD64: 'x64', ARM64: 'arm64' }

export function architectureOf({ architecture }: Facts): 'x64' | 'arm64' {
  const found = architectures[architecture]
  if (found === undefined) throw new Error(`there is no Node.js for Windows on ${architecture}`)
  return found
}

/** What the machine's own directory must have room for, in bytes: package, tests, Node.js and Jest. */
const room = 500 * 1024 * 1024

/** Why the recipe cannot run, each with what to do about it. */
export function findObstacles(facts: Facts, wishes: Wishes): string[] {
  const obstacles: string[] = []
  if (!(facts.architecture in architectures)) {
    obstacles.push(`The machine is ${facts.architecture}: psctx-selftest.exe runs there by hand, Node.js does not.`)
  }
  if (facts.marked) {
    obstacles.push(
      'Another run is under way there. If it was cut off, restart the machine, or: reg.exe delete HKLM\\SOFTWARE\\psctx-vm /f',
    )
  }
  if (facts.service || facts.driverFile) {
    obstacles.push('The driver psctx is installed there: psctx driver uninstall, then restart the machine.')
  }
  if (wishes.testSigning && !facts.testSigning && facts.secureBoot) {
    obstacles.push("Secure Boot is on, which forbids test signing: switch it off in the machine's firmware.")
  }
  if (!wishes.testSigning && !facts.testSigning) {
    obstacles.push('Test signing is off, so that the driver would not load: --test-signing switches it on for the run.')
  }
  for (const drive of wishes.volumes) {
    const volume = facts.volumes.find((one) => one.drive.toUpperCase() === drive)
    if (volume === undefined) obstacles.push(`There is no volume ${drive}`)
    else if (volume.fileSystem === null) obstacles.push(`The volume ${drive} has no file system: format it.`)
  }
  const home = facts.volumes.find((one) => one.drive.toUpperCase() === facts.home.slice(0, 2).toUpperCase())
  if (home !== undefined && (home.free ?? 0) < room) {
    obstacles.push(`${home.drive} has less than ${room / 1024 / 1024} MiB left.`)
  }
  return obstacles
}

/** The crash dumps that `after` has and `before` has not. */
export function newDumps(before: Facts, after: Facts): Dump[] {
  const known = new Set(before.dumps.map(({ path, written }) => `${path}|${written}`))
  return after.dumps.filter(({ path, written }) => !known.has(`${path}|${written}`))
}

/** Objects are the same whatever the order that their keys were told in. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  )
}

export function isSame(one: unknown, other: unknown): boolean {
  return asText(one) === asText(other)
}

/** The command that gives the boot configuration's test signing back what it had, or undefined if it has that. */
export function testSigningUndo(before: Facts, now: Facts): string | undefined {
  const changed = Object.keys(now.storedTestSigning).find(
    (id) => now.storedTestSigning[id] !== before.storedTestSigning[id],
  )
  if (changed === undefined) return undefined
  return before.storedTestSigning[changed] === undefined
    ? 'bcdedit.exe /deletevalue testsigning'
    : `bcdedit.exe /set testsigning ${before.storedTestSigning[changed] === 0 ? 'off' : 'on'}`
}

/** What the machine is not as it was found in, each with what to do by hand. */
export function findDifferences(
  before: Facts,
  after: Facts,
  { service, file }: Pick<Registration, 'service' | 'file'>,
): string[] {
  const differences: string[] = []
  if (after.marked) differences.push('the mark of the run is there: reg.exe delete HKLM\\SOFTWARE\\psctx-vm /f')
  if (after.service) differences.push(`the service ${service} is there: sc.exe delete ${service}, then restart`)
  if (after.driverFile) differences.push(`the driver is there: delete ${after.systemRoot}\\System32\\drivers\\${file}`)
  for (const path of after.directories.filter((one) => !before.directories.includes(one))) {
    differences.push(`the directory is there: rmdir /s /q "${path}"`)
  }
  const command = testSigningUndo(before, after)
  if (command !== undefined) differences.push(`test signing is set otherwise: ${command}, then restart`)
  else if (before.testSigning !== after.testSigning) differences.push('test signing holds until a restart: restart')
  if (!isSame(before.verifier, after.verifier)) {
    const was = asText(before.verifier)
    differences.push(`Driver Verifier is set otherwise: verifier.exe /reset, then restart (it was ${was})`)
  }
  return differences
}
