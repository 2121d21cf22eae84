// Brings a machine from a bare clone to a built checkout: Debian packages, npm packages, addon and facade.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { CommandError, inContinuousIntegration, root, run, which } from './run.mjs'

/** Loads programs for 32-bit x86, and is one itself. */
const loader32 = '/lib/ld-linux.so.2'

/** Where clang has what its sanitizers link, which it may be there without. */
const sanitizers = '/usr/lib/llvm-19/lib/clang/19/lib/linux'

/** What each capability needs: programs, or files by their path, that show it is there, and the Debian packages that bring them. */
const capabilities = {
  build: { programs: ['cmake', 'c++', 'make'], packages: ['cmake', 'g++', 'make'] },
  ntfs: { programs: ['ntfs-3g', 'mkntfs', 'fusermount'], packages: ['ntfs-3g', 'fuse3'] },
  format: { programs: ['clang-format-19'], packages: ['clang-format-19'] },
  clang: { programs: ['clang-19', sanitizers], packages: ['clang-19', 'libclang-rt-19-dev'] },
  coverage: {
    programs: ['clang-19', sanitizers, 'llvm-cov-19', 'llvm-profdata-19'],
    packages: ['clang-19', 'libclang-rt-19-dev', 'llvm-19'],
  },
  windows: {
    programs: [
      'clang-19',
      'lld-19',
      'llvm-dlltool-19',
      'osslsigncode',
      'openssl',
      'x86_64-w64-mingw32-gcc-posix',
      'x86_64-w64-mingw32-g++-posix',
      '/usr/i686-w64-mingw32/lib/libntoskrnl.a',
    ],
    packages: [
      'clang-19',
      'lld-19',
      'llvm-19',
      'osslsigncode',
      'openssl',
      'gcc-mingw-w64-x86-64-posix',
      'g++-mingw-w64-x86-64-posix',
      'mingw-w64-i686-dev',
    ],
  },
  analysis: {
    programs: ['clang-tidy-19', 'clang-19', 'gcc', 'cppcheck'],
    packages: ['clang-tidy-19', 'clang-19', 'gcc', 'cppcheck'],
  },
  narrow: {
    programs: ['gcc', loader32, '/usr/lib32/libc.so', '/usr/lib32/libgcc_s.so.1'],
    packages: ['gcc-multilib'],
  },
  ssh: { programs: ['ssh', 'sftp', 'ssh-keygen'], packages: ['openssh-client'] },
  sshd: { programs: ['sshd', '/usr/lib/openssh/sftp-server'], packages: ['openssh-server'] },
  valgrind: { programs: ['valgrind'], packages: ['valgrind'] },
  chromium: { programs: ['/usr/bin/chromium'], packages: ['chromium'] },
  wine: { programs: ['wine', 'wineserver'], packages: ['wine', 'wine64'] },
  arm64: {
    programs: ['qemu-aarch64-static', 'readelf', '/usr/aarch64-linux-gnu/lib/libstdc++.so.6'],
    packages: ['qemu-user-static', 'binutils', 'libc6-arm64-cross', 'libstdc++6-arm64-cross'],
  },
}

const isRoot = process.getuid?.() === 0

/**
 * Installs what the capabilities need, each by itself: a release of Debian or Ubuntu that lacks one package may have the others. Nothing that is there
 * is removed for it, as cross compilers would be for gcc-multilib.
 */
function install(names) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-y', '-qq', '--no-install-recommends', '--no-remove']
  const lists = names.map((name) => ['install', ...options, ...capabilities[name].packages])
  for (const list of [['update', '-qq'], ...lists]) {
    try {
      run('apt-get', list, { env: environment })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      console.error(error.message) // what is still missing is told by provide
    }
  }
}

function missing(name) {
  return capabilities[name].programs.filter(
    (program) => !(program.startsWith('/') ? existsSync(program) : which(program)),
  )
}

/**
 * Makes the named capabilities available where that can be done (root on Debian or Ubuntu), and returns those that are not there,
 * each with the reason. In continuous integration a capability that is not there is an error.
 */
export function provide(names) {
  const absent = names.filter((name) => missing(name).length > 0)
  if (absent.length > 0 && isRoot && which('apt-get')) {
    install(absent)
  }
  const reasons = new Map()
  for (const name of names) {
    const programs = missing(name)
    if (programs.length > 0) {
      const packages = capabilities[name].packages.join(' ')
      reasons.set(
        name,
        `${programs.join(', ')} not found (Debian packages: ${packages}; installed automatically for root)`,
      )
    }
  }
  if (names.includes('ntfs') && !reasons.has('ntfs')) {
    if (!isRoot) reasons.set('ntfs', 'mounting an NTFS image needs root')
    else if (!existsSync('/dev/fuse')) reasons.set('ntfs', '/dev/fuse is not there')
  }
  if (names.includes('narrow') && !reasons.has('narrow') && spawnSync(loader32, ['--version']).status !== 0) {
    reasons.set('narrow', "this machine's kernel runs no 32-bit programs")
  }
  if (inContinuousIntegration && reasons.size > 0) {
    throw new CommandError([...reasons].map(([name, reason]) => `${name}: ${reason}`).join('\n'))
  }
  return reasons
}

/** The same for who can do nothing without them. */
export function demand(names) {
  const reasons = provide(names)
  if (reasons.size > 0) throw new CommandError([...reasons.values()].join('\n'))
}

/** The files at and below these paths of the checkout. What is not there has none. */
function filesBelow(...paths) {
  return paths.flatMap((path) => {
    const found = statSync(join(root, path), { throwIfNoEntry: false })
    if (!found?.isDirectory()) return found ? [path] : []
    return filesBelow(...readdirSync(join(root, path)).map((name) => join(path, name)))
  })
}

function digestOf(paths) {
  const hash = createHash('sha256')
  for (const path of filesBelow(...paths).sort())
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

/**
 * Runs `make`, unless a stamp says that what is there of its products was made of these inputs: not once they are gone or others, as after a build
 * that was ended, or one by hand of other sources. All are paths of files and directories.
 *
 * - stamp: its name in build
 * - more: that of a stamp of the same products and more, made of the same
 */
export function once(stamp, { inputs, products, make, more = stamp }) {
  const state = () => `${digestOf(inputs)} ${digestOf(products)}`
  const files = [stamp, more].map((name) => join(root, 'build', `${name}.stamp`))
  const before = state()
  if (files.some((file) => existsSync(file) && readFileSync(file, 'utf8') === before)) return
  make()
  mkdirSync(join(root, 'build'), { recursive: true })
  writeFileSync(files[0], state())
}

/** Installs exactly what package-lock.json names. */
export function installDependencies() {
  once('dependencies', {
    inputs: ['package.json', 'package-lock.json'],
    products: [join('node_modules', '.package-lock.json')], // which npm writes when it has done the rest
    make: () => run('npm', ['ci', '--no-audit', '--no-fund']),
  })
}

/** Builds the addon and the facade; quick when nothing has changed. */
export function build() {
  const parallel = ['--', '--parallel', String(availableParallelism())] // make does one after the other unless told
  once('native', {
    inputs: ['CMakeLists.txt', 'binding', 'driver', 'package-lock.json'],
    products: [join('build', 'Release', 'psctx.node')],
    make: () => run('npm', ['run', '--silent', 'build:native', ...parallel]),
  })
  const scripts = ['scripts/build-dist.mjs', 'scripts/library']
  once('facade', {
    inputs: ['src', ...scripts, 'tsconfig.build.json', 'package.json', 'package-lock.json'],
    products: ['dist'],
    make: () => run('npm', ['run', '--silent', 'build:ts']),
  })
}

/** What the shipped addons, and the drivers, are built of. */
const shipped = ['binding', 'driver', 'scripts/tools.mjs', 'CMakeLists.txt', 'package-lock.json']

/** Builds the Windows binaries into build/windows, without what takes Zig minutes if asked to; quick when nothing has changed. */
export function buildWindows({ withoutZig = false } = {}) {
  once(`windows${withoutZig ? '-without-zig' : ''}`, {
    inputs: [...shipped, 'scripts/windows', 'scripts/build-windows.mjs', 'test/kernel'],
    products: [join('build', 'windows')],
    make: () => run('npm', ['run', '--silent', 'build:windows', ...(withoutZig ? ['--', '--without-zig'] : [])]),
    more: 'windows',
  })
}

/** Builds the addons that are shipped for Linux into build/linux; quick when nothing has changed. */
export function buildLinux() {
  once('linux', {
    inputs: [...shipped, 'scripts/build-linux.mjs'],
    products: [join('build', 'linux')],
    make: () => run('npm', ['run', '--silent', 'build:linux']),
  })
}
