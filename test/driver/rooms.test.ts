/** How the rooms of driver/src lie on each other: what a room knows lies below it, and it knows it by its one header. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const driver = join(__dirname, '..', '..', 'driver')
const source = join(driver, 'src')

/** From the top down. */
const rooms = [
  'driver',
  'requests',
  'inspection',
  'tracking',
  'legacy',
  'minifilter',
  'core',
  'volumes',
  'events',
  'kernel',
]

/** What else a room must not know, though it lies below: whichever front there is, nothing but the driver's entry knows which; nor do they know each other. */
const fronts = ['legacy', 'minifilter']
const strangers: Record<string, string[]> = {
  requests: fronts,
  inspection: fronts,
  tracking: fronts,
  legacy: ['minifilter'],
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.[ch]$/.test(name))
  .sort()
const headers = files.filter((name) => name.endsWith('.h'))
const sources = files.filter((name) => name.endsWith('.c'))

const roomOf = (name: string) => dirname(name)
const headerOf = (room: string) => `${room}/${room}.h`
const isBelow = (room: string, other: string) => rooms.indexOf(room) > rooms.indexOf(other)

/** What a file includes of the driver's own, and nothing else. */
function includesOf(name: string): string[] {
  const text = readFileSync(join(source, name), 'utf8')
  return Array.from(text.matchAll(/^[ \t]*#[ \t]*include[ \t]+"([^"]*)"/gm), ([, path]) => path!)
}

/** Why a file of one room may not include this, or undefined. */
function objectionTo(name: string, included: string): string | undefined {
  const room = roomOf(name)
  const other = roomOf(included)
  if (!files.includes(included)) return 'is no header of a room'
  if (room === other) return undefined
  if (!isBelow(other, room)) return `runs up from ${room}`
  if (strangers[room]?.includes(other)) return `is of a room that ${room} must not know`
  return included === headerOf(other) ? undefined : `goes past ${headerOf(other)}`
}

const compiler = ['-std=gnu11', '-fshort-wchar', '-Wall', '-Wextra', '-Wno-multichar', '-Werror'].concat(
  [join(driver, 'include'), source, join(driver, 'host', 'include')].map((directory) => `-I${directory}`),
)

interface Symbols {
  defined: string[]
  needed: string[]
}

/** Compiles every source, and tells what of the driver's each defines for others, and what it needs of them. */
function symbolsOfSources(): Map<string, Symbols> {
  const objects = mkdtempSync(join(tmpdir(), 'psctx-rooms-'))
  try {
    execFileSync('cc', [...compiler, '-c', ...sources.map((name) => join(source, name))], { cwd: objects })
    const bySource = new Map(
      sources.map((name) => [basename(name, '.c'), { defined: [] as string[], needed: [] as string[] }]),
    )
    const names = [...bySource.keys()].map((name) => `${name}.o`)
    const listed = execFileSync('nm', ['--print-file-name', '--format=posix', ...names], {
      cwd: objects,
      encoding: 'utf8',
    })
    for (const [, object, symbol, type] of listed.matchAll(/^(\w+)\.o: (Psctx\w+|DriverEntry) ([A-Z])/gm)) {
      const { defined, needed } = bySource.get(object!)!
      ;(type === 'U' ? needed : defined).push(symbol!)
    }
    return new Map(sources.map((name) => [name, bySource.get(basename(name, '.c'))!]))
  } finally {
    rmSync(objects, { recursive: true })
  }
}

test('every file is in a room, and every room has its header', () => {
  expect(new Set(files.map(roomOf))).toEqual(new Set(rooms))
  expect(rooms.filter((room) => headers.includes(headerOf(room)))).toEqual(rooms)
})

test("no two sources have the same name: each object has its source's", () => {
  expect(new Set(sources.map((name) => basename(name))).size).toBe(sources.length)
})

test.each(headers)('%s compiles alone', (header) => {
  execFileSync('cc', [...compiler, '-fsyntax-only', '-x', 'c', '-include', header, '/dev/null'], { encoding: 'utf8' })
})

test('what is included lies below, and is the one header of its room', () => {
  const objections = files.flatMap((name) =>
    includesOf(name).flatMap((included) => {
      const objection = objectionTo(name, included)
      return objection === undefined ? [] : [`${name}: "${included}" ${objection}`]
    }),
  )
  expect(objections).toEqual([])
})

test('an include that runs up, goes past a header, or leaves the rooms is objected to', () => {
  expect(objectionTo('core/context.c', 'tracking/tracking.h')).toMatch(/runs up/)
  expect(objectionTo('requests/track.c', 'tracking/name.h')).toMatch(/goes past/)
  expect(objectionTo('tracking/rules.c', 'legacy/legacy.h')).toMatch(/must not know/)
  expect(objectionTo('requests/volumes.c', 'legacy/legacy.h')).toMatch(/must not know/)
  expect(objectionTo('legacy/create.c', 'minifilter/minifilter.h')).toMatch(/must not know/)
  expect(objectionTo('minifilter/open.c', 'legacy/legacy.h')).toMatch(/runs up/)
  expect(objectionTo('legacy/create.c', '../host/kernel.h')).toMatch(/no header/)
})

test('what a room calls and reads is its own, or of a room below: no declaration of its own goes around a header', () => {
  const symbols = symbolsOfSources()
  const owners = new Map([...symbols].flatMap(([name, { defined }]) => defined.map((symbol) => [symbol, roomOf(name)])))
  expect(owners.get('PsctxAllocate')).toBe('kernel')
  expect(owners.get('DriverEntry')).toBe('driver')
  const objections = [...symbols].flatMap(([name, { needed }]) =>
    needed.flatMap((symbol) => {
      const [room, owner] = [roomOf(name), owners.get(symbol)]
      if (owner === room) return []
      return owner !== undefined && isBelow(owner, room) && !strangers[room]?.includes(owner)
        ? []
        : [`${name}: ${symbol} of ${owner}`]
    }),
  )
  expect(objections).toEqual([])
}, 60_000)
