// What CMake is told: to build with clang, for those scripts whose measures are clang's alone, and to build for a machine of 32 bits.

export const clang = ['-DCMAKE_C_COMPILER=clang-19', '-DCMAKE_CXX_COMPILER=clang++-19']

/** The options of a build with sanitizers, such as `address,undefined`. */
export function sanitized(sanitizers) {
  return [...clang, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', `-DPSCTX_SANITIZE=${sanitizers}`]
}

/**
 * The options of a build for 32-bit x86, by gcc, quick rather than fast. A routine's last call is a jump, for which it must not go through a table of
 * linkage: a test of unloading stands on that. Times and offsets of files have 64 bits all the same.
 */
export const narrow = [
  '-DCMAKE_C_COMPILER=gcc',
  '-DCMAKE_BUILD_TYPE=Release',
  '-DCMAKE_C_FLAGS_RELEASE=-O1 -foptimize-sibling-calls',
  '-DCMAKE_C_FLAGS=-m32 -fno-plt -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64',
]
