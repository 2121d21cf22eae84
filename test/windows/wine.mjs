// A machine for the Windows driver: a Wine prefix with the proxy kernel, hostfs.sys, fltmgr.sys and the driver, and programs run in it.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'

import { atEnd, CommandError, capture, root } from '../../scripts/run.mjs'
import { buildWineParts, findWineImages } from './build.mjs'

const windows = join(root, 'test', 'windows')

/** Wine runs drivers whose services have the same load-order group in one driver host, as it has to be: so this is the driver's. */
const services = `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\hostfs]
"Type"=dword:00000002
"Start"=dword:00000003
"ErrorControl"=dword:00000001
"Group"="FSFilter Activity Monitor"
"ImagePath"="C:\\\\windows\\\\system32\\\\drivers\\\\hostfs.sys"

[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\FltMgr]
"Type"=dword:00000002
"Start"=dword:00000003
"ErrorControl"=dword:00000001
"Group"="FSFilter Activity Monitor"
"ImagePath"="C:\\\\windows\\\\system32\\\\drivers\\\\fltmgr.sys"

[HKEY_CURRENT_USER\\Software\\Wine]
"Version"="win10"

[HKEY_CURRENT_USER\\Software\\Wine\\DllOverrides]
"fltmgr.sys"="native"
"ntoskrnl.exe"="native"
"bcryptprimitives"="native,builtin"
`

/** The same for the same bytes: of the sources that the parts and the prefix are made from, and of Wine itself. */
function fingerprint() {
  const hash = createHash('sha256')
  const directories = [
    windows,
    join(windows, 'kernel'),
    join(windows, 'fltmgr'),
    join(windows, 'hostfs'),
    join(root, 'driver', 'host'),
    join(root, 'driver', 'host', 'fltmgr'),
    join(root, 'driver', 'host', 'fsd'),
    join(root, 'driver', 'host', 'include'),
  ]
  for (const directory of directories) {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isFile()) hash.update(`${entry.name}\0`).update(readFileSync(join(directory, entry.name)))
    }
  }
  hash.update(readFileSync(join(findWineImages(), 'ntoskrnl.exe')))
  return hash.digest('hex')
}

/** True if `path` holds `text`; otherwise whatever has to be made again is made, and then the stamp written. */
const isStamped = (path, text) => existsSync(path) && readFileSync(path, 'utf8') === text

/** Builds the parts into build/wine-parts if they are not those of today's sources. Returns the directory. */
export function provideWineParts() {
  const directory = join(root, 'build', 'wine-parts')
  const stamp = join(directory, 'stamp')
  const text = fingerprint()
  if (!isStamped(stamp, text)) {
    buildWineParts(directory)
    writeFileSync(stamp, text)
  }
  return directory
}

/** Wine's own images are linked to instead of copied: that is a prefix of a few megabytes instead of hundreds. */
function linkImages(directory) {
  const images = findWineImages()
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const image = join(images, name)
    if (existsSync(image) && lstatSync(path).isFile() && statSync(path).size === statSync(image).size) {
      rmSync(path)
      symlinkSync(image, path)
    }
  }
}

/** Wine binds an import that its kernel lacks to a routine that ends the driver host when it is called: better said beforehand. */
function checkImports(driver, parts) {
  const known = new Set(readFileSync(join(parts, 'exports'), 'utf8').split('\n'))
  const table = capture('x86_64-w64-mingw32-objdump', ['-p', driver]).output
  const imports = [...table.matchAll(/^\t[0-9a-f]+\t\s*\d+\s+(\S+)$/gm)].map(([, name]) => name)
  const missing = imports.filter((name) => !known.has(name))
  if (imports.length === 0) throw new CommandError(`${driver}: its imports cannot be told`)
  if (missing.length > 0) {
    throw new CommandError(`${driver} imports ${missing.join(', ')}, which test/windows/kernel is to supply`)
  }
}

function replace(source, target) {
  rmSync(target, { force: true })
  copyFileSync(source, target)
}

/** What a program that has ended leaves behind. `status` is null if it was killed. */
function readResult(child, directory, timedOut) {
  const result = {
    status: child.exitCode,
    timedOut,
    stdout: readFileSync(join(directory, 'stdout'), 'utf8'),
    stderr: readFileSync(join(directory, 'stderr'), 'utf8'),
  }
  rmSync(directory, { recursive: true, force: true })
  return result
}

/** A Wine prefix in use. Made by `openWineMachine`; `close` ends every process in it. */
class WineMachine {
  #environment
  #stayOn

  constructor(directory) {
    this.directory = directory
    /** What the driver host says: a broken rule of the kernel is told here, and ends it. */
    this.kernelLog = join(directory, 'kernel.log')
    this.#environment = {
      PATH: process.env.PATH,
      HOME: homedir(),
      WINEPREFIX: directory,
      WINEDEBUG: '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=',
    }
  }

  /** A path on the machine for a path here. */
  static path(path) {
    return `Z:${resolve(path).replaceAll('/', '\\')}`
  }

  #spawn(command, args, options) {
    return spawn(command, args, { cwd: this.directory, env: this.#environment, ...options })
  }

  /** Runs one of Wine's own commands, with its output in the kernel's log. Throws unless it exits with 0. */
  async wine(command, args, timeout = 120_000) {
    const log = openSync(this.kernelLog, 'a')
    const child = this.#spawn(command, args, { stdio: ['ignore', log, log], timeout, killSignal: 'SIGKILL' })
    const status = await new Promise((settle, reject) => child.once('error', reject).once('exit', settle))
    closeSync(log)
    if (status !== 0) throw new CommandError(`${command} ${args.join(' ')} ended with ${status}: see ${this.kernelLog}`)
  }

  /**
   * Starts a Windows program. Its output goes to files: Wine's daemons keep what they inherit, so that a pipe would never end.
   * `exited` settles when it has ended, by itself or killed (after `timeout` milliseconds at the latest).
   */
  launch(program, args = [], { environment = {}, cwd = this.directory, timeout = 60_000 } = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'psctx-wine-'))
    const files = ['stdout', 'stderr'].map((name) => openSync(join(directory, name), 'w'))
    const child = this.#spawn('wine', [program.includes('/') ? resolve(program) : program, ...args], {
      cwd,
      env: { ...this.#environment, ...environment },
      stdio: ['ignore', ...files],
    })
    files.forEach((file) => closeSync(file))
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeout)
    const exited = new Promise((settle, reject) => {
      child.once('error', reject)
      child.once('exit', () => {
        clearTimeout(timer)
        settle(readResult(child, directory, timedOut))
      })
    })
    return {
      exited,
      /** What it has written to standard output so far. */
      output: () => readFileSync(join(directory, 'stdout'), 'utf8'),
      /** Ends it as the death of a process does: nothing in it runs any more. */
      kill: () => child.kill('SIGKILL'),
      /** Presses Ctrl+C. */
      interrupt: () => child.kill('SIGINT'),
    }
  }

  /** Runs a Windows program to its end. */
  run(program, args, options) {
    return this.launch(program, args, options).exited
  }

  /** Starts the file system. */
  async startFileSystem() {
    await this.wine('wine', ['sc', 'start', 'hostfs'])
  }

  /** Starts Filter Manager, which attaches to what is mounted. */
  async startFilterManager() {
    await this.wine('wine', ['sc', 'start', 'FltMgr'])
  }

  /** Stops it, once its minifilters have. */
  async stopFilterManager() {
    await this.wine('wine', ['sc', 'stop', 'FltMgr'])
  }

  /** Boots the machine, without the drivers, and keeps it up until `close`. */
  async boot() {
    writeFileSync(this.kernelLog, '')
    await this.wine('wineserver', ['-p'])
    this.#stayOn = atEnd(this.#halt)
    await this.wine('wine', ['wineboot'])
  }

  /** Ends every process on the machine, where there are any, and waits for that. */
  #halt = () => {
    const options = { env: this.#environment, stdio: 'ignore', timeout: 60_000 }
    for (const option of ['-k', '-w']) {
      const { error } = spawnSync('wineserver', [option], options)
      if (error) throw new CommandError(`wineserver ${option}: ${error.message}`)
    }
  }

  /** Switches the machine off. Throws if a rule of the kernel was broken while it was on. */
  close() {
    this.#stayOn()
    this.#halt()
    const stop = this.findStop()
    if (stop !== undefined) throw new CommandError(`the kernel stopped: ${stop}`)
  }

  /** What the kernel said when it stopped because one of its rules was broken, or undefined. Requests fail from then on. */
  findStop() {
    return readFileSync(this.kernelLog, 'utf8').match(/^\*\*\* STOP: .*$/m)?.[0]
  }

  /** Makes the prefix, with the services but without the images. */
  async #install() {
    rmSync(this.directory, { recursive: true, force: true })
    mkdirSync(this.directory, { recursive: true })
    writeFileSync(this.kernelLog, '')
    await this.wine('wine', ['wineboot', '--init'])
    const file = join(this.directory, 'services.reg')
    writeFileSync(file, services)
    await this.wine('wine', ['regedit', '/S', WineMachine.path(file)])
    this.#halt()
    linkImages(this.system)
  }

  get system() {
    return join(this.directory, 'drive_c', 'windows', 'system32')
  }

  /** Makes the prefix if it is not there as it should be, and puts the images in place. */
  async prepare(drivers) {
    const parts = provideWineParts()
    for (const driver of drivers) checkImports(driver, parts)
    this.#halt()
    const stamp = join(this.directory, 'stamp')
    const text = readFileSync(join(parts, 'stamp'), 'utf8')
    if (!isStamped(stamp, text)) {
      await this.#install()
      writeFileSync(stamp, text)
    }
    for (const name of ['ntoskrnl.exe', 'ntosbase.dll', 'bcryptprimitives.dll']) {
      replace(join(parts, name), join(this.system, name))
    }
    for (const name of ['hostfs.sys', 'fltmgr.sys']) replace(join(parts, name), join(this.system, 'drivers', name))
  }
}

/**
 * Opens a machine whose disk is `directory`: made when it is not there, and used again otherwise. The drivers that it is to run, which
 * are not installed, are those that `npm run build:windows` has made. The caller closes the machine.
 */
export async function openWineMachine(directory) {
  const drivers = ['psctx.sys', 'psctx-minifilter.sys'].map((name) => join(root, 'build', 'windows', 'x64', name))
  const missing = drivers.find((driver) => !existsSync(driver))
  if (missing !== undefined) throw new CommandError(`${missing} is not there: run npm run build:windows`)
  const machine = new WineMachine(resolve(directory))
  await machine.prepare(drivers)
  await machine.boot()
  return machine
}
