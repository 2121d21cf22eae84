// What differs between the architectures that the Windows binaries are built for.

/**
 * - target: clang's name of it
 * - entry: the linker's name of a routine with the calling convention of the kernel's callbacks and this many bytes of arguments
 * - subsystemVersion: the oldest Windows that the images are for. There is none for arm64 before 10.0
 * - compile, link: options that no other architecture has
 * - dlltool: the machine's name to the maker of import libraries
 * - mingw: the prefix of mingw-w64's import libraries, which has none for arm64
 * - wdk: compiler options, the linker's name of the machine, and the kit's directory of its libraries
 */
export const architectures = {
  x64: {
    target: 'x86_64-w64-windows-gnu',
    entry: (name) => name,
    subsystemVersion: '5.2',
    // An interrupt may use what is below the stack pointer.
    compile: ['-mno-red-zone'],
    link: ['-Wl,--high-entropy-va'],
    dlltool: 'i386:x86-64',
    mingw: '/usr/x86_64-w64-mingw32/lib',
    wdk: {
      target: 'x86_64-pc-windows-msvc',
      compile: ['-D_AMD64_', '-D_WIN64'],
      link: [],
      machine: 'x64',
      libraries: 'x64',
    },
  },
  arm64: {
    target: 'aarch64-w64-windows-gnu',
    entry: (name) => name,
    subsystemVersion: '10.0',
    compile: [],
    link: ['-Wl,--high-entropy-va'],
    dlltool: 'arm64',
    wdk: {
      target: 'aarch64-pc-windows-msvc',
      compile: ['-D_ARM64_', '-D_WIN64'],
      link: [],
      machine: 'arm64',
      libraries: 'arm64',
    },
  },
  x86: {
    target: 'i686-w64-windows-gnu',
    entry: (name, bytes) => `_${name}@${bytes}`,
    subsystemVersion: '5.2',
    compile: ['-march=i686'],
    link: [],
    dlltool: 'i386',
    mingw: '/usr/i686-w64-mingw32/lib',
    wdk: {
      target: 'i686-pc-windows-msvc',
      // Stdcall by default, as the kit's own projects have it. The instructions are those of the mingw build: with /arch:IA32 clang has
      // no cmpxchg8b and calls a library for what the kit's headers do with it.
      compile: ['-D_X86_', '-Di386=1', '/Gz', '/clang:-march=i686'],
      link: ['/safeseh:no'],
      machine: 'x86',
      libraries: 'x86',
    },
  },
}
