/** What withFilter and withVolume do around each test. */
import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { makeTestDirectory } from '../../src/jest/directory'
import { readEnvironment } from '../../src/jest/environment'
import { withFilter, withVolume, type SetUpOptions, type TestRunner } from '../../src/jest/index'
import { ntfsObstacle } from '../../src/ntfs-image'
import { ntfsVolume } from '../contract/volume'
import { where } from '../unit/platform'

import { argumentErrorOf, messageOf } from './failure'
import { closeLate } from './late'

/** A runner whose hooks the test runs by itself. */
class Hooks implements TestRunner {
  readonly #before: (() => void)[] = []
  readonly #after: (() => Promise<void>)[] = []

  readonly beforeEach = (action: () => void): void => void this.#before.push(action)
  readonly afterEach = (action: () => Promise<void>): void => void this.#after.push(action)

  before(): void {
    for (const action of this.#before) action()
  }

  async after(): Promise<void> {
    for (const action of this.#after) await action()
  }

  /** Runs a test between the hooks. */
  async run(test: () => unknown): Promise<void> {
    this.before()
    try {
      await test()
    } finally {
      await this.after()
    }
  }
}

/** What `action` does where the environment has these variables. */
function inEnvironment<T>(variables: { PSCTX_KERNEL?: string; PSCTX_VOLUME?: string }, action: () => T): T {
  const saved = process.env
  process.env = { ...saved, PSCTX_KERNEL: undefined, PSCTX_VOLUME: undefined, ...variables }
  try {
    return action()
  } finally {
    process.env = saved
  }
}

describe('withFilter', () => {
  test('opens a filter for each test and closes it afterwards', async () => {
    const hooks = new Hooks()
    const setUp = inEnvironment({}, () => withFilter({ runner: hooks }))
    const filters = new Set<unknown>()
    for (let round = 0; round < 2; round += 1) {
      await hooks.run(() => {
        expect(setUp.filter).toMatchObject({ kernel: 'host', closed: false })
        expect(setUp.filter).toBe(setUp.filter)
        filters.add(setUp.filter)
      })
    }
    expect([...filters]).toEqual([expect.objectContaining({ closed: true }), expect.objectContaining({ closed: true })])
    expect(await messageOf(() => setUp.filter)).toBe(
      'withFilter: the filter is there while a test runs: use it in a test.',
    )
  })

  test('fails a test that leaves contexts, tells which, and closes the filter all the same', async () => {
    const hooks = new Hooks()
    const setUp = withVolume({ runner: hooks, within: 10 })
    hooks.before()
    const { filter } = setUp
    filter.openStream(setUp.writeFile('a.txt')).insert({ instance: 1n, data: Buffer.from('seen') })
    filter.openStream(setUp.writeFile('a.txt:notes')).insert({ owner: 7n, instance: 2n, lifetime: 'stream' })
    expect(await messageOf(() => hooks.after())).toMatchInlineSnapshot(`
     "The test has left 2 contexts.

       owner 0, instance 1, 4 bytes on \\Device\\HostVolume1\\psctx-…\\a.txt
       owner 7, instance 2, 0 bytes on \\Device\\HostVolume1\\psctx-…\\a.txt:notes

     Close every handle of its stream, or remove it, before the test ends; or close the filter there."
    `)
    expect(filter.closed).toBe(true)
  })

  test('waits for what the file system tears down late', async () => {
    const hooks = new Hooks()
    const setUp = withVolume({ runner: hooks, within: 60_000 })
    let looks: Promise<number> | undefined
    await hooks.run(() => {
      const stream = setUp.filter.openStream(setUp.writeFile('a.txt'))
      stream.insert({ instance: 1n })
      looks = closeLate(setUp.filter, stream)
    })
    expect(await looks).toBe(1)
  })

  test.each([
    ['what is said', 'host', 5000, 25_000],
    ['nothing, on the embedded kernel', 'host', undefined, 20_000],
    ['ten seconds, on Windows', 'windows', undefined, 30_000],
  ])("gives hooks the time that they need beside the file system's: %s", (_, kernel, within, afterwards) => {
    const runner = { beforeEach: jest.fn(), afterEach: jest.fn() }
    inEnvironment({ PSCTX_KERNEL: kernel }, () => withFilter({ runner, within }))
    expect(runner.beforeEach.mock.calls).toEqual([[expect.any(Function), 20_000]])
    expect(runner.afterEach.mock.calls).toEqual([[expect.any(Function), afterwards]])
  })

  test('asks nothing of a test that closes the filter itself', async () => {
    const hooks = new Hooks()
    const setUp = withVolume({ runner: hooks })
    await hooks.run(() => {
      setUp.filter.openStream(setUp.writeFile('a.txt')).insert({ instance: 1n })
      setUp.filter.close()
    })
  })

  test('fails each test with the reason where the filter cannot be opened', async () => {
    const hooks = new Hooks()
    inEnvironment({ PSCTX_VOLUME: 'N:=/nowhere' }, () => withFilter({ runner: hooks }))
    expect(() => hooks.before()).toThrow('STATUS_OBJECT_PATH_NOT_FOUND')
    await hooks.after()
  })

  test('takes the embedded kernel for Windows on no account', async () => {
    const hooks = new Hooks()
    inEnvironment({ PSCTX_KERNEL: 'windows', PSCTX_VOLUME: 'T:' }, () => withVolume({ runner: hooks }))
    expect(() => hooks.before()).toThrow('The kernel of Windows is not on this machine')
    await hooks.after()
  })

  test('refuses what it cannot use', async () => {
    const runner = new Hooks()
    const members = { beforeEach: () => undefined, afterEach: () => undefined }
    const errors = [
      await argumentErrorOf(() => withFilter(5 as never)),
      await argumentErrorOf(() => withFilter({ runner: null as never })),
      await argumentErrorOf(() => withFilter({ runner: { ...members, beforeEach: undefined as never } })),
      await argumentErrorOf(() => withFilter({ runner: { ...members, afterEach: undefined as never } })),
      await argumentErrorOf(() => withFilter({ runner: Object.assign(() => undefined, members) })),
      await argumentErrorOf(() => withFilter({ runner, within: -1 })),
      await argumentErrorOf(() => withVolume({ runner, volume: 'M:' } as SetUpOptions)),
      await argumentErrorOf(() => inEnvironment({ PSCTX_KERNEL: 'linux' }, () => withFilter({ runner }))),
      await argumentErrorOf(() => inEnvironment({ PSCTX_VOLUME: '/mnt/M:' }, () => withVolume({ runner }))),
      await argumentErrorOf(() => inEnvironment({ PSCTX_VOLUME: 'N:/mnt' }, () => withVolume({ runner }))),
      await argumentErrorOf(() =>
        inEnvironment({ PSCTX_KERNEL: 'windows', PSCTX_VOLUME: 'T:=C:\\tests' }, () => withVolume({ runner })),
      ),
    ]
    expect(errors.map(({ code, message }) => `${code} ${message}`)).toMatchInlineSnapshot(`
     [
       "ERR_INVALID_ARG_TYPE withFilter: \`options\` must be an object.",
       "ERR_INVALID_ARG_TYPE withFilter: \`runner\` must be an object with beforeEach and afterEach.",
       "ERR_INVALID_ARG_TYPE withFilter: \`runner\` must be an object with beforeEach and afterEach.",
       "ERR_INVALID_ARG_TYPE withFilter: \`runner\` must be an object with beforeEach and afterEach.",
       "ERR_INVALID_ARG_TYPE withFilter: \`runner\` must be an object with beforeEach and afterEach.",
       "ERR_INVALID_ARG_VALUE withFilter: \`within\` must be an integer from 0 to 2147483647.",
       "ERR_INVALID_ARG_VALUE withVolume: \`volume\` must be left out: known are within, runner.",
       "ERR_INVALID_ARG_VALUE withFilter: \`PSCTX_KERNEL\` must be host or windows in the environment, not "linux".",
       "ERR_INVALID_ARG_VALUE withVolume: \`PSCTX_VOLUME\` must be a drive such as M:, or one with its directory, N:=/mnt/ntfs, in the environment, not "/mnt/M:".",
       "ERR_INVALID_ARG_VALUE withVolume: \`PSCTX_VOLUME\` must be a drive such as M:, or one with its directory, N:=/mnt/ntfs, in the environment, not "N:/mnt".",
       "ERR_INVALID_ARG_VALUE withVolume: \`PSCTX_VOLUME\` must be a drive such as T: in the environment, not "T:=C:\\\\tests".",
     ]
    `)
  })

  test.each([
    ['win32', { kernel: 'windows', drive: undefined, directory: undefined }],
    ['linux', { kernel: 'host', drive: 'M:', directory: undefined }],
  ] as const)("is on the system's own kernel when the environment says nothing: %s", (platform, expected) => {
    expect(inEnvironment({}, () => where({ platform }, () => readEnvironment('withFilter')))).toEqual(expected)
  })

  test('needs to be told the hooks where they are not global', async () => {
    const { afterEach } = globalThis
    globalThis.afterEach = undefined as never
    try {
      expect(await argumentErrorOf(() => withFilter())).toMatchInlineSnapshot(`
       {
         "argument": "runner",
         "code": "ERR_INVALID_ARG_VALUE",
         "message": "withFilter: \`runner\` must be the module of the test runner, whose hooks are not global here: await import('vitest'), or '@jest/globals'.",
       }
      `)
    } finally {
      globalThis.afterEach = afterEach
    }
  })
})

describe('withVolume', () => {
  test('gives each test a directory of its own, and writes files there', async () => {
    const hooks = new Hooks()
    const volume = inEnvironment({}, () => withVolume({ runner: hooks }))
    const directories = new Set<string>()
    for (let round = 0; round < 2; round += 1) {
      await hooks.run(() => {
        directories.add(volume.directory)
        const { host } = volume.filter
        const path = volume.writeFile('a.txt', 'Überall')
        expect(path).toBe(`${volume.directory}\\a.txt`)
        expect(volume.writeFile('a.txt:notes', Uint8Array.of(1, 2))).toBe(`${path}:notes`)
        expect(host!.readFile(path).toString()).toBe('Überall')
        expect(host!.readFile(`${path}:notes`)).toEqual(Buffer.from([1, 2]))
        expect(host!.readFile(volume.writeFile('empty.txt'))).toHaveLength(0)
      })
    }
    expect(directories.size).toBe(2)
    expect([...directories][0]).toMatch(/^M:\\psctx-/)
    expect(await messageOf(() => volume.directory)).toMatch('the directory is there while a test runs')
    expect(await messageOf(() => volume.writeFile('a.txt'))).toMatch('the directory is there while a test runs')
  })

  test('uses the memory volume that the environment names', async () => {
    const hooks = new Hooks()
    const volume = inEnvironment({ PSCTX_KERNEL: 'host', PSCTX_VOLUME: 't:' }, () => withVolume({ runner: hooks }))
    await hooks.run(() => expect(volume.directory).toMatch(/^t:\\psctx-/))
  })

  test('refuses what cannot be written', async () => {
    const hooks = new Hooks()
    const volume = withVolume({ runner: hooks })
    await hooks.run(async () => {
      expect(await argumentErrorOf(() => volume.writeFile(5 as never))).toEqual({
        code: 'ERR_INVALID_ARG_TYPE',
        argument: 'name',
        message: 'writeFile: `name` must be a string.',
      })
      expect(await argumentErrorOf(() => volume.writeFile('a', 5 as never))).toEqual({
        code: 'ERR_INVALID_ARG_TYPE',
        argument: 'data',
        message: 'writeFile: `data` must be a Uint8Array or a Buffer.',
      })
      expect(() => volume.writeFile('a?.txt')).toThrow('STATUS_OBJECT_NAME_INVALID')
    })
  })

  test('serves a directory of the machine, and leaves nothing in it', async () => {
    const path = mkdtempSync(join(tmpdir(), 'psctx-served-'))
    try {
      await useDirectory(path, 'a.txt')
    } finally {
      rmSync(path, { recursive: true })
    }
  })

  test('makes the directory where temporary files are, where the kernel is not the embedded one', () => {
    const filter = { host: undefined }
    const directory = makeTestDirectory({ kernel: 'windows', drive: undefined, directory: undefined }, filter)
    expect(dirname(directory.path)).toBe(tmpdir())
    const file = join(directory.path, 'a.txt')
    directory.writeFile(file, Buffer.from('content'))
    expect(readFileSync(file, 'utf8')).toBe('content')
    directory.remove()
    expect(existsSync(directory.path)).toBe(false)
  })

  test('makes the directory on the drive that the environment names, where the kernel is not the embedded one', () => {
    const make = jest.spyOn(fs, 'mkdtempSync').mockImplementation((prefix) => `${prefix}1f0c`)
    try {
      const environment = { kernel: 'windows', drive: 'T:', directory: undefined } as const
      expect(makeTestDirectory(environment, { host: undefined }).path).toBe('T:\\psctx-1f0c')
    } finally {
      make.mockRestore()
    }
  })

  test('closes the filter all the same where no directory can be made', async () => {
    const hooks = new Hooks()
    const volume = inEnvironment({ PSCTX_VOLUME: `N:=${tmpdir()}` }, () => withVolume({ runner: hooks }))
    const make = jest.spyOn(fs, 'mkdtempSync').mockImplementation(() => {
      throw new Error('no space is left')
    })
    try {
      expect(() => hooks.before()).toThrow('no space is left')
    } finally {
      make.mockRestore()
    }
    const { filter } = volume
    await hooks.after()
    expect(filter.closed).toBe(true)
  })

  const obstacle = ntfsObstacle()
  const testOnNtfs = obstacle !== undefined && !process.env['CI'] ? test.skip : test
  testOnNtfs('serves an NTFS volume, with its streams', async () => {
    const ntfs = ntfsVolume()
    try {
      await useDirectory(ntfs.mountPoint, 'a.txt:notes')
    } finally {
      ntfs.dispose()
    }
  })
})

/** Runs a test, with a stream of that name, on the volume that a directory of the machine is. */
async function useDirectory(served: string, file: string): Promise<void> {
  const hooks = new Hooks()
  const volume = inEnvironment({ PSCTX_VOLUME: `N:=${served}` }, () => withVolume({ runner: hooks }))
  await hooks.run(async () => {
    const stream = volume.filter.openStream(volume.writeFile(file, 'content'))
    const context = stream.insert({ instance: 1n })
    expect(stream).toHaveContext({ instance: 1n })
    const [name] = readdirSync(served).filter((entry) => entry.startsWith('psctx-'))
    expect(volume.directory).toBe(`N:\\${name!}`)
    expect(readFileSync(join(served, name!, file), 'utf8')).toBe('content')
    stream.close()
    await expect(context).toBeTornDown({ within: 60_000 })
  })
  expect(readdirSync(served).filter((entry) => entry.startsWith('psctx-'))).toEqual([])
  expect(existsSync(served)).toBe(true)
}

test('the matchers are there for a runner whose `expect` is not global, or that has none', () => {
  const known = Object.getOwnPropertyDescriptor(globalThis, 'expect')!
  const extend = jest.fn()
  const load = (expect: unknown): object => {
    let loaded: object = {}
    Object.defineProperty(globalThis, 'expect', { ...known, value: expect })
    jest.isolateModules(() => {
      loaded = jest.requireActual<typeof import('../../src/jest/index')>('../../src/jest/index').matchers
    })
    Object.defineProperty(globalThis, 'expect', known)
    return loaded
  }
  const names = ['toBeTornDown', 'toHaveContext', 'toHaveContexts', 'toLeaveNoContexts', 'toSupportContexts']
  for (const expected of [undefined, {}, { extend }]) expect(Object.keys(load(expected)).sort()).toEqual(names)
  expect(extend).toHaveBeenCalledTimes(1)
})
